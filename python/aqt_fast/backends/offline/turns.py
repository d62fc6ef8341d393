"""The thread that simulates in this process: jobs take turns in it, chunk by chunk.

Aer holds Python's global interpreter lock while it simulates, so that further threads would gain
nothing. One that lasts spares each job the start of a thread, and Aer a team of threads for each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias

from aqt_fast._forks import ForkSafeLock, on_fork
from aqt_fast._threads import guarded, stalled, start_thread

Turn: TypeAlias = Callable[[], bool]
"""Does a chunk of work, handles all errors, and returns whether there is more to do."""


class Turns:
    """A daemon thread that starts with the first job."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.problem: str | None = None
        """Why nothing is simulated, None if there is a thread or nothing to do."""
        self._lock = ForkSafeLock()
        self._thread: threading.Thread | None = None
        self._waiting: SimpleQueue[Turn] = SimpleQueue()
        on_fork(self)

    def add(self, turn: Turn) -> None:
        """Call ``turn`` again and again, in turn with others, until it returns False.

        It waits if no thread can be started: see :mod:`aqt_fast._threads`.
        """
        self._waiting.put(turn)
        self.revive()

    def revive(self) -> None:
        """Start the thread, unless it runs."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self.problem = start_thread(
                partial(self._work, self._waiting),
                "aqt-fast simulation",
                partial(setattr, self, "_thread"),
            )
        if self.problem is not None:
            stalled(self)

    def renew_in_child(self) -> None:
        """Forget the thread and what it was to do: a fork has neither."""
        self.problem = self._thread = None
        self._waiting = SimpleQueue()

    def _work(self, waiting: SimpleQueue[Turn]) -> None:
        with self._lock:
            if threading.current_thread() is not self._thread:
                return  # an interrupt has struck who started it, and there is another instead
        while True:
            turn = waiting.get()
            if guarded(turn):
                waiting.put(turn)
            del turn  # do not keep the job until the next one


TURNS = Turns()
"""All simulations of this process."""
