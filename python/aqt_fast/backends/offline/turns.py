"""The thread that simulates in this process: jobs take turns in it, chunk by chunk.

Aer holds Python's global interpreter lock while it simulates, so that further threads would gain
nothing. One that lasts spares each job the start of a thread, and Aer a team of threads for each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

from aqt_fast._forks import ForkSafeLock, on_fork

Turn: TypeAlias = Callable[[], bool]
"""Does a chunk of work, handles all errors, and returns whether there is more to do."""


class Turns:
    """A daemon thread that starts with the first job."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = ForkSafeLock()
        self._begun = False
        self._waiting: SimpleQueue[Turn] = SimpleQueue()
        on_fork(self)

    def add(self, turn: Turn) -> None:
        """Call ``turn`` again and again, in turn with others, until it returns False.

        Raises:
            RuntimeError: no thread can be started.
        """
        with self._lock:
            if not self._begun:
                threading.Thread(
                    target=_work, args=(self._waiting,), name="aqt-fast simulation", daemon=True
                ).start()
                self._begun = True
            self._waiting.put(turn)

    def renew_in_child(self) -> None:
        """Forget the thread and what it was to do: a fork has neither."""
        self._begun = False
        self._waiting = SimpleQueue()


def _work(waiting: SimpleQueue[Turn]) -> None:
    while True:
        turn = waiting.get()
        if turn():
            waiting.put(turn)
        del turn  # do not keep the job until the next one


TURNS = Turns()
"""All simulations of this process."""
