"""One API job on its way through the portal: submitted once, polled until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast import wire
from aqt_fast.batch import Batch, Chunk
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTError,
    SubmissionUncertainError,
)

if TYPE_CHECKING:
    from aqt_fast.api_client import PortalClient, Resource

FINAL_STATUS = {
    "finished": JobStatus.DONE,
    "error": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}
"""What the portal's words for the end of a job are in Qiskit's."""


class ApiJob:
    """A chunk of a batch at the portal.

    Its methods may be called from any thread, :meth:`submit` only once between two calls of
    :meth:`reset`. Whatever changes is told to ``changed``.

    Args:
        portal: who takes it.
        resource: what is to run it.
        batch: the circuits.
        chunk: its part of them.
        label: what the portal shows with it.
        period: seconds between polls.
        changed: called after each change, without arguments.
    """

    def __init__(
        self,
        portal: PortalClient,
        resource: Resource,
        batch: Batch,
        chunk: Chunk,
        label: str,
        period: float,
        changed: Callable[[ApiJob], None],
    ) -> None:
        """Nothing is sent yet."""
        self.chunk = chunk
        """Its part of the batch."""
        self.label = label
        """What the portal shows with it."""
        self.period = period
        """Seconds between polls."""
        self.job_id: str | None = None
        """The portal's identifier, None before the portal has given one."""
        self.status = JobStatus.INITIALIZING
        """Where it stands; ``INITIALIZING`` before the portal has accepted it."""
        self.message: str | None = None
        """Why it has ended without a result."""
        self.error: AQTError | None = None
        """What keeps its fate or its result from being known."""
        self.state: wire.JobState | None = None
        """What the portal has told last."""
        self.cancelled = False
        """Whether the user wants it no more."""
        self._portal = portal
        self._resource = resource
        self._batch = batch
        self._changed = changed

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more by itself."""
        return self.status in JOB_FINAL_STATES

    @property
    def uncertain(self) -> bool:
        """Whether nobody here knows if the portal has accepted it."""
        return isinstance(self.error, SubmissionUncertainError) and self.job_id is None

    @property
    def finished_count(self) -> int:
        """Circuits that were evaluated, as far as the portal has told."""
        if self.status is JobStatus.DONE:
            return len(self.chunk.circuits)
        told = 0 if self.state is None else self.state.finished_count or 0
        return min(told, len(self.chunk.circuits))

    def submit(self) -> None:
        """Encode and send it, unless the user has changed their mind."""
        if self.cancelled:
            self.end(JobStatus.CANCELLED, "the job was cancelled before it was submitted")
            return
        try:
            chunk = self.chunk
            body = self._batch.encode_job(chunk.start, chunk.stop, chunk.shots, self.label)
            job_id = self._portal.submit(
                self._resource.workspace_id, self._resource.resource_id, body, label=self.label
            )
        except AQTError as error:
            self.end(JobStatus.ERROR, str(error), error)
            return
        self.accepted(job_id)
        if self.cancelled:
            self._cancel_late(job_id)

    def accepted(self, job_id: str) -> None:
        """Take the portal's identifier; from now on it can be polled."""
        self.job_id = job_id
        self.error = self.message = None
        self.status = JobStatus.QUEUED
        self._changed(self)

    def reset(self, label: str) -> None:
        """Forget what has happened, so that it can be submitted once more."""
        self.label = label
        self.job_id = self.message = self.error = self.state = None
        self.cancelled = False
        self.status = JobStatus.INITIALIZING

    def saved(self) -> dict[str, Any]:
        """What :meth:`take_up` needs in another process, in JSON's types."""
        error = self.error if self.uncertain else None
        return {
            "chunk": [self.chunk.start, self.chunk.stop, self.chunk.shots],
            "label": self.label,
            "job_id": self.job_id,
            "message": self.message,
            "payload_hash": getattr(error, "payload_hash", None),
            "reason": getattr(error, "reason", None),
        }

    def take_up(self, saved: dict[str, Any]) -> None:
        """Go on where another process has saved it."""
        self.label = saved["label"]
        if saved["job_id"] is not None:
            self.accepted(saved["job_id"])
        elif saved["payload_hash"] is not None:
            error = SubmissionUncertainError(self.label, saved["payload_hash"], saved["reason"])
            self.end(JobStatus.ERROR, str(error), error)
        else:
            message = saved["message"] or "it was not submitted"
            self.end(JobStatus.ERROR, message, APIError(message))

    def poll(self) -> bool:
        """Ask for its state, and tell whether it has ended."""
        if self.ended or self.job_id is None:
            return True
        try:
            state = self._portal.result(self.job_id, self._read)
        except APIConnectionError:
            # The job is with the portal, which may be reached later.
            return self.ended
        except AQTError as error:
            self.end(JobStatus.ERROR, str(error), error)
            return True
        if self.ended:
            return True
        self.state = state
        if state.status in FINAL_STATUS:
            status = FINAL_STATUS[state.status]
            message = state.message or f"the job is {state.status}"
            self.end(status, None if status is JobStatus.DONE else message)
            return True
        if state.status == "ongoing":
            self.status = JobStatus.RUNNING
        self._changed(self)
        return False

    def cancel(self) -> bool:
        """Ask the portal to cancel; False if it has ended, or was cancelled already.

        Raises:
            APIError: the portal refuses, or cannot be asked.
        """
        # After an error of a poll it is still with the portal.
        ended = self.ended and (self.error is None or self.job_id is None)
        if ended or self.cancelled:
            return False
        self.cancelled = True
        if self.job_id is None:
            # Who submits sees the wish: before the request, or right after the answer.
            return True
        try:
            return self._portal.cancel(self.job_id)
        except AQTError:
            self.cancelled = False
            raise

    def end(
        self, status: JobStatus, message: str | None = None, error: AQTError | None = None
    ) -> None:
        """Note how it has ended; who sees the end must see the reason."""
        self.message = message
        self.error = error
        self.status = status
        self._changed(self)

    def _cancel_late(self, job_id: str) -> None:
        """Cancel what was submitted while the user has changed their mind."""
        try:
            self._portal.cancel(job_id)
        except AQTError:
            # It goes on, as it would have without the wish; the user may ask again.
            self.cancelled = False

    def _read(self, body: bytes) -> wire.JobState:
        """Read an answer, which must be about the circuits that were sent."""
        state = wire.decode_response(body)
        if state.status == "finished":
            chunk = self.chunk
            samples = state.samples or []
            self._batch.check_samples(samples, chunk.start, chunk.stop, shots=chunk.shots)
        return state
