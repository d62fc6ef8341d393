"""The portal's time stamps: when an API job has changed its status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aqt_fast._times import from_iso

ENDS = ("finished", "error", "cancelled")
"""The portal's final statuses."""


def moments(changes: Iterable[tuple[str, str]]) -> dict[str, list[datetime]]:
    """Parse status changes: the moments of each status, in the order in which they are given.

    Args:
        changes: pairs of status and ISO 8601 time stamp. Without a time zone, or in another form,
            a time stamp is ignored.
    """
    found: dict[str, list[datetime]] = {}
    for status, stamp in changes:
        try:
            time = from_iso(stamp)
        except ValueError:
            continue
        if time.tzinfo is not None:
            found.setdefault(status, []).append(time)
    return found


def end_of(changes: Iterable[tuple[str, str]]) -> datetime | None:
    """Return the last moment of a final status, None if there is none."""
    times = moments(changes)
    return max((time for status in ENDS for time in times.get(status, [])), default=None)
