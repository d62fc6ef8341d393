"""What a job needs to know of circuits on their way through a device or a simulator."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES
from qiskit.result.models import ExperimentResult

from aqt_fast.dispatcher import Dispatcher
from aqt_fast.exceptions import APIConnectionError, AQTError
from aqt_fast.job_timing import JobTiming


class Execution(ABC):
    """A batch of circuits on its way through a device or a simulator, in the background."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._status = JobStatus.QUEUED
        self._message: str | None = None
        self._error: AQTError | None = None
        self._changed = threading.Condition()
        self._process = os.getpid()

    @property
    def status(self) -> JobStatus:
        """Where the batch stands."""
        return self._status

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self._status in JOB_FINAL_STATES

    @property
    def message(self) -> str | None:
        """Why not all circuits were evaluated, None if they were or still may be."""
        return self._message

    @property
    def error(self) -> AQTError | None:
        """What keeps results from being known although circuits may have run."""
        return self._error

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

    @abstractmethod
    def begin(self) -> None:
        """Start to work; called once."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call the job: its identifier, or its label as long as it has none."""

    @property
    def unsent(self) -> list[str]:
        """Labels of what nobody has accepted yet."""
        return []

    def told_as_lost(self) -> str:
        """What to say of a job of which something is :attr:`unsent` when the program ends."""
        first, *others = self.unsent
        if not others:
            return f"'{first}' was not submitted, or not to its end"
        return f"'{first}' and {len(others)} more were not submitted, or not to their end"

    @property
    @abstractmethod
    def job_id(self) -> str:
        """What the job is called. Waits until its submission was answered.

        Raises:
            AQTError: the submission has failed.
        """

    @property
    @abstractmethod
    def finished_count(self) -> int:
        """Circuits that were evaluated."""

    @property
    @abstractmethod
    def completed(self) -> list[range]:
        """Parts of the batch that have ended, in the order in which they did; it only grows."""

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
    def settings(self) -> dict[str, Any]:
        """What it takes to go on in another process, in JSON's types.

        Raises:
            ValueError: something cannot be expressed, or cannot go on.
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

    def go_on(self) -> None:  # noqa: B027 - most have nothing to take up again
        """Take up again what an error has stopped, if asking again may help."""

    def outcome(self) -> tuple[str | None, AQTError | None] | None:
        """Message and error of a batch that has ended, None if it has not."""
        with self._changed:
            return (self._message, self._error) if self.ended else None

    def settle(self, deadline: float) -> None:
        """Wait until everything was accepted or refused, up to a time of ``time.monotonic``."""
        with self._changed:
            self._changed.wait_for(lambda: not self.unsent, max(0.0, deadline - time.monotonic()))

    def abandon(self, reason: str) -> None:
        """End here and now; what is with a portal or a machine stays there."""
        with self._changed:
            if not self.ended:
                self._end(JobStatus.ERROR, reason, APIConnectionError(reason))

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
            beyond: until more circuits than so many are done.
            completed: until more parts than so many have ended.

        Raises:
            RuntimeError: called in a process that was forked from the one that works.
        """
        self._require_process()

        def ready() -> bool:
            return (
                self.ended
                or (beyond is not None and self.finished_count > beyond)
                or (completed is not None and len(self.completed) > completed)
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
        """Do a step in the background; whatever goes wrong, the job must end and tell."""
        try:
            step()
        except AQTError as error:
            self._end(JobStatus.ERROR, str(error), error)
        except BaseException as error:  # noqa: BLE001 - nobody else would hear of it
            self._end(JobStatus.ERROR, str(error) or repr(error))

    def _require_process(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError(f"the job runs in process {self._process}, not in this one")


class Session:
    """A connection and the threads that jobs share; ends its jobs when it is closed."""

    SETTLING_SECONDS = 10.0
    """So long are submissions waited for when it is closed."""

    def __init__(self, num_threads: int, name: str) -> None:
        """``num_threads`` steps of jobs may be under way at the same time."""
        self.dispatcher = Dispatcher(num_threads, name=name)
        """Calls the steps."""
        self._executions: WeakSet[Execution] = WeakSet()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.closed = False
        """Whether nothing can be asked any more."""
        _SESSIONS.add(self)

    def adopt(self, execution: Execution) -> None:
        """End this execution as well when the session is closed."""
        with self._lock:
            self._executions.add(execution)

    def disconnect(self) -> None:
        """Close the connection."""

    def close(self) -> list[str]:
        """Wait for submissions to be answered, and end all other waiting.

        Returns:
            What was not submitted in time, or has to end with the process: a line for each job.
        """
        if os.getpid() != self._process:
            return []
        with self._lock:
            executions = list(self._executions)
        deadline = time.monotonic() + self.SETTLING_SECONDS
        for execution in executions:
            execution.settle(deadline)
        lost = [execution.told_as_lost() for execution in executions if execution.unsent]
        self.closed = True
        self.disconnect()
        self.dispatcher.close()
        for execution in executions:
            execution.abandon("the provider is closed")
        return lost


_SESSIONS: WeakSet[Session] = WeakSet()


@atexit.register
def _close_sessions() -> None:
    """Let a program that ends submit what it has run, and tell what it could not submit."""
    for session in list(_SESSIONS):
        for line in session.close():
            sys.stderr.write(f"aqt-fast: {line}\n")
