"""Locks on files, which others can look at without getting in the way.

The lock itself is ``flock``'s: it ends with its holder, however that ends. The only way to ask
about it is to take it, and who takes it, however briefly, makes another's attempt at that moment
fail. So the holder puts a second lock on the same open file, one for reading and of the kind that
belongs to the open file (``F_OFD_SETLK``): ``F_OFD_GETLK`` tells whether it is there, and takes
nothing. (``/proc/locks`` shows no holders in other containers, and calls files by numbers that
``stat`` does not give on Btrfs and on overlays.)
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

_FLOCK = struct.Struct("hhqqi")
"""``struct flock``: type, whence, start, length (0: to the end), process."""


def acquire(descriptor: int) -> None:
    """Take the lock of an open file; it is given back when the file is closed.

    Raises:
        BlockingIOError: somebody else has it.
        OSError: the file system has no locks.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with suppress(OSError):  # some systems lack it; then nobody can look
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_RDLCK))


def is_held(path: Path) -> bool | None:
    """Whether somebody has the lock of a file, this process included; None if nobody can tell."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _whole_file(kind: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, 0, 0, 0)
