"""Run a part of a test in a forked process."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import Any

SECONDS = 60
"""After this time, a child that does not end is killed: it waits for a lock that nobody holds."""


def in_fork(function: Callable[[], Any]) -> Any:
    """Call a function in a forked process, and return its value, which is pickled.

    Raises:
        AssertionError: it has raised an exception, or the process was killed.
    """
    child, ends = begin_fork(function)
    return end_fork(child, ends)


def begin_fork(function: Callable[[], Any]) -> tuple[int, int]:
    """Call a function in a forked process, and return what :func:`end_fork` takes."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork
        child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    outcome = b""
    try:
        os.close(reading)
        signal.alarm(SECONDS)
        try:
            outcome = pickle.dumps((function(), None))
        except BaseException:  # noqa: BLE001 - told to the parent
            outcome = pickle.dumps((None, traceback.format_exc()))
        while outcome:
            outcome = outcome[os.write(writing, outcome) :]
    finally:
        os._exit(0)


def end_fork(child: int, reading: int) -> Any:
    """Return the value of the function of :func:`begin_fork`."""
    with os.fdopen(reading, "rb") as pipe:
        outcome = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the forked process has ended with {os.waitstatus_to_exitcode(status)}"
    value, problem = pickle.loads(outcome)  # noqa: S301
    assert problem is None, problem
    return value
