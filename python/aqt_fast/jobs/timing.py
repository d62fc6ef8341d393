"""Durations of a job's stages, from the portal's time stamps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from aqt_fast.wire.time_stamps import end_of, moments


class JobTiming(NamedTuple):
    """Durations of a job's stages in seconds; None for one that is unknown or has not ended."""

    queued: float | None
    """From receipt by the portal to the start on the device."""
    running: float | None
    """From the start on the device to the end."""
    total: float | None
    """From receipt by the portal to the end."""


def job_timing(changes: Sequence[tuple[str, str]]) -> JobTiming:
    """Compute durations from the status changes that the portal reports.

    Args:
        changes: pairs of status and ISO 8601 time stamp, in any order. Several API jobs count
            from the first that was queued or started to the last that has ended.
    """
    times = moments(changes)
    queued = min(times.get("queued", []), default=None)
    ongoing = min(times.get("ongoing", []), default=None)
    end = end_of(changes)
    return JobTiming(
        queued=_seconds(queued, ongoing or end),
        running=_seconds(ongoing, end),
        total=_seconds(queued, end),
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
