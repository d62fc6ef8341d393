"""Times in ISO 8601, as all supported Pythons read them."""

from __future__ import annotations

import re
from datetime import datetime

_FRACTION = re.compile("[.,]([0-9]+)")


def from_iso(text: str) -> datetime:
    """Parse a time, with or without a time zone.

    Python 3.10 reads neither the suffix Z nor a fraction of other than three or six digits.

    Raises:
        ValueError: it is no time.
        TypeError: it is no text.
    """
    text = re.sub("Z$", "+00:00", text)
    return datetime.fromisoformat(_FRACTION.sub(lambda it: f".{it[1][:6]:0<6}", text, count=1))
