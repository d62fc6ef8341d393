"""Warnings that point at the user's line, however deep in the package they are raised."""

from __future__ import annotations

import sys
import warnings

from aqt_fast._texts import one_line

_PACKAGE = __name__.partition(".")[0]


def say(text: str) -> None:
    """Write a line to standard error, if there is one: programs without a terminal have none.

    Text of others may stand in it as it came.
    """
    if sys.stderr is not None:
        sys.stderr.write(f"aqt-fast: {one_line(text)}\n")


def warn_caller(message: str, category: type[Warning]) -> None:
    """Issue a warning of one line for the innermost line outside this package.

    Text of others may stand in it as it came.
    """
    level = 1
    frame = sys._getframe(level)  # noqa: SLF001 - `warnings` does so itself from Python 3.12 on
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] != _PACKAGE:
            break
        frame = frame.f_back
        level += 1
    warnings.warn(one_line(message), category, stacklevel=level + 1)
