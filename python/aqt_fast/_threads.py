"""Threads that may not start: a system has no more of them for a while, or for ever.

What needs a thread keeps its work, and is tried again: by whoever waits for it, and by all threads
of this package that run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Protocol, TypeVar
from weakref import WeakSet

from aqt_fast._forks import ForkSafeLock

A = TypeVar("A")
T = TypeVar("T")

RETRY_SECONDS = 0.5
"""Time between two attempts to start what could not start."""

PATIENCE_SECONDS = 10.0
"""How long to wait for what has no thread before an error says so."""


class Revivable(Protocol):
    """What has work, but no thread for it."""

    def revive(self) -> None:
        """Try again to start a thread, if one is needed; call :func:`stalled` if it cannot be."""


def start_thread(
    target: Callable[[], object],
    name: str,
    keep: Callable[[threading.Thread], object] = lambda _: None,
) -> str | None:
    """Start a daemon thread. Return why it cannot be started, None if it was.

    Args:
        target: what it runs.
        name: its name.
        keep: called with the thread before it starts, also if it then does not.
    """
    try:
        thread = threading.Thread(target=target, name=name, daemon=True)
        keep(thread)
        thread.start()
    except (RuntimeError, MemoryError) as error:
        return f"no thread can be started: {error or type(error).__name__}"
    return None


def guarded(step: Callable[[], T]) -> T | None:
    """Call a step of a thread that others rely on. If it raises, as it must not, tell so.

    Returns:
        What the step returns; None if it has raised.
    """
    try:
        return step()
    except BaseException as error:
        thread = threading.current_thread()
        if isinstance(error, KeyboardInterrupt) and thread is threading.main_thread():
            raise  # by the user
        hook = (type(error), error, error.__traceback__, thread)
        threading.excepthook(threading.ExceptHookArgs(hook))
        return None


_STALLED: WeakSet[Revivable] = WeakSet()
_LOCK = ForkSafeLock()


def stalled(thing: Revivable) -> None:
    """Have a thing tried again."""
    with _LOCK:
        _STALLED.add(thing)


def any_stalled() -> bool:
    """Return whether anything in this process waits for a thread."""
    return bool(_STALLED)


def revive_stalled() -> None:
    """Try again to start all that could not be started."""
    if not _STALLED:
        return
    with _LOCK:
        things = list(_STALLED)
        _STALLED.clear()
    for thing in things:
        thing.revive()


def in_parallel(function: Callable[[A], T], items: Iterable[A], most: int) -> list[Future[T]]:
    """Call a function with each item, and return what came of each call, in order.

    The calling thread takes part, and does all of it if no other thread can be started.

    Args:
        function: what to call.
        items: its arguments, one for each call.
        most: maximum number of concurrent calls.
    """
    calls: list[tuple[A, Future[T]]] = [(item, Future()) for item in items]
    left = iter(calls)
    lock = threading.Lock()

    def work(caught: type[BaseException] = BaseException) -> None:
        while True:
            with lock:
                call = next(left, None)
            if call is None:
                return
            item, future = call
            try:
                future.set_result(function(item))
            except caught as error:  # raised where the result is asked for
                future.set_exception(error)

    helpers: list[threading.Thread] = []
    for _ in range(min(most, len(calls)) - 1):
        if start_thread(work, "aqt-fast request", helpers.append) is not None:
            helpers.pop()
            break
    try:
        work(Exception)
    finally:
        with lock:
            left = iter(())  # after an interrupt, nothing else begins
    for helper in helpers:
        helper.join()
    return [future for _, future in calls]
