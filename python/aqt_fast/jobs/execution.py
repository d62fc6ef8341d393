"""The background run of a batch, as the job's handle sees it."""

from __future__ import annotations

import math
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES
from qiskit.result.models import ExperimentResult

from aqt_fast._native import Samples
from aqt_fast._threads import PATIENCE_SECONDS, RETRY_SECONDS, revive_stalled
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.exceptions import (
    APIConnectionError,
    AQTError,
    InvalidOptionError,
    OtherProcessError,
)
from aqt_fast.jobs.timing import JobTiming, job_timing
from aqt_fast.store.description import now
from aqt_fast.store.location import JobLocation
from aqt_fast.visualization.timeline import ApiJobTimes
from aqt_fast.wire.plan import BatchPlan, Part


@dataclass(frozen=True)
class ExecutionState:
    """State of an execution: values that belong together, read at one moment."""

    status: JobStatus
    """Status of the batch as a whole."""
    finished_count: int
    """Number of circuits that were evaluated."""
    message: str | None = None
    """Why not all circuits were evaluated, None if they were or still may be."""
    error: AQTError | None = None
    """Error that hides results although circuits may have run."""
    reopened: int = 0
    """How often the batch had been reopened after its end."""

    @property
    def ended(self) -> bool:
        """Whether the status is final; only a retry or another submission changes it."""
        return self.status in JOB_FINAL_STATES


@dataclass(frozen=True)
class Checkpoint:
    """Everything another process needs to continue the job."""

    job_id: str
    """The job's own identifier, a UUID."""
    location: JobLocation
    """Portal, machine or simulator of the job."""
    plan: BatchPlan | None = None
    """The API jobs, None for an offline simulator."""
    events: tuple[dict[str, Any], ...] = ()
    """Journal events that describe the API jobs."""
    ended: bool = False
    """Whether the job has ended."""


def unordered_shots() -> InvalidOptionError:
    """Make the error to raise for samples of a simulation that has kept counts only."""
    return InvalidOptionError("memory", False, "True for the samples of a simulator")


class Changes(threading.Condition):
    """A condition that also tells listeners of each change."""

    def __init__(self) -> None:
        """Without listeners."""
        super().__init__()
        self.listeners: set[Callable[[], None]] = set()
        """What to call, with the lock held."""

    def notify_all(self) -> None:
        """Wake all that wait, and call the listeners."""
        super().notify_all()
        for listener in list(self.listeners):
            listener()


class Vigil:
    """What everybody does who waits for an execution: tries again to start what has no thread."""

    def __init__(self, execution: Execution, patience: float) -> None:
        """``patience`` is the maximum number of seconds without a thread."""
        self._execution = execution
        self._patience = patience
        self._stalled_since = math.inf
        self._looked_after = time.monotonic()

    def look(self) -> None:
        """Do so now.

        Raises:
            APIConnectionError: the execution has no thread, and patience is over.
        """
        revive_stalled()
        now = time.monotonic()
        if now - self._looked_after >= RETRY_SECONDS:
            self._execution.look_after()
            self._looked_after = now
        stall = self._execution.stall
        self._stalled_since = math.inf if stall is None else min(self._stalled_since, now)
        if now - self._stalled_since >= self._patience:
            raise APIConnectionError(f"{stall}; {self._execution.advice}")


class Execution(ABC):
    """A batch that a device or a simulator runs in the background."""

    runs_alone = False
    """Whether the batch runs to its end without this process, once it was submitted."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._status = JobStatus.QUEUED
        self._message: str | None = None
        self._error: AQTError | None = None
        self._finished_count = 0
        self._completed: list[range] = []
        self.reopened = 0
        """How often its end, or that of a part, was undone."""
        self.created = now()
        """When the job was submitted, in UTC."""
        self.header: dict[str, Any] | None = None
        """What the header of the result holds."""
        self._ended_at: datetime | None = None
        self._changed = Changes()
        self.process = os.getpid()
        """Identifier of the process that runs the batch."""

    @property
    def state(self) -> ExecutionState:
        """The current state; in a fork, the final state if the batch had ended before.

        Raises:
            OtherProcessError: the batch was running when this process was forked.
        """
        if self._forked:
            # A thread of the parent may have held the lock. The status was set last.
            if self._status not in JOB_FINAL_STATES:
                self._require_process()
            return self._state()
        with self._changed:
            return self._state()

    def _state(self) -> ExecutionState:
        return ExecutionState(
            self._status, self._finished_count, self._message, self._error, self.reopened
        )

    @property
    def completed(self) -> list[range]:
        """Parts of the batch that have ended, in the order in which they ended.

        The list only grows, unless API jobs are submitted again.
        """
        return self._completed

    @property
    def label(self) -> str | None:
        """The job's label on the portal, None if it is on no portal."""
        return None

    @property
    def problem(self) -> str | None:
        """What could not be stored for other processes, None if everything was."""
        return None

    @property
    def ended_at(self) -> datetime | None:
        """When the batch has ended, None if it has not."""
        return self._ended_at if self.state.ended else None

    @property
    def advice(self) -> str:
        """What to tell a user who does not wait any more: the job's name, and how to go on."""
        return f"job {self.name} goes on in this process: result() waits again, cancel() stops it"

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The status changes that the portal has reported: pairs of status and time stamp."""
        return []

    @property
    def timing(self) -> JobTiming | None:
        """Durations of the job's stages, None until the portal has reported any."""
        return job_timing(self.changes) if self.changes else None

    @property
    def device_seconds(self) -> float:
        """Seconds on the device, as far as the portal has reported."""
        return 0.0

    @property
    def places(self) -> list[JobStatus] | None:
        """The status of each API job, ``INITIALIZING`` until it is accepted; None without any."""
        return None

    @property
    def api_job_times(self) -> list[ApiJobTimes]:
        """When each API job has changed its state, in the order of the circuits."""
        return []

    @property
    def sent_parts(self) -> list[Part] | None:
        """The API jobs that were sent and may have run, each as often as that; None without any."""
        return None

    @property
    @abstractmethod
    def name(self) -> str:
        """The job's identifier in messages, or its label until it has one."""

    @property
    @abstractmethod
    def job_id(self) -> str:
        """The job's identifier. Wait until the submission was answered.

        Raises:
            AQTError: the submission has failed.
        """

    @property
    def num_api_jobs(self) -> int:
        """Number of API jobs, 0 for an offline simulator."""
        return 0

    def accepted_id(self, index: int) -> str:
        """Return the identifier of an API job; wait until it was accepted or has ended.

        Raises:
            AQTError: it was not accepted.
            LookupError: there are no API jobs.
        """
        raise LookupError(f"the job of an offline simulator has no API job {index}")

    @property
    def batch_id(self) -> str:
        """The job's own identifier, a UUID that is known from the start."""
        return self.name

    def keep_evaluation(self, evaluation: Callable[[], dict[str, Any]]) -> None:  # noqa: B027
        """Store what a primitive makes of the outcomes, for another process.

        Called before :meth:`begin`. Simulations have nothing in which to store it.

        Args:
            evaluation: returns it in JSON's types.
        """

    @abstractmethod
    def begin(self) -> None:
        """Start to run the batch; called once."""

    @abstractmethod
    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """Return one entry per circuit, in order; ``success=False`` if it was not evaluated.

        Args:
            part: one of ``completed``; None for all circuits.
        """

    @abstractmethod
    def samples(self, part: range | None = None) -> list[Samples]:
        """Return the outcomes of all qubits of each circuit, with all of its shots, in order.

        Args:
            part: one of ``completed``; None for all circuits.

        Raises:
            LookupError: a circuit was not evaluated.
            InvalidOptionError: a simulation has kept no order of shots.
        """

    @abstractmethod
    def cancel(self) -> bool:
        """Cancel what has not run yet. Return False if there is nothing left to cancel."""

    @abstractmethod
    def checkpoint(self) -> Checkpoint:
        """Return what another process needs to continue. Wait until it is known.

        Raises:
            ValueError: something cannot be expressed in a file.
        """

    def resubmit_failed(
        self,
        *,
        uncertain: bool,  # noqa: ARG002
        expired: bool,  # noqa: ARG002
        limits: SpendingLimits,  # noqa: ARG002
    ) -> int:
        """Submit failed API jobs again and return their number.

        Args:
            uncertain: include those of which it is unknown whether they were accepted.
            expired: include those that have run, but whose results are gone.
            limits: take the place of the job's own.
        """
        return 0

    def adopt(self, label: str, job_id: str) -> None:  # noqa: ARG002
        """Set the identifier of an uncertain submission.

        Raises:
            LookupError: no uncertain submission has this label.
        """
        raise LookupError(f"no uncertain submission has the label {label!r}")

    def retry(self) -> None:  # noqa: B027 - most have nothing to retry
        """Resume after an error, if another attempt may succeed."""

    def wait(
        self,
        seconds: float | None,
        *,
        beyond: int | None = None,
        completed: int | None = None,
        vigil: Vigil | None = None,
    ) -> None:
        """Wait until the batch has ended, or until one of the given conditions holds.

        Args:
            seconds: maximum time to wait, None for no limit.
            beyond: return as soon as more circuits than this are done.
            completed: return as soon as more parts than this have ended.
            vigil: that of a caller who waits several times.

        Raises:
            APIConnectionError: no thread can be started that would go on with it.
            OtherProcessError: called in a fork of the process that runs the job.
        """
        self._require_process()

        def ready() -> bool:
            return (
                self._status in JOB_FINAL_STATES
                or (beyond is not None and self._finished_count > beyond)
                or (completed is not None and len(self._completed) > completed)
            )

        deadline = math.inf if seconds is None else time.monotonic() + seconds
        self._wait_for(ready, deadline, vigil)

    @property
    def stall(self) -> str | None:
        """Why nothing goes on for want of a thread, None if all is well."""
        return None

    def look_after(self) -> None:  # noqa: B027 - most have nothing to look after
        """Notice what an exception in the background has left unnoticed."""

    def vigil(self, patience: float | None = None) -> Vigil:
        """Return what everybody does who waits.

        Args:
            patience: maximum number of seconds without a thread, None for ten.
        """
        return Vigil(self, PATIENCE_SECONDS if patience is None else patience)

    @contextmanager
    def telling(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call a function after each change, in the thread that has made it; it must not wait."""
        with self._changed:
            self._changed.listeners.add(listener)
        try:
            yield
        finally:
            with self._changed:
                self._changed.listeners.discard(listener)

    def _wait_for(
        self, ready: Callable[[], bool], deadline: float, vigil: Vigil | None = None
    ) -> None:
        """Wait until a condition holds, which is checked after each change, or until a deadline.

        Args:
            ready: the condition, called with the lock held.
            deadline: when ``time.monotonic()`` is there, return anyway.
            vigil: that of the caller, None for a new one.

        Raises:
            APIConnectionError: no thread can be started.
        """
        vigil = vigil or self.vigil()
        while True:
            vigil.look()
            left = deadline - time.monotonic()
            with self._changed:
                if self._changed.wait_for(ready, max(0.0, min(left, RETRY_SECONDS))) or left <= 0:
                    return

    def _end(
        self, status: JobStatus, message: str | None = None, error: AQTError | None = None
    ) -> None:
        """Set the final status after its reason: a reader that sees the end also sees why."""
        with self._changed:
            self._message = message
            self._error = error
            self._ended_at = now()
            self._status = status
            self._changed.notify_all()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a step in the background. Any error ends the job and becomes its message."""
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - a background thread has nowhere to raise
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End after an exception in the background: an unexpected one has no type of ours."""
        typed = error if isinstance(error, AQTError) else None
        self._end(JobStatus.ERROR, str(error) or repr(error), typed)

    @property
    def _forked(self) -> bool:
        """Whether this is a fork of the process that runs the batch."""
        return os.getpid() != self.process

    @property
    def _advice_in_fork(self) -> str:
        """What to do in a fork."""
        return "wait for it there, or run its circuits here"

    def _require_process(self) -> None:
        if self._forked:
            raise OtherProcessError("the job", self.process, self._advice_in_fork)
