"""What users select backends and jobs by: texts and patterns."""

from __future__ import annotations

import re

from aqt_fast.exceptions import InvalidOptionError


def check_criterion(name: str, value: object) -> None:
    """Check that a criterion is a text, a compiled pattern or None.

    Raises:
        InvalidOptionError: it is something else.
    """
    if value is not None and not isinstance(value, str | re.Pattern):
        raise InvalidOptionError(name, value, "a text, a compiled pattern or None")
