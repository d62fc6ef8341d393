"""A second job of the backend, made of the outcomes of the first one as soon as they are there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from qiskit.providers import JobStatus, JobTimeoutError
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast._native import Samples
from aqt_fast._pickles import AnyProtocol
from aqt_fast._threads import stalled, start_thread
from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import APIConnectionError, JobFailedError, OtherProcessError
from aqt_fast.jobs.interrupts import interruptible
from aqt_fast.primitives.evaluation import Evaluation
from aqt_fast.wire.snapshot import Snapshot

MakeSecond: TypeAlias = Callable[[Snapshot, list[Samples]], tuple[AQTJob, Evaluation] | None]
"""Submits the second job, for circuits and outcomes of the first; None if it needs none."""


class Continuation(AnyProtocol):
    """Waits for a job in a thread of its own, and submits another one, at most once.

    It is open until the second job was submitted, was found needless, was withheld, or could not be
    made. While the first job has failed it stays open: its circuits may be submitted again.

    A pickle is made once the first job has ended and the second one was submitted.
    """

    def __init__(self, first: AQTJob, make: MakeSecond | None) -> None:
        """Start the thread.

        Args:
            first: the job to wait for, submitted.
            make: makes the second job. None if that is decided already.
        """
        self.first = first
        self.second: tuple[AQTJob, Evaluation] | None = None
        """The second job, and what makes the result of the outcomes of both."""
        self._make = make
        self._error: BaseException | None = None
        self._withheld = False
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._turn = threading.Lock()
        """Held by who decides about the second job."""
        self._changed = threading.Condition()
        self._ensure_thread()

    def __reduce__(self) -> tuple[Any, ...]:
        """Wait until nothing is to be decided any more.

        Raises:
            APIConnectionError: no thread can be started.
            OtherProcessError: the second job belongs to another process.
        """
        self.wait(None)
        return _decided, (self.first, self.second, self._error, self._withheld)

    @property
    def _open(self) -> bool:
        return self._make is not None

    def status(self) -> JobStatus:
        """Return the status of both jobs: ``RUNNING`` between them.

        Raises:
            OtherProcessError: they belong to another process, and have not ended.
        """
        if self.second is not None:
            return self.second[0].status()
        status = self.first.status()
        if status is not JobStatus.DONE:
            return status
        if self._withheld:
            return JobStatus.CANCELLED
        if self._error is not None:
            return JobStatus.ERROR
        if not self._open:
            return JobStatus.DONE if self.second is None else self.second[0].status()
        self._require_process()
        return JobStatus.RUNNING if self._ensure_thread() is None else JobStatus.ERROR

    def last(self, timeout: float | None) -> tuple[AQTJob, Evaluation] | None:
        """Return the second job and its evaluation, None if the first one is enough.

        Args:
            timeout: seconds to wait at most until it was submitted, None for no limit.

        Raises:
            JobTimeoutError: the time has passed.
            JobFailedError: the first job failed or was cancelled, or the second one was withheld.
            OtherProcessError: called in a fork of the process that runs the jobs.
            Exception: whatever has prevented the second job.
        """
        if self._open or self._withheld:
            deadline = None if timeout is None else time.monotonic() + timeout
            self.first.samples(timeout)  # it raises errors of the first job, or tries again
            self.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        if self.second is not None:
            return self.second
        if self._error is not None:
            raise self._error.with_traceback(None)
        if self._withheld:
            raise JobFailedError(
                self.first.batch_id,
                "it was cancelled before its second job was submitted",
            )
        return None

    def wait(self, timeout: float | None) -> None:
        """Wait until the second job was submitted, or until it is known that none will be.

        Args:
            timeout: seconds to wait at most, None for no limit.

        Raises:
            JobTimeoutError: the time has passed.
            APIConnectionError: no thread can be started that would submit it.
            OtherProcessError: called in a fork of the process that runs the jobs.
        """
        if not self._open:
            return
        self._require_process()
        deadline = None if timeout is None else time.monotonic() + timeout
        self.first.wait_for_final_state(timeout)
        if self.first.status() is not JobStatus.DONE:
            return
        problem = self._ensure_thread()
        if problem is not None:
            raise problem
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        with interruptible(self._advice), self._changed:
            if not self._changed.wait_for(lambda: not self._open, left):
                name = self.first.batch_id
                raise JobTimeoutError(f"job {name} has not been continued within {timeout} s")

    def withhold(self) -> bool:
        """Do not submit the second job. Return False if it is too late, or the first has failed.

        Raises:
            OtherProcessError: called in a fork of the process that runs the jobs.
        """
        if not self._open:
            return False
        self._require_process()
        with self._turn:
            if not self._open or self.first.status() in (JobStatus.ERROR, JobStatus.CANCELLED):
                return False
            self._withheld = True
            self._close()
            return True

    def _ensure_thread(self) -> APIConnectionError | None:
        """Start the thread, unless it is there or not needed. Return why it cannot be started."""
        if not self._open:
            return None
        with self._changed:
            status = self.first.status()
            useless = status in JOB_FINAL_STATES and status is not JobStatus.DONE
            if self._thread is not None or useless:
                return None
            problem = start_thread(
                self._follow, "aqt-fast continuing", partial(setattr, self, "_thread")
            )
            if problem is None:
                return None
            self._thread = None
        stalled(self)
        return APIConnectionError(problem)

    def revive(self) -> None:
        """Try again to start the thread."""
        if os.getpid() == self._process:
            self._ensure_thread()

    def _follow(self) -> None:
        try:
            self._wait_for_first()
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._error = error
            self._close()

    def _wait_for_first(self) -> None:
        """Wait for the first job, and submit the second one unless the first has failed."""
        while self._open:
            with suppress(APIConnectionError):  # a lack of threads
                self.first.wait_for_final_state()
            with self._changed:
                status = self.first.status()
                if status in JOB_FINAL_STATES and status is not JobStatus.DONE:
                    self._thread = None
                    return
            if status is JobStatus.DONE:
                self._decide()

    def _decide(self) -> None:
        """Submit the second job. Never try again: it may have been submitted in part."""
        with self._turn:
            if self._make is None:
                return
            try:
                self.second = self._make(self.first.snapshot, self.first.samples())
            except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
                self._error = error
            self._close()

    def _close(self) -> None:
        with self._changed:
            self._make = None
            self._changed.notify_all()

    def _advice(self) -> str:
        name = self.first.batch_id
        return f"job {name} goes on in this process: result() waits again, cancel() stops it"

    def _require_process(self) -> None:
        if os.getpid() != self._process:
            raise OtherProcessError("the job", self._process, "wait for it there")


def _decided(
    first: AQTJob,
    second: tuple[AQTJob, Evaluation] | None,
    error: BaseException | None,
    withheld: bool,
) -> Continuation:
    continuation = Continuation(first, None)
    continuation.second = second
    continuation._error = error  # noqa: SLF001 - of this module's class
    continuation._withheld = withheld  # noqa: SLF001
    return continuation
