"""Locks of jobs: one holder each, whom other processes can see without disturbing.

They end with their holder, however that ends; a forked process holds none of them. Which locks a
system has decides how:

- Linux: bytes of a file, held by whoever has opened it (``byte_locks.OpenFileLocks``);
- macOS and other systems with ``fcntl``: bytes of a file, held by a process
  (``byte_locks.ProcessLocks``);
- Windows and all others: exclusive transactions of SQLite (``database_locks``).
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from aqt_fast.store.lock_errors import ReadOnlyError as ReadOnlyError


class Locks(Protocol):
    """The locks of a system. One thread uses them at a time, but for :meth:`appending`."""

    def acquire(self, job: Path) -> bool:
        """See :func:`acquire`."""

    def release(self, job: Path) -> None:
        """See :func:`release`."""

    def is_held(self, job: Path) -> bool | None:
        """See :func:`is_held`."""

    def appending(self, path: Path) -> AbstractContextManager[None]:
        """See :func:`appending`."""

    def let_go(self) -> None:
        """Forget all, in a forked process: a child must not keep its parent's locks."""


def of_system() -> Locks:
    """Return the locks that this system has."""
    if sys.platform != "win32":
        try:
            from aqt_fast.store import byte_locks
        except ImportError:  # there is no fcntl
            pass
        else:
            if sys.platform == "linux" and byte_locks.HAS_OPEN_FILE_LOCKS:
                return byte_locks.OpenFileLocks()
            return byte_locks.ProcessLocks()
    from aqt_fast.store.database_locks import DatabaseLocks

    return DatabaseLocks()


def acquire(job: Path) -> bool:
    """Take the lock of a job. Return False if anybody has it, even this process.

    Args:
        job: the job's directory, which need not exist.

    Raises:
        ReadOnlyError: what marks the lock may not be written.
        OSError: the lock cannot be taken, or the file system has no locks.
    """
    with _GUARD:
        return _LOCKS.acquire(job)


def release(job: Path) -> None:
    """Give the lock of a job back, if this process has it."""
    with _GUARD:
        _LOCKS.release(job)


def is_held(job: Path) -> bool | None:
    """Return whether any process, even this one, has the lock of a job; None if it is unknown."""
    with _GUARD:
        return _LOCKS.is_held(job)


def appending(path: Path) -> AbstractContextManager[None]:
    """Keep other processes from appending to a file, where the system does not keep them in order.

    Raises:
        OSError: they cannot be kept from it.
    """
    return _LOCKS.appending(path)


def _let_go() -> None:
    _LOCKS.let_go()
    _GUARD.release()


_LOCKS = of_system()

_GUARD = threading.Lock()
"""Held while a lock is taken or given back, and during a fork."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_GUARD.acquire, after_in_parent=_GUARD.release, after_in_child=_let_go
    )
