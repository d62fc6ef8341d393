"""Wait for an execution: with a progress bar, with a callback, or part by part."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from qiskit.providers import JobStatus, JobTimeoutError
from qiskit.result.models import ExperimentResult

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.jobs.execution import Execution, ExecutionState
from aqt_fast.jobs.interrupts import interruptible
from aqt_fast.jobs.progress_bar import REFRESH_SECONDS, ProgressBar

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


def wait_with_bar(execution: Execution, bar: ProgressBar, timeout: float | None) -> bool:
    """Wait until an execution has ended; show its progress.

    Args:
        execution: the execution to wait for.
        bar: its progress bar.
        timeout: maximum time to wait in seconds, None for no limit.

    Returns:
        Whether the execution has ended.
    """
    deadline = deadline_after(timeout)
    patience = bar.patience(deadline)
    if _wait(execution, patience):
        return True
    if patience == deadline:
        return False
    with bar.of(execution) as report:
        return _wait(execution, deadline, report, REFRESH_SECONDS)


def _wait(
    execution: Execution,
    deadline: float,
    report: Callable[[ExecutionState], object] = lambda _: None,
    period: float = math.inf,
) -> bool:
    """Wait until an execution has ended, and report its state after each change and each period.

    Returns:
        Whether the execution has ended.
    """
    vigil = execution.vigil()
    while True:
        state = execution.state
        report(state)
        if state.ended:
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        with interruptible(lambda: execution.advice):
            execution.wait(_or_none(min(left, period)), beyond=state.finished_count, vigil=vigil)


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
    deadline = deadline_after(timeout)
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
    parts = CompletedParts(execution, num_circuits)
    while True:
        ended = execution.state.ended
        while (part := parts.next()) is not None:
            yield part
        if ended:
            return
        number = parts.number
        with interruptible(lambda: execution.advice):
            execution.wait(timeout, completed=number)
        if not execution.state.ended and len(execution.completed) <= number:
            raise timed_out(execution, timeout)


class CompletedParts:
    """The parts of an execution that have ended, each circuit once; unevaluated ones last."""

    def __init__(self, execution: Execution, num_circuits: int) -> None:
        """None is taken yet."""
        self._execution = execution
        self._num_circuits = num_circuits  # 0 where it is known after the end only
        self._given: set[int] = set()
        self._rest: Iterator[CompletedPart] | None = None
        self.number = 0
        """How many of ``execution.completed`` were looked at."""

    @property
    def num_ready(self) -> int:
        """How many of ``execution.completed`` were not looked at."""
        return len(self._execution.completed) - self.number

    def next(self) -> CompletedPart | None:
        """Return another part, None if no other has ended."""
        ended = self._execution.state.ended
        for part in self._execution.completed[self.number :]:
            self.number += 1
            if self._given.isdisjoint(part):
                self._given.update(part)
                return CompletedPart(part, self._execution.results(part))
        if not ended:
            return None
        if self._rest is None:
            self._rest = self._unevaluated()
        return next(self._rest, None)

    def _unevaluated(self) -> Iterator[CompletedPart]:
        left = [index for index in range(self._num_circuits) if index not in self._given]
        results = self._execution.results() if left else []
        for index in left:
            self._given.add(index)
            yield CompletedPart(range(index, index + 1), [results[index]])


def deadline_after(timeout: float | None) -> float:
    """Return the value of ``time.monotonic()`` after some seconds; None is never."""
    return math.inf if timeout is None else time.monotonic() + timeout


def _or_none(seconds: float) -> float | None:
    return None if seconds == math.inf else seconds
