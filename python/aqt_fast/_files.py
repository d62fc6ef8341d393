"""Write files that only their owner can read, each as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


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
    """Flush a file, or the file names of a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
