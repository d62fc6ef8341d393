"""Identifiers of jobs: UUIDs in one form."""

from __future__ import annotations

import uuid


def canonical_uuid(text: object) -> str:
    """A UUID in its usual form: lower case, with hyphens.

    Raises:
        ValueError: it is none.
    """
    try:
        return str(uuid.UUID(text if isinstance(text, str) else ""))
    except ValueError:
        raise ValueError(f"{text!r} is no UUID") from None


def is_canonical_uuid(text: object) -> bool:
    """Whether this is a UUID in its usual form."""
    try:
        return canonical_uuid(text) == text
    except ValueError:
        return False
