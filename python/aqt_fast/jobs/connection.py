"""A connection that jobs share, and what becomes of them when it is closed."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from typing import Protocol
from weakref import WeakSet

from aqt_fast.jobs.dispatcher import Dispatcher


class Closable(Protocol):
    """What a connection asks of its executions when it is closed."""

    @property
    def unsent(self) -> list[str]:
        """Labels of what was neither accepted nor refused yet."""

    def wait_submitted(self, deadline: float) -> None:
        """Wait until everything was accepted or refused, up to a time of ``time.monotonic``."""

    def shutdown_message(self) -> str:
        """What to say of an execution of which something is :attr:`unsent`."""

    def abandon(self, reason: str) -> None:
        """End here and now; what is with a portal or a machine stays there."""


class Connection:
    """A connection and the threads that jobs share; ends its jobs when it is closed."""

    SETTLING_SECONDS = 10.0
    """How long closing waits for submissions."""

    def __init__(self, num_threads: int, name: str) -> None:
        """``num_threads`` steps of jobs may be under way at the same time."""
        self.dispatcher = Dispatcher(num_threads, name=name)
        """Calls the steps."""
        self._executions: WeakSet[Closable] = WeakSet()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.closed = False
        """Whether nothing can be asked any more."""
        _CONNECTIONS.add(self)

    def register(self, execution: Closable) -> None:
        """End this execution as well when the connection is closed."""
        with self._lock:
            self._executions.add(execution)

    def disconnect(self) -> None:
        """Close what is beneath."""

    def close(self) -> list[str]:
        """Wait for submissions to be answered, and end all other waiting.

        Returns:
            What was not submitted in time, or has to end with the process: a line for each job.
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
        for execution in executions:
            execution.abandon("the provider is closed")
        return lost


_CONNECTIONS: WeakSet[Connection] = WeakSet()


@atexit.register
def _close_connections() -> None:
    """Let a program that ends submit what it has run, and name what it could not submit."""
    for connection in list(_CONNECTIONS):
        for line in connection.close():
            sys.stderr.write(f"aqt-fast: {line}\n")
