"""One API job on its way through a portal or machine: sent once, polled until it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast._native import JobState
from aqt_fast.api_client.decisions import is_of_another_job
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTError,
    NotSubmittedError,
    RequestWithdrawnError,
    ResponseError,
    ResponseMismatchError,
    SubmissionUncertainError,
)
from aqt_fast.jobs.endpoint import Endpoint
from aqt_fast.jobs.submission import Submission
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.fate import api_job_fate
from aqt_fast.store.journal import ApiJobLog
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot

_FINAL_STATUS = {
    "finished": JobStatus.DONE,
    "error": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}
"""Qiskit's words for AQT's words for the end of a job."""

_UNSEEN = "the process that has sent it did not see the answer"


class ApiJob:
    """A part of a batch at the portal or a machine.

    Its methods may be called from any thread, :meth:`submit` only once between two calls of
    :meth:`reset`.

    Args:
        endpoint: what takes it.
        snapshot: the circuits.
        part: its part of them.
        label: what it is called.
        period: seconds between polls.
        lock: that of the batch, held for each change.
        on_change: called with the lock after each change.
        log: keeps what has happened on the disk.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        snapshot: Snapshot,
        part: Part,
        label: str,
        period: float,
        lock: threading.Condition,
        on_change: Callable[[ApiJob], None],
        log: ApiJobLog,
    ) -> None:
        """Nothing is sent yet."""
        self.part = part
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
        self.state: JobState | None = None
        """What the portal said last."""
        self.cancelled = False
        """Whether the user does not want it any more."""
        self.submission = Submission(endpoint, snapshot, part, log)
        """How it is sent."""
        self._cancel_due = False
        """Whether the portal still has to be told that it is cancelled."""
        self._restored = False
        """Whether another process has worked on it, and may have stored its result."""
        self._adopted: SubmissionUncertainError | None = None
        """What was known before the user adopted an identifier."""
        self._most_finished = 0
        self._lock = lock
        self._endpoint = endpoint
        self._snapshot = snapshot
        self._on_change = on_change
        self._log = log

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more by itself."""
        return self.status in JOB_FINAL_STATES

    @property
    def finished_count(self) -> int:
        """Circuits that were evaluated, as far as the portal has said."""
        if self.status is JobStatus.DONE:
            return len(self.part.circuits)
        return min(self._most_finished, len(self.part.circuits))

    def submit(self) -> None:
        """Send it, unless it has ended or the user has changed their mind."""
        if self.ended:
            return  # abandoned before its turn
        self.submission.sending = True
        try:
            job_id = self.submission.send(self.label, lambda: not self.cancelled)
        except RequestWithdrawnError:
            message = "the job was cancelled before it was submitted"
            self._log.ended(JobStatus.CANCELLED.name, message)
            self.end(JobStatus.CANCELLED, message)
        except AQTError as error:
            self.end(JobStatus.ERROR, str(error), error)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            reason = f"{type(error).__name__}: {error}"
            if self.submission.payload_hash is None:
                self._end_with(APIError(f"the job cannot be sent: {reason}"))
            else:
                self._log.uncertain(reason)
                self._end_uncertain(reason)
        else:
            self._accept(job_id)
        finally:
            self.submission.sending = False

    def abandon(self, reason: str) -> None:
        """End here and now; what is with the portal stays there."""
        with self._lock:
            if self.ended:
                return
            if self.submission.sending:
                self._end_uncertain(reason)  # the sender learns more, and writes it to the log
                return
            where = "the job is not submitted"
            if self.job_id:
                where = f"the job is with {self._endpoint.name}"
            elif self._restored:
                where = "another process submits the job"
            error = APIConnectionError(f"{reason}; {where}")
            self.end(JobStatus.ERROR, str(error), error)

    def reset(self, label: str) -> None:
        """Forget what has happened, so that it can be submitted once more."""
        with self._lock:
            self.label = label
            self.job_id = self.message = self.error = self.state = None
            self.cancelled = self._cancel_due = self._restored = False
            self._adopted = self.submission.payload_hash = None
            self._most_finished = 0
            self.status = JobStatus.INITIALIZING

    def reopen(self) -> None:
        """Take back the end: it can be asked for, or submitted, again."""
        with self._lock:
            self.message = self.error = None
            self.status = JobStatus.INITIALIZING if self.job_id is None else JobStatus.QUEUED

    def adopt(self, job_id: str) -> None:
        """Take the portal's identifier from the user, after a submission that was uncertain."""
        self._log.accepted(job_id, adopted=True)
        with self._lock:
            if isinstance(self.error, SubmissionUncertainError):
                self._adopted = self.error
            self.job_id = job_id
            self.reopen()

    def record(self) -> ApiJobRecord:
        """What another process has to know of it."""
        ended = self.ended and self.error is None and self.status is not JobStatus.DONE
        unseen = self.job_id is None and not isinstance(self.error, SubmissionUncertainError)
        refused = unseen and self.error is not None
        return ApiJobRecord(
            label=self.label,
            # The label of what was refused is not used again.
            payload_hash=self.submission.payload_hash if refused or not unseen else None,
            job_id=self.job_id,
            refused=refused,
            status=self.status.name if ended else None,
            message=getattr(self.error, "reason", self.message),
            adopted=self._adopted is not None and self.job_id is not None,
        )

    def resume_from(
        self, record: ApiJobRecord, *, settled: bool, doubtful: bool, read_result: bool = False
    ) -> bool:
        """Go on where another process has stopped; False if that may still do something.

        Args:
            record: what is known of it.
            settled: whether nobody else works on it.
            doubtful: whether there may be more than is known.
            read_result: take its result from the store, if it is there.
        """
        self._restored = True
        self.label = record.label or self.label
        self.job_id = record.job_id
        self.submission.payload_hash = record.payload_hash
        stored = self._stored_state() if read_result or record.job_id is None else None
        job_id = record.job_id or (stored and stored.job_id)
        if record.adopted:
            self._adopted = self.submission.uncertain(self.label, _UNSEEN)
        fate = api_job_fate(
            record, stored=stored is not None, active=not settled, doubtful=doubtful
        )
        if job_id is not None:
            self._accept(job_id)
        elif not settled:
            return False
        if fate in ("failed", "cancelled"):
            if record.status is not None:
                self.end(JobStatus[record.status], record.message)
            else:  # it was refused
                self._end_with(APIError(record.message or "it was refused"))
        elif fate == "uncertain":
            reason = "the process that submits it has ended, and its journal is damaged"
            if record.uncertain:
                reason = record.message or _UNSEEN
            self._end_uncertain(reason)
        elif fate == "unsent":
            self._end_with(NotSubmittedError())
        elif stored is not None:
            self._take(stored)
        return True

    def poll(self) -> bool:
        """Ask for its state, and return whether it has ended."""
        if self.ended or self.job_id is None:
            return True
        try:
            if self._cancel_due:
                self._cancel_late(self.job_id)
            state = self._stored_state() or self._endpoint.result(self.job_id, self._read)
        except APIError as error:
            if self._endpoint.will_pass(error):
                return self.ended
            if self._adopted is not None and is_of_another_job(error):
                self._take_back(self._adopted, str(error))
                return True
            self._end_with(error)
            return True
        return self.ended if state is None else self._take(state)

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
                # The sender sees the wish: before each attempt, or right after the answer.
                return True
        try:
            return self._endpoint.cancel(self.job_id)
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
            self._on_change(self)

    def _end_with(self, error: AQTError) -> None:
        self.end(JobStatus.ERROR, str(error), error)

    def _end_uncertain(self, reason: str) -> None:
        """Nobody will know whether what is on its way was accepted."""
        self._end_with(self.submission.uncertain(self.label, reason))

    def _accept(self, job_id: str) -> None:
        """Take the portal's identifier; from now on it can be polled."""
        with self._lock:
            self.job_id = job_id
            self._cancel_due = self.cancelled
            if self.ended:
                return  # abandoned: nobody waits for it any more
            self.error = self.message = None
            self.status = JobStatus.RUNNING if self._most_finished else JobStatus.QUEUED
            self._on_change(self)

    def _take(self, state: JobState) -> bool:
        """Take over what was said of its state, and return whether it has ended."""
        with self._lock:
            if self.ended:
                return True
            self.state = state
            self._most_finished = max(self._most_finished, state.finished_count or 0)
            if state.status in _FINAL_STATUS:
                status = _FINAL_STATUS[state.status]
                if status is JobStatus.DONE:
                    self.end(status)  # others see the stored result
                else:
                    message = state.message or f"the job is {state.status}"
                    self._log.ended(status.name, message)
                    self.end(status, message)
                return True
            if state.status == "ongoing":
                self.status = JobStatus.RUNNING
            self._on_change(self)
        return False

    def _take_back(self, uncertain: SubmissionUncertainError, reason: str) -> None:
        """The identifier that was adopted is another job's: its fate is as uncertain as before."""
        reason = f"{uncertain.reason}; and {self.job_id} was adopted, which is wrong: {reason}"
        self._log.uncertain(reason)
        error = SubmissionUncertainError(uncertain.label, uncertain.payload_hash, reason)
        with self._lock:
            self.job_id = None
            self._end_with(error)

    def _cancel_late(self, job_id: str) -> None:
        """Cancel what was submitted while the user changed their mind."""
        try:
            self._endpoint.cancel(job_id)
        except APIError as error:
            if self._endpoint.will_pass(error):
                raise
            # It has ended in the meantime, and its result tells how.
        self._cancel_due = False

    def _stored_state(self) -> JobState | None:
        """The state with the result that another process has stored, None if there is none."""
        body = self._log.stored_result() if self._restored else None
        try:
            return None if body is None else self._decode(body)
        except ResponseError:
            return None  # the endpoint is asked instead

    def _read(self, body: bytes) -> JobState:
        """Read an answer; one with the result is stored."""
        state = self._decode(body)
        if state.status == "finished":
            self._log.keep(body)
        return state

    def _decode(self, body: bytes) -> JobState:
        """Decode an answer, which must be about the circuits that were sent."""
        state = self._endpoint.decode(body)
        if state.label not in (None, self.label):
            raise ResponseMismatchError(f"it is about '{state.label}', not about '{self.label}'")
        if self.job_id is not None and (state.job_id or self.job_id).lower() != self.job_id.lower():
            raise ResponseMismatchError(f"it is about {state.job_id}, not about {self.job_id}")
        if state.status == "finished":
            part = self.part
            samples = state.samples or []
            self._snapshot.check_samples(samples, part.start, part.stop, shots=part.shots)
        return state
