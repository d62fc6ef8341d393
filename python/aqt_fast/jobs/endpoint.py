"""The interface of what runs API jobs: a resource of the portal, or a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aqt_fast._native import JobState
from aqt_fast.exceptions import APIError
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot


class Endpoint(Protocol):
    """Runs API jobs: a resource of the portal, or a machine."""

    name: str
    """Name in messages."""
    settling_seconds: float
    """How long an API job that was just accepted may be unknown."""

    def encode(self, snapshot: Snapshot, part: Part, label: str) -> bytes:
        """Encode the request body of an API job."""

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Submit an API job once and return its identifier.

        Args:
            body: the request body.
            label: the API job's label.
            wanted: called before each attempt; returns False if the job was cancelled.

        Raises:
            RequestWithdrawnError: it was cancelled; nothing was accepted.
            SubmissionUncertainError: it may have been accepted.
            APIError: it was not accepted.
        """

    def result(
        self,
        job_id: str,
        read: Callable[[bytes], JobState],
        wanted: Callable[[], bool] | None = None,
    ) -> JobState | None:
        """Request the state of an API job; None if there is no answer yet.

        Args:
            job_id: the identifier that :meth:`submit` has returned.
            read: decodes the body; raises ``ResponseError`` if it cannot be used.
            wanted: called before each attempt and while one is waited for; returns False if nobody
                waits for the state any more. None for always.

        Raises:
            RequestWithdrawnError: nobody waits for it any more.
            APIError: the request has failed.
        """

    def decode(self, body: bytes) -> JobState:
        """Decode an answer.

        Raises:
            ResponseError: the answer cannot be used.
        """

    def check_place(self, body: bytes) -> None:
        """Check that an answer is about an API job of this endpoint, as far as it tells.

        Raises:
            ResponseMismatchError: it is about another place, or another type of job.
        """

    def cancel(self, job_id: str) -> bool:
        """Cancel an API job. Return False if that changes nothing.

        Raises:
            APIError: the request was refused or has failed.
        """

    def will_pass(self, error: APIError) -> bool:
        """Return whether an error is temporary, so that the request is repeated later."""
