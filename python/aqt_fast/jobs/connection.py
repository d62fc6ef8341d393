"""A connection that jobs share; closing it ends them."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from typing import Protocol
from weakref import WeakSet

from aqt_fast._warnings import say
from aqt_fast.jobs.dispatcher import Dispatcher
from aqt_fast.jobs.known_ids import KnownIds

CLOSED = "the provider is closed"


class Closable(Protocol):
    """An execution, as the connection that ends it sees it."""

    @property
    def unsent(self) -> list[str]:
        """Labels of the API jobs that were neither accepted nor refused yet."""

    def wait_submitted(self, deadline: float) -> None:
        """Wait until every API job was accepted or refused, or ``time.monotonic() >= deadline``."""

    def shutdown_message(self) -> str:
        """Return what to report of an execution with :attr:`unsent` API jobs."""

    def abandon(self, reason: str) -> None:
        """End now; accepted API jobs stay with the portal or the machine."""

    def give_up(self, job_id: str, reason: str) -> None:
        """Take an identifier back from the API job that has it, for it is another's."""


class Connection:
    """A connection with the threads that jobs share. Closing it ends the jobs."""

    SETTLING_SECONDS = 10.0
    """Maximum time in seconds that closing waits for submissions."""

    def __init__(self, num_threads: int, name: str) -> None:
        """Allow ``num_threads`` concurrent steps of jobs."""
        self.dispatcher = Dispatcher(num_threads, name=name)
        """Runs the steps of jobs."""
        self.known_ids = KnownIds()
        """Identifiers of API jobs, and whose they are."""
        self._executions: WeakSet[Closable] = WeakSet()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.closed = False
        """Whether the connection is closed for requests."""
        _CONNECTIONS.add(self)
        _close_at_end_of_worker()

    def register(self, execution: Closable) -> None:
        """End this execution, too, when the connection is closed."""
        with self._lock:
            self._executions.add(execution)

    @property
    def executions(self) -> list[Closable]:
        """The executions that use the connection."""
        with self._lock:
            return list(self._executions)

    def disconnect(self) -> None:
        """Close the underlying client."""

    def close(self) -> list[str]:
        """Wait until submissions are answered, and end everything else.

        Returns:
            One line per job with something that was not submitted in time, or that must end with
            the process.
        """
        if os.getpid() != self._process:
            return []
        with self._lock:
            executions = list(self._executions)
        deadline = time.monotonic() + self.SETTLING_SECONDS
        for execution in executions:
            execution.wait_submitted(deadline)
        lost = [execution.shutdown_message() for execution in executions if execution.unsent]
        self.closed = True
        self.disconnect()
        self.dispatcher.close()
        with self._lock:  # some may have come meanwhile
            executions = list(self._executions)
        for execution in executions:
            execution.abandon(CLOSED)
        return lost


_CONNECTIONS: WeakSet[Connection] = WeakSet()


@atexit.register
def _close_connections() -> None:
    """At exit, finish pending submissions and report what could not be submitted."""
    for connection in list(_CONNECTIONS):
        for line in connection.close():
            say(line)


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
