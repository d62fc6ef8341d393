"""Times, durations and shares as people read them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

_UNITS = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
_WHOLE_FROM = 100.0
"""From this number on, durations have no decimals."""
_MOST_OF_A_PART = 99.9
"""Per cent."""


def local_time(moment: datetime, *, seconds: bool = False) -> str:
    """Write a time for people: local, with its offset from UTC."""
    with suppress(OverflowError, OSError, ValueError):  # at the ends of Python's calendar
        moment = moment.astimezone()
    return moment.isoformat(" ", timespec="seconds" if seconds else "minutes")


def duration(length: timedelta | float) -> str:
    """Write a duration, in seconds or as a difference of times, in the unit that suits it."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    name, size = unit_of(float(f"{seconds:.3g}"))
    number = seconds / size
    text = f"{number:,.0f}" if size < 1 or number >= _WHOLE_FROM else f"{number:.3g}"
    return f"{text} {name}"


def unit_of(seconds: float) -> tuple[str, float]:
    """Return the unit that suits a duration, and its seconds."""
    if seconds < 1:
        return "ms", 1e-3
    return next(((name, size) for name, size in _UNITS if seconds >= 2 * size), _UNITS[-1])


def share(part: float, whole: float) -> str:
    """Write a share in per cent; only the whole is 100 %."""
    per_cent = 100 * part / whole if whole else 0.0
    return f"{min(per_cent, _MOST_OF_A_PART) if part < whole else per_cent:.1f} %"


def plural(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
