"""The body of a submission, and what identifies it."""

from __future__ import annotations

import hashlib


def payload_hash(body: bytes) -> str:
    """The SHA-256 of a request body: 64 hexadecimal digits in lower case."""
    return hashlib.sha256(body).hexdigest()
