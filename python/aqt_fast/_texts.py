"""Texts of others, for terminals and pages: of servers, of stored jobs, of users."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 255
"""Most characters that are shown of a name: of an identifier, a label, a description."""
_LONGEST_LINE = 4000
"""Most characters of a line that is shown."""
_HIDDEN = "\ufffd"
"""What is shown in place of a character that is not."""
_MOST_MARKS = 4
"""Most accents that one character is shown with: more of them cover the lines around."""

_BREAK = re.compile(r"[^\S ]\s*")
"""A line break, a tab, a space of another kind, and all white space after it."""
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Characters that Python takes for printable, and that nobody sees."""


def one_line(text: str, most: int = _LONGEST_LINE) -> str:
    """Return a text as a line that can be shown, and hides nothing.

    White space that is more than a space becomes one, and ``\ufffd`` takes the place of each
    character that a terminal would obey or that is invisible: controls, escapes, directions of
    writing, lone surrogates.

    Args:
        text: the text.
        most: its length in characters from which on the rest is left out.
    """
    if len(text) > most:
        text = f"{text[: most - 1]}…"
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE.sub(_HIDDEN, _BREAK.sub(" ", text))
    shown, marks = [], 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            shown.append(letter if letter.isprintable() else _HIDDEN)
    return "".join(shown)


def printable(text: str) -> str:
    """Return a text of several lines with each of them as :func:`one_line` shows it."""
    return "\n".join(map(one_line, text.split("\n")))
