"""File locks that other processes can query without disturbing them.

The lock itself is a ``flock``, which ends with its holder, however that ends. The only way to query
a ``flock`` is to take it, and that would make another process's attempt fail at that moment. The
holder therefore takes a second lock on the same open file: a read lock that belongs to the open
file (``F_OFD_SETLK``). ``F_OFD_GETLK`` reports that lock without taking anything.
(``/proc/locks`` hides holders in other containers, and its file numbers differ from those of
``stat`` on Btrfs and on overlays.)
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

from aqt_fast._files import open_file

_FLOCK = struct.Struct("hhqqi")
"""``struct flock``: type, whence, start, length (0: to the end), process."""


def acquire(descriptor: int) -> None:
    """Lock an open file; closing the file releases the lock.

    Raises:
        BlockingIOError: another holder has the lock.
        OSError: the file system has no locks.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with suppress(OSError):  # not on all systems: there, `is_held` cannot tell
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_RDLCK))


def is_held(path: Path) -> bool | None:
    """Return whether any process, even this one, holds a file's lock; None if it is unknown."""
    try:
        descriptor = open_file(path)
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
