"""Identifiers of jobs: UUIDs in canonical form, and labels."""

from __future__ import annotations

import reprlib
import uuid

LONGEST_LABEL = 255
"""Maximum length of a label in characters."""


def canonical_uuid(text: object) -> str:
    """Return a UUID in its canonical form: lower case, with hyphens.

    Raises:
        ValueError: ``text`` is not a UUID.
    """
    try:
        return str(uuid.UUID(text if isinstance(text, str) else ""))
    except ValueError:
        raise ValueError(f"{reprlib.repr(text)} is no UUID") from None


def same_uuid(text: str, canonical: str) -> bool:
    """Return whether ``text`` is, in whatever form, the UUID ``canonical``."""
    try:
        return canonical_uuid(text) == canonical
    except ValueError:
        return False


def is_canonical_uuid(text: object) -> bool:
    """Return whether ``text`` is a UUID in canonical form."""
    try:
        return canonical_uuid(text) == text
    except ValueError:
        return False
