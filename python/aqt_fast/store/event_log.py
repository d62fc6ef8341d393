"""The journal's file of events: append, flush and read lines; a lock marks the writer.

A line is on the disk before any action that depends on it. A line that a crash has cut off is
therefore the last one, and nothing depends on it. Any other damaged line counts: it may have
recorded a submission.
"""

from __future__ import annotations

import os
import stat
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
        """Length of the complete lines known so far, in bytes."""
        self._synced = 0
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        _LOGS.add(self)

    @property
    def owned(self) -> bool:
        """Whether this object is the writer."""
        return self._file is not None

    def own(self) -> bool:
        """Take the lock and become the writer. Return False if another writer has it.

        Raises:
            DamagedJobError: the file does not exist or cannot be read.
            OSError: the file system has no locks.
        """
        # A process that is forked meanwhile would keep the lock with its copy of the file.
        with self._lock, _TAKING:
            if self._file is not None:
                return True
            try:
                try:
                    file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
                except OSError:
                    # On a read-only file system, the lock still shows whether others work.
                    file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise DamagedJobError(self._path, str(error)) from error
            if not stat.S_ISREG(os.fstat(file).st_mode):
                os.close(file)
                raise DamagedJobError(self._path, "it is not a file")
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
        """Take the lock again if no other writer has appended lines since it was closed or read.

        Raises:
            JournalError: another process works on the batch or has continued it, or the file cannot
                be opened.
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
        """Append a line and wait until it is on the disk. Do nothing if this is not the writer.

        Raises:
            OSError: the line cannot be written; the file stays as it was.
        """
        self._sync(self._append(line))

    def read(self) -> tuple[list[bytes], bytes]:
        """Return the complete lines so far, and what follows the last of them.

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
        """Release the lock; :meth:`own` takes it again."""
        # A process that is forked meanwhile would close the number again, whatever it stands for.
        with self._sync_lock, self._lock, _TAKING:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def forget(self) -> None:
        """Close the file in a forked process, even if a lock was held during the fork."""
        self._lock, self._sync_lock = threading.Lock(), threading.Lock()
        self.close()

    def _append(self, line: bytes) -> int:
        """Append a line, and return how many bytes must be flushed until it is on the disk."""
        with self._lock:
            if self._file is None or self._read_bytes is None:
                return 0
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError("the disk is full")
            except OSError:
                with suppress(OSError):  # on a read-only disk nothing was written
                    os.ftruncate(self._file, self._read_bytes)
                raise
            self._read_bytes += len(line)
            return self._read_bytes

    def _sync(self, end: int) -> None:
        """Wait until ``end`` bytes are on the disk; one flush serves all waiting threads."""
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
    """Complete or truncate a line that a crash has cut off. Return the valid length in bytes."""
    try:
        event_of(cut_off)
        return whole + len(cut_off) + os.write(file, b"\n")
    except ValueError:
        with suppress(OSError):
            os.ftruncate(file, whole)  # nothing depends on the line
    except OSError:
        pass  # a read-only file can still be read
    return whole


_LOGS: WeakSet[EventLog] = WeakSet()

_TAKING = threading.Lock()
"""Held by a thread that takes or releases the lock of a file, and during a fork."""


def _close_copies() -> None:
    """Close inherited files after a fork: a child must not keep its parent's locks."""
    _TAKING.release()
    for log in list(_LOGS):
        log.forget()


os.register_at_fork(
    before=_TAKING.acquire, after_in_parent=_TAKING.release, after_in_child=_close_copies
)
