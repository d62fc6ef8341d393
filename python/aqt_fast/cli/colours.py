"""Colours of states, where a terminal has them."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aqt_fast.provider.fitting import Paint

_COLOURS = {
    "done": "green",
    "online": "green",
    "submitted": "cyan",
    "submitting": "cyan",
    "unsent": "yellow",
    "incomplete": "yellow",
    "cancelled": "yellow",
    "maintenance": "yellow",
    "uncertain": "magenta",
    "failed": "red",
    "damaged": "red",
    "offline": "red",
    "unavailable": "red",
}
"""Colours of jobs, API jobs and resources, by the first word of their state."""


def paint() -> Paint:
    """Return what colours the columns with states; nothing where there are no colours."""
    return {"State": _in_colour, "Status": _in_colour} if _has_colours() else {}


def coloured(state: str) -> str:
    """Return a state in its colour, or as it is where there are no colours."""
    return _in_colour(state) if _has_colours() else state


def _has_colours() -> bool:
    """Whether standard output shows colours.

    It does not if it is closed or no terminal, ``NO_COLOR`` is set (https://no-color.org), or
    ``TERM`` is ``dumb``.
    """
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not unwanted and sys.stdout is not None and sys.stdout.isatty()


def _in_colour(state: str) -> str:
    word = re.match("[a-z]*", state)
    colour = _COLOURS.get(word[0]) if word else None
    return state if colour is None else click.style(state, fg=colour)
