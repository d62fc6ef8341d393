"""A request to a server, and a successful answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.api_client.decisions import BUSY_STATUSES, SUBMITTING_METHODS, RequestKind

MOST_BYTES = 16 * 2**20
"""Largest answer that is read into objects, decompressed. The largest job has about 6 MB."""

MOST_BYTES_OF_A_RESULT = 128 * 2**20
"""Largest answer with a result, decompressed. 50 circuits with 2000 shots of 31 qubits have about
10 MB with spaces after the commas, and 45 MB with a line for each outcome."""


@dataclass(frozen=True)
class Request:
    """What to send."""

    method: Literal["GET", "DELETE", "POST", "PUT"]
    """The HTTP method."""
    path: str
    """Path below the base URL, starting with a slash."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The query."""
    content: bytes | None = field(default=None, repr=False)
    """The body, JSON."""
    label: str = ""
    """Of a submission: its label, for messages."""
    job_id: str = ""
    """Of a poll: the server's identifier of the API job, or empty if no result can expire."""
    long_poll: bool = False
    """Whether the server answers as soon as there is a result, so that a time-out is no fault."""
    most_bytes: int = MOST_BYTES
    """Largest answer, decompressed."""
    busy: frozenset[int] = BUSY_STATUSES
    """Statuses with which the server says that it has accepted nothing yet."""
    wanted: Callable[[], bool] | None = None
    """Called before each attempt: whether the caller still wants it; None for always."""

    @property
    def kind(self) -> RequestKind:
        """What decides about faults of this request."""
        if self.method in SUBMITTING_METHODS:
            return RequestKind.SUBMIT
        if self.long_poll:
            return RequestKind.LONG_POLL
        return RequestKind.POLL if self.job_id else RequestKind.ASK

    def __str__(self) -> str:
        return one_line(f"{self.method} {self.path}", LONGEST_NAME)


@dataclass(frozen=True)
class Answer:
    """A successful answer."""

    status_code: int
    """The HTTP status, 200 to 299."""
    body: bytes
    """The body, decompressed."""
