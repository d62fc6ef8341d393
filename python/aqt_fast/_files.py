"""Files that only their owner can read, and that are there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def make_directory(path: Path) -> None:
    """Make a directory that nobody else can read, if it is not there.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_file(path: Path, data: bytes, *, flushed: bool = True) -> None:
    """Write a file under a temporary name and rename it.

    Args:
        path: the file, which may be there.
        data: its content.
        flushed: flush the content to the disk before the file gets its name. A power failure right
            after the call may still leave the old file: see :func:`flush`.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
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


def flush(path: Path) -> None:
    """Flush a file, or the names of a directory's files, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
