"""What a client may send and leave undone, and how much the server keeps."""

from __future__ import annotations

from dataclasses import dataclass, fields

from aqt_fast.server import checks


@dataclass(frozen=True)
class Limits:
    """Limits of the local server; sizes in bytes, durations in seconds.

    Raises:
        InvalidOptionError: a size or number is no integer of at least 1, or a duration is not above
            0 and up to 86 400.
    """

    body_bytes: int = 16 * 2**20
    """Longest body of a request (413). The longest job, 50 circuits of 2000 operations, takes half
    of that."""
    head_bytes: int = 64 * 2**10
    """Longest request line with all headers (431); the request line has an eighth of it (414)."""
    headers: int = 100
    """Most headers of a request (431)."""
    head_seconds: float = 20.0
    """From a request's first byte to the end of its headers (408)."""
    body_seconds: float = 60.0
    """From the end of the headers to the end of the body (408)."""
    answer_seconds: float = 60.0
    """How long a client may take nothing of its answer; then the connection is reset."""
    idle_seconds: float = 75.0
    """How long a connection may stay open without a request."""
    kept_jobs: int = 10_000
    """Jobs that have ended and are remembered; the oldest are forgotten (410)."""
    kept_result_bytes: int = 256 * 2**20
    """Results that are kept, in all; the oldest are forgotten (410)."""
    kept_label_characters: int = 16 * 2**20
    """Labels of the jobs that have ended, in all; the oldest jobs are forgotten (410)."""
    kept_body_bytes: int = 64 * 2**20
    """Request bodies that are kept to show their circuits, in all; the oldest are forgotten."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check = checks.integer(1)
            if field.name.endswith("_seconds"):
                check = checks.number(0, 86_400, above=True)
            check(field.name, getattr(self, field.name))


DEFAULT_LIMITS = Limits()
