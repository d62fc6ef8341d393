"""The journal of a batch: what was sent, what was accepted, what was answered.

The process that works on a batch holds its lock; all others only read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from aqt_fast._files import read_file
from aqt_fast._forks import ForkSafeLock
from aqt_fast._ids import canonical_uuid, is_canonical_uuid
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.store.accepted_ids import Answers, Owner, batch_of, checksum
from aqt_fast.store.checksummed_json import entry
from aqt_fast.store.description import JobDescription, now
from aqt_fast.store.event_lines import file_of, read_events
from aqt_fast.store.event_log import EventLog
from aqt_fast.store.events import ApiJobRecord, JournalState
from aqt_fast.store.job_directory import EVENTS, JobDirectory, remove_files
from aqt_fast.store.named_files import NamedContent


class JournalWarning(UserWarning):
    """A job's journal is missing or incomplete, because it could not be written."""


class Journal:
    """One batch on the disk, and the events of its API jobs.

    Args:
        directory: the files of the batch.
        log: its file of events, None to open it when it is needed.
    """

    def __init__(self, directory: JobDirectory, log: EventLog | None = None) -> None:
        """Use :meth:`create`, :meth:`load` or :meth:`find`."""
        self.directory = directory
        """The files of the batch."""
        self.problem: str | None = None
        """What could not be written, None if all is well."""
        self._log = log or EventLog(directory.path / EVENTS)
        self._answers: Answers | None = None
        self._late: list[dict[str, Any]] = []
        """Events that have happened and could not be written, in order."""
        self._late_lock = ForkSafeLock()
        self._unwritten: str | None = None
        """The last :attr:`problem` with an event."""

    @property
    def path(self) -> Path:
        """Path of the directory."""
        return self.directory.path

    @classmethod
    def create(
        cls,
        root: Path,
        description: JobDescription,
        snapshot: bytes,
        headers: list[dict[str, Any]],
    ) -> Journal:
        """Create a journal and hold its lock; the first event flushes it to the disk.

        Args:
            root: directory of all jobs.
            description: what the job is.
            snapshot: the snapshot of the circuits.
            headers: headers of the circuits' results. What JSON cannot express is left out.

        Raises:
            FileExistsError: a job with this identifier exists.
            OSError: a file cannot be written.
        """
        path = root / description.job_id
        if path.exists():
            raise FileExistsError(f"there is a job {description.job_id} in {root}")
        log = EventLog(path / EVENTS)
        events = file_of([], description.job_id)

        def own() -> None:
            log.own(events)
            log.require_writable()

        try:
            directory = JobDirectory.create(
                root,
                description,
                snapshot=(snapshot, headers),
                events=events,
                flushed=False,
                # Nobody else may go on with it, or remove it, as soon as it can be found.
                before_job=own,
            )
            log.before_first_flush = directory.flush
            return cls(directory, log)
        except BaseException:
            log.close()
            raise

    @classmethod
    def load(cls, root: Path, job_id: str) -> Journal:
        """Open the journal of a batch for reading.

        Raises:
            JobNotFoundError: no batch has this identifier.
            DamagedJobError: the journal cannot be read; it stays as it is.
        """
        directory = JobDirectory.load(root, job_id)
        if directory.description.plan is None:
            raise JobNotFoundError(job_id, root)
        return cls(directory)

    @classmethod
    def find(cls, root: Path, job_id: str) -> Journal:
        """Open the journal of a batch, by its identifier or that of one of its API jobs.

        Identifiers of earlier submissions find it, too, unless an API job has the same now.

        Raises:
            JobNotFoundError: no batch and no API job has this identifier.
            DamagedJobError: the journal cannot be read; it stays as it is.
        """
        try:
            return cls.load(root, job_id)
        except JobNotFoundError:
            earlier = None
            if is_canonical_uuid(job_id):
                for name in _candidates(root, job_id):
                    # A damaged journal must not hide the one that is searched for.
                    with suppress(OSError, DamagedJobError, JobNotFoundError):
                        journal = cls.load(root, name)
                        records = journal.replay().records.values()
                        if any(job_id == known.job_id for known in records):
                            return journal
                        if earlier is None and journal.has_had(job_id):
                            earlier = journal
            if earlier is not None:
                return earlier
            raise

    def has_had(self, job_id: str) -> bool:
        """Whether an API job of the batch has this identifier, or an earlier submission of it."""
        return b'"job_id":"%s"' % job_id.encode() in read_file(self.path / EVENTS)

    def own(self) -> bool:
        """Take the lock and become the writer. Return False if another writer has it.

        Raises:
            DamagedJobError: the file of events does not exist or cannot be read.
            OSError: no lock can be taken, or it is unknown whether another writer has it.
        """
        owned = self._log.own()
        if owned and self._log.read_only is None:
            self.directory.tidy()
        return owned

    def own_again(self) -> None:
        """Take the lock again if no other writer has appended lines since it was closed or read.

        Raises:
            JournalError: another process works on the batch or has continued it, or the file cannot
                be opened.
        """
        self._log.own_again()

    @property
    def owned(self) -> bool:
        """Whether this object is the writer."""
        return self._log.owned

    def note(self, job: int, event: str, **fields: Any) -> None:
        """Write an event and wait until it is on the disk. Do nothing if this is not the writer.

        Args:
            job: index of the API job in the batch.
            event: what has happened, see :mod:`aqt_fast.store.events`.
            fields: the event's data.

        Raises:
            JournalError: the event cannot be written; the file stays as it was.
        """
        if self._late:
            with self._late_lock:
                self._write_late()
        self._write({"job": job, "event": event, **fields})

    def tell(self, job: int, event: str, **fields: Any) -> None:
        """Write an event that has happened; if that fails, write it before the next one.

        A missing event makes others ask again or call the API job uncertain. :attr:`problem` has
        what to tell the user.
        """
        if not self.owned:
            return
        happened = {"job": job, "event": event, **fields}
        if not self._late:
            with suppress(JournalError):
                self._write(happened)
                return
        with self._late_lock, suppress(JournalError):
            self._late.append(happened)
            self._write_late()

    def catch_up(self) -> None:
        """Write what could not be written before, if that is possible now."""
        if self._late:
            with self._late_lock, suppress(JournalError):
                self._write_late()

    def _write_late(self) -> None:
        while self._late and self.owned:
            self._write(self._late[0])
            del self._late[0]
            if not self._late and self.problem == self._unwritten:
                self.problem = None

    def _write(self, event: dict[str, Any]) -> None:
        try:
            self._log.append(event)
        except OSError as error:
            self.problem = self._unwritten = f"the journal {self.path} cannot be written: {error}"
            raise JournalError(self.problem) from error

    def keep(self, job: int, body: bytes) -> None:
        """Store the answer with an API job's result; set :attr:`problem` if that fails."""
        if not self.owned:
            return
        try:
            self._log.require_writable()
            self.directory.keep_result(job, body)
        except OSError as error:
            self.problem = f"a result cannot be stored in {self.path}: {error}"

    def drop(self, job: int) -> None:
        """Delete what :meth:`keep` has stored; set :attr:`problem` if that fails."""
        if not self.owned:
            return
        try:
            self._log.require_writable()
            self.directory.drop_result(job)
        except OSError as error:
            self.problem = f"a wrong result cannot be deleted in {self.path}: {error}"

    def keep_evaluation(self, evaluation: dict[str, Any]) -> None:
        """Store what a primitive makes of the outcomes; set :attr:`problem` if that fails."""
        try:
            self.directory.add_evaluation(evaluation, flushed=False)
        except OSError as error:
            self.problem = f"what the primitive evaluates cannot be stored in {self.path}: {error}"

    def result(self, job: int) -> NamedContent | None:
        """Return the answer with an API job's result; None if it is not stored or is damaged."""
        return self.directory.result(job)

    def replay(self, answers: Answers | None = None) -> JournalState:
        """Read all events so far.

        API jobs that were not sent, says the journal, are in doubt if the store's list of
        identifiers has the answers to them.

        Args:
            answers: what that list has; by default, it is read for this batch only.

        Raises:
            DamagedJobError: the file cannot be read.
        """
        state = self._replay()
        if self._unsent(state):
            if answers is None:
                self._answers = self._answers or Answers(self.path.parent, self.path.name)
                answers = self._answers
            answered = answers.of(self.path.name)
            if answered:
                # Again, for a line here is written before its answer is there.
                state = self._replay()
                self._compare(state, answered)
        return state

    def _replay(self) -> JournalState:
        return JournalState.of(self._log.read(), self.directory.stored_results())

    def _unsent(self, state: JournalState) -> dict[int, ApiJobRecord]:
        """Return the records of API jobs that were not sent, or refused."""
        plan = self.directory.description.plan
        numbers = range(0 if plan is None else len(plan.parts))
        records = ((number, state.record(number)) for number in numbers)
        return {
            number: record
            for number, record in records
            if record.job_id is None and not record.uncertain and record.status is None
        }

    def _compare(self, state: JournalState, answered: set[tuple[int, bytes]]) -> None:
        unsent = self._unsent(state)
        for number, label in answered:
            record = unsent.get(number)
            if record is not None and (record.label is None or label == checksum(record.label)):
                record.doubt = (
                    record.doubt or "its journal is older than the store's list of identifiers"
                )
                state.records[number] = record

    def close(self) -> None:
        """Release the lock; :meth:`own` takes it again."""
        self.catch_up()
        self._log.close()


def _candidates(root: Path, job_id: str) -> Iterator[str]:
    """Return the names of batches that may have an API job, the most likely one first."""
    known = batch_of(root, job_id)
    if known is not None:
        yield known
    for path in _directories(root):
        with suppress(OSError):
            if job_id.encode() in read_file(path / EVENTS):
                yield path.name


def journalled_ids(root: Path) -> Iterator[tuple[str, Owner]]:
    """Return all identifiers that journals of a directory have or had, and whose they are."""
    for path in _directories(root):
        with suppress(OSError):
            yield from _ids_in(path)


def _ids_in(path: Path) -> Iterator[tuple[str, Owner]]:
    """Return the identifiers in a job's directory.

    Raises:
        OSError: the events cannot be read.
    """
    owners: dict[int, Owner] = {}
    found: dict[Owner, str] = {}
    for event in read_events(read_file(path / EVENTS), path.name).events:
        with suppress(LookupError, TypeError, ValueError):
            number, kind = entry(event, "job", int), entry(event, "event", str)
            owner = owners.setdefault(number, Owner(path.name, number, ""))
            if kind == "intent":
                owners[number] = Owner(path.name, number, entry(event, "label", str))
            elif kind == "accepted":
                found[owner] = canonical_uuid(entry(event, "job_id", str))
            elif kind == "uncertain":  # taken back
                found.pop(owner, None)
    return ((job_id, owner) for owner, job_id in found.items())


def _directories(root: Path) -> list[Path]:
    """Return what is in the directory of all jobs; nothing if it cannot be read."""
    with suppress(OSError):
        return list(root.iterdir())
    return []


def remove_job(path: Path) -> None:
    """Delete a job's directory unless a process works on it.

    Raises:
        JournalError: a process works on the job.
        OSError: a file cannot be deleted.
    """
    log = EventLog(path / EVENTS)
    try:
        with suppress(DamagedJobError):  # nobody can work on what has no lock
            if not log.own():
                raise JournalError(f"job {path.name} is being worked on")
        remove_files(path)
    finally:
        log.close()


class ApiJobLog:
    """The journal entries of one API job; does nothing if there is no journal."""

    def __init__(self, journal: Journal | None, job: int) -> None:
        """``job`` is the index of the API job in its batch."""
        self._journal = journal
        self._job = job

    def intend(self, label: str, payload_hash: str) -> None:
        """Record that the API job will be sent.

        Raises:
            JournalError: the event cannot be written, so the API job must not be sent.
        """
        if self._journal is not None:
            self._journal.note(self._job, "intent", label=label, payload_hash=payload_hash)

    def accepted(self, job_id: str, *, adopted: bool = False) -> None:
        """Record the identifier that the portal, or the user (``adopted``), has given."""
        self._tell("accepted", job_id=job_id, adopted=adopted)

    def refused(self, message: str) -> None:
        """Record that the portal has certainly not accepted the API job."""
        self._tell("refused", message=message)

    def uncertain(self, message: str) -> None:
        """Record that it is unknown whether the portal has accepted the API job."""
        self._tell("uncertain", message=message)

    def ended(
        self, status: str, message: str | None, timing: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Record an end without a result, at the portal or before the submission.

        Args:
            status: ``ERROR`` or ``CANCELLED``.
            message: why there is no result.
            timing: the status changes that the portal has reported, with their time stamps.
        """
        record = ApiJobRecord(status=status, message=message, timing=list(timing), ended_at=now())
        self._tell(**record.end())

    def catch_up(self) -> None:
        """Write what could not be written before, if that is possible now."""
        if self._journal is not None:
            self._journal.catch_up()

    def keep(self, body: bytes) -> None:
        """Store the answer with the result."""
        if self._journal is not None:
            self._journal.keep(self._job, body)

    def drop_result(self) -> None:
        """Delete the stored answer: it is about another API job."""
        if self._journal is not None:
            self._journal.drop(self._job)

    def stored_result(self) -> NamedContent | None:
        """Return the stored answer with the result; None if it is not stored or is damaged."""
        return None if self._journal is None else self._journal.result(self._job)

    def stored_at(self) -> datetime | None:
        """Return when the answer with the result was stored, None if it is not stored."""
        return None if self._journal is None else self._journal.directory.stored_at(self._job)

    def _tell(self, event: str, **fields: Any) -> None:
        if self._journal is not None:
            self._journal.tell(self._job, event, **fields)
