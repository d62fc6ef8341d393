"""Await jobs without a thread that waits, and without blocking the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TypeVar

from aqt_fast._threads import start_thread
from aqt_fast.jobs.execution import Execution, ExecutionState
from aqt_fast.jobs.interrupts import interruptible
from aqt_fast.jobs.progress_bar import REFRESH_SECONDS, ProgressBar
from aqt_fast.jobs.waiting import (
    CompletedPart,
    CompletedParts,
    deadline_after,
    timed_out,
)

T = TypeVar("T")

_LOOK_SECONDS = 2.0
"""Time between two looks at what makes no changes, such as a thread that cannot be started."""


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """Run a function in a thread of its own, which does not wait for long, and wait for it.

    ``asyncio.to_thread`` does not fit: the loop waits for its executor's threads when it ends,
    also after Ctrl-C, and other tasks need those few threads.

    Args:
        function: what to run; here, if no thread can be started.
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

    if start_thread(call, "aqt-fast waiting") is not None:
        call()
    return await future


async def wait_for_end(execution: Execution, bar: ProgressBar, timeout: float | None) -> bool:
    """Wait until an execution has ended, as :func:`~aqt_fast.jobs.waiting.wait_with_bar` does.

    Returns:
        Whether the execution has ended.
    """
    deadline = deadline_after(timeout)
    patience = bar.patience(deadline)
    if await _wait(execution, _has_ended, patience):
        return True
    if patience == deadline:
        return False
    with bar.of(execution) as report:
        return await _wait(execution, _has_ended, deadline, report, REFRESH_SECONDS)


async def parts(
    execution: Execution, num_circuits: int, timeout: float | None
) -> AsyncIterator[CompletedPart]:
    """Yield the parts of an execution as :func:`~aqt_fast.jobs.waiting.completed_parts` does.

    Raises:
        JobTimeoutError: no part has ended for ``timeout`` seconds.
    """
    found = CompletedParts(execution, num_circuits)

    def more(state: ExecutionState) -> bool:
        return state.ended or found.num_ready > 0

    while True:
        if not await _wait(execution, more, deadline_after(timeout)):
            raise timed_out(execution, timeout)
        part = await in_daemon_thread(found.next)
        if part is not None:
            yield part
        elif execution.state.ended and found.num_ready <= 0:
            return


async def _wait(
    execution: Execution,
    ready: Callable[[ExecutionState], bool],
    deadline: float,
    report: Callable[[ExecutionState], object] = lambda _: None,
    period: float = _LOOK_SECONDS,
) -> bool:
    """Wait for a state. Return whether it is there; otherwise the deadline has passed.

    Raises:
        APIConnectionError: no thread can be started that would go on with the execution.
    """
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(changed.set)

    vigil = execution.vigil()
    with (
        execution.telling(tell),
        interruptible(lambda: execution.advice, asyncio.CancelledError),
    ):
        while True:
            changed.clear()
            vigil.look()
            state = execution.state
            report(state)
            if ready(state):
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # Not `asyncio.wait_for`: before Python 3.12, it may swallow a cancellation.
            alarm = loop.call_later(min(left, period), changed.set)
            try:
                await changed.wait()
            finally:
                alarm.cancel()


def _has_ended(state: ExecutionState) -> bool:
    return state.ended
