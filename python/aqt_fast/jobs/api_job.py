"""One API job at a portal or a machine: submitted once, polled until it has ended.

Longer than 400 lines: all that decides whether an API job runs once stands here, side by side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast._ids import same_uuid
from aqt_fast._native import JobState
from aqt_fast.api_client.decisions import (
    is_misrouted,
    is_of_another_job,
    is_unknown,
    may_have_ended,
)
from aqt_fast.api_client.payload import payload_hash as payload_hash_of
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTError,
    MalformedResponseError,
    MisroutedResponseError,
    NotSubmittedError,
    RequestWithdrawnError,
    ResponseError,
    ResponseMismatchError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from aqt_fast.jobs.endpoint import Endpoint
from aqt_fast.jobs.known_ids import ApiJobIds
from aqt_fast.store.api_job_fate import api_job_fate
from aqt_fast.store.description import now
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.journal import ApiJobLog
from aqt_fast.wire.plan import Part, differ_in_attempt
from aqt_fast.wire.snapshot import Snapshot
from aqt_fast.wire.time_stamps import end_of

FINAL_STATUS = {
    "finished": JobStatus.DONE,
    "error": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}
"""Qiskit's status for each final status of AQT's interface."""

_STRANGER = "the answer was to somebody else's request"

_UNSEEN = "the process that has sent it did not see the answer"


class Failure(NamedTuple):
    """Why there is no result."""

    message: str
    """The reason in words."""
    error: AQTError | None
    """Error that hides fate or result, None if the portal has reported the reason."""


class Submission:
    """Sends an API job and records the outcome in the journal.

    Args:
        endpoint: where to send it.
        snapshot: the circuits of the batch.
        part: the API job's part of the batch.
        log: the API job's entry in the journal.
        ids: tells whether its identifier is known to be another's.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        snapshot: Snapshot,
        part: Part,
        log: ApiJobLog,
        ids: ApiJobIds,
    ) -> None:
        """Send nothing yet."""
        self.payload_hash: str | None = None
        """SHA-256 of the last request body that was sent, None if none was."""
        self.sending = False
        """Whether the request was sent and not answered yet."""
        self._endpoint = endpoint
        self._snapshot = snapshot
        self._part = part
        self._log = log
        self._ids = ids

    def send(self, label: str, wanted: Callable[[], bool]) -> str:
        """Encode and send the API job, and return its identifier.

        Args:
            label: the API job's label.
            wanted: called before each attempt; returns False if the job was cancelled.

        Raises:
            RequestWithdrawnError: it was cancelled; nothing was accepted.
            SubmissionUncertainError: it may have been accepted.
            AQTError: it was not accepted.
        """
        if not wanted():
            raise RequestWithdrawnError("it is not wanted any more")
        body = self._encode(label)
        payload_hash = payload_hash_of(body)
        self._ids.begin()
        job_id = None
        try:
            self._log.intend(label, payload_hash)
            self.payload_hash = payload_hash
            job_id = self._endpoint.submit(body, label=label, wanted=wanted)
            rival = self._ids.claim(job_id, label)
            if rival is not None:
                self._ids.release(job_id, label)
                reason = f"{_STRANGER}: {job_id} is the identifier of {rival}"
                raise SubmissionUncertainError(label, payload_hash, reason)
        except RequestWithdrawnError:
            raise
        except SubmissionUncertainError as error:
            self._log.uncertain(error.reason)
            raise
        except AQTError as error:
            if job_id is not None:  # the answer was there
                self._log.uncertain(str(error))
                raise SubmissionUncertainError(label, payload_hash, str(error)) from error
            self._log.refused(str(error))
            raise
        with suppress(Exception):  # here the identifier is known; another process is uncertain
            self._log.accepted(job_id)
        return job_id

    def uncertain(self, label: str, reason: str) -> SubmissionUncertainError:
        """Make the error to raise if it is unknown whether the submission was accepted."""
        if self.payload_hash is None:
            self.payload_hash = payload_hash_of(self._encode(label))
        return SubmissionUncertainError(label, self.payload_hash, reason)

    def _encode(self, label: str) -> bytes:
        return self._endpoint.encode(self._snapshot, self._part, label)


class ApiJob:
    """A part of a batch, at the portal or on a machine.

    Methods may be called from any thread; :meth:`submit` only once until the job is reopened.

    Args:
        endpoint: where the API job runs.
        snapshot: the circuits of the batch.
        part: the API job's part of the batch.
        label: its label.
        period: returns the seconds between polls.
        lock: the batch's lock, held during each change.
        on_change: called with the lock held after each change.
        log: records events on the disk.
        ids: tells whether its identifier is known to be another's.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        snapshot: Snapshot,
        part: Part,
        label: str,
        period: Callable[[], float],
        lock: threading.Condition,
        on_change: Callable[[ApiJob], None],
        log: ApiJobLog,
        ids: ApiJobIds,
    ) -> None:
        """Send nothing yet."""
        self.part = part
        """The API job's part of the batch."""
        self.label = label
        """The label on the portal; with direct access, the circuit's name in messages."""
        self.job_id: str | None = None
        """The portal's identifier, None until the portal has assigned one."""
        self.status = JobStatus.INITIALIZING
        """Current status; ``INITIALIZING`` until the portal has accepted the API job."""
        self.failure: Failure | None = None
        """Why the API job has ended without a result."""
        self.state: JobState | None = None
        """The portal's latest answer."""
        self.cancelled = False
        """Whether the user has cancelled the API job."""
        self.earlier = 0
        """Number of its submissions before the present one that may have run."""
        self.ids = ids
        """Tells whether an identifier is known to be another's."""
        self.submission = Submission(endpoint, snapshot, part, log, ids)
        """Encodes and sends the request."""
        self._may_be_there = False
        """Whether a request that is under way may have been accepted."""
        self._cancel_due = False
        """Whether a cancellation must still be sent to the portal."""
        self._restored = False
        """Whether another process has worked on the API job, and may have stored its result."""
        self.foreign = False
        """Whether another program has sent the API job, under a label that is unknown here."""
        self._doubt: str | None = None
        """What is wrong with the journal, if that may have lost what became of the API job."""
        self._adopted: SubmissionUncertainError | None = None
        """The uncertain submission for which the user adopted an identifier."""
        self._reported: list[tuple[str, str]] = []
        """The status changes that the portal has reported to another process."""
        self._ended_at: datetime | None = None
        """When this or another process has learnt that it has ended."""
        self._most_finished = 0
        self._unknown_since: float | None = None
        """Since when its endpoint has answered nothing but that it does not know the API job."""
        self._keeping = threading.Lock()
        """Held while a result is stored or dropped."""
        self._proven: str | None = None
        """The identifier about which an answer has named the label."""
        self._period = period
        self._lock = lock
        self._endpoint = endpoint
        self._snapshot = snapshot
        self._on_change = on_change
        self._log = log

    @property
    def period(self) -> float:
        """Seconds between polls, as the job's options say now."""
        return self._period()

    @property
    def ended(self) -> bool:
        """Whether the status is final; only reopening changes it."""
        return self.status in JOB_FINAL_STATES

    @property
    def doubtful(self) -> bool:
        """Whether the journal has lost lines, which may have told that it was sent again."""
        return self._doubt is not None

    @property
    def may_run(self) -> bool:
        """Whether the present submission may run, or has run."""
        if self.job_id is not None or not self.ended:
            return True
        return isinstance(self._error, SubmissionUncertainError)

    @property
    def finished_count(self) -> int:
        """Number of evaluated circuits, as far as the portal has reported."""
        if self.status is JobStatus.DONE:
            return len(self.part.circuits)
        return self.part.num_finished(self._most_finished)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The status changes that the portal has reported: pairs of status and time stamp."""
        reported = self.state and self.state.timing
        return reported or self._reported

    @property
    def ended_at(self) -> datetime | None:
        """When it has ended: as the portal reports, or else when that was learnt."""
        return end_of(self.changes) or self._ended_at

    def submit(self) -> None:
        """Submit the API job, unless it has ended, is with the endpoint, or is on its way."""
        with self._lock:
            if self.ended or self.job_id is not None or self.submission.sending:
                return
            self.submission.sending = True
            self.submission.payload_hash = None  # of an earlier attempt
            self._may_be_there = False
        try:
            job_id = self.submission.send(self.label, self._wanted)
        except RequestWithdrawnError:
            self._withdraw()
        except AQTError as error:
            self._may_be_there = isinstance(error, SubmissionUncertainError)
            self._end_with(error)
        except BaseException as error:
            self._end_unsubmitted(error)
            if not isinstance(error, Exception):
                raise
        else:
            self.job_id = job_id  # whatever happens next
            self._accept(job_id)
        finally:
            self.submission.sending = False

    def _wanted(self) -> bool:
        """Return whether to send the request, as the endpoint asks before each attempt."""
        with self._lock:
            if self.cancelled or self.ended:
                return False
            self._may_be_there = self.submission.payload_hash is not None
            return True

    def _withdraw(self) -> None:
        """Note that the request was not wanted any more: nothing was accepted."""
        if self.cancelled:
            message = "the job was cancelled before it was submitted"
            self._log.ended(JobStatus.CANCELLED.name, message)
            self.end(JobStatus.CANCELLED, message)
        elif self._may_be_there:  # abandoned between two attempts
            self._log.refused("the job was not submitted")

    def _end_unsubmitted(self, error: BaseException) -> None:
        """End after an unexpected exception."""
        reason = f"{type(error).__name__}: {error}"
        if self.submission.payload_hash is None:
            self._end_with(APIError(f"the job cannot be sent: {reason}"))
            return
        try:
            self._log.uncertain(reason)
        finally:
            self._end_uncertain(reason)

    @property
    def answered(self) -> bool:
        """Whether the API job is not on its way to the endpoint."""
        return not self.submission.sending or self.job_id is not None or self.ended

    def abandon(self, reason: str) -> None:
        """End now, without an answer; an accepted API job stays with the portal."""
        with self._lock:
            if self.ended:
                return
            if not self.answered and self._may_be_there:
                self._end_uncertain(reason)  # the sending thread logs the outcome later
                return
            where = "the job is not submitted"
            if self.job_id:
                where = f"the job is with {self._endpoint.name}"
            elif self._restored:
                where = "another process submits the job"
            error = APIConnectionError(f"{reason}; {where}")
            self.end(JobStatus.ERROR, str(error), error)

    def fail(self, error: BaseException) -> None:
        """End with a typed error after an unexpected exception, unless it is being submitted."""
        with self._lock:
            if not self.answered:
                return
            reason = f"{type(error).__name__}: {error}"
            if self.job_id is None and self._may_be_there:
                self._end_uncertain(reason)
            elif isinstance(error, AQTError):
                self._end_with(error)
            else:
                self._end_with(APIError(f"'{self.label}' cannot go on: {reason}"))

    def reopen(self, new_label: str | None = None) -> None:
        """Undo the end, so that the API job can be polled or submitted again.

        Args:
            new_label: forget everything that has happened and submit again under this label.
        """
        with self._lock:
            if new_label is not None:
                self.earlier += self.may_run
                self.label = new_label
                self.job_id = self.state = None
                self._reported = []
                self.cancelled = self._cancel_due = self._restored = self.foreign = False
                self._adopted = self._doubt = self.submission.payload_hash = None
                self._most_finished = 0
            self.failure = self._ended_at = None
            self.status = JobStatus.INITIALIZING if self.job_id is None else JobStatus.QUEUED

    def adopt(self, job_id: str) -> None:
        """Set the identifier of an uncertain submission, as the user has given it."""
        if self.job_id not in (None, job_id):
            self.ids.release(self.job_id, self.label)
        self.ids.adopt(job_id, self.label)
        self._log.accepted(job_id, adopted=True)
        with self._lock:
            if isinstance(self._error, SubmissionUncertainError):
                self._adopted = self._error
            self._doubt = None
            self.job_id = job_id
            self.reopen()

    def take_back(self, job_id: str, reason: str) -> None:
        """Drop an identifier that is another's, or nobody's: the submission is uncertain again.

        Do nothing if the API job has ended or has another identifier. The lock is held throughout:
        without its identifier, and not uncertain yet, it would look as if it was never sent.
        """
        with self._lock:
            if self.ended or self.job_id != job_id:
                return
            if self._adopted is None:
                reason = f"it got the identifier {job_id}, which is not its own: {reason}"
            else:
                known = self._adopted.reason
                reason = f"{known}; and {job_id} was adopted, which is wrong: {reason}"
            try:
                with self._keeping:
                    self.job_id = None
                    self._log.drop_result()
                self._log.uncertain(reason)
                self.ids.release(job_id, self.label)
            finally:
                self.job_id = self.state = self._unknown_since = self._proven = None
                self.cancelled = self._cancel_due = False
                self._most_finished = 0
                self._end_uncertain(reason)

    def record(self) -> ApiJobRecord:
        """Return the facts that another process needs to continue."""
        with self._lock:
            return self._record()

    def _record(self) -> ApiJobRecord:
        error = self._error
        ended = self.ended and error is None and self.status is not JobStatus.DONE
        unseen = self.job_id is None and not isinstance(error, SubmissionUncertainError)
        refused = unseen and error is not None
        return ApiJobRecord(
            label=self.label,
            # The label of what was refused is not used again.
            payload_hash=self.submission.payload_hash if refused or not unseen else None,
            job_id=self.job_id,
            refused=refused,
            status=self.status.name if ended else None,
            message=getattr(error, "reason", self.failure and self.failure.message),
            adopted=self._adopted is not None and self.job_id is not None,
            timing=self.changes if ended else [],
            ended_at=self._ended_at if ended else None,
            foreign=self.foreign and self.job_id is not None,
            earlier=self.earlier,
            doubt=self._doubt if self.job_id is not None else None,
        )

    def resume_from(self, record: ApiJobRecord, *, settled: bool) -> bool:
        """Continue from another process's record. Return False if that process may still act.

        Args:
            record: the API job's record in the journal.
            settled: whether no other process works on it.
        """
        self._restored = True
        self.label = record.label or self.label
        self.job_id = record.job_id
        self.foreign = record.foreign
        self._doubt = record.doubt
        self.earlier = record.earlier
        self.submission.payload_hash = record.payload_hash
        stored = self._stored_state(record.job_id)
        taken_back = record.uncertain and record.message is not None
        if stored is not None and stored.label is None and taken_back:
            stored = None  # it may be of the identifier that was taken back
        job_id = record.job_id or (stored and stored.job_id)
        if record.adopted:
            self._adopted = self.submission.uncertain(self.label, _UNSEEN)
        fate = api_job_fate(record, stored=stored is not None, active=not settled)
        if fate == "uncertain":
            self.job_id = None
            if settled:
                self._end_uncertain(self._why_uncertain(record))
            return settled
        if job_id is not None:
            self._accept(job_id)
            self.ids.note(job_id, self.label, seen=self.foreign)
        elif not settled:
            return False
        if fate in ("failed", "cancelled"):
            if record.status is not None:
                self._reported = record.timing
                self._ended_at = record.ended_at
                self.end(JobStatus[record.status], record.message)
            else:  # the endpoint has refused it
                self._end_with(APIError(record.message or "it was refused"))
        elif fate == "unsent":
            self._end_with(NotSubmittedError())
        elif stored is not None:
            self._ended_at = self._log.stored_at()
            self._take(stored, self.job_id)
        return True

    def poll(self) -> bool:
        """Poll once and return whether the API job has ended.

        Whatever goes wrong, other API jobs must be polled: an unexpected exception ends this one
        with a typed error, after which it can be polled again.
        """
        try:
            return self._poll()
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            self._end_with(APIError(f"the state of '{self.label}' cannot be read: {reason}"))
            if not isinstance(error, Exception):
                raise
            return True

    def _poll(self) -> bool:
        job_id = self.job_id
        if self.ended or job_id is None:
            return True
        self._log.catch_up()
        try:
            if self._cancel_due:
                self._cancel_late(job_id)
            state = self._stored_state(job_id) or self._ask(
                job_id, lambda: not self.ended and self.job_id == job_id
            )
        except RequestWithdrawnError:
            return self.ended
        except APIError as error:
            if self._endpoint.will_pass(error) or is_misrouted(error) or self._may_appear(error):
                return self.ended
            if self.job_id != job_id:
                return self.ended
            if is_unknown(error) and self._adopted is None and not self.foreign:
                # The answer to this submission gave the identifier, so it stays: the endpoint may
                # know it again, for example with another token.
                reason = f"{self._endpoint.name} does not know {job_id} now (wrong account?)"
                self._end_uncertain(f"{reason}: {error}")
            elif is_of_another_job(error) and not self.foreign:
                self.take_back(job_id, str(error))
            else:
                self._end_with(error)
            return self.ended
        self._unknown_since = None
        return self.ended if state is None else self._take(state, job_id)

    def cancel(self) -> bool:
        """Cancel at the portal. Return False if the job has ended or was already cancelled.

        Raises:
            APIError: the portal refuses or cannot be reached.
        """
        with self._lock:
            # After a failed poll, the API job is still with the portal.
            ended = self.ended and (self._error is None or self.job_id is None)
            if ended or self.cancelled:
                return False
            self.cancelled = True
            job_id = self.job_id
            if job_id is None:
                # The sending thread checks before each attempt and right after the answer.
                return True
        try:
            return self._endpoint.cancel(job_id)
        except AQTError as error:
            self.cancelled = False
            if isinstance(error, APIError) and may_have_ended(error) and self._has_ended():
                return False
            raise
        except BaseException as error:
            self.cancelled = False
            if not isinstance(error, Exception):
                raise
            reason = f"{type(error).__name__}: {error}"
            raise APIError(f"'{self.label}' cannot be cancelled: {reason}") from error

    def end(
        self, status: JobStatus, message: str | None = None, error: AQTError | None = None
    ) -> None:
        """Set the final status once, after its reason: a reader of the end also sees why."""
        with self._lock:
            if self.ended:
                return
            self.failure = None if status is JobStatus.DONE else Failure(message or "", error)
            self._ended_at = self._ended_at or now()
            self.status = status
            self._on_change(self)

    @property
    def _error(self) -> AQTError | None:
        return None if self.failure is None else self.failure.error

    def _end_with(self, error: AQTError) -> None:
        self.end(JobStatus.ERROR, str(error), error)

    def _end_uncertain(self, reason: str) -> None:
        """End because it is unknown whether the submission was accepted."""
        self._end_with(self.submission.uncertain(self.label, reason))

    def _accept(self, job_id: str) -> None:
        """Set the portal's identifier; from now on, the API job can be polled."""
        with self._lock:
            self.job_id = job_id
            self._cancel_due = self.cancelled
            if self.ended:
                return  # abandoned: no one waits for it any more
            self.failure = None
            self.status = JobStatus.RUNNING if self._most_finished else JobStatus.QUEUED
            self._on_change(self)

    def _take(self, state: JobState, job_id: str | None) -> bool:
        """Apply a state of an identifier and return whether the API job has ended."""
        with self._lock:
            if self.ended or job_id != self.job_id:
                return self.ended
            self.state = state
            self._most_finished = max(self._most_finished, state.finished_count or 0)
            if state.status in FINAL_STATUS:
                status = FINAL_STATUS[state.status]
                if status is JobStatus.DONE:
                    self.end(status)  # the stored result tells other processes
                else:
                    message = state.message or f"the job is {state.status}"
                    self._log.ended(status.name, message, self.changes)
                    if status is JobStatus.ERROR and self._doubt is not None:
                        reason = f"{self.job_id} has failed: {message}; {self._lost}"
                        self.job_id = None
                        self._end_uncertain(reason)
                    else:
                        self.end(status, message)
                return True
            if state.status == "ongoing":
                self.status = JobStatus.RUNNING
            self._on_change(self)
        return False

    def _may_appear(self, error: APIError) -> bool:
        """Whether an API job that is unknown to its endpoint may have been accepted just now."""
        if not is_unknown(error) or self._adopted is not None or self.foreign:
            return False
        now = time.monotonic()
        self._unknown_since = self._unknown_since or now
        return now - self._unknown_since < self._endpoint.settling_seconds

    def _why_uncertain(self, record: ApiJobRecord) -> str:
        """Say why a restored API job is uncertain."""
        if record.doubt is None:
            return record.message or _UNSEEN
        if record.status is not None:
            known = f"{record.job_id or 'it'} has failed: {record.message}"
        elif record.uncertain:
            known = record.message or _UNSEEN
        else:
            known = "the process that submits it has ended"
        return f"{known}; {self._lost}"

    @property
    def _lost(self) -> str:
        """What follows from a damaged journal."""
        return (
            f"and {self._doubt}, as after a power cut: what is lost may have told that it was "
            "accepted, or sent again"
        )

    def _has_ended(self) -> bool:
        """Ask whether the API job has ended by itself, after a cancellation was refused."""
        job_id = self.job_id
        if job_id is None:
            return False
        try:
            state = self._stored_state(job_id) or self._ask(job_id)
        except ResultExpiredError:
            return True
        except APIError:
            return False
        if state is None:
            return False
        self._take(state, job_id)
        return state.status in FINAL_STATUS

    def _cancel_late(self, job_id: str) -> None:
        """Cancel an API job that was accepted after the user had cancelled it."""
        try:
            self._endpoint.cancel(job_id)
        except APIError as error:
            if self._endpoint.will_pass(error):
                raise
            # It has ended in the meantime; the next poll shows how.
        self._cancel_due = False

    def _ask(self, job_id: str, wanted: Callable[[], bool] | None = None) -> JobState | None:
        return self._endpoint.result(job_id, partial(self._read, job_id), wanted)

    def _stored_state(self, job_id: str | None) -> JobState | None:
        """Return the state in the stored result, None if the result is not stored or damaged."""
        stored = self._log.stored_result() if self._restored else None
        if stored is None:
            return None
        try:
            state = self._decode(stored.content, job_id, stored=True)
        except ResponseError:
            return None  # ask the endpoint instead
        # A file that does not say of which API job it is may be another's.
        known = stored.named or None not in (state.job_id, job_id)
        return state if known else None

    def _read(self, job_id: str, body: bytes) -> JobState:
        """Decode an answer about an identifier and store it if it contains the result."""
        state = self._decode(body, job_id)
        if state.status == "finished":
            with self._keeping:
                if self.job_id != job_id:  # taken back meanwhile
                    raise MisroutedResponseError(f"{job_id} is not this API job's any more")
                self._log.keep(body)
        return state

    def _decode(self, body: bytes, job_id: str | None, *, stored: bool = False) -> JobState:
        """Decode an answer and check that it is about the circuits that were sent.

        Args:
            body: the answer.
            job_id: the identifier that was asked for, None if it is not known.
            stored: whether the answer came earlier, perhaps to another process.
        """
        state = self._endpoint.decode(body)
        if job_id is not None:
            if state.job_id is None:
                raise MalformedResponseError("it does not tell which API job it is about", 0)
            if not same_uuid(state.job_id, job_id):
                raise MisroutedResponseError(f"it is about {state.job_id!r}, not about {job_id}")
        if not self.foreign:
            self._require_own(body, state, job_id, stored=stored)
        if state.status == "finished":
            part = self.part
            samples = state.samples or []
            self._snapshot.check_samples(
                samples, part.start, part.stop, repetitions=part.repetitions
            )
        return state

    def _relabel(self, label: str) -> None:
        """Take over the label of the latest submission, of which the journal has lost the line."""
        if self.job_id is not None:
            self.ids.relabel(self.job_id, self.label, label)
        self.label = label

    def _require_own(
        self, body: bytes, state: JobState, job_id: str | None, *, stored: bool
    ) -> None:
        """Check that an answer about this identifier is about what was sent.

        Raises:
            ResponseMismatchError: the identifier is, or may be, another API job's.
        """
        in_doubt = self._doubt is not None or self._adopted is not None
        if in_doubt and state.label and differ_in_attempt(self.label, state.label):
            self._relabel(state.label)
        if state.label not in (None, self.label):
            raise ResponseMismatchError(f"it is about {state.label!r}, not about {self.label!r}")
        self._endpoint.check_place(body)
        if job_id is None:
            return
        if state.label is not None and job_id != self._proven and not stored:
            self.ids.prove(job_id, self.label)
            self._proven = job_id
        if state.status in FINAL_STATUS:
            rival = self.ids.rival(job_id, self.label)
            if rival is not None:
                raise ResponseMismatchError(f"{job_id} is also the identifier of {rival}")
