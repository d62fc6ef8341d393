"""When a job has changed its state, and how long its stages took, from the portal's time stamps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from qiskit.providers import JobStatus

from aqt_fast.visualization.timeline import ApiJobState, ApiJobTimes
from aqt_fast.wire.time_stamps import end_of, moments

STATE_NAMES: dict[JobStatus, ApiJobState] = {
    JobStatus.INITIALIZING: "unsent",
    JobStatus.QUEUED: "queued",
    JobStatus.RUNNING: "running",
    JobStatus.DONE: "done",
    JobStatus.ERROR: "failed",
    JobStatus.CANCELLED: "cancelled",
}
"""The word for each status."""


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


def api_job_times(
    name: str, status: JobStatus, changes: Sequence[tuple[str, str]], ended: datetime | None
) -> ApiJobTimes:
    """Say when an API job has changed its state.

    Args:
        name: its label.
        status: its status.
        changes: what the portal has reported: pairs of status and time stamp.
        ended: when it has ended, if that is known without the portal.
    """
    times = moments(changes)
    return ApiJobTimes(
        name,
        STATE_NAMES[status],
        min(times.get("queued", []), default=None),
        min(times.get("ongoing", []), default=None),
        end_of(changes) or ended,
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
