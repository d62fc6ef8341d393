"""Wait for an execution: with a progress bar, with a callback, or part by part."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TextIO

from qiskit.providers import JobStatus, JobTimeoutError
from qiskit.result.models import ExperimentResult

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.jobs.execution import Execution
from aqt_fast.jobs.interrupts import interruptible

BAR_DELAY_SECONDS = 1.0
"""How long a job is waited for before a progress bar is shown."""

_SHORTEST_WAIT_SECONDS = 0.01


class CompletedPart(NamedTuple):
    """A part of a job that has ended."""

    circuits: range
    """Indices of the circuits."""
    results: list[ExperimentResult]
    """One entry per circuit; ``success=False`` if it was not evaluated."""


def timed_out(execution: Execution, seconds: float | None) -> JobTimeoutError:
    """Make the error to raise when a job has not ended in time."""
    name = one_line(execution.name, LONGEST_NAME)
    return JobTimeoutError(f"job {name} has not ended within {seconds} s")


def wait_with_bar(
    execution: Execution, *, total: int, title: str, timeout: float | None, shown: bool
) -> bool:
    """Wait until an execution has ended; show its progress on standard error.

    The bar comes after :data:`BAR_DELAY_SECONDS`: a loop of short jobs leaves no bars.

    Args:
        execution: the execution to wait for.
        total: number of its circuits, 0 if that is unknown.
        title: title of the progress bar.
        timeout: maximum time to wait in seconds, None for no limit.
        shown: whether to show the bar.

    Returns:
        Whether the execution has ended.
    """
    deadline = _deadline(timeout)
    if not (shown and _can_be_written(sys.stderr)):
        return _wait(execution, deadline)
    patience = min(deadline, _deadline(BAR_DELAY_SECONDS))
    if _wait(execution, patience):
        return True
    if patience == deadline:
        return False

    from tqdm.auto import tqdm  # loads asyncio, which takes a while

    finished = execution.state.finished_count
    title = one_line(title, LONGEST_NAME)
    with tqdm(total=total or None, initial=finished, desc=title, unit="circuit") as bar:
        return _wait(execution, deadline, lambda number: bar.update(number - bar.n))


def _wait(
    execution: Execution, deadline: float, report: Callable[[int], object] = lambda _: None
) -> bool:
    """Wait until an execution has ended, and report each change of its finished circuits.

    Returns:
        Whether the execution has ended.
    """
    while True:
        state = execution.state
        report(state.finished_count)
        if state.ended:
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        with interruptible(lambda: execution.advice):
            execution.wait(_or_none(left), beyond=state.finished_count)


def wait_with_callback(
    execution: Execution,
    *,
    timeout: float | None,
    period: float,
    callback: Callable[[str, JobStatus], None] | None,
) -> None:
    """Wait until an execution has ended, and call a function periodically.

    Args:
        execution: the execution to wait for.
        timeout: maximum time to wait in seconds, None for no limit.
        period: seconds between calls, at least 0.01.
        callback: called with the job's name and its status.

    Raises:
        JobTimeoutError: the execution has not ended in time.
    """
    deadline = _deadline(timeout)
    while not (state := execution.state).ended:
        left = deadline - time.monotonic()
        if left <= 0:
            raise timed_out(execution, timeout)
        if callback is not None:
            callback(execution.name, state.status)
            left = min(left, max(period, _SHORTEST_WAIT_SECONDS))
        with interruptible(lambda: execution.advice):
            execution.wait(_or_none(left))


def completed_parts(
    execution: Execution, num_circuits: int, timeout: float | None
) -> Iterator[CompletedPart]:
    """Yield the parts of an execution as they end, each circuit once; unevaluated ones last.

    Raises:
        JobTimeoutError: no part has ended for ``timeout`` seconds.
    """
    given: set[int] = set()
    number = 0
    while True:
        ended = execution.state.ended
        for part in execution.completed[number:]:
            number += 1
            if given.isdisjoint(part):
                given.update(part)
                yield CompletedPart(part, execution.results(part))
        if ended:
            break
        with interruptible(lambda: execution.advice):
            execution.wait(timeout, completed=number)
        if not execution.state.ended and len(execution.completed) <= number:
            raise timed_out(execution, timeout)
    rest = [index for index in range(num_circuits) if index not in given]
    if rest:
        results = execution.results()
        for index in rest:
            yield CompletedPart(range(index, index + 1), [results[index]])


def _can_be_written(stream: TextIO | None) -> bool:
    """Whether there is such a stream: programs without a terminal may have none, or close it."""
    return stream is not None and not getattr(stream, "closed", False)


def _deadline(timeout: float | None) -> float:
    return math.inf if timeout is None else time.monotonic() + timeout


def _or_none(seconds: float) -> float | None:
    return None if seconds == math.inf else seconds
