"""Run steps of many jobs on a few threads, each at its due time."""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable
from itertools import count

from aqt_fast._threads import (
    RETRY_SECONDS,
    any_stalled,
    guarded,
    revive_stalled,
    stalled,
    start_thread,
)
from aqt_fast.exceptions import APIConnectionError, OtherProcessError


class Dispatcher:
    """Calls functions in the background, ordered by due time, then by arrival.

    Threads start on demand and end after a period without work. A step waits if no thread can be
    started for it: see :mod:`aqt_fast._threads`.

    Args:
        num_threads: maximum number of concurrent calls.
        name: name of the threads.
        idle_seconds: time without work after which a thread ends.
    """

    def __init__(self, num_threads: int, *, name: str, idle_seconds: float = 10.0) -> None:
        """Start no thread yet."""
        self.problem: str | None = None
        """Why steps wait without any thread, None if there is one or nothing to do."""
        self._num_threads = num_threads
        self._name = name
        self._idle_seconds = idle_seconds
        self._process = os.getpid()
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._threads: set[threading.Thread] = set()
        """Those that were started and have not taken leave; one may have died."""
        self._waiting = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def num_running(self) -> int:
        """Threads that have not ended, idle ones included."""
        return sum(thread.is_alive() for thread in list(self._threads))

    @property
    def num_idle(self) -> int:
        """Threads that wait for a step to be due."""
        return self._waiting

    def call(self, step: Callable[[], None], *, after: float = 0.0) -> None:
        """Call ``step``, which must not raise, after ``after`` seconds or when a thread is free.

        Raises:
            APIConnectionError: the dispatcher is closed.
            OtherProcessError: the dispatcher was made in another process, before a fork.
        """
        if os.getpid() != self._process:
            raise OtherProcessError("the job's connection", self._process)
        with self._changed:
            if self._closed:
                raise APIConnectionError("the provider is closed")
            heapq.heappush(self._due, (time.monotonic() + after, next(self._order), step))
            self._start_thread_if_needed()
            self._changed.notify()

    def revive(self) -> None:
        """Try again to start a thread for steps that wait without any."""
        if os.getpid() == self._process:
            with self._changed:
                self._start_thread_if_needed()

    def close(self) -> None:
        """Refuse further calls. Run pending steps now, so that they notice and report the end."""
        if os.getpid() != self._process:
            return  # the steps belong to another process
        with self._changed:
            self._closed = True
            waiting = [step for _, _, step in sorted(self._due, key=lambda entry: entry[:2])]
            self._due.clear()
            self.problem = None
            self._changed.notify_all()
        for step in waiting:
            guarded(step)

    def _start_thread_if_needed(self) -> None:
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        reason = None
        if len(self._due) > self._waiting and len(self._threads) < self._num_threads:
            reason = start_thread(self._work, self._name, self._threads.add)
        # Otherwise one of the threads gets to it later.
        self.problem = reason if self.num_running == 0 else None
        if self.problem is not None:
            stalled(self)

    def _work(self) -> None:
        while (step := self._next()) is not None:
            guarded(step)
            del step  # it may hold the last reference to a job

    def _next(self) -> Callable[[], None] | None:
        """Return the next step that is due, None if this thread should end."""
        idle_since = time.monotonic()
        me = threading.current_thread()
        with self._changed:
            # An interrupt may have struck who started this one, and there is another instead.
            while not self._closed and me in self._threads:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    step = heapq.heappop(self._due)[2]
                    if not self._waiting:  # no idle thread is left to wait for the rest
                        self._start_thread_if_needed()
                    return step
                if any_stalled() and now - idle_since >= RETRY_SECONDS:
                    return revive_stalled
                if self._may_leave(idle_since, now):
                    break
                wait = self._due[0][0] - now if self._due else self._idle_seconds
                most = RETRY_SECONDS if any_stalled() else self._idle_seconds
                self._waiting += 1
                try:
                    self._changed.wait(min(wait, most))
                finally:
                    self._waiting -= 1
            # Under the lock: `call` must not count on this thread.
            self._threads.discard(me)
            return None

    def _may_leave(self, idle_since: float, now: float) -> bool:
        """Return whether an idle thread may end: no step is left, or another thread waits."""
        if now - idle_since < self._idle_seconds or any_stalled():
            return False
        return not self._due or self._waiting > 0
