"""Poll many jobs, first those that may have ended.

A resource works through its queue in order. While its first job runs, poll only that one and, in
turn, one of the next few: concurrent submissions may overtake each other. Now and then it is one of
all the others, in case a submission was overtaken by more. After a job has ended,
poll the next ones immediately, and twice as many at a time each time one has ended. The number of
requests thus grows with the elapsed time plus the number of jobs, not with their product.

A job may end at once. So the first polls come fast, as far as :class:`_Pace` has saved for them.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Protocol

from aqt_fast.exceptions import APIConnectionError
from aqt_fast.jobs.dispatcher import Dispatcher

_SPREAD = 1.1, 1.3
"""Periods between polls: a random number, so that programs do not synchronise."""

_FIRST_SECONDS = 0.05
"""Pause after the first poll; each further one is twice as long, up to the period."""

_MOST_SAVED = 4
"""Maximum number of fast polls."""

_SAVED_A_MINUTE = 0.08
"""Part of a minute's polls that :data:`_SPREAD` leaves over, rounded down."""


CHECK_SECONDS = 2.0
"""A longer pause is taken in parts, as a job's period may become shorter meanwhile."""


class Polled(Protocol):
    """A job that can be polled."""

    @property
    def period(self) -> float:
        """Minimum time between polls in seconds."""

    def poll(self) -> bool:
        """Poll once and return whether the job has ended; must not raise."""


class _Pace:
    """Pauses between polls of a resource: short at first, never more polls a minute than allowed.

    Polls that are more than a period apart save requests, which fast polls may spend.
    """

    def __init__(self) -> None:
        self._saved: float | None = None
        self._pause = _FIRST_SECONDS

    def begin(self) -> None:
        """Expect that the next job ends soon."""
        self._pause = _FIRST_SECONDS

    def pause(self, period: float) -> float:
        """Return the seconds until the next poll, usually a bit more than ``period``."""
        most = min(_MOST_SAVED, int(60 / period * _SAVED_A_MINUTE))
        saved = most if self._saved is None else min(self._saved, most)
        if self._pause < period and saved >= 1:
            self._saved = saved - 1
            seconds, self._pause = self._pause, 2 * self._pause
            return seconds
        self._saved = saved + most * period / 60
        return _spread(period)


@dataclass
class _Queue:
    waiting: list[tuple[int, Polled]] = field(default_factory=list)
    asked: int = 0
    """Number of polls in progress."""
    window: int = 1
    """Maximum number of concurrent polls."""
    turn: int = 0
    """Counts up; selects which of the other jobs is polled along with the first."""
    resting: bool = False
    """Whether the first job has not ended, and a pause must pass."""
    pace: _Pace = field(default_factory=_Pace)


class Poller:
    """Polls the jobs of a provider.

    Args:
        dispatcher: provides the threads.
        most: maximum number of concurrent requests per resource.
    """

    def __init__(self, dispatcher: Dispatcher, most: int) -> None:
        """Poll nothing yet."""
        self._dispatcher = dispatcher
        self._most = most
        self._queues: dict[Hashable, _Queue] = {}
        self._order = count()
        self._lock = threading.Lock()

    def watch(self, resource: Hashable, job: Polled) -> None:
        """Poll a job until it has ended, after the earlier jobs of its resource."""
        with self._lock:
            queue = self._queues.setdefault(resource, _Queue())
            if not queue.waiting and not queue.asked:
                queue.pace.begin()
            heapq.heappush(queue.waiting, (next(self._order), job))
            self._fill(queue)

    def poll_now(self, job: Polled) -> None:
        """Poll a job out of turn until it has ended, for example after it was cancelled."""
        self._call(partial(self._surely, partial(self._follow, job)))

    def _follow(self, job: Polled) -> None:
        if not job.poll():
            period = job.period
            self._pause(partial(self._follow, job), job, period, _spread(period))

    def _fill(self, queue: _Queue) -> None:
        while queue.waiting and not queue.resting and queue.asked < queue.window:
            self._send(queue, heapq.heappop(queue.waiting))

    def _send(self, queue: _Queue, entry: tuple[int, Polled]) -> None:
        queue.asked += 1
        try:
            self._call(partial(self._ask, queue, *entry))
        except BaseException:
            queue.asked -= 1
            heapq.heappush(queue.waiting, entry)
            raise

    def _ask(self, queue: _Queue, order: int, job: Polled) -> None:
        ended = False  # a job whose poll raises, as it must not, is asked again
        try:
            ended = job.poll()
        finally:
            with self._going_on(queue):
                queue.asked -= 1
                if ended:
                    queue.pace.begin()
                    queue.window = min(2 * queue.window, self._most)
                else:
                    heapq.heappush(queue.waiting, (order, job))
                    queue.window = 1
                    queue.resting = True
                if queue.resting and queue.asked == 0:
                    first = queue.waiting[0][1]
                    period = first.period
                    pause = queue.pace.pause(period)
                    self._pause(partial(self._wake, queue), first, period, pause)
                self._fill(queue)

    def _wake(self, queue: _Queue) -> None:
        with self._lock:
            queue.resting = False
            self._fill(queue)
            if queue.waiting:
                entry = self._other(queue)
                queue.waiting.remove(entry)
                heapq.heapify(queue.waiting)
                self._send(queue, entry)

    @contextmanager
    def _going_on(self, queue: _Queue) -> Iterator[None]:
        """Hold the lock. Whatever is raised meanwhile, the queue goes on, though later."""
        with self._lock:
            try:
                yield
            except BaseException:
                wake = partial(self._surely, partial(self._wake, queue))
                self._call(wake, after=CHECK_SECONDS)
                raise

    def _other(self, queue: _Queue) -> tuple[int, Polled]:
        """Choose a waiting job: each of the next few in turn, and then one of all."""
        rounds, place = divmod(queue.turn, self._most)
        queue.turn += 1
        near = heapq.nsmallest(self._most - 1, queue.waiting)
        if place < len(near):
            return near[place]
        return queue.waiting[rounds % len(queue.waiting)]

    def _pause(self, step: partial[None], job: Polled, period: float, left: float) -> None:
        """Call a step after a pause, and sooner if the job's period becomes shorter meanwhile.

        Args:
            step: the step.
            job: the job that the pause is for.
            period: its period when the pause began.
            left: seconds until the step.
        """

        def go_on() -> None:
            rest = 0.0
            try:
                now = job.period
                rest = left - sleep if now >= period else min(left, _spread(now)) - sleep
                if rest > 0:
                    self._pause(step, job, min(now, period), rest)
            except Exception:  # noqa: BLE001 - the step must come, be it too early
                rest = 0.0
            if rest <= 0:
                self._surely(step)

        sleep = min(left, CHECK_SECONDS)
        self._call(partial(go_on), after=sleep)

    def _surely(self, step: partial[None]) -> None:
        """Call a step. If it raises, as it must not, it is called again later."""
        try:
            step()
        except BaseException:
            self._call(partial(self._surely, step), after=CHECK_SECONDS)
            raise

    def _call(self, step: partial[None], *, after: float = 0.0) -> None:
        try:
            self._dispatcher.call(step, after=after)
        except APIConnectionError:
            # The connection is closed: it ends the jobs itself.
            return


def _spread(period: float) -> float:
    return period * random.uniform(*_SPREAD)  # noqa: S311 - not used for security
