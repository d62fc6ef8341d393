"""Locks of jobs on systems without ``fcntl``, such as Windows: SQLite's, which every system has.

The lock of a job is a file in a directory that all jobs of a store share: its holder is in an
exclusive transaction, which nobody else can even read beside. The files stay empty.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from aqt_fast.store.lock_errors import READ_ONLY, ReadOnlyError

DIRECTORY = ".locks.d"
"""Name of the directory, in that of all jobs."""

_DELETES = os.name == "nt"
"""Whether a released file is deleted: only where nobody can delete what another has opened."""

_QUERY_SECONDS = 0.1
"""How long to wait for those who only look: they are gone at once."""

_APPEND_SECONDS = 30.0
"""How long to wait for those who append a few lines."""


class DatabaseLocks:
    """See the module."""

    def __init__(self) -> None:
        """Nothing is held."""
        self._held: dict[Path, sqlite3.Connection] = {}

    def acquire(self, job: Path) -> bool:
        """Take the lock of a job. Return False if anybody has it, even this process.

        Raises:
            ReadOnlyError: the file of the lock may not be written.
            OSError: it cannot be opened, or the file system has no locks.
        """
        path = _file_of(job)
        if path in self._held:
            return False
        connection = _locked(path, _QUERY_SECONDS)
        if connection is None:
            return False
        self._held[path] = connection
        return True

    def release(self, job: Path) -> None:
        """Give the lock of a job back, if this process has it."""
        path = _file_of(job)
        connection = self._held.pop(path, None)
        if connection is not None:
            connection.close()
            if _DELETES:
                with suppress(OSError):
                    path.unlink()

    def is_held(self, job: Path) -> bool | None:
        """Return whether any process, even this one, has the lock of a job; None if unknown."""
        path = _file_of(job)
        if path in self._held:
            return True
        try:
            if not path.exists():
                return False
            with closing(_connect(path, 0)) as connection:
                connection.execute("PRAGMA schema_version").fetchall()
        except sqlite3.OperationalError as error:
            return True if _is_busy(error) else None
        except (OSError, sqlite3.Error):
            return None
        return False

    @contextmanager
    def appending(self, path: Path) -> Iterator[None]:
        """Keep other processes from appending to a file.

        Raises:
            OSError: they cannot be kept from it.
        """
        connection = _locked(_file_of(path), _APPEND_SECONDS)
        if connection is None:
            raise OSError(errno.EAGAIN, f"others have been appending for {_APPEND_SECONDS:.0f} s")
        with closing(connection):
            yield

    def let_go(self) -> None:
        """Close inherited connections after a fork."""
        for connection in self._held.values():
            connection.close()
        self._held.clear()


def _locked(path: Path, timeout: float) -> sqlite3.Connection | None:
    """Lock a file, and return what holds it; None if another holds it still after a time.

    Raises:
        ReadOnlyError: the file may not be written.
        OSError: it cannot be opened, or the file system has no locks.
    """
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        if error.errno in READ_ONLY:
            raise ReadOnlyError(*error.args) from error
        raise
    try:
        connection = _connect(path, timeout)
    except sqlite3.Error as error:
        raise _in_words(error, path) from error
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException as error:
        connection.close()
        if not isinstance(error, sqlite3.Error):
            raise
        if _is_busy(error):
            return None
        raise _in_words(error, path) from error
    return connection


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


def _is_busy(error: sqlite3.Error) -> bool:
    return str(error) == "database is locked"


def _in_words(error: sqlite3.Error, path: Path) -> OSError:
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return ReadOnlyError(errno.EACCES, str(error), str(path))
    return OSError(errno.EIO, str(error), str(path))


def _file_of(job: Path) -> Path:
    return Path(os.path.realpath(job.parent)) / DIRECTORY / job.name
