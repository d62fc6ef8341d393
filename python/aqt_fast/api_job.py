"""One API job on its way through a portal or machine: sent once, polled until it has ended."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

import httpx
from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast import wire
from aqt_fast.batch import Batch
from aqt_fast.chunks import Chunk
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    AQTError,
    JournalError,
    NotSubmittedError,
    RequestWithdrawnError,
    ResponseError,
    ResponseMismatchError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from aqt_fast.job_record import JobRecord
from aqt_fast.journal import JobLog

NOT_ACCEPTED = (APIConnectionError, AQTCredentialsError, JournalError)
"""Errors after which nothing was accepted, and the same may be accepted later."""

FINAL_STATUS = {
    "finished": JobStatus.DONE,
    "error": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}
"""What AQT's words for the end of a job are in Qiskit's."""


class Taker(Protocol):
    """Who takes API jobs: a resource of the portal, or a machine."""

    name: str
    """What messages call it."""

    def encode(self, batch: Batch, chunk: Chunk, label: str) -> bytes:
        """The request body of an API job."""

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Hand an API job over, once, and return the identifier that it gets.

        Args:
            body: the request body.
            label: what it is called.
            wanted: tells before each attempt whether it is still wanted.

        Raises:
            RequestWithdrawnError: it was not wanted any more; nothing was accepted.
            SubmissionUncertainError: it may have been accepted or not.
            APIError: it was not accepted.
        """

    def result(self, job_id: str, read: Callable[[bytes], wire.JobState]) -> wire.JobState | None:
        """Ask for the state of an API job; None if there is no answer yet.

        Args:
            job_id: the identifier that :meth:`submit` has returned.
            read: makes something of the body; a ``ResponseError`` says that it cannot be used.

        Raises:
            APIError: it cannot be asked for.
        """

    def decode(self, body: bytes) -> wire.JobState:
        """Read an answer.

        Raises:
            ResponseError: it cannot be used.
        """

    def cancel(self, job_id: str) -> bool:
        """Ask to cancel an API job; False if that changes nothing.

        Raises:
            APIError: it is refused, or cannot be asked for.
        """

    def will_pass(self, error: APIError) -> bool:
        """Whether there is just no answer now, and the same question is asked again later."""


class ApiJob:
    """A chunk of a batch at the portal or a machine.

    Its methods may be called from any thread, :meth:`submit` only once between two calls of
    :meth:`reset`. Whatever changes is told to ``changed``.

    Args:
        taker: who takes it.
        batch: the circuits.
        chunk: its part of them.
        label: what it is called.
        period: seconds between polls.
        lock: that of the batch, held for each change.
        changed: called with the lock after each change.
        log: keeps what has happened on the disk.
    """

    def __init__(
        self,
        taker: Taker,
        batch: Batch,
        chunk: Chunk,
        label: str,
        period: float,
        lock: threading.Condition,
        changed: Callable[[ApiJob], None],
        log: JobLog,
    ) -> None:
        """Nothing is sent yet."""
        self.chunk = chunk
        """Its part of the batch."""
        self.label = label
        """What it is called: what the portal shows with it, or what messages say of a circuit."""
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
        self._sent: bytes | None = None
        """The body that is on its way, as long as there is no answer."""
        self._cancel_due = False
        """Whether the portal still has to be told that it is cancelled."""
        self._restored = False
        """Whether another process has worked on it, and may have stored its result."""
        self._adopted: SubmissionUncertainError | None = None
        """What was known before the user has adopted an identifier."""
        self._most_finished = 0
        self._lock = lock
        self._taker = taker
        self._batch = batch
        self._changed = changed
        self._log = log

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
        return min(self._most_finished, len(self.chunk.circuits))

    @property
    def sending(self) -> bool:
        """Whether it is on its way to the portal, which has not answered yet."""
        return self._sent is not None

    def submit(self) -> None:
        """Encode and send it, unless the user has changed their mind."""
        if self.ended:
            return  # abandoned before its turn
        try:
            job_id = self._send()
        except RequestWithdrawnError:
            message = "the job was cancelled before it was submitted"
            self._log.ended(JobStatus.CANCELLED.name, message)
            self.end(JobStatus.CANCELLED, message)
        except SubmissionUncertainError as error:
            self._log.uncertain(error.reason)
            self.end(JobStatus.ERROR, str(error), error)
        except AQTError as error:
            self._log.refused(str(error))
            self.end(JobStatus.ERROR, str(error), error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may have been sent
            reason = f"{type(error).__name__}: {error}"
            self._log.uncertain(reason)
            self._end_uncertain(reason)
        else:
            self._log.accepted(job_id)
            self.accepted(job_id)
        finally:
            self._sent = None

    def _send(self) -> str:
        if self.cancelled:
            raise RequestWithdrawnError("it is not wanted any more")
        self._sent = self._encode()
        self._log.intend(self.label, hashlib.sha256(self._sent).hexdigest())
        return self._taker.submit(self._sent, label=self.label, wanted=lambda: not self.cancelled)

    def skip(self, error: AQTError) -> None:
        """Let it end without having been sent, because of what has become of another."""
        self.end(JobStatus.ERROR, str(error), error)

    def abandon(self, reason: str) -> None:
        """End here and now; what is with the portal stays there."""
        with self._lock:
            if self.ended:
                return
            if self._sent is not None:
                self._end_uncertain(reason)  # who sends it knows better, and tells the log
                return
            where = "the job is not submitted"
            if self.job_id:
                where = f"the job is with {self._taker.name}"
            if self._restored and not self.job_id:
                where = "another process submits the job"
            error = APIConnectionError(f"{reason}; {where}")
            self.end(JobStatus.ERROR, str(error), error)

    def accepted(self, job_id: str) -> None:
        """Take the portal's identifier; from now on it can be polled."""
        with self._lock:
            self.job_id = job_id
            self._cancel_due = self.cancelled
            if self.ended:
                return  # abandoned: nobody waits for it any more
            self.error = self.message = None
            self.status = JobStatus.RUNNING if self._most_finished else JobStatus.QUEUED
            self._changed(self)

    @property
    def retriable(self) -> bool:
        """Whether asking again may help, without the risk that it runs twice.

        It is with the portal, or the portal has certainly not accepted it and may do so later.
        """
        if self.error is None:
            return False
        return self.job_id is not None or isinstance(self.error, NOT_ACCEPTED)

    def may_be_repeated(self, *, uncertain: bool, expired: bool) -> bool:
        """Whether it may be submitted once more, after an error.

        What was accepted and has not ended may still run, and is not repeated.

        Args:
            uncertain: also if it may have been accepted.
            expired: also if it has run, and its result is gone.
        """
        if self.error is None or (expired and isinstance(self.error, ResultExpiredError)):
            return True
        return self.job_id is None and (uncertain or not self.uncertain)

    def reset(self, label: str) -> None:
        """Forget what has happened, so that it can be submitted once more."""
        with self._lock:
            self.label = label
            self.job_id = self.message = self.error = self.state = None
            self.cancelled = self._cancel_due = self._restored = False
            self._adopted = None
            self._most_finished = 0
            self.status = JobStatus.INITIALIZING

    def saved(self) -> dict[str, Any]:
        """What :func:`saved_record` needs in another process, in JSON's types."""
        error = self.error if self.uncertain else None
        return {
            "chunk": [self.chunk.start, self.chunk.stop, self.chunk.shots],
            "label": self.label,
            "job_id": self.job_id,
            "message": self.message,
            "payload_hash": getattr(error, "payload_hash", None),
            "reason": getattr(error, "reason", None),
        }

    def take_up(self, record: JobRecord, *, settled: bool, damaged: bool) -> bool:
        """Go on where another process has stopped; False if that may still do something.

        Args:
            record: what is known of it.
            settled: whether nobody else works on it.
            damaged: whether there may be more than is known.
        """
        self._restored = True
        self.label = record.label or self.label
        self.job_id = None
        job_id = record.job_id or self._stored_job_id()
        if record.adopted:
            reason = "the process that has sent it did not see the answer"
            self._adopted = SubmissionUncertainError(self.label, self._digest(record), reason)
        if job_id is not None:
            self.accepted(job_id)
            if record.status is not None:
                self.end(JobStatus[record.status], record.message)
            return True
        if not settled:
            return False
        if record.status is not None:
            self.end(JobStatus[record.status], record.message)
        elif record.uncertain or damaged:
            reason = "the process that submits it has ended, and its journal is damaged"
            if record.uncertain:
                reason = record.message or "the process that has sent it did not see the answer"
            error = SubmissionUncertainError(self.label, self._digest(record), reason)
            self.end(JobStatus.ERROR, str(error), error)
        else:
            self.skip(APIError(record.message) if record.message else NotSubmittedError())
        return True

    def _digest(self, record: JobRecord) -> str:
        return record.payload_hash or hashlib.sha256(self._encode()).hexdigest()

    def _stored_job_id(self) -> str | None:
        """The identifier in a stored result, which proves that it was accepted."""
        state = self._stored_state()
        return None if state is None else state.job_id

    def take_stored(self) -> bool:
        """Take the result that another process has stored; False if there is none to be used."""
        state = self._stored_state()
        return state is not None and self._take(state)

    def poll(self) -> bool:
        """Ask for its state, and tell whether it has ended."""
        if self.ended or self.job_id is None:
            return True
        try:
            if self._cancel_due:
                self._cancel_late(self.job_id)
            state = self._stored_state() or self._taker.result(self.job_id, self._read)
        except APIError as error:
            if self._taker.will_pass(error):
                return self.ended
            if self._adopted is not None and _is_of_another_job(error):
                self._take_back(self._adopted, str(error))
                return True
            self.end(JobStatus.ERROR, str(error), error)
            return True
        return self.ended if state is None else self._take(state)

    def _take(self, state: wire.JobState) -> bool:
        """Note what was told of its state, and tell whether it has ended."""
        with self._lock:
            if self.ended:
                return True
            self.state = state
            self._most_finished = max(self._most_finished, state.finished_count or 0)
            if state.status in FINAL_STATUS:
                status = FINAL_STATUS[state.status]
                if status is JobStatus.DONE:
                    self.end(status)  # the result that is stored tells others
                else:
                    message = state.message or f"the job is {state.status}"
                    self._log.ended(status.name, message)
                    self.end(status, message)
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
        with self._lock:
            # After an error of a poll it is still with the portal.
            ended = self.ended and (self.error is None or self.job_id is None)
            if ended or self.cancelled:
                return False
            self.cancelled = True
            if self.job_id is None:
                # Who submits sees the wish: before each attempt, or right after the answer.
                return True
        try:
            return self._taker.cancel(self.job_id)
        except AQTError:
            self.cancelled = False
            raise

    def end(
        self, status: JobStatus, message: str | None = None, error: AQTError | None = None
    ) -> None:
        """Note how it has ended, once; who sees the end must see the reason."""
        with self._lock:
            if self.ended:
                return
            self.message = message
            self.error = error
            self.status = status
            self._changed(self)

    def adopted(self, job_id: str) -> None:
        """Take the portal's identifier from the user, after a submission that was uncertain."""
        self._log.accepted(job_id, adopted=True)
        with self._lock:
            if isinstance(self.error, SubmissionUncertainError):
                self._adopted = self.error
            self.job_id = job_id
            self.reopen()

    def _take_back(self, uncertain: SubmissionUncertainError, reason: str) -> None:
        """The identifier that was adopted is another job's: its fate is as uncertain as before."""
        reason = f"{uncertain.reason}; and {self.job_id} was adopted, which is wrong: {reason}"
        self._log.uncertain(reason)
        error = SubmissionUncertainError(uncertain.label, uncertain.payload_hash, reason)
        with self._lock:
            self.job_id = None
            self.end(JobStatus.ERROR, str(error), error)

    def reopen(self) -> None:
        """Take back the end of what is :attr:`retriable`."""
        with self._lock:
            self.message = self.error = None
            self.status = JobStatus.INITIALIZING if self.job_id is None else JobStatus.QUEUED

    def _end_uncertain(self, reason: str) -> None:
        """Nobody will know whether what is on its way was accepted."""
        digest = hashlib.sha256(self._sent or b"").hexdigest()
        error = SubmissionUncertainError(self.label, digest, reason)
        self.end(JobStatus.ERROR, str(error), error)

    def _cancel_late(self, job_id: str) -> None:
        """Cancel what was submitted while the user has changed their mind."""
        try:
            self._taker.cancel(job_id)
        except APIError as error:
            if self._taker.will_pass(error):
                raise
            # It has ended in the meantime, and its result tells how.
        self._cancel_due = False

    def _encode(self) -> bytes:
        return self._taker.encode(self._batch, self.chunk, self.label)

    def _stored_state(self) -> wire.JobState | None:
        """The state with the result that another process has stored, None if there is none."""
        body = self._log.stored_result() if self._restored else None
        try:
            return None if body is None else self._decode(body)
        except ResponseError:
            return None  # who has run it is asked instead

    def _read(self, body: bytes) -> wire.JobState:
        """Read an answer; one with the result is stored."""
        state = self._decode(body)
        if state.status == "finished":
            self._log.keep(body)
        return state

    def _decode(self, body: bytes) -> wire.JobState:
        """Decode an answer, which must be about the circuits that were sent."""
        state = self._taker.decode(body)
        if state.label not in (None, self.label):
            raise ResponseMismatchError(f"it is about '{state.label}', not about '{self.label}'")
        if self.job_id is not None and (state.job_id or self.job_id).lower() != self.job_id.lower():
            raise ResponseMismatchError(f"it is about {state.job_id}, not about {self.job_id}")
        if state.status == "finished":
            chunk = self.chunk
            samples = state.samples or []
            self._batch.check_samples(samples, chunk.start, chunk.stop, shots=chunk.shots)
        return state


def _is_of_another_job(error: APIError) -> bool:
    """Whether there is no such job, or it is not the one that was meant."""
    mismatch = isinstance(error.__cause__, ResponseMismatchError)
    return error.status_code == httpx.codes.NOT_FOUND or mismatch


def saved_record(saved: dict[str, Any]) -> JobRecord:
    """What :meth:`ApiJob.saved` has told."""
    return JobRecord(
        label=saved["label"],
        payload_hash=saved["payload_hash"],
        job_id=saved["job_id"],
        refused=saved["payload_hash"] is None,
        message=saved["reason"] or saved["message"],
    )
