"""What is known of a job at one moment, for people: as lines of text, and in HTML for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.visualization import html
from aqt_fast.visualization.outcomes import CircuitOutcomes, histogram, results_table
from aqt_fast.visualization.quantities import duration, local_time, plural, share
from aqt_fast.visualization.timeline import ApiJobState, ApiJobTimes, numbers, timeline

_LONGEST_MESSAGE = 400
"""Characters of a message from which on the rest is left out."""


@dataclass(frozen=True, repr=False)
class JobSummary:
    """What is known of a job at one moment.

    Prints as text; notebooks show the state, a progress bar, the API jobs on a timeline, the counts
    of one circuit and the results of some.
    """

    kind: str
    """What it is: the name of the job's class."""
    name: str
    """Its label, or its identifier."""
    job_id: str
    """Its identifier; empty before submission."""
    backend_name: str
    """Where it runs."""
    state: str
    """``not submitted``, ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``."""
    finished_count: int
    """Number of circuits that were evaluated."""
    total_count: int
    """Number of circuits."""
    shots: int | str
    """Repetitions of each circuit; the smallest and the largest number if they differ."""
    moment: datetime
    """When all of this was so."""
    created: datetime | None = None
    """When the job was submitted."""
    ended: datetime | None = None
    """When it has ended."""
    queued_seconds: float | None = None
    """Seconds in the queue, None if unknown."""
    device_seconds: float | None = None
    """Seconds on the device, None if unknown."""
    message: str | None = None
    """Why not all circuits were evaluated."""
    api_jobs: tuple[ApiJobTimes, ...] = ()
    """The API jobs, in the order of their circuits; none if the job runs in this process."""
    chosen: CircuitOutcomes | None = None
    """The circuit whose counts are shown, if it was evaluated."""
    results: tuple[CircuitOutcomes, ...] = ()
    """Some of the circuits that have ended, in their order."""

    @property
    def stage(self) -> ApiJobState:
        """The state, as that of an API job."""
        known = [each for each in get_args(ApiJobState) if each == self.state]
        return known[0] if known else "unsent"

    @property
    def _progress(self) -> str:
        done = f"{self.finished_count:,} of {plural(self.total_count, 'circuit')}"
        return f"{done} ({share(self.finished_count, self.total_count)})"

    def __repr__(self) -> str:
        name = one_line(self.name, LONGEST_NAME)
        return f"<{type(self).__name__} of {name!r}: {self.state}, {self._progress}>"

    def _facts(self) -> list[tuple[str, str]]:
        rows = [("job", self.job_id), ("backend", self.backend_name), ("shots", f"{self.shots}")]
        if self.created is not None:
            rows.append(("submitted", local_time(self.created, seconds=True)))
            end = self.ended or self.moment
            rows.append(
                ("so far" if self.ended is None else "lasted", duration(end - self.created))
            )
        if self.queued_seconds is not None:
            rows.append(("in the queue", duration(self.queued_seconds)))
        if self.device_seconds is not None:
            rows.append(("on the device", duration(self.device_seconds)))
        if self.message is not None:
            rows.append(("message", one_line(self.message, _LONGEST_MESSAGE)))
        return [(label, value) for label, value in rows if value]

    def __str__(self) -> str:
        rows = [("state", self.state), ("progress", self._progress), *self._facts()]
        if self.api_jobs:
            rows.append(("API jobs", numbers(self.api_jobs).partition(": ")[2]))
        width = max(len(label) for label, _ in rows)
        lines = [f"{self.kind} {self.name}", *(f"{label:{width}}  {it}" for label, it in rows)]
        return "\n".join(map(one_line, lines))

    def _repr_html_(self) -> str:
        return html.block(self.to_html())

    def to_html(self) -> str:
        """Return the HTML without the stylesheet, as a part of a larger page."""
        colour = self.state if self.state in html.STATE_COLOURS else "queued"
        done = self.finished_count / self.total_count if self.total_count else 0.0
        parts = [
            html.heading(self.name, html.faint(self.kind), html.state(self.state)),
            html.progress(done, colour, self._progress),
            html.facts(self._facts()),
        ]
        if self.api_jobs and self.created is not None:
            parts.append(timeline(self.api_jobs, self.created, self.moment))
        if self.chosen is not None:
            parts.append(histogram(self.chosen))
        if len(self.results) > 1:
            parts.append(results_table(self.results, self.total_count))
        return "".join(parts)
