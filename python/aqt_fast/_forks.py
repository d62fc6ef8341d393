"""Locks and other things that a forked process makes anew.

A fork copies one thread only. A lock that another thread holds at that moment stays locked for ever
in the child, and whatever a thread of the parent maintains stands still.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Renewed(Protocol):
    """What a forked process makes anew."""

    def renew_in_child(self) -> None:
        """Make locks anew, and let go of what belongs to the parent; called once in each child."""


class ForkSafeLock:
    """A lock, used as a context manager, that is free in each forked process."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        """Free."""
        self.renew_in_child()
        on_fork(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()

    def renew_in_child(self) -> None:
        """Free it: the thread that may hold it does not exist in the child."""
        self._lock = threading.Lock()


_LOADED_IN = os.getpid()
"""The process that has loaded this module."""


def spare_qiskits_threads() -> None:
    """In a forked process, have Qiskit transpile with one thread, as in its own worker processes.

    The threads of its pool stay with the parent: once it has transpiled, the child would wait for
    them for ever.
    """
    if os.getpid() != _LOADED_IN:
        os.environ["QISKIT_IN_PARALLEL"] = "TRUE"


_RENEWED: WeakSet[Renewed] = WeakSet()


def on_fork(thing: Renewed) -> None:
    """Call ``thing.renew_in_child()`` in each forked process, in no particular order."""
    _RENEWED.add(thing)


def _renew() -> None:
    for thing in list(_RENEWED):
        thing.renew_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
