"""Texts of others, for terminals and pages."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
