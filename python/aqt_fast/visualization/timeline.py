"""API jobs on a timeline, in HTML: how long each was queued, and how long it ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

from aqt_fast.visualization import html
from aqt_fast.visualization.quantities import duration, local_time, plural

ApiJobState = Literal["unsent", "queued", "running", "done", "failed", "cancelled"]
"""Where an API job is."""

_ORDER: tuple[ApiJobState, ...] = ("failed", "running", "queued", "unsent", "cancelled", "done")
"""Which state stands for several API jobs in one row: the first that one of them has."""
_MOST_ROWS = 16
"""Number of rows up to which each API job has its own."""


class ApiJobTimes(NamedTuple):
    """One API job, and when it has changed its state; None for what is unknown or not yet so."""

    name: str
    """Its label on the portal."""
    state: ApiJobState
    """Where it is."""
    queued_at: datetime | None = None
    """When the portal has received it."""
    started_at: datetime | None = None
    """When it has started on the device."""
    ended_at: datetime | None = None
    """When it has ended."""


class Span(NamedTuple):
    """A stage of an API job."""

    state: ApiJobState
    """``queued``; or its present or final state, for the time on the device."""
    start: datetime
    """When it has begun."""
    end: datetime
    """When it has ended, or now."""


def spans(job: ApiJobTimes, created: datetime, now: datetime) -> list[Span]:
    """Return the stages of an API job whose times are known.

    Args:
        job: the API job.
        created: when the job was submitted. An API job is queued since then if nobody tells.
        now: the end of a stage that goes on. A portal's clock may be ahead of it.
    """
    queued = job.queued_at or (created if job.state == "queued" else None)
    known = [time for time in (queued, job.started_at, job.ended_at) if time]
    if not known:
        return []
    end = job.ended_at or max(now, *known)
    start = job.started_at
    if start is None and job.state != "queued":  # it has ended without a start, or nobody tells
        start = end
    found = []
    if queued is not None:
        found.append(Span("queued", queued, start or end))
    if start is not None:
        found.append(Span(job.state, start, end))
    return [span for span in found if span.start <= span.end]


def bounds(jobs: Sequence[ApiJobTimes], created: datetime, now: datetime) -> Span | None:
    """Return from when to when anything is known to have happened; None if nothing is.

    Args:
        jobs: the API jobs.
        created: when the job was submitted.
        now: the end of stages that go on.
    """
    found = [span for job in jobs for span in spans(job, created, now)]
    if not found:
        return None
    start = min(created, *(span.start for span in found))
    end = max(span.end for span in found)
    return Span("done", start, max(end, start + timedelta(milliseconds=1)))


def numbers(jobs: Sequence[ApiJobTimes]) -> str:
    """Tell how many API jobs there are, and how many are in each state."""
    counts = Counter(job.state for job in jobs)
    each = ", ".join(f"{counts[state]:,} {state}" for state in reversed(_ORDER) if counts[state])
    return f"{plural(len(jobs), 'API job')}: {each}"


def timeline(jobs: Sequence[ApiJobTimes], created: datetime, now: datetime) -> str:
    """Draw a row for each API job, or for neighbouring ones if they are many.

    Args:
        jobs: the API jobs, in the order of the circuits.
        created: when the job was submitted.
        now: the end of stages that go on.
    """
    whole = bounds(jobs, created, now)
    if whole is None:
        return html.details(numbers(jobs), html.line("no times are known yet"))
    length = whole.end - whole.start
    rows = []
    for label, row in _rows(jobs):
        stages = spans(row, created, now)
        drawn = [
            html.fill((it.start - whole.start) / length, (it.end - whole.start) / length, it.state)
            for it in stages
        ]
        told = ", ".join(f"{it.state} {duration(it.end - it.start)}" for it in stages)
        track = html.track(*drawn, title=f"{row.name}: {told or row.state}")
        rows.append((html.text(label), track, html.state(_last(row, stages))))
    ends = f"{local_time(whole.start, seconds=True)}, {duration(length)} from left to right"
    return html.details(numbers(jobs), html.bars(rows) + html.faint(f"from {ends}"))


def _last(row: ApiJobTimes, stages: Sequence[Span]) -> str:
    """Tell the state, and how long the API job has been or was in it."""
    stage = stages[-1] if stages else None
    if stage is None or stage.state != row.state or stage.start == stage.end:
        return row.state
    return f"{row.state} ({duration(stage.end - stage.start)})"


def _rows(jobs: Sequence[ApiJobTimes]) -> list[tuple[str, ApiJobTimes]]:
    """Return at most as many rows as there is room for, with their labels."""
    if len(jobs) <= _MOST_ROWS:
        return [(f"{number}", job) for number, job in enumerate(jobs, 1)]
    edges = [len(jobs) * index // _MOST_ROWS for index in range(_MOST_ROWS + 1)]
    return [(f"{start + 1}–{stop}", _merged(jobs[start:stop])) for start, stop in pairwise(edges)]


def _merged(jobs: Sequence[ApiJobTimes]) -> ApiJobTimes:
    """Return several API jobs as one: from the first start to the last end."""
    states = {job.state for job in jobs}
    state = next(state for state in _ORDER if state in states)
    queued = [job.queued_at for job in jobs if job.queued_at is not None]
    started = [job.started_at for job in jobs if job.started_at is not None]
    ended = [job.ended_at for job in jobs if job.ended_at is not None]
    all_ended = len(ended) == len(jobs)
    return ApiJobTimes(
        f"{jobs[0].name} and {len(jobs) - 1} more",
        "running" if started and not all_ended and state != "failed" else state,
        min(queued, default=None),
        min(started, default=None),
        max(ended) if all_ended else None,
    )
