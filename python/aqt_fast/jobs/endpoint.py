"""Who takes API jobs: a resource of the portal, or a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aqt_fast._native import JobState
from aqt_fast.exceptions import APIError
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot


class Endpoint(Protocol):
    """Who takes API jobs: a resource of the portal, or a machine."""

    name: str
    """What messages call it."""

    def encode(self, snapshot: Snapshot, part: Part, label: str) -> bytes:
        """The request body of an API job."""

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Hand an API job over, once, and return the identifier that it gets.

        Args:
            body: the request body.
            label: what it is called.
            wanted: tells before each attempt whether it is still wanted.

        Raises:
            RequestWithdrawnError: it was not wanted any more; nothing was accepted.
            SubmissionUncertainError: it may have been accepted or not.
            APIError: it was not accepted.
        """

    def result(self, job_id: str, read: Callable[[bytes], JobState]) -> JobState | None:
        """Ask for the state of an API job; None if there is no answer yet.

        Args:
            job_id: the identifier that :meth:`submit` has returned.
            read: makes something of the body; a ``ResponseError`` says that it cannot be used.

        Raises:
            APIError: it cannot be asked for.
        """

    def decode(self, body: bytes) -> JobState:
        """Read an answer.

        Raises:
            ResponseError: it cannot be used.
        """

    def cancel(self, job_id: str) -> bool:
        """Ask to cancel an API job; False if that changes nothing.

        Raises:
            APIError: it is refused, or cannot be asked for.
        """

    def will_pass(self, error: APIError) -> bool:
        """Whether there is just no answer now, and the same question is asked again later."""
