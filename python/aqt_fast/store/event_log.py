"""The journal's file of events: lines are appended, flushed and read; a lock says who writes.

A line is on the disk before anything is done that depends on it. So a line that a crash cut off was
the last one, and says nothing. Any other damaged line is counted: it may have told of a submission.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from aqt_fast.exceptions import DamagedJobError, JournalError
from aqt_fast.store import locks
from aqt_fast.store.events import event_of


class EventLog:
    """One file of events.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Opens nothing yet."""
        self.before_first_flush: Callable[[], None] | None = None
        """Called once, before the first line is flushed to the disk."""
        self._path = path
        self._file: int | None = None
        self._read_bytes: int | None = None
        """Whole lines that are known, in bytes."""
        self._synced = 0
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        _LOGS.add(self)

    @property
    def owned(self) -> bool:
        """Whether this object is the one that writes."""
        return self._file is not None

    def own(self) -> bool:
        """Take the lock, to be the one who writes; False if somebody else has it.

        Raises:
            DamagedJobError: the file is not there, or cannot be read.
            OSError: the file system has no locks.
        """
        with self._lock:
            if self._file is not None:
                return True
            try:
                try:
                    file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
                except OSError:
                    # Where nothing can be written, the lock tells all the same if others work.
                    file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise DamagedJobError(self._path, str(error)) from error
            try:
                locks.acquire(file)
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
        """Take the lock if nobody else has written anything since it was closed, or read.

        Raises:
            JournalError: somebody else works on the batch, or has done so; or the file cannot be
                opened.
        """
        if self.owned:
            return
        known = self._read_bytes
        name = self._path.parent.name
        try:
            owned = self.own()
        except (OSError, DamagedJobError) as error:
            raise JournalError(f"the journal {self._path} cannot be opened: {error}") from error
        if not owned:
            raise JournalError(f"another process is working on job {name}")
        if known != self._read_bytes:
            self.close()
            self._read_bytes = known
            raise JournalError(f"another process has gone on with job {name}; restore it again")

    def append(self, line: bytes) -> None:
        """Write a line and wait until it is on the disk; nothing if this object does not write.

        Raises:
            OSError: it cannot be written, and is not.
        """
        self._sync(self._append(line))

    def read(self) -> tuple[list[bytes], bytes]:
        """The whole lines that are there by now, and what follows the last of them.

        Raises:
            DamagedJobError: the file cannot be read.
        """
        try:
            text = self._path.read_bytes()
        except OSError as error:
            raise DamagedJobError(self._path, str(error)) from error
        *lines, cut_off = text.split(b"\n")
        if not self.owned:
            self._read_bytes = len(text) - len(cut_off)
        return lines, cut_off

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

    def _append(self, line: bytes) -> int:
        """Write a line, and return how many bytes must be on the disk for it to be there."""
        with self._lock:
            if self._file is None or self._read_bytes is None:
                return 0
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError("the disk is full")
            except OSError:
                with suppress(OSError):  # the first error is the one to tell
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
            if self.before_first_flush is not None:
                self.before_first_flush()
                self.before_first_flush = None
            os.fdatasync(self._file)
            self._synced = written


def _mend_end(file: int, whole: int, cut_off: bytes) -> int:
    """End the line that a crash cut off, or take it away; return the bytes that are whole."""
    try:
        event_of(cut_off)
        return whole + len(cut_off) + os.write(file, b"\n")
    except ValueError:
        with suppress(OSError):
            os.ftruncate(file, whole)  # nothing depends on it
    except OSError:
        pass  # read-only: it is read all the same
    return whole


_LOGS: WeakSet[EventLog] = WeakSet()


def _close_copies() -> None:
    """The locks are the parent's: a child must not hold them when the parent is gone."""
    for log in list(_LOGS):
        log.forget()


os.register_at_fork(after_in_child=_close_copies)
