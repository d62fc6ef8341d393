"""Run steps of many jobs on a few threads, each at its due time."""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from aqt_fast.exceptions import APIConnectionError, OtherProcessError


class Dispatcher:
    """Calls functions in the background, ordered by due time, then by arrival.

    Threads start on demand and end after a period without work.

    Args:
        num_threads: maximum number of concurrent calls.
        name: name of the threads.
        idle_seconds: time without work after which a thread ends.
    """

    def __init__(self, num_threads: int, *, name: str, idle_seconds: float = 10.0) -> None:
        """Start no thread yet."""
        self._num_threads = num_threads
        self._name = name
        self._idle_seconds = idle_seconds
        self._process = os.getpid()
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._running = 0
        self._waiting = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def num_running(self) -> int:
        """Threads that have not ended, idle ones included."""
        return self._running

    @property
    def num_idle(self) -> int:
        """Threads that wait for a step to be due."""
        return self._waiting

    def call(self, step: Callable[[], None], *, after: float = 0.0) -> None:
        """Call ``step``, which must not raise, after ``after`` seconds or when a thread is free.

        Raises:
            APIConnectionError: the dispatcher is closed, or it has no thread and cannot start one.
            OtherProcessError: the dispatcher was made in another process, before a fork.
        """
        if os.getpid() != self._process:
            raise OtherProcessError("the job's connection", self._process)
        with self._changed:
            if self._closed:
                raise APIConnectionError("the provider is closed")
            entry = (time.monotonic() + after, next(self._order), step)
            heapq.heappush(self._due, entry)
            try:
                self._start_thread_if_needed()
            except RuntimeError as error:
                if self._running == 0:
                    self._due.remove(entry)
                    heapq.heapify(self._due)
                    raise APIConnectionError(f"no thread can be started: {error}") from error
            self._changed.notify()

    def close(self) -> None:
        """Refuse further calls. Run pending steps now, so that they notice and report the end."""
        if os.getpid() != self._process:
            return  # the steps belong to another process
        with self._changed:
            self._closed = True
            waiting = [step for _, _, step in sorted(self._due, key=lambda entry: entry[:2])]
            self._due.clear()
            self._changed.notify_all()
        for step in waiting:
            step()

    def _start_thread_if_needed(self) -> None:
        if len(self._due) > self._waiting and self._running < self._num_threads:
            self._running += 1
            try:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            except RuntimeError:
                self._running -= 1
                raise

    def _work(self) -> None:
        try:
            while (step := self._next()) is not None:
                step()
                del step  # it may hold the last reference to a job
        except BaseException:
            with self._changed:
                self._running -= 1
                self._start_thread_if_needed()
            raise

    def _next(self) -> Callable[[], None] | None:
        """Return the next step that is due, None if this thread should end."""
        idle_since = time.monotonic()
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    step = heapq.heappop(self._due)[2]
                    if not self._waiting:  # no idle thread is left to wait for the rest
                        with suppress(RuntimeError):  # otherwise this thread runs it later
                            self._start_thread_if_needed()
                    return step
                if self._may_leave(idle_since, now):
                    break
                wait = self._due[0][0] - now if self._due else self._idle_seconds
                self._waiting += 1
                self._changed.wait(min(wait, self._idle_seconds))
                self._waiting -= 1
            self._running -= 1  # under the lock: `call` must not count on this thread
            return None

    def _may_leave(self, idle_since: float, now: float) -> bool:
        """Return whether an idle thread may end: no step is left, or another thread waits."""
        if now - idle_since < self._idle_seconds:
            return False
        return not self._due or self._waiting > 0
