"""Journals of batches: what was to be sent, what was accepted, what has come back.

A journal is a directory of the store, named after the batch's UUID::

    batch.json       format, backend, options, chunks; SHA-256 of itself and of the next two
    circuits.bin     the snapshot of the circuits (``rust/core/src/archive.rs``)
    headers.zst      what results say about the circuits: JSON, compressed
    journal          a line for each event (``job_record.py``)
    result-N.zst     the raw answer with the result of API job N, compressed

``batch.json`` is written last: without it there is no journal. A line is on the disk before
anything is done that depends on it. So a line that a crash has cut off was the last one, and says
nothing; any other damaged line is counted, and may have told of a submission.

The process that works on a batch holds a lock (``flock``) on the file ``journal``; all others only
read. Compression is Zstandard's, with its checksum.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from weakref import WeakSet

import orjson
import zstandard

from aqt_fast import file_lock
from aqt_fast.document import pack, unpack
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.job_record import BEGIN, JobRecord, Replay, event_of, line_of
from aqt_fast.private_file import flush, make_directory, write_file

FORMAT = 1


def is_id(text: object) -> bool:
    """Whether this is what jobs are called: a UUID."""
    try:
        return str(uuid.UUID(str(text))) == text
    except ValueError:
        return False


class JournalWarning(UserWarning):
    """A job has no journal, or something is missing in it, because it could not be written."""


_LEVEL = 1
"""Zstandard's: 5 ms for the 2.2 MB of 100 000 shots on 10 qubits."""


class Journal:
    """One batch on the disk."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        """Use :meth:`create`, :meth:`load` or :meth:`find`."""
        self.path = path
        """The directory."""
        self.header = header
        """What ``batch.json`` holds."""
        self.problem: str | None = None
        """What could not be written, None if all is well."""
        self._file: int | None = None
        self._read_bytes: int | None = None
        self._synced = 0
        self._flushed = True
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        _JOURNALS.add(self)

    @classmethod
    def create(
        cls, root: Path, header: dict[str, Any], circuits: bytes, headers: list[dict[str, Any]]
    ) -> Journal:
        """Write a new journal and hold its lock; it is flushed to the disk with the first line.

        Args:
            root: directory of the store.
            header: for ``batch.json``, with the UUID ``batch_id``.
            circuits: the snapshot of the circuits.
            headers: those of the circuits' results. What JSON cannot express is left out.

        Raises:
            OSError: a file cannot be written.
        """
        compressed = _compress(orjson.dumps([_in_json(entry) for entry in headers], option=_JSON))
        body = {
            **header,
            "created": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "num_circuits": len(headers),
            "circuits": hashlib.sha256(circuits).hexdigest(),
            "headers": hashlib.sha256(compressed).hexdigest(),
        }
        make_directory(root)
        journal = cls(root / str(uuid.UUID(header["batch_id"])), body)
        journal.path.mkdir(mode=0o700)
        try:
            _write(journal.path / "circuits.bin", circuits)
            _write(journal.path / "headers.zst", compressed)
            _write(journal.path / "journal", line_of({"event": BEGIN}))
            journal.own()
            _write(journal.path / "batch.json.tmp", pack({"batch": body}, FORMAT))
            (journal.path / "batch.json.tmp").replace(journal.path / "batch.json")
        except BaseException:
            journal.close()
            shutil.rmtree(journal.path, ignore_errors=True)
            raise
        journal._flushed = False
        return journal

    @classmethod
    def load(cls, root: Path, batch_id: str) -> Journal:
        """Open a journal to read it.

        Raises:
            JobNotFoundError: there is none with this id.
            DamagedJobError: it cannot be read; it stays as it is.
        """
        try:
            path = root / str(uuid.UUID(batch_id))
        except (ValueError, AttributeError, TypeError):
            raise JobNotFoundError(str(batch_id), root) from None
        file = path / "batch.json"
        try:
            body = unpack(file.read_bytes(), FORMAT, ("batch",), file)["batch"]
        except (FileNotFoundError, NotADirectoryError):
            raise JobNotFoundError(batch_id, root) from None
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        if not isinstance(body, dict) or body.get("batch_id") != path.name:
            raise DamagedJobError(file, "it is of another job")
        return cls(path, body)

    @classmethod
    def find(cls, root: Path, job_id: str) -> Journal:
        """Open the journal of a batch, or of the batch that an API job belongs to.

        Raises:
            JobNotFoundError: no batch and no API job has this id.
            DamagedJobError: the journal cannot be read; it stays as it is.
        """
        try:
            return cls.load(root, job_id)
        except JobNotFoundError:
            if is_id(job_id):
                for file in root.glob("*/journal"):
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
            DamagedJobError: the file is not there, or cannot be read.
            OSError: the file system has no locks.
        """
        with self._lock:
            if self._file is not None:
                return True
            path = self.path / "journal"
            try:
                try:
                    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
                except OSError:
                    # Where nothing can be written, the lock tells all the same if others work.
                    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise DamagedJobError(path, str(error)) from error
            try:
                file_lock.acquire(file)
                size = os.fstat(file).st_size
                text = os.pread(file, size, 0)
                whole = text.rfind(b"\n") + 1
                if whole < size:
                    whole = _mend_end(file, whole, text[whole:])
            except BlockingIOError:
                os.close(file)
                return False
            except BaseException:
                os.close(file)
                raise
            self._file = file
            self._read_bytes = whole
            return True

    def own_again(self) -> None:
        """Take the lock if nobody else has done anything since it was closed, or read.

        Raises:
            JournalError: somebody else works on the batch, or has done so; or the file cannot be
                opened.
        """
        if self.owned:
            return
        known = self._read_bytes
        try:
            owned = self.own()
        except (OSError, DamagedJobError) as error:
            raise JournalError(f"the journal {self.path} cannot be opened: {error}") from error
        if not owned:
            raise JournalError(f"another process is working on job {self.path.name}")
        if known != self._read_bytes:
            self.close()
            self._read_bytes = known
            message = f"another process has gone on with job {self.path.name}; restore it again"
            raise JournalError(message)

    @property
    def owned(self) -> bool:
        """Whether this object is the one that writes."""
        return self._file is not None

    def note(self, job: int, event: str, **fields: Any) -> None:
        """Write a line and wait until it is on the disk; nothing if somebody else writes.

        Args:
            job: number of the API job in the batch.
            event: what has happened, see :mod:`aqt_fast.job_record`.
            fields: what belongs to it.

        Raises:
            JournalError: it cannot be written, and is not.
        """
        try:
            self._sync(self._append(line_of({"job": job, "event": event, **fields})))
        except OSError as error:
            self.problem = f"the journal {self.path} cannot be written: {error}"
            raise JournalError(self.problem) from error

    def _append(self, line: bytes) -> int:
        """Write a line, and tell how many bytes must be on the disk for it to be there."""
        with self._lock:
            if self._file is None or self._read_bytes is None:
                return 0
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError("the disk is full")
            except OSError:
                os.ftruncate(self._file, self._read_bytes)
                raise
            self._read_bytes += len(line)
            return self._read_bytes

    def _sync(self, end: int) -> None:
        """Wait until so many bytes are on the disk; one flush serves all who wait."""
        with self._sync_lock:
            if self._synced >= end or self._file is None:
                return
            written = self._read_bytes or 0
            if not self._flushed:
                self._flush_snapshot()
                self._flushed = True
            os.fdatasync(self._file)
            self._synced = written

    def keep(self, job: int, body: bytes) -> None:
        """Store the answer with the result of an API job; a failure shows as :attr:`problem`."""
        if not self.owned:
            return
        try:
            write_file(self._result_file(job), _compress(body))
        except OSError as error:
            self.problem = f"a result cannot be stored in {self.path}: {error}"

    def result(self, job: int) -> bytes | None:
        """The stored answer with the result of an API job, None if there is none to be used."""
        try:
            return _decompress(self._result_file(job).read_bytes())
        except (OSError, MemoryError, zstandard.ZstdError):
            return None

    def stored_results(self) -> set[int]:
        """Numbers of the API jobs whose results are stored; whether they can be used is not seen.

        Raises:
            OSError: the directory cannot be read.
        """
        return {
            int(number)
            for path in self.path.iterdir()
            if (number := path.name.removeprefix("result-").removesuffix(".zst")).isdecimal()
        }

    def circuits(self) -> tuple[bytes, list[dict[str, Any]]]:
        """The snapshot of the circuits, and the headers of their results.

        Raises:
            DamagedJobError: they cannot be read.
        """
        circuits = self._checked("circuits.bin", "circuits")
        headers: list[dict[str, Any]] = orjson.loads(
            _decompress(self._checked("headers.zst", "headers"))
        )
        return circuits, headers

    def replay(self) -> Replay:
        """Read all lines that are there by now.

        Raises:
            DamagedJobError: the file cannot be read.
        """
        file = self.path / "journal"
        try:
            text = file.read_bytes()
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        *lines, cut_off = text.split(b"\n")
        if not self.owned:
            self._read_bytes = len(text) - len(cut_off)
        replay = Replay(missing=not lines)
        for number, line in enumerate(lines, 1):
            if not replay.apply(line):
                replay.damaged.append(number)
        replay.apply(cut_off)
        for number in self.stored_results():
            # A result comes after an identifier.
            if replay.records.get(number, JobRecord()).job_id is None:
                replay.missing = True
        return replay

    def close(self) -> None:
        """Give the lock back; :meth:`own` takes it again."""
        with self._sync_lock, self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def forget(self) -> None:
        """Close the file in a process that was forked, whoever held a lock in its parent."""
        self._lock, self._sync_lock = threading.Lock(), threading.Lock()
        self.close()

    def remove(self) -> None:
        """Delete everything.

        Raises:
            JournalError: somebody works on the batch.
            DamagedJobError: it has no lock.
            OSError: a file cannot be deleted.
        """
        if not self.own():
            raise JournalError(f"job {self.path.name} is being worked on")
        # Without this there is no journal, whatever happens to the rest.
        (self.path / "batch.json").unlink()
        shutil.rmtree(self.path)
        self.close()

    def _flush_snapshot(self) -> None:
        for name in ("circuits.bin", "headers.zst", "batch.json"):
            flush(self.path / name)
        flush(self.path)
        flush(self.path.parent)

    def _checked(self, name: str, digest: str) -> bytes:
        file = self.path / name
        try:
            data = file.read_bytes()
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        if hashlib.sha256(data).hexdigest() != self.header[digest]:
            raise DamagedJobError(file, "its content does not match its checksum")
        return data

    def _result_file(self, job: int) -> Path:
        return self.path / f"result-{job}.zst"


class JobLog:
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
            try:
                self._journal.note(self._job, event, **fields)
            except JournalError:
                # What is missing in a journal makes others ask again, or call it uncertain; the
                # journal has noted the problem for the user.
                return


def _mend_end(file: int, whole: int, cut_off: bytes) -> int:
    """End the line that a crash has cut off, or take it away; returns the bytes that are whole."""
    try:
        event_of(cut_off)
        return whole + len(cut_off) + os.write(file, b"\n")
    except ValueError:
        with suppress(OSError):
            os.ftruncate(file, whole)  # nothing was done upon it
    except OSError:
        pass  # read-only: it is read all the same
    return whole


_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY

_JOURNALS: WeakSet[Journal] = WeakSet()


def _close_copies() -> None:
    """The locks are the parent's: a child must not hold them when the parent is gone."""
    for journal in list(_JOURNALS):
        journal.forget()


os.register_at_fork(after_in_child=_close_copies)


def _in_json(header: dict[str, Any]) -> dict[str, Any]:
    """A header with as much of the metadata as JSON can express."""
    try:
        orjson.dumps(header["metadata"], option=_JSON)
    except TypeError:
        return {**header, "metadata": dict(filter(_is_in_json, header["metadata"].items()))}
    return header


def _is_in_json(item: tuple[Any, Any]) -> bool:
    try:
        orjson.dumps(dict([item]), option=_JSON)
    except TypeError:
        return False
    return True


def _compress(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)


def _decompress(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data)


def _write(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
