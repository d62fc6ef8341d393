"""The journal of a batch: what was to be sent, what was accepted, what came back.

The process that works on a batch holds a lock on the file of events; all others only read.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from aqt_fast._ids import is_canonical_uuid
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.store.description import JobDescription
from aqt_fast.store.event_log import EventLog
from aqt_fast.store.events import JournalState, line_of, lines_of
from aqt_fast.store.job_directory import EVENTS, JobDirectory, remove_files


class JournalWarning(UserWarning):
    """A job has no journal, or something is missing in it, because it could not be written."""


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

    @property
    def path(self) -> Path:
        """The directory."""
        return self.directory.path

    @classmethod
    def create(
        cls,
        root: Path,
        description: JobDescription,
        snapshot: bytes,
        headers: list[dict[str, Any]],
    ) -> Journal:
        """Write a new journal and hold its lock; it is flushed to the disk with the first event.

        Args:
            root: directory of all jobs.
            description: what the job is.
            snapshot: the snapshot of the circuits.
            headers: those of the circuits' results. What JSON cannot express is left out.

        Raises:
            FileExistsError: there is a job with this identifier.
            OSError: a file cannot be written.
        """
        path = root / description.job_id
        if path.exists():
            raise FileExistsError(f"there is a job {description.job_id} in {root}")
        log = EventLog(path / EVENTS)
        try:
            directory = JobDirectory.create(
                root,
                description,
                snapshot=(snapshot, headers),
                events=lines_of([]),
                flushed=False,
                # Nobody else may go on with it, or remove it, as soon as it can be found.
                before_job=log.own,
            )
        except BaseException:
            log.close()
            raise
        log.before_first_flush = directory.flush
        return cls(directory, log)

    @classmethod
    def load(cls, root: Path, job_id: str) -> Journal:
        """Open the journal of a batch to read it.

        Raises:
            JobNotFoundError: there is none with this identifier.
            DamagedJobError: it cannot be read; it stays as it is.
        """
        directory = JobDirectory.load(root, job_id)
        if directory.description.plan is None:
            raise JobNotFoundError(job_id, root)
        return cls(directory)

    @classmethod
    def find(cls, root: Path, job_id: str) -> Journal:
        """Open the journal of a batch, or of the batch that an API job belongs to.

        Raises:
            JobNotFoundError: no batch and no API job has this identifier.
            DamagedJobError: the journal cannot be read; it stays as it is.
        """
        try:
            return cls.load(root, job_id)
        except JobNotFoundError:
            if is_canonical_uuid(job_id):
                for file in root.glob(f"*/{EVENTS}"):
                    # What cannot be read is no reason not to find another.
                    with suppress(OSError, DamagedJobError, JobNotFoundError):
                        if job_id.encode() in file.read_bytes():
                            journal = cls.load(root, file.parent.name)
                            records = journal.replay().records.values()
                            if any(job_id == known.job_id for known in records):
                                return journal
            raise

    def own(self) -> bool:
        """Take the lock, to be the one who writes; False if somebody else has it.

        Raises:
            DamagedJobError: the file of events is not there, or cannot be read.
            OSError: the file system has no locks.
        """
        return self._log.own()

    def own_again(self) -> None:
        """Take the lock if nobody else has written anything since it was closed, or read.

        Raises:
            JournalError: somebody else works on the batch, or has done so; or the file cannot be
                opened.
        """
        self._log.own_again()

    @property
    def owned(self) -> bool:
        """Whether this object is the one that writes."""
        return self._log.owned

    def note(self, job: int, event: str, **fields: Any) -> None:
        """Write an event and wait until it is on the disk; nothing if somebody else writes.

        Args:
            job: number of the API job in the batch.
            event: what has happened, see :mod:`aqt_fast.store.events`.
            fields: what belongs to it.

        Raises:
            JournalError: it cannot be written, and is not.
        """
        try:
            self._log.append(line_of({"job": job, "event": event, **fields}))
        except OSError as error:
            self.problem = f"the journal {self.path} cannot be written: {error}"
            raise JournalError(self.problem) from error

    def keep(self, job: int, body: bytes) -> None:
        """Store the answer with the result of an API job; a failure shows as :attr:`problem`."""
        if not self.owned:
            return
        try:
            self.directory.keep_result(job, body)
        except OSError as error:
            self.problem = f"a result cannot be stored in {self.path}: {error}"

    def result(self, job: int) -> bytes | None:
        """The stored answer with the result of an API job, None if there is none to be used."""
        return self.directory.result(job)

    def replay(self) -> JournalState:
        """Read all events that are there by now.

        Raises:
            DamagedJobError: the file cannot be read.
        """
        return JournalState.of(*self._log.read(), self.directory.stored_results())

    def close(self) -> None:
        """Give the lock back; :meth:`own` takes it again."""
        self._log.close()


def remove_job(path: Path) -> None:
    """Delete a job's directory unless somebody works on it.

    Raises:
        JournalError: somebody does.
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
    """What a journal keeps of one API job; nothing if there is no journal."""

    def __init__(self, journal: Journal | None, job: int) -> None:
        """``job`` is the number of the API job in its batch."""
        self._journal = journal
        self._job = job

    def intend(self, label: str, payload_hash: str) -> None:
        """It is going to be sent.

        Raises:
            JournalError: that cannot be written, and so it must not be sent.
        """
        if self._journal is not None:
            self._journal.note(self._job, "intent", label=label, payload_hash=payload_hash)

    def accepted(self, job_id: str, *, adopted: bool = False) -> None:
        """The portal has given it an identifier, or the user says so (``adopted``)."""
        self._tell("accepted", job_id=job_id, adopted=adopted)

    def refused(self, message: str) -> None:
        """The portal has certainly not accepted it."""
        self._tell("refused", message=message)

    def uncertain(self, message: str) -> None:
        """The portal has accepted it or not."""
        self._tell("uncertain", message=message)

    def ended(self, status: str, message: str | None) -> None:
        """It has ended, at the portal or before it was sent."""
        self._tell("ended", status=status, message=message)

    def keep(self, body: bytes) -> None:
        """Its result has come."""
        if self._journal is not None:
            self._journal.keep(self._job, body)

    def stored_result(self) -> bytes | None:
        """The result that has come before, None if there is none to be used."""
        return None if self._journal is None else self._journal.result(self._job)

    def _tell(self, event: str, **fields: Any) -> None:
        if self._journal is not None:
            # What is missing in a journal makes others ask again, or call it uncertain; the
            # journal keeps the problem for the user.
            with suppress(JournalError):
                self._journal.note(self._job, event, **fields)
