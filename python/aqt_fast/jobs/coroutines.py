"""Await blocking functions without blocking the event loop or the end of the program."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from aqt_fast._threads import start_thread
from aqt_fast.jobs.interrupts import interruptible

T = TypeVar("T")


async def in_daemon_thread(function: Callable[[], T], advice: Callable[[], str]) -> T:
    """Run a function in a thread of its own and wait for it.

    Args:
        function: what to run.
        advice: returns what to tell if the task that waits is cancelled, as Ctrl-C does.

    ``asyncio.to_thread`` does not fit: the loop waits for its executor's threads when it ends,
    also after Ctrl-C, and other tasks need those few threads.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def set_result(value: T) -> None:
        if not future.done():
            future.set_result(value)

    def set_exception(error: BaseException) -> None:
        if not future.done():
            future.set_exception(error)

    def call() -> None:
        try:
            value = function()
        except BaseException as error:  # noqa: BLE001 - raised again where the function is awaited
            with suppress(RuntimeError):  # the loop is closed: no task waits any more
                loop.call_soon_threadsafe(set_exception, error)
        else:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(set_result, value)

    thread = threading.Thread(target=call, name="aqt-fast waiting", daemon=True)
    if start_thread(thread) is not None:
        call()  # other tasks wait, but nothing is lost
    with interruptible(advice, asyncio.CancelledError):
        return await future
