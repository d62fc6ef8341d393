"""One API job on its way through AQT's cloud: submitted once, polled until it has ended."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast import wire
from aqt_fast.api_client import Credentials, PortalClient, Resource
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.exceptions import APIConnectionError, APIError, AQTError
from aqt_fast.execution import Execution, JobTiming, Session

_JITTER = 1.2
"""Polls come between one and so many periods after each other, so that jobs spread out."""

_FINAL = {
    "finished": JobStatus.DONE,
    "error": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}


_PARALLEL_REQUESTS = 8


class CloudSession(Session):
    """A provider's connection to the portal, and the threads that its jobs share."""

    def __init__(self, portal: PortalClient, credentials: Credentials) -> None:
        """Connects to nothing yet."""
        super().__init__(_PARALLEL_REQUESTS, "aqt-fast portal")
        self.portal = portal
        """Who is asked."""
        self.credentials = credentials
        """The access token."""

    def start(
        self,
        resource: Resource,
        circuits: Sequence[QuantumCircuit],
        options: AQTOptions,
        limits: wire.Limits,
        *,
        job_id: str | None = None,
        label: str | None = None,
    ) -> CloudExecution:
        """Start an execution; the arguments are those of :class:`CloudExecution`."""
        execution = CloudExecution(
            self, resource, circuits, options, limits, job_id=job_id, label=label
        )
        self.adopt(execution)
        return execution

    def close(self) -> None:
        """End all waiting; jobs that have not ended stay with the portal."""
        self.portal.close()
        super().close()


class CloudExecution(Execution):
    """One API job.

    Args:
        session: the portal that takes it, and the threads that do the waiting.
        resource: what is to run it.
        circuits: its circuits, checked; they may not be changed any more.
        options: its options.
        limits: what the resource takes.
        job_id: the portal's identifier if it was submitted before, else None.
        label: what it was submitted as, if it was.
    """

    def __init__(
        self,
        session: CloudSession,
        resource: Resource,
        circuits: Sequence[QuantumCircuit],
        options: AQTOptions,
        limits: wire.Limits,
        *,
        job_id: str | None = None,
        label: str | None = None,
    ) -> None:
        """Starts at once."""
        super().__init__()
        self._portal = session.portal
        self._dispatcher = session.dispatcher
        self._resource = resource
        self._circuits = circuits
        self._options = options
        self._limits = limits
        self._job_id = job_id
        self._label = label or options.label or f"aqt-fast {uuid.uuid4()}"
        self._state: wire.JobState | None = None
        self._cancelled = False
        self._cancel_lock = threading.Lock()
        self._call(self._submit if job_id is None else self._poll)

    @property
    def label(self) -> str:
        """What the portal shows with the job."""
        return self._label

    @property
    def job_id(self) -> str:
        """The portal's identifier. Waits until the submission was answered.

        Raises:
            AQTError: the submission has failed.
        """
        self._require_process()
        with self._changed:
            self._changed.wait_for(lambda: self._job_id is not None or self.ended)
        if self._job_id is None:
            raise self._error or APIError("the job was cancelled before it was submitted")
        return self._job_id

    @property
    def finished_count(self) -> int:
        """Circuits that were evaluated, as far as the portal has told."""
        state = self._state
        if state is None:
            return 0
        if state.status == "finished":
            return len(self._circuits)
        return min(state.finished_count or 0, len(self._circuits))

    @property
    def timing(self) -> JobTiming | None:
        """Where the time went, None before the portal has told."""
        changes = None if self._state is None else self._state.timing
        return None if changes is None else job_timing(changes)

    def results(self) -> list[ExperimentResult]:
        """One entry a circuit, in order; those that were not evaluated have ``success=False``."""
        shots = self._options.shots
        if self._status is JobStatus.DONE and self._state is not None:
            entries, _ = wire.results_from_state(
                self._state, self._circuits, shots=shots, memory=self._options.memory
            )
            return entries
        message = self._message or "not evaluated yet"
        return [wire.failed_experiment(circuit, shots, message) for circuit in self._circuits]

    def cancel(self) -> bool:
        """Ask the portal to cancel; False if the job has ended, or was cancelled already.

        Raises:
            APIError: the portal refuses, or cannot be asked.
        """
        self._require_process()
        with self._cancel_lock:
            with self._changed:
                job_id = self._job_id
                # After an error of a poll the job is still with the portal.
                ended = self.ended and (self._error is None or job_id is None)
                if ended or self._cancelled:
                    return False
                self._cancelled = True
            if job_id is None:
                # Who submits sees the wish: before the request, or right after the answer.
                return True
            try:
                cancelled = self._portal.cancel(job_id)
            except AQTError:
                self._cancelled = False
                raise
        return cancelled

    def settings(self) -> dict[str, Any]:
        """Where the job lives."""
        resource = self._resource
        return {
            "portal_url": self._portal.portal_url,
            "workspace_id": resource.workspace_id,
            "resource_name": resource.resource_name,
            "resource_type": resource.resource_type,
            "label": self._label,
        }

    def go_on(self) -> None:
        """Poll again, after an error that has left the job with the portal."""
        with self._changed:
            if self._error is None or self._job_id is None:
                return
            self._error = self._message = None
            self._status = JobStatus.QUEUED
        self._guarded(lambda: self._call(self._poll))

    def _call(self, step: Callable[[], None], *, after: float = 0.0) -> None:
        self._dispatcher.call(lambda: self._guarded(step), after=after)

    def _submit(self) -> None:
        with self._changed:
            if self._cancelled:
                self._end(JobStatus.CANCELLED, "the job was cancelled before it was submitted")
                return
        body = wire.encode_job(
            self._circuits, self._options.shots, label=self._label, limits=self._limits
        )
        job_id = self._portal.submit(
            self._resource.workspace_id, self._resource.resource_id, body, label=self._label
        )
        with self._changed:
            self._job_id = job_id
            cancelled = self._cancelled
            self._changed.notify_all()
        if cancelled:
            self._cancel_late(job_id)
        self._poll()

    def _cancel_late(self, job_id: str) -> None:
        """Cancel what was submitted while the user has changed their mind."""
        try:
            self._portal.cancel(job_id)
        except AQTError:
            # The job goes on, as it would have without the wish; the user may ask again.
            self._cancelled = False

    def _poll(self) -> None:
        if self._job_id is None:
            return
        try:
            state = self._portal.result(self._job_id, self._read)
        except APIConnectionError:
            # The job is with the portal, which may be reached later.
            self._poll_later()
            return
        if state.status not in _FINAL:
            with self._changed:
                self._state = state
                if state.status == "ongoing":
                    self._status = JobStatus.RUNNING
                self._changed.notify_all()
            self._poll_later()
            return
        message = state.message or f"the job is {state.status}"
        with self._changed:
            self._state = state
            self._end(_FINAL[state.status], None if state.status == "finished" else message)

    def _poll_later(self) -> None:
        # The spread is no secret.
        period = self._options.query_period_seconds * random.uniform(1, _JITTER)  # noqa: S311
        self._call(self._poll, after=period)

    def _read(self, body: bytes) -> wire.JobState:
        """Read an answer, which must be about the circuits that were sent."""
        state = wire.decode_response(body)
        if state.status == "finished":
            wire.check_samples(state.samples or [], self._circuits, shots=self._options.shots)
        return state


def job_timing(changes: Sequence[tuple[str, str]]) -> JobTiming:
    """Durations between the status changes that the portal reports.

    Args:
        changes: pairs of status and ISO 8601 time stamp, in any order.
    """
    first: dict[str, datetime] = {}
    for status, stamp in changes:
        try:
            # Python 3.10 does not know the suffix Z.
            time = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        except ValueError:
            continue
        first[status] = min(time, first.get(status, time))
    queued, ongoing = first.get("queued"), first.get("ongoing")
    end = min((first[status] for status in _FINAL if status in first), default=None)
    return JobTiming(
        queued=_seconds(queued, ongoing or end),
        running=_seconds(ongoing, end),
        total=_seconds(queued, end),
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or (start.tzinfo is None) != (end.tzinfo is None):
        return None
    return (end - start).total_seconds()
