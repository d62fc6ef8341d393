"""The files of one job, in a directory named after the job's UUID.

::

    job.json            what the job is (``description``), and digests of the next two
    snapshot.bin        the snapshot of the circuits (``rust/core/src/circuit/archive``)
    headers.zst         the headers of the circuits' results: JSON, compressed; a pair of a header
                        and a number where neighbours, such as those of a sweep, share one
    circuits.qpy.zst    the user's circuits in QPY: what ``persist()`` saves
    evaluation.zst      what a primitive makes of the outcomes: checksummed JSON
    continued-by        the job's own identifier, a space, and that of the job that a primitive has
                        made of its outcomes
    events              one line per event of an API job (``events``, ``event_lines``)
    result-N.zst        the raw answer with the result of an API job; N counts from 0

A job of the portal or of a machine has all but the circuits in QPY, unless ``persist()`` added
them. A job of an offline simulator has ``job.json`` and the circuits in QPY. Only the job of a
primitive has an evaluation; without that file, it is a job with counts. What ``persist()`` saves of
it has the snapshot in place of QPY. ``job.json`` is written last: without it, the job does not
exist. Compression is Zstandard with its checksum. Circuits, evaluation and results are compressed
and name the job and the file that they are (``named_files``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from aqt_fast._files import (
    flush,
    is_stale,
    is_temporary,
    make_directory,
    patiently,
    read_file,
    remove_stale,
    write_file,
)
from aqt_fast._ids import canonical_uuid
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError
from aqt_fast.store.checksummed_json import UNUSABLE, entry, pack, unpack
from aqt_fast.store.description import JobDescription, utc_at
from aqt_fast.store.headers import in_runs, one_by_one
from aqt_fast.store.named_files import (
    UNREADABLE,
    NamedContent,
    compress,
    decompress,
    packed,
    unpacked,
)
from aqt_fast.wire.metadata import to_json

FORMAT = 5
"""Version of ``job.json``. Format 1, of versions before 0.2, is refused, and so are those that no
release has written."""

EVENTS = "events"
"""Name of the file of events."""

_JOB, _SNAPSHOT, _HEADERS, _CIRCUITS = "job.json", "snapshot.bin", "headers.zst", "circuits.qpy.zst"

_EVALUATION = "evaluation.zst"

_CONTINUED_BY = "continued-by"

_EVALUATION_FORMAT = 1
"""Version of the evaluation's document."""

_OLD_JOURNAL = "batch.json"
"""What stood for ``job.json`` in the journals of format 1."""


class JobDirectory:
    """One job on the disk.

    Args:
        path: the directory.
        description: what the job is.
        digests: SHA-256 of the snapshot's files, by file name.
    """

    def __init__(self, path: Path, description: JobDescription, digests: dict[str, str]) -> None:
        """Use :meth:`create` or :meth:`load`."""
        self.path = path
        """The directory."""
        self.description = description
        """What the job is."""
        self._digests = digests

    @classmethod
    def create(
        cls,
        root: Path,
        description: JobDescription,
        *,
        snapshot: tuple[bytes, list[dict[str, Any]]] | None = None,
        circuits: bytes | None = None,
        evaluation: dict[str, Any] | None = None,
        events: bytes | None = None,
        flushed: bool = True,
        before_job: Callable[[], object] | None = None,
    ) -> JobDirectory:
        """Write a job, and replace one with the same identifier. ``job.json`` is written last.

        Args:
            root: directory of all jobs.
            description: what the job is.
            snapshot: the snapshot of the circuits, and the headers of their results. Metadata in
                headers that JSON cannot express is left out.
            circuits: the circuits in QPY.
            evaluation: what a primitive makes of the outcomes.
            events: the first lines of the file of events.
            flushed: flush all of it to the disk.
            before_job: called when all is there but ``job.json``, and nobody can find the job.

        Raises:
            TypeError: JSON cannot express the description.
            OSError: a file cannot be written; nothing of a new job remains.
        """
        path = root / canonical_uuid(description.job_id)
        contents: dict[str, bytes] = {}
        if snapshot is not None:
            data, headers = snapshot
            contents = {_SNAPSHOT: data, _HEADERS: compress(to_json(in_runs(headers)))}
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        job = pack("job", {**description.to_json(), "digests": digests}, FORMAT)
        if circuits is not None:
            contents[_CIRCUITS] = packed(circuits, path.name, _CIRCUITS)
        if evaluation is not None:
            contents[_EVALUATION] = _packed(evaluation, path.name)
        if events is not None:
            contents[EVENTS] = events
        make_directory(root)
        new = not path.exists()
        make_directory(path)
        try:
            for name, data in contents.items():
                write_file(path / name, data, flushed=flushed)
            if before_job is not None:
                before_job()
            write_file(path / _JOB, job, flushed=flushed)
        except BaseException:
            if new:
                shutil.rmtree(path, ignore_errors=True)
            raise
        directory = cls(path, description, digests)
        if flushed:
            directory.flush_names()
        return directory

    @classmethod
    def load(cls, root: Path, job_id: str) -> JobDirectory:
        """Load the description of a job.

        Raises:
            JobNotFoundError: no job has this identifier.
            DamagedJobError: ``job.json`` cannot be read; it stays as it is.
        """
        try:
            path = root / canonical_uuid(job_id)
        except ValueError:
            raise JobNotFoundError(str(job_id), root) from None
        file = path / _JOB
        try:
            content = unpack("job", read_file(file), FORMAT, file)
        except FileNotFoundError:
            if path.is_symlink() and not os.path.exists(path):  # noqa: PTH110 - it never raises
                raise DamagedJobError(path, "it is a link to nothing") from None
            _refuse_older(path)
            raise JobNotFoundError(str(job_id), root) from None
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        try:
            description = JobDescription.from_json(content)
            digests = {
                name: entry(content["digests"], name, str)
                for name in (_SNAPSHOT, _HEADERS)
                if name in entry(content, "digests", dict)
            }
        except UNUSABLE as error:
            reason = f"its content cannot be used: {type(error).__name__}: {error}"
            raise DamagedJobError(file, reason) from error
        if description.job_id != path.name:
            raise DamagedJobError(file, "it is of another job")
        return cls(path, description, digests)

    def snapshot(self) -> tuple[bytes, list[dict[str, Any]]]:
        """Read the snapshot of the circuits, and the headers of their results.

        Raises:
            DamagedJobError: they cannot be read.
        """
        data, compressed = self._checked(_SNAPSHOT), self._checked(_HEADERS)
        try:
            headers = one_by_one(
                orjson.loads(decompress(compressed)), self.description.num_circuits
            )
        except (TypeError, *UNREADABLE) as error:
            raise DamagedJobError(self.path / _HEADERS, str(error)) from error
        return data, headers

    @property
    def file(self) -> Path:
        """The file that says what the job is."""
        return self.path / _JOB

    @property
    def has_circuits(self) -> bool:
        """Whether the user's circuits are stored in QPY."""
        return os.path.lexists(self.path / _CIRCUITS)

    def circuits(self) -> bytes:
        """Read the user's circuits in QPY.

        Raises:
            DamagedJobError: they cannot be read.
        """
        try:
            return self._named(_CIRCUITS)
        except OSError as error:
            raise DamagedJobError(self.path / _CIRCUITS, str(error)) from error

    def add_circuits(self, circuits: bytes) -> None:
        """Store the user's circuits in QPY.

        Raises:
            OSError: the file cannot be written.
        """
        write_file(self.path / _CIRCUITS, packed(circuits, self.path.name, _CIRCUITS))
        flush(self.path)

    def remove_circuits(self) -> None:
        """Delete the user's circuits, if they are there.

        Raises:
            OSError: they cannot be deleted.
        """
        if self.has_circuits:  # where nothing can be written, not even this can be tried
            patiently(partial((self.path / _CIRCUITS).unlink, missing_ok=True))

    @property
    def has_snapshot(self) -> bool:
        """Whether the snapshot of the circuits is stored."""
        return _SNAPSHOT in self._digests

    def evaluation(self) -> dict[str, Any] | None:
        """Read what a primitive makes of the outcomes, None if it is no primitive's job.

        Raises:
            DamagedJobError: it cannot be read.
        """
        file = self.path / _EVALUATION
        try:
            data = self._named(_EVALUATION)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        content = unpack("evaluation", data, _EVALUATION_FORMAT, file)
        if not isinstance(content, dict):
            raise DamagedJobError(file, "it is no evaluation")
        return content

    def add_evaluation(self, evaluation: dict[str, Any], *, flushed: bool = True) -> None:
        """Store what a primitive makes of the outcomes.

        Args:
            evaluation: in JSON's types.
            flushed: flush it to the disk; :meth:`flush` does, too.

        Raises:
            OSError: the file cannot be written.
        """
        data = _packed(evaluation, self.path.name)
        write_file(self.path / _EVALUATION, data, flushed=flushed)

    def continued_by(self) -> str | None:
        """Return the identifier of the job that continues this one, None if none is noted.

        Raises:
            DamagedJobError: it cannot be read.
        """
        file = self.path / _CONTINUED_BY
        try:
            own, _, later = read_file(file).decode("ascii").partition(" ")
            if own != self.path.name:
                raise ValueError("it is of another job")
            return canonical_uuid(later)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DamagedJobError(file, str(error)) from error

    def note_continuation(self, job_id: str) -> None:
        """Note which job continues this one.

        Raises:
            OSError: the file cannot be written.
        """
        write_file(self.path / _CONTINUED_BY, f"{self.path.name} {job_id}".encode())
        flush(self.path)

    def keep_result(self, number: int, body: bytes) -> None:
        """Store the answer with the result of an API job.

        Raises:
            OSError: the file cannot be written.
        """
        file = self._result_file(number)
        write_file(file, packed(body, self.path.name, file.name))

    def drop_result(self, number: int) -> None:
        """Delete the answer with the result of an API job, if it is stored.

        Raises:
            OSError: it cannot be deleted.
        """
        patiently(partial(self._result_file(number).unlink, missing_ok=True))

    def result(self, number: int) -> NamedContent | None:
        """Return the answer with an API job's result.

        None if it is not stored, is damaged, or is another job's.
        """
        file = self._result_file(number)
        try:
            return unpacked(read_file(file), self.path.name, file.name)
        except (OSError, *UNREADABLE):
            return None

    def stored_at(self, number: int) -> datetime | None:
        """Return when an API job's result was stored, None if it is not stored."""
        try:
            return utc_at(self._result_file(number).stat().st_mtime)
        except OSError:
            return None

    def stored_results(self) -> set[int]:
        """Return the indices of API jobs with stored results, even damaged ones.

        Raises:
            OSError: the directory cannot be read.
        """
        return {
            int(number)
            for path in self.path.iterdir()
            if (number := path.name.removeprefix("result-").removesuffix(".zst")).isdecimal()
        }

    def flush(self) -> None:
        """Flush everything except events and results to the disk."""
        for name in (*self._digests, _JOB):
            flush(self.path / name)
        if os.path.lexists(self.path / _EVALUATION):
            flush(self.path / _EVALUATION)
        self.flush_names()

    def flush_names(self) -> None:
        """Flush the names of the files, and of the directory itself."""
        flush(self.path)
        flush(self.path.parent)

    def tidy(self) -> None:
        """Delete what interrupted processes have left, see :func:`remove_stale`."""
        remove_stale(self.path)

    def remove(self) -> None:
        """Delete everything.

        Raises:
            OSError: a file cannot be deleted.
        """
        remove_files(self.path)

    def _checked(self, name: str) -> bytes:
        file = self.path / name
        try:
            data = read_file(file)
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        if hashlib.sha256(data).hexdigest() != self._digests.get(name):
            raise DamagedJobError(file, "its content does not match its checksum")
        return data

    def _named(self, name: str) -> bytes:
        """Read a file that must say that it is of this job.

        Raises:
            DamagedJobError: it does not, or is damaged.
            OSError: it cannot be read.
        """
        try:
            content, named = unpacked(read_file(self.path / name), self.path.name, name)
        except UNREADABLE as error:
            raise DamagedJobError(self.path / name, str(error)) from error
        if not named:
            raise DamagedJobError(self.path / name, "it does not say of which job it is")
        return content

    def _result_file(self, number: int) -> Path:
        return self.path / f"result-{number}.zst"


def may_be_journal(path: Path) -> bool:
    """Whether a directory that cannot be read is, by its files, that of a journal."""
    return any(os.path.lexists(path / name) for name in (_SNAPSHOT, _OLD_JOURNAL))


def was_never_written(path: Path) -> bool:
    """Whether a directory is that of a job whose writing was interrupted an hour ago or earlier.

    Its file of events tells of no API job: nothing was sent.

    Raises:
        OSError: that cannot be found out.
    """
    if path.is_symlink() or not path.is_dir() or not is_stale(path):
        return False
    names = {entry.name for entry in path.iterdir() if not is_temporary(entry)}
    if not names <= {_SNAPSHOT, _HEADERS, _CIRCUITS, _EVALUATION, EVENTS}:
        return False
    return EVENTS not in names or b'"job"' not in read_file(path / EVENTS)


def remove_files(path: Path) -> None:
    """Delete a job's directory and everything in it.

    Raises:
        OSError: a file cannot be deleted.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    # Delete `job.json` first: without it, the job does not exist, even if the rest remains.
    job = path / _JOB
    if job.is_symlink() or not job.is_dir():
        with suppress(FileNotFoundError):
            patiently(job.unlink)
    patiently(partial(shutil.rmtree, path))


def _refuse_older(path: Path) -> None:
    """Report a job of an older version: the user may still want its results.

    Raises:
        DamagedJobError: there is such a job.
    """
    for file in (path / _OLD_JOURNAL, path.with_suffix(".json")):
        if os.path.isfile(file):  # noqa: PTH113 - where nothing can be looked up, it is none
            raise DamagedJobError(file, "format 1 was written by an aqt-fast before 0.2")


def _packed(evaluation: dict[str, Any], job_id: str) -> bytes:
    return packed(pack("evaluation", evaluation, _EVALUATION_FORMAT), job_id, _EVALUATION)
