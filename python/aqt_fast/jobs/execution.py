"""What a job's handle needs of circuits on their way through a device or a simulator."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES
from qiskit.result.models import ExperimentResult

from aqt_fast.exceptions import AQTError
from aqt_fast.jobs.timing import JobTiming
from aqt_fast.store.location import JobLocation
from aqt_fast.wire.plan import BatchPlan


@dataclass(frozen=True)
class ExecutionState:
    """Where an execution stands: what belongs together, read at one moment."""

    status: JobStatus
    """Of all circuits."""
    finished_count: int
    """Circuits that were evaluated."""
    message: str | None = None
    """Why not all circuits were evaluated, None if they were or still may be."""
    error: AQTError | None = None
    """What keeps results from being known although circuits may have run."""

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more by itself."""
        return self.status in JOB_FINAL_STATES


@dataclass(frozen=True)
class Checkpoint:
    """What it takes to go on in another process."""

    job_id: str
    """The job's own identifier, a UUID."""
    location: JobLocation
    """Where the job lives."""
    plan: BatchPlan | None = None
    """Its API jobs, None offline."""
    events: tuple[dict[str, Any], ...] = ()
    """What is known of its API jobs."""
    ended: bool = False
    """Whether it has ended."""


class Execution(ABC):
    """A batch of circuits on its way through a device or a simulator, in the background."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._status = JobStatus.QUEUED
        self._message: str | None = None
        self._error: AQTError | None = None
        self._finished_count = 0
        self._completed: list[range] = []
        self._changed = threading.Condition()
        self._process = os.getpid()

    @property
    def state(self) -> ExecutionState:
        """Where it stands."""
        with self._changed:
            return ExecutionState(self._status, self._finished_count, self._message, self._error)

    @property
    def completed(self) -> list[range]:
        """Parts of the batch that have ended, in the order in which they did.

        It only grows, unless API jobs are submitted again.
        """
        return self._completed

    @property
    def label(self) -> str | None:
        """What the portal shows with the job, None if no portal knows it."""
        return None

    @property
    def problem(self) -> str | None:
        """What could not be stored for other processes, None if all is well."""
        return None

    @property
    def timing(self) -> JobTiming | None:
        """Where the time went, None if nobody measures it."""
        return None

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call the job: its identifier, or its label as long as it has none."""

    @property
    @abstractmethod
    def job_id(self) -> str:
        """What the job is called. Waits until its submission was answered.

        Raises:
            AQTError: the submission has failed.
        """

    @abstractmethod
    def begin(self) -> None:
        """Start to work; called once."""

    @abstractmethod
    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """One entry a circuit, in order; those that were not evaluated have ``success=False``.

        Args:
            part: one of ``completed``; None for all circuits.
        """

    @abstractmethod
    def cancel(self) -> bool:
        """Stop what has not run yet; False if there is nothing left to stop."""

    @abstractmethod
    def checkpoint(self) -> Checkpoint:
        """What it takes to go on in another process; may wait until that can be said.

        Raises:
            ValueError: something cannot be expressed.
        """

    def resubmit_failed(self, *, uncertain: bool, expired: bool) -> int:  # noqa: ARG002
        """Submit once more what has failed, and return the number of API jobs."""
        return 0

    def adopt(self, label: str, job_id: str) -> None:  # noqa: ARG002
        """Take an identifier for a submission that was uncertain.

        Raises:
            LookupError: there is none with this label.
        """
        raise LookupError(f"no uncertain submission has the label '{label}'")

    def retry(self) -> None:  # noqa: B027 - most have nothing to retry
        """Go on with what an error has stopped, if asking again may help."""

    def wait(
        self,
        seconds: float | None,
        *,
        beyond: int | None = None,
        completed: int | None = None,
    ) -> None:
        """Wait until the batch has ended, or as much of it as is said.

        Args:
            seconds: how long at most, None for as long as it takes.
            beyond: until more circuits than this are done.
            completed: until more parts than this have ended.

        Raises:
            RuntimeError: called in a process that was forked from the one that works.
        """
        self._require_process()

        def ready() -> bool:
            return (
                self._status in JOB_FINAL_STATES
                or (beyond is not None and self._finished_count > beyond)
                or (completed is not None and len(self._completed) > completed)
            )

        with self._changed:
            self._changed.wait_for(
                ready, None if seconds is None else min(seconds, threading.TIMEOUT_MAX)
            )

    def _end(
        self, status: JobStatus, message: str | None = None, error: AQTError | None = None
    ) -> None:
        """Note how it has ended; who sees the end must see the reason."""
        with self._changed:
            self._message = message
            self._error = error
            self._status = status
            self._changed.notify_all()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step in the background; whatever goes wrong, the job must end and say so."""
        try:
            step()
        except AQTError as error:
            self._end(JobStatus.ERROR, str(error), error)
        except BaseException as error:  # noqa: BLE001 - nobody else would hear of it
            self._end(JobStatus.ERROR, str(error) or repr(error))

    def _require_process(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError(f"the job runs in process {self._process}, not in this one")
