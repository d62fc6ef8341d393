"""The job of the estimator: the jobs that it submits, one after the other, and its result."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import JobStatus

from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import JobFailedError, OtherProcessError
from aqt_fast.jobs.interrupts import interruptible


class SubmittedJobs:
    """The jobs that a primitive has submitted for one call of ``run``."""

    def __init__(self, expected: int) -> None:
        """``expected`` is the number of jobs that it submits if nothing prevents it."""
        self._expected = expected
        self._jobs: list[AQTJob] = []
        self._ended = False
        self._cancelled = False
        self._changed = threading.Condition()

    @property
    def jobs(self) -> tuple[AQTJob, ...]:
        """The jobs that were submitted so far, in order."""
        return tuple(self._jobs)

    @property
    def ended(self) -> bool:
        """Whether no more jobs come."""
        return self._ended

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called before the end."""
        return self._cancelled

    def submit(self, run: Callable[[], AQTJob]) -> AQTJob:
        """Submit the next job.

        Raises:
            JobFailedError: the primitive's job was cancelled.
        """
        with self._changed:
            if not self._cancelled:
                job = run()
                self._jobs.append(job)
                self._changed.notify_all()
                return job
        raise JobFailedError(self._jobs[0].job_id() if self._jobs else "", "it was cancelled")

    def first(self) -> AQTJob | None:
        """Wait for the first job; None if there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._ended)
            return self._jobs[0] if self._jobs else None

    def end(self) -> None:
        """Note that no more jobs come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def cancel(self) -> bool:
        """Cancel what was submitted, and submit no more. Return False if nothing was left."""
        with self._changed:
            if self._ended:
                return False
            before = self._cancelled
            self._cancelled = True
            withheld = not before and len(self._jobs) < self._expected
            jobs = self.jobs
        cancelled = [job.cancel() for job in jobs]
        return withheld or any(cancelled)


class EstimatorJob(BasePrimitiveJob[PrimitiveResult[Any], JobStatus]):
    """The job of ``AQTEstimator.run``.

    It runs PUBs with the same number of shots as one job of the backend, and one such job after the
    other.
    """

    def __init__(self, submitted: SubmittedJobs, evaluate: Callable[[], PrimitiveResult]) -> None:
        """Begin in the background.

        Args:
            submitted: where ``evaluate`` submits jobs.
            evaluate: makes the result.
        """
        super().__init__(str(uuid.uuid4()))
        self._submitted = submitted
        self._process = os.getpid()
        executor = ThreadPoolExecutor(1, thread_name_prefix="aqt-fast primitive")
        self._future: Future[PrimitiveResult] = executor.submit(evaluate)
        self._future.add_done_callback(lambda _: submitted.end())
        executor.shutdown(wait=False)

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__}: {self.status().name}>"
        except OtherProcessError as error:
            return f"<{type(self).__name__}: in process {error.process}>"

    def __getstate__(self) -> dict[str, Any]:
        """Wait for the result: the copy has ended."""
        return {"job_id": self.job_id(), "metadata": self.metadata, "result": self.result()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__init__(state["job_id"], **state["metadata"])
        self._process = os.getpid()
        self._submitted = SubmittedJobs(0)
        self._submitted.end()
        self._future = Future()
        self._future.set_result(state["result"])

    def _require_process(self) -> None:
        """Refuse to wait in a fork for a thread of the parent.

        Raises:
            OtherProcessError: called in a fork, of a process in which the job had not ended.
        """
        if os.getpid() != self._process and not self._submitted.ended:
            raise OtherProcessError("the job", self._process, "wait for it there, or run it here")

    @property
    def jobs(self) -> tuple[AQTJob, ...]:
        """The backend's jobs that were submitted so far: progress, timing, ``persist()``."""
        return self._submitted.jobs

    def job_id(self) -> str:
        """Return the identifier of the first of :attr:`jobs`; wait until it has one.

        If there is none, because nothing was to be run, return one of the primitive's own.

        Raises:
            AQTError: its submission has failed, or may have failed.
        """
        self._require_process()
        first = self._submitted.first()
        return str(self._job_id) if first is None else first.job_id()

    def result(self) -> PrimitiveResult[Any]:
        """Wait for the result.

        Raises:
            JobFailedError: a job failed or was cancelled.
            AQTError: a job was not submitted, or its result cannot be fetched.
        """
        self._require_process()
        with interruptible(self._advice):
            return self._future.result()

    def _advice(self) -> str:
        names = [_name(job) for job in self.jobs if not job.in_final_state()]
        which = f"job {', '.join(names)} of the primitive" if names else "the primitive's job"
        return f"{which} goes on: result() waits again, cancel() stops it"

    def status(self) -> JobStatus:
        """Return ``INITIALIZING`` until circuits were submitted, then the status of what runs."""
        self._require_process()
        if self._future.done():
            if self._future.exception() is None:
                return JobStatus.DONE
            return JobStatus.CANCELLED if self._submitted.cancelled else JobStatus.ERROR
        jobs = self.jobs
        status = jobs[-1].status() if jobs else JobStatus.INITIALIZING
        waiting = (JobStatus.INITIALIZING, JobStatus.QUEUED)
        return status if status in waiting else JobStatus.RUNNING

    def done(self) -> bool:
        """Return whether there is a result."""
        return self.status() is JobStatus.DONE

    def running(self) -> bool:
        """Return whether circuits run, or results are being evaluated."""
        return self.status() is JobStatus.RUNNING

    def cancelled(self) -> bool:
        """Return whether the job was cancelled and has ended."""
        return self.status() is JobStatus.CANCELLED

    def in_final_state(self) -> bool:
        """Return whether the job has ended."""
        self._require_process()
        return self._future.done()

    def cancel(self) -> bool:
        """Cancel what has not run yet, on the portal too. Return False if nothing was left.

        Raises:
            APIError: the portal refuses or cannot be reached.
        """
        self._require_process()
        return self._submitted.cancel()


def _name(job: AQTJob) -> str:
    """Return the identifier of a job, or its label while that would have to be waited for."""
    info = job.queue_info()
    return job.job_id() if info is None or not info.unsent else str(job.label)
