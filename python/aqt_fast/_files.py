"""Files that only their owner can read: written as a whole or not at all, or in place; and read."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX, _SUFFIX = ".", ".tmp"
"""How names of temporary files begin and end."""

_STALE_SECONDS = 3600
"""Nobody needs as long to write a file."""


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
                os.fsync(file.fileno())
        Path(temporary).replace(path)
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
    if hasattr(os, "pread"):
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
    if hasattr(os, "pwrite"):
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
    # macOS and Windows have only the one that flushes times, too.
    getattr(os, "fdatasync", os.fsync)(descriptor)


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
    """Flush a file, or the file names of a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
