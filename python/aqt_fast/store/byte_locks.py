"""Locks of jobs on systems with ``fcntl``: bytes of one file, which all jobs of a store share.

The lock of a job is one byte, chosen by the job's name. A process has the file open once, so locks
cost no file descriptors. Within the process, a set tells what is held.

A forked process closes the file at once, and another program never gets it, so neither keeps the
locks of a parent that is killed. Only a fork that Python does not notice, by C code, does, if it
runs no other program.

The kernel goes through all locks of a file for each call: up to some 5000 jobs under way in a store
that takes a fraction of a millisecond, with 20 000 several.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import struct
import sys
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from aqt_fast._files import open_file
from aqt_fast.store.lock_errors import READ_ONLY, ReadOnlyError

assert sys.platform != "win32"  # noqa: S101 - for type checkers; the import of fcntl has failed

FILE = ".locks"
"""Name of the file, in the directory of all jobs. It stays, and stays empty."""

HAS_OPEN_FILE_LOCKS = hasattr(fcntl, "F_OFD_SETLK")
"""Whether this Python knows locks that belong to the open file."""

_ON_LINUX = struct.Struct("hhqqi")
"""``struct flock`` of Linux: type, whence, start, length, process."""

_ON_MACOS = struct.Struct("qqihh")
"""``struct flock`` of macOS: start, length, process, type, whence."""


class _LockFile:
    """The open file of locks of one store, for as long as a lock is held."""

    def __init__(self, path: Path) -> None:
        self.descriptor = open_file(path, os.O_RDWR | os.O_CREAT)
        self.identity = _identity(os.fstat(self.descriptor))
        self.paths = {path}
        """All paths that have led to the file; another file may be there now."""
        self.held: set[int] = set()
        """The bytes that are locked."""


class ByteLocks(ABC):
    """See the module; kinds differ in the calls that they make."""

    def __init__(self) -> None:
        """Nothing is held."""
        self._files: list[_LockFile] = []
        """The open files, each once, whatever paths lead to it."""

    def acquire(self, job: Path) -> bool:
        """Take the lock of a job. Return False if anybody has it, even this process.

        Raises:
            ReadOnlyError: the file of locks may not be written.
            OSError: the file of locks cannot be opened, or the file system has no locks.
        """
        path, byte = _place_of(job)
        file = self._find(path)
        if self._holder(path, byte) is not None:
            return False
        try:
            if file is None:
                file = _LockFile(path)
                self._files.append(file)
        except OSError as error:
            self._close_idle()
            if error.errno in READ_ONLY:
                raise ReadOnlyError(*error.args) from error
            raise
        try:
            self._lock(file.descriptor, byte)
            file.held.add(byte)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        finally:
            self._close_idle()
        return True

    def release(self, job: Path) -> None:
        """Give the lock of a job back, if this process has it."""
        path, byte = _place_of(job)
        self._find(path)
        holder = self._holder(path, byte)
        if holder is not None:
            holder.held.remove(byte)
            self._unlock(holder.descriptor, byte)
        self._close_idle()

    def is_held(self, job: Path) -> bool | None:
        """Return whether any process, even this one, has the lock of a job; None if unknown."""
        path, byte = _place_of(job)
        file = self._find(path)
        if self._holder(path, byte) is not None:
            return True
        if file is not None:
            return self._is_locked(file.descriptor, byte)
        try:
            descriptor = open_file(path)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            return self._is_locked(descriptor, byte)
        finally:
            os.close(descriptor)

    def appending(self, path: Path) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing: what processes append comes in order."""
        return nullcontext()

    def let_go(self) -> None:
        """Close inherited files after a fork."""
        for file in self._files:
            os.close(file.descriptor)
        self._files.clear()

    def _find(self, path: Path) -> _LockFile | None:
        """Return the open file that is at a path now, and note the path."""
        try:
            identity = _identity(path.stat())
        except OSError:
            return None
        for file in self._files:
            if file.identity == identity:
                file.paths.add(path)
                return file
        return None

    def _holder(self, path: Path, byte: int) -> _LockFile | None:
        """Return the file, even a deleted one, in which this process has locked a byte."""
        holders = (file for file in self._files if path in file.paths and byte in file.held)
        return next(holders, None)

    def _close_idle(self) -> None:
        """Close the files without a lock."""
        for file in [file for file in self._files if not file.held]:
            self._files.remove(file)
            os.close(file.descriptor)

    @abstractmethod
    def _lock(self, descriptor: int, byte: int) -> None:
        """Lock a byte.

        Raises:
            OSError: EAGAIN or EACCES if another process has it.
        """

    @abstractmethod
    def _unlock(self, descriptor: int, byte: int) -> None:
        """Unlock a byte."""

    @abstractmethod
    def _is_locked(self, descriptor: int, byte: int) -> bool | None:
        """Whether another process has locked a byte; None if it is unknown."""


class ProcessLocks(ByteLocks):
    """Locks that belong to a process, which every system with ``fcntl`` has.

    They end when the process closes the file, through whichever descriptor: nothing but this module
    may open it, and it opens each file once, whatever paths lead to it.
    """

    def _lock(self, descriptor: int, byte: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)

    def _unlock(self, descriptor: int, byte: int) -> None:
        with suppress(OSError):
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte)

    def _is_locked(self, descriptor: int, byte: int) -> bool | None:
        return _ask(descriptor, fcntl.F_GETLK, byte)


class OpenFileLocks(ProcessLocks):
    """Locks that belong to the open file: a forked process that closes it releases nothing.

    Kernels and file systems without them say ``EINVAL``; there the others serve.
    """

    def _lock(self, descriptor: int, byte: int) -> None:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _range(fcntl.F_WRLCK, byte))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            super()._lock(descriptor, byte)

    def _unlock(self, descriptor: int, byte: int) -> None:
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _range(fcntl.F_UNLCK, byte))
        super()._unlock(descriptor, byte)

    def _is_locked(self, descriptor: int, byte: int) -> bool | None:
        locked = _ask(descriptor, fcntl.F_OFD_GETLK, byte)
        return super()._is_locked(descriptor, byte) if locked is None else locked


def _ask(descriptor: int, command: int, byte: int) -> bool | None:
    try:
        answer = fcntl.fcntl(descriptor, command, _range(fcntl.F_WRLCK, byte))
    except (NotImplementedError, OSError):
        return None
    kind = _ON_LINUX.unpack(answer)[0] if sys.platform == "linux" else _ON_MACOS.unpack(answer)[3]
    return bool(kind != fcntl.F_UNLCK)


def _range(kind: int, byte: int) -> bytes:
    """Return a system's ``struct flock``.

    Raises:
        NotImplementedError: it is not known.
    """
    if sys.platform == "linux":
        return _ON_LINUX.pack(kind, os.SEEK_SET, byte, 1, 0)
    if sys.platform == "darwin":
        return _ON_MACOS.pack(byte, 1, 0, kind, os.SEEK_SET)
    raise NotImplementedError


def _identity(status: os.stat_result) -> tuple[int, int]:
    """Return what tells a file from all others, under each of its names."""
    return status.st_dev, status.st_ino


def _place_of(job: Path) -> tuple[Path, int]:
    """Return the file of locks, and one of its 2^62 bytes.

    That of another job is the same with a probability of 10^-12.
    """
    byte = int.from_bytes(hashlib.sha256(job.name.encode()).digest()[:8], "big") >> 2
    return Path(os.path.realpath(job.parent)) / FILE, byte
