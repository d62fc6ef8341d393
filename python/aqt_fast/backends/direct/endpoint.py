"""A machine, as the endpoint of API jobs: those of one circuit each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aqt_fast._native import JobState
from aqt_fast.exceptions import APIError
from aqt_fast.wire.plan import Part
from aqt_fast.wire.results import decode_direct_response
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from aqt_fast.api_client import DirectAccessClient


class DirectEndpoint:
    """A machine, as who takes API jobs: those of one circuit each."""

    name = "the machine"

    def __init__(self, client: DirectAccessClient) -> None:
        """``client`` is the connection to it."""
        self._client = client

    def encode(self, snapshot: Snapshot, part: Part, label: str) -> bytes:  # noqa: ARG002
        """The request body, which has no place for the label."""
        return snapshot.encode_circuit(part.start, part.shots)

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Hand a circuit over, once, and return the machine's identifier of the run."""
        return self._client.submit(body, label=label, wanted=wanted)

    def result(self, job_id: str, read: Callable[[bytes], JobState]) -> JobState | None:
        """Wait for the result; None if it has not come within the read time-out."""
        return self._client.result(job_id, read)

    def decode(self, body: bytes) -> JobState:
        """Read an answer."""
        return decode_direct_response(body)

    def cancel(self, job_id: str) -> bool:  # noqa: ARG002
        """False: the machine ends what it has begun."""
        return False

    def will_pass(self, error: APIError) -> bool:  # noqa: ARG002
        """False: a request for a result is repeated for a day before it fails."""
        return False
