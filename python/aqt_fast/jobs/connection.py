"""A connection that jobs share; closing it ends them."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Protocol, TypeVar
from weakref import WeakSet

from aqt_fast._forks import ForkSafeLock
from aqt_fast._warnings import say
from aqt_fast.jobs.dispatcher import Dispatcher
from aqt_fast.jobs.known_ids import KnownIds

T = TypeVar("T")

CLOSED = "the provider is closed"


class Closable(Protocol):
    """An execution, as the connection that ends it sees it."""

    @property
    def unsent(self) -> list[str]:
        """Labels of the API jobs that were neither accepted nor refused yet."""

    def wait_submitted(self, deadline: float) -> None:
        """Wait until every API job was accepted or refused, or ``time.monotonic() >= deadline``."""

    def abandon(self, reason: str, deadline: float) -> None:
        """End now; accepted API jobs stay with the portal or the machine.

        Args:
            reason: why it ends.
            deadline: when ``time.monotonic()`` is there, wait no longer for answers that are read.
        """

    def losses(self, unsent: Sequence[str]) -> list[str]:
        """Return what to tell of the API jobs that were ``unsent``, once they are abandoned."""

    def give_up(self, job_id: str, reason: str, *, keep: object) -> None:
        """Take an identifier back from the API job that has it, unless that is ``keep``."""


class Connection:
    """A connection with the threads that jobs share. Closing it ends the jobs."""

    SETTLING_SECONDS = 10.0
    """Maximum time in seconds that closing takes, for all connections that close together."""

    def __init__(self, num_threads: int, name: str) -> None:
        """Allow ``num_threads`` concurrent steps of jobs."""
        self.dispatcher = Dispatcher(num_threads, name=name)
        """Runs the steps of jobs."""
        self.known_ids = KnownIds()
        """Identifiers of API jobs, and whose they are."""
        self._executions: WeakSet[Closable] = WeakSet()
        self._lock = ForkSafeLock()
        self.process = os.getpid()
        """Identifier of the process that has opened it, and closes it."""
        self.closed = False
        """Whether the connection is closed for requests."""
        self.ended = threading.Event()
        """Set once all that closing does was done."""
        self._closing = False
        _CONNECTIONS.add(self)
        _close_at_end_of_worker()

    @property
    def dispatchers(self) -> list[Dispatcher]:
        """All that run steps of jobs."""
        return [self.dispatcher]

    @property
    def stall(self) -> str | None:
        """Why steps wait without any thread, None if all is well."""
        problems = [dispatcher.problem for dispatcher in self.dispatchers]
        return next(filter(None, problems), None)

    @property
    def executions(self) -> list[Closable]:
        """What ends with the connection."""
        with self._lock:
            return list(self._executions)

    def register(self, execution: Closable) -> None:
        """End this execution, too, when the connection is closed.

        One that is registered later, or starts something later, finds it closed.
        """
        with self._lock:
            self._executions.add(execution)

    def disconnect(self, seconds: float) -> None:
        """Close the underlying client.

        Args:
            seconds: longest time to wait for requests under way.
        """

    @contextmanager
    def closing(self) -> Iterator[bool]:
        """Let one thread close the connection, once.

        Returns:
            Whether this thread is to do so.
        """
        with self._lock:
            mine = not (self._closing or self.ended.is_set())
            self._closing |= mine
        try:
            yield mine
        finally:
            if mine:
                self._closing = False

    def close(self) -> None:
        """Close the connection: see :func:`close_connections`."""
        close_connections([self])


def close_connections(connections: Iterable[Connection]) -> None:
    """Wait until submissions are answered, end everything else, and tell what is lost.

    All of that takes :attr:`Connection.SETTLING_SECONDS` at most, or until Ctrl-C: four fifths for
    answers, the rest for closing clients and for threads that note the last answers. Whatever is
    raised meanwhile, all is closed; then the first exception is raised. If an interrupt prevents
    even that, closing again finishes it.
    """
    if _TOGETHER.connections is not None:
        _TOGETHER.connections.extend(connections)
        return
    connections = [item for item in connections if item.process == os.getpid()]
    deadline = time.monotonic() + Connection.SETTLING_SECONDS
    with ExitStack() as stack:
        mine = [item for item in connections if stack.enter_context(item.closing())]
        _close(mine, deadline)
    for item in connections:  # what another thread closes
        item.ended.wait(max(0.0, deadline - time.monotonic()))


@contextmanager
def closing_together() -> Iterator[None]:
    """Close at the end of a ``with`` block all that is closed in it, with one limit for all."""
    if _TOGETHER.connections is not None:
        yield
        return
    collected = _TOGETHER.connections = []
    try:
        yield
    finally:
        _TOGETHER.connections = None
        close_connections(collected)


class _Together(threading.local):
    connections: list[Connection] | None = None
    """What a block of this thread has closed so far, None outside of a block."""


_TOGETHER = _Together()


def _close(connections: Sequence[Connection], deadline: float) -> None:
    raised: list[BaseException] = []

    def attempt(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except BaseException as error:  # noqa: BLE001 - raised again once all is closed
            raised.append(error)
            return None

    last_answers = deadline - 0.2 * Connection.SETTLING_SECONDS
    for execution in _executions(connections):
        attempt(partial(execution.wait_submitted, 0.0 if raised else last_answers))
    if raised:
        deadline = time.monotonic()
    for connection in connections:
        connection.closed = True
    unsent = {item: attempt(partial(getattr, item, "unsent")) for item in _executions(connections)}
    for connection in connections:
        left = max(0.0, deadline - time.monotonic())
        attempt(partial(connection.disconnect, left / 2))
    for execution in _executions(connections):  # some may have come meanwhile
        num_raised = len(raised)
        attempt(partial(execution.abandon, CLOSED, deadline))
        if len(raised) > num_raised:
            attempt(partial(execution.abandon, CLOSED, 0.0))
        for line in attempt(partial(execution.losses, unsent.get(execution) or [])) or []:
            attempt(partial(say, line))
    for connection in connections:
        for dispatcher in connection.dispatchers:
            attempt(dispatcher.close)
        connection.ended.set()
    if raised:
        raise raised[0]


def _executions(connections: Iterable[Connection]) -> list[Closable]:
    return [execution for connection in connections for execution in connection.executions]


_CONNECTIONS: WeakSet[Connection] = WeakSet()


@atexit.register
def _close_connections() -> None:
    """At exit, finish pending submissions and report what could not be submitted."""
    close_connections(list(_CONNECTIONS))


def _close_at_end_of_worker() -> None:
    """Do the same at the end of a process that ``multiprocessing`` has forked.

    Such a process ends without the functions of ``atexit``.
    """
    processes = sys.modules.get("multiprocessing")
    if processes is None or processes.parent_process() is None or os.getpid() in _WORKERS:
        return
    from multiprocessing.util import Finalize

    _WORKERS.add(os.getpid())
    Finalize(None, _close_connections, exitpriority=10)


_WORKERS: set[int] = set()
"""Processes whose end closes their connections: this one, and those it was forked from."""
