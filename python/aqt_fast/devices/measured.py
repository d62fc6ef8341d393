"""A measured value, and how numbers and times are read from JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NamedTuple

from aqt_fast._times import from_iso


@dataclass(frozen=True)
class Measured:
    """A measured value."""

    value: float
    """The value."""
    uncertainty: float | None = None
    """Its uncertainty, in the same unit; None if unknown."""


class Bounds(NamedTuple):
    """What a number may be."""

    lowest: float
    highest: float
    expected: str
    """In words."""

    def check(self, value: Any) -> float:
        """Return a number within the bounds.

        Raises:
            ValueError: it is none; the message continues the name of the field.
        """
        found = number(value)
        if not self.lowest <= found <= self.highest:
            raise ValueError(f"must be {self.expected}, not {shown(value)}")
        return found


PROBABILITY = Bounds(0, 1, "0 to 1")
LIFETIME = Bounds(math.ulp(0), math.inf, "above 0")
DURATION = Bounds(0, math.inf, "0 or more")
UNCERTAINTY = DURATION


def number(value: Any) -> float:
    """Read a finite number.

    Raises:
        ValueError: it is none; the message continues the name of the field.
    """
    if not isinstance(value, bool) and isinstance(value, int | float):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found):
            return found
    raise ValueError(f"must be a finite number, not {shown(value)}")


def moment(value: Any) -> datetime:
    """Read a time in ISO 8601, in UTC if it has no time zone, and convert it to UTC.

    Raises:
        ValueError: it is none; the message continues the name of the field.
    """
    try:
        found = from_iso(value)
        aware = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"must be a time in ISO 8601, not {shown(value)}") from None


def shown(value: Any, longest: int = 40) -> str:
    """Write a value for a message: in one line, without control characters, shortened."""
    text = ascii(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
