"""Files that only their owner can read: written as a whole or not at all, or in place; and read."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX, _SUFFIX = ".", ".tmp"
"""How names of temporary files begin and end."""

_STALE_SECONDS = 3600
"""Nobody needs as long to write a file."""

_IN_USE = (5, 32)
"""Windows' ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION."""

_PAUSES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4)
"""Seconds between attempts to do what another process is in the way of."""


def make_directory(path: Path) -> None:
    """Create a directory that only its owner can access, unless it exists.

    Raises:
        OSError: the directory cannot be created.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_file(path: Path, data: bytes, *, flushed: bool = True) -> None:
    """Write a file under a temporary name and rename it.

    Args:
        path: the file to create or to replace.
        data: its content.
        flushed: flush the content to the disk before the rename. After a power failure right after
            the call, the old file may still be there: see :func:`flush`.

    Raises:
        OSError: the file cannot be written; an existing file stays as it was.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_PREFIX, suffix=_SUFFIX)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if flushed:
                file.flush()
                _flush(file.fileno())
        patiently(partial(Path(temporary).replace, path))
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file, and nothing else: a pipe would have us wait for whoever writes to it.

    Args:
        path: the file. It may be a link if it is only read.
        flags: how to open it, as for ``os.open``. A file that is created is its owner's alone.

    Returns:
        Its descriptor; forked processes inherit it, other programs do not.

    Raises:
        OSError: it cannot be opened, or is no file.
    """
    names = ["O_NONBLOCK", "O_CLOEXEC", "O_BINARY"]  # no system has all of them
    if flags & (os.O_WRONLY | os.O_RDWR):
        names.append("O_NOFOLLOW")
    for name in names:
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        if os.path.lexists(path):
            raise OSError(errno.EINVAL, "it is a link to nothing", str(path)) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file", str(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open a file for a while, see :func:`open_file`.

    Raises:
        OSError: it cannot be opened, or is no file.
    """
    descriptor = open_file(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Read up to ``size`` bytes of an open file. The position in the file may change.

    Raises:
        OSError: the file cannot be read.
    """
    if sys.platform != "win32" and hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of ``data`` into an open file. The position in the file may change.

    Raises:
        OSError: not all of it could be written.
    """
    if not data:
        return
    if sys.platform != "win32" and hasattr(os, "pwrite"):
        written = os.pwrite(descriptor, data, offset)
    else:
        os.lseek(descriptor, offset, os.SEEK_SET)
        written = os.write(descriptor, data)
    if written != len(data):
        raise OSError("the disk is full")


def flush_data(descriptor: int) -> None:
    """Flush the content of an open file to the disk, and its length.

    Raises:
        OSError: it cannot be flushed.
    """
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        _flush(descriptor)


def _flush(descriptor: int) -> None:
    """Flush an open file to the disk, with its times.

    Raises:
        OSError: it cannot be flushed.
    """
    # On macOS, fsync() leaves it in the memory of the disk.
    if sys.platform != "win32" and hasattr(fcntl, "F_FULLFSYNC"):
        with suppress(OSError):  # a network's file system need not have it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def patiently(action: Callable[[], object]) -> None:
    """Do what Windows refuses while another process has a file open: a reader, or a scanner.

    Raises:
        OSError: it is refused for another reason, or for longer than a second.
    """
    for pause in _PAUSES:
        try:
            action()
        except PermissionError as error:  # noqa: PERF203 - it is rare
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            time.sleep(pause)
        else:
            return
    action()


def read_file(path: Path) -> bytes:
    """Read a whole file, see :func:`open_file`.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    with os.fdopen(open_file(path), "rb") as file:
        return file.read()


def remove_stale(directory: Path) -> None:
    """Delete what an interrupted :func:`write_file` has left, as far as that is possible.

    What is younger than an hour stays: another process may be writing it.
    """
    with suppress(OSError):
        for path in filter(is_temporary, directory.iterdir()):
            with suppress(OSError):
                if is_stale(path):
                    path.unlink()


def is_temporary(path: Path) -> bool:
    """Whether a file has a name of those that :func:`write_file` renames."""
    return path.name.startswith(_PREFIX) and path.name.endswith(_SUFFIX)


def is_stale(path: Path) -> bool:
    """Whether a file, or a directory's list of files, was not changed for an hour.

    Raises:
        OSError: it is not there, or cannot be looked up.
    """
    return path.lstat().st_mtime < time.time() - _STALE_SECONDS


def flush(path: Path) -> None:
    """Flush a file, or the file names of a directory, to the disk.

    Windows opens no directories: it keeps names in a journal of its own. And it flushes only what
    is open for writing.

    Raises:
        OSError: it cannot be flushed.
    """
    flags = os.O_RDONLY
    if not hasattr(os, "O_DIRECTORY"):
        if path.is_dir():
            return
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)
