"""The progress bar of a job that is waited for: circuits done, where the job is, for how long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from qiskit.providers import JobStatus

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast._threads import start_thread
from aqt_fast.exceptions import AQTError
from aqt_fast.jobs.execution import Execution, ExecutionState
from aqt_fast.store.description import now

if TYPE_CHECKING:
    from tqdm import tqdm

BAR_DELAY_SECONDS = 1.0
"""How long a job is waited for before a progress bar is shown."""

REFRESH_SECONDS = 1.0
"""Time between two looks at where a job is."""

ASK_SECONDS = 60.0
"""Time between two questions to the portal whether the device of a queued job is online."""

_FORMAT = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"

_STAGES = (
    (JobStatus.RUNNING, "running"),
    (JobStatus.QUEUED, "queued"),
    (JobStatus.INITIALIZING, "submitting"),
    (JobStatus.DONE, "done"),
    (JobStatus.ERROR, "failed"),
    (JobStatus.CANCELLED, "cancelled"),
)
"""What stands for several API jobs: the first that one of them has."""


class ProgressBar(NamedTuple):
    """A progress bar on standard error, after :data:`BAR_DELAY_SECONDS`.

    A loop of short jobs leaves no bars.
    """

    total: int
    """Number of circuits, 0 if that is unknown."""
    title: str
    """What stands before the bar."""
    shown: bool
    """Whether to show it."""
    device_status: Callable[[bool], str | None]
    """Returns the status of a device that does not run jobs, None if it does. With True, it asks
    the portal, else it returns what was known last."""

    def patience(self, deadline: float) -> float:
        """Return when to show the bar; ``deadline`` for never."""
        if not (self.shown and _can_be_written(sys.stderr)):
            return deadline
        return min(deadline, time.monotonic() + BAR_DELAY_SECONDS)

    @contextmanager
    def of(self, execution: Execution) -> Iterator[Callable[[ExecutionState], None]]:
        """Show it, and return what to call with each state, at least every second."""
        device = _Device(self.device_status)
        stage = _Stage(execution)
        refreshed = -REFRESH_SECONDS
        with _new_bar(
            total=self.total or None,
            initial=execution.state.finished_count,
            desc=one_line(self.title, LONGEST_NAME),
            unit="circuit",
            bar_format=_FORMAT,
        ) as bar:

            def report(state: ExecutionState) -> None:
                nonlocal refreshed
                bar.update(state.finished_count - bar.n)
                if state.ended or time.monotonic() - refreshed >= REFRESH_SECONDS:
                    refreshed = time.monotonic()
                    bar.set_postfix_str(stage.text(state, device))

            yield report


class _Device:
    """Whether the device runs jobs: asked in the background, so that no answer is waited for."""

    def __init__(self, status: Callable[[bool], str | None]) -> None:
        self._ask = status
        self._status = status(False)
        self._asked = time.monotonic()

    @property
    def status(self) -> str | None:
        """Its status as the portal told it last, None if it runs jobs."""
        if time.monotonic() - self._asked >= ASK_SECONDS:
            self._asked = time.monotonic()
            start_thread(self._update, "aqt-fast device status")
        return self._status

    def _update(self) -> None:
        with suppress(AQTError):  # the next question may be answered
            self._status = self._ask(True)


class _Stage:
    """Where a job is, and since when."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._name = ""
        self._since = execution.created

    def text(self, state: ExecutionState, device: _Device) -> str:
        """Say where the job is and for how long, and what a queued job waits for."""
        name = self._present(state)
        if name != self._name:
            self._since = now() if self._name else self._begin(name)
            self._name = name
        if state.ended:
            return name
        told = f"{name} {_interval(now() - self._since)}"
        if name != "running" and (status := device.status) is not None:
            told += f", device: {one_line(status, LONGEST_NAME)}"
        return told

    def _present(self, state: ExecutionState) -> str:
        places = None if state.ended else self._execution.places
        found = {state.status} if places is None else set(places)
        return next((name for status, name in _STAGES if status in found), "queued")

    def _begin(self, name: str) -> datetime:
        """Return since when it is where it is at the first look."""
        times = self._execution.api_job_times
        if name == "running":
            starts = [each.started_at for each in times if each.state == "running"]
            known = [start for start in starts if start is not None]
            return min(known, default=now() if times else self._execution.created)
        ends = [each.ended_at for each in times if each.ended_at is not None]
        return max(ends, default=self._execution.created)


def _interval(length: Any) -> str:
    from tqdm import tqdm

    return str(tqdm.format_interval(max(0.0, length.total_seconds())))


def _new_bar(**settings: Any) -> tqdm[Any]:
    """Make a bar of widgets in a notebook that has them, else one of characters."""
    if find_spec("ipywidgets") is not None:
        from tqdm.auto import tqdm as widget_or_text  # loads asyncio, which takes a while

        return widget_or_text(**settings)
    from tqdm.std import tqdm as text

    # A notebook shows standard error as an error.
    notebook = type(sys.stderr).__module__.startswith("ipykernel")
    return text(file=sys.stdout if notebook else sys.stderr, **settings)


def _can_be_written(stream: TextIO | None) -> bool:
    """Whether there is such a stream: programs without a terminal may have none, or close it."""
    return stream is not None and not getattr(stream, "closed", False)
