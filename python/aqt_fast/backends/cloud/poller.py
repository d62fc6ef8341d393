"""Asks for the states of many jobs, first for those that can have ended.

A resource works off its queue in order. So, of the jobs that wait for it, only the first is asked
for as long as it has not ended, and in turn one of those next to it: several submissions are under
way at the same time, and may overtake each other. When one has ended, the next ones are asked for
at once, and the more at the same time the more of them have ended. The number of requests grows
with the time that passes and with the number of jobs, but not with their product.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Protocol

from aqt_fast.exceptions import APIConnectionError
from aqt_fast.jobs.dispatcher import Dispatcher

_JITTER = 1.2
"""Polls come between one and so many periods after each other, so that programs spread out."""


class Polled(Protocol):
    """A job whose state is asked for."""

    @property
    def period(self) -> float:
        """Seconds between polls, at least."""

    def poll(self) -> bool:
        """Ask once, and tell whether it has ended; must not raise."""


@dataclass
class _Queue:
    waiting: list[tuple[int, Polled]] = field(default_factory=list)
    asked: int = 0
    """Jobs that are being asked for."""
    window: int = 1
    """Jobs that may be asked for at the same time."""
    turn: int = 0
    """Which of those next to the first is asked for with it."""
    resting: bool = False
    """Whether the first of them has not ended, and the period has to pass."""


class Poller:
    """Polls the jobs of a provider.

    Args:
        dispatcher: whose threads do it.
        most: requests at the same time, for each resource.
    """

    def __init__(self, dispatcher: Dispatcher, most: int) -> None:
        """Nothing to ask for yet."""
        self._dispatcher = dispatcher
        self._most = most
        self._queues: dict[Hashable, _Queue] = {}
        self._order = count()
        self._lock = threading.Lock()

    def watch(self, resource: Hashable, job: Polled) -> None:
        """Ask for a job until it has ended, after those that came before it."""
        with self._lock:
            queue = self._queues.setdefault(resource, _Queue())
            heapq.heappush(queue.waiting, (next(self._order), job))
            self._fill(queue)

    def poll_now(self, job: Polled) -> None:
        """Ask for a job out of turn, until it has ended: something was done to it."""
        self._call(partial(self._follow, job))

    def _follow(self, job: Polled) -> None:
        if not job.poll():
            self._call(partial(self._follow, job), after=_spread(job.period))

    def _fill(self, queue: _Queue) -> None:
        while queue.waiting and not queue.resting and queue.asked < queue.window:
            order, job = heapq.heappop(queue.waiting)
            queue.asked += 1
            self._call(partial(self._ask, queue, order, job))

    def _ask(self, queue: _Queue, order: int, job: Polled) -> None:
        ended = job.poll()
        with self._lock:
            queue.asked -= 1
            if ended:
                queue.window = min(2 * queue.window, self._most)
            else:
                heapq.heappush(queue.waiting, (order, job))
                queue.window = 1
                queue.resting = True
            if queue.resting and queue.asked == 0:
                period = queue.waiting[0][1].period
                self._call(partial(self._wake, queue), after=_spread(period))
            self._fill(queue)

    def _wake(self, queue: _Queue) -> None:
        with self._lock:
            queue.resting = False
            self._fill(queue)
            near = heapq.nsmallest(self._most - 1, queue.waiting)
            if near:
                entry = near[queue.turn % len(near)]
                queue.turn += 1
                queue.waiting.remove(entry)
                heapq.heapify(queue.waiting)
                queue.asked += 1
                self._call(partial(self._ask, queue, *entry))

    def _call(self, step: partial[None], *, after: float = 0.0) -> None:
        try:
            self._dispatcher.call(step, after=after)
        except APIConnectionError:
            # Closed: who has the jobs ends them.
            return


def _spread(period: float) -> float:
    return period * random.uniform(1, _JITTER)  # noqa: S311 - the spread is no secret
