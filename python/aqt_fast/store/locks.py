"""Locks of jobs: one holder each, whom other processes can see without disturbing.

The lock of a job is one byte of a file that all jobs of a store share, chosen by the job's name. A
process has that file open once, so locks cost no file descriptors. They end with their holder,
however that ends. They belong to the open file (``F_OFD_SETLK``): a forked process that closes it
releases nothing. Where a system has no such locks, they belong to the process; then nothing but
this module may open the file. Within the process, a set tells what is held.

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
import threading
from contextlib import suppress
from pathlib import Path

from aqt_fast._files import open_file

FILE = ".locks"
"""Name of the file, in the directory of all jobs. It stays, and stays empty."""

_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of a store that others may write, or nobody. All others may pass."""

_FLOCK = struct.Struct("hhqqi")
"""``struct flock``: type, whence, start, length, process."""


class ReadOnlyError(OSError):
    """No lock can be taken, because nobody, or not this user, may write the file of locks."""


class _LockFile:
    """The open file of locks of one store, for as long as a lock is held."""

    def __init__(self, path: Path) -> None:
        self.descriptor = open_file(path, os.O_RDWR | os.O_CREAT)
        self.held: set[int] = set()
        """The bytes that are locked."""

    def is_at(self, path: Path) -> bool:
        """Whether the file was not deleted, and perhaps made anew."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), path.stat())
        except OSError:
            return False


def acquire(job: Path) -> bool:
    """Take the lock of a job. Return False if anybody has it, even this process.

    Args:
        job: the job's directory.

    Raises:
        ReadOnlyError: the file of locks may not be written.
        OSError: the file of locks cannot be opened, or the file system has no locks.
    """
    path, byte = job.parent / FILE, _byte_of(job)
    with _GUARD:
        files = _FILES.setdefault(path, [])
        if any(byte in file.held for file in files):
            return False
        try:
            if not (files and files[-1].is_at(path)):
                files.append(_LockFile(path))
        except OSError as error:
            if error.errno in _READ_ONLY:
                raise ReadOnlyError(*error.args) from error
            raise
        try:
            _lock(files[-1].descriptor, byte)
            files[-1].held.add(byte)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        finally:
            _close_idle()
        return True


def release(job: Path) -> None:
    """Give the lock of a job back, if this process has it."""
    path, byte = job.parent / FILE, _byte_of(job)
    with _GUARD:
        for file in _FILES.get(path, ()):
            if byte in file.held:
                file.held.remove(byte)
                _unlock(file.descriptor, byte)
        _close_idle()


def is_held(job: Path) -> bool | None:
    """Return whether any process, even this one, has the lock of a job; None if it is unknown."""
    path, byte = job.parent / FILE, _byte_of(job)
    with _GUARD:
        files = _FILES.get(path, [])
        if any(byte in file.held for file in files):
            return True
        if files and files[-1].is_at(path):
            return _is_locked(files[-1].descriptor, byte)
        try:
            descriptor = open_file(path)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            return _is_locked(descriptor, byte)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, byte: int) -> None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _range(fcntl.F_WRLCK, byte))
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", errno.EINVAL) != errno.EINVAL:
            raise
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)


def _unlock(descriptor: int, byte: int) -> None:
    with suppress(AttributeError, OSError):
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _range(fcntl.F_UNLCK, byte))
    with suppress(OSError):
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte)


def _is_locked(descriptor: int, byte: int) -> bool | None:
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _range(fcntl.F_WRLCK, byte))
    except (AttributeError, OSError):
        return None
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _range(kind: int, byte: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, byte, 1, 0)


def _byte_of(job: Path) -> int:
    """Choose one of 2^62 bytes: that of another job is one with a probability of 10^-12."""
    return int.from_bytes(hashlib.sha256(job.name.encode()).digest()[:8], "big") >> 2


def _close_idle() -> None:
    """Close the files without a lock."""
    for path, files in list(_FILES.items()):
        for file in [file for file in files if not file.held]:
            files.remove(file)
            os.close(file.descriptor)
        if not files:
            del _FILES[path]


def _let_go() -> None:
    """Close inherited files after a fork: a child must not keep its parent's locks."""
    for files in _FILES.values():
        for file in files:
            os.close(file.descriptor)
    _FILES.clear()
    _GUARD.release()


_FILES: dict[Path, list[_LockFile]] = {}
"""The open files by path, the newest last; there are several if one was deleted."""

_GUARD = threading.Lock()
"""Held while a lock is taken or given back, and during a fork."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_GUARD.acquire, after_in_parent=_GUARD.release, after_in_child=_let_go
    )
