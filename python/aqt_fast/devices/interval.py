"""A quantity that is known within bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from aqt_fast.exceptions import InvalidOptionError


class Interval(NamedTuple):
    """The least, the likeliest and the greatest value of a quantity."""

    low: float
    """Least value."""
    likely: float
    """Likeliest value."""
    high: float
    """Greatest value."""

    @classmethod
    def of(cls, value: float | Sequence[float], name: str = "interval") -> Interval:
        """Read a number, which is exact, or three numbers in ascending order.

        Args:
            value: 0 or more: ``likely``, or ``(low, likely, high)``.
            name: what an error calls it.

        Raises:
            InvalidOptionError: a number is negative or not finite, or they are in another order.
        """
        try:
            if isinstance(value, bool | str | bytes):
                numbers = []
            elif isinstance(value, int | float):
                numbers = [float(value)] * 3
            else:
                numbers = [float(item) for item in value]
        except (TypeError, ValueError, OverflowError):
            numbers = []
        ordered = len(numbers) == 3 and numbers == sorted(numbers) and numbers[0] >= 0
        if not (ordered and all(map(math.isfinite, numbers))):
            raise InvalidOptionError(
                name, value, "a number of 0 or more, or three of them in ascending order"
            )
        return cls(*numbers)
