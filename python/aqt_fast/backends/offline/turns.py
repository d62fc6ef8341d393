"""The thread that simulates in this process: jobs take turns in it, chunk by chunk.

Aer holds Python's global interpreter lock while it simulates, so that further threads would gain
nothing. One that lasts spares each job the start of a thread, and Aer a team of threads for each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

Turn: TypeAlias = Callable[[], bool]
"""Does a chunk of work, handles all errors, and returns whether there is more to do."""


class Turns:
    """A daemon thread that starts with the first job."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Turn] = SimpleQueue()
        self._process: int | None = None

    def add(self, turn: Turn) -> None:
        """Call ``turn`` again and again, in turn with others, until it returns False.

        Raises:
            RuntimeError: no thread can be started.
        """
        with self._lock:
            if self._process != os.getpid():
                # In a fork neither the thread nor what it was to do is there.
                waiting: SimpleQueue[Turn] = SimpleQueue()
                threading.Thread(
                    target=_work, args=(waiting,), name="aqt-fast simulation", daemon=True
                ).start()
                self._waiting, self._process = waiting, os.getpid()
            self._waiting.put(turn)

    def renew_lock(self) -> None:
        """After a fork: another thread may have held the lock."""
        self._lock = threading.Lock()


def _work(waiting: SimpleQueue[Turn]) -> None:
    while True:
        turn = waiting.get()
        if turn():
            waiting.put(turn)
        del turn  # do not keep the job until the next one


TURNS = Turns()
"""All simulations of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TURNS.renew_lock)
