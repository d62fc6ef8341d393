"""A machine, as the endpoint of API jobs with one circuit each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aqt_fast._native import JobState, decode_direct_response
from aqt_fast._shots import total
from aqt_fast.exceptions import APIError
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from aqt_fast.api_client import DirectAccessClient  # loads httpx, which takes a while


class DirectEndpoint:
    """Runs API jobs of one circuit each on a machine."""

    name = "the machine"
    settling_seconds = 0.0

    def __init__(self, client: DirectAccessClient) -> None:
        """``client`` is the machine's client."""
        self._client = client

    @staticmethod
    def encode(snapshot: Snapshot, part: Part, label: str) -> bytes:  # noqa: ARG004
        """Encode the request body; it has no field for the label."""
        return snapshot.encode_circuit(part.start, total(part.shots, 1))

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Submit a circuit once and return the machine's identifier of the run."""
        return self._client.submit(body, label=label, wanted=wanted)

    def result(
        self,
        job_id: str,
        read: Callable[[bytes], JobState],
        wanted: Callable[[], bool] | None = None,
    ) -> JobState | None:
        """Wait for the result; None if it does not arrive within the read timeout."""
        return self._client.result(job_id, read, wanted=wanted)

    def decode(self, body: bytes) -> JobState:
        """Decode an answer."""
        return decode_direct_response(body)

    def check_place(self, body: bytes) -> None:
        """Check nothing: an answer does not tell the machine."""

    def cancel(self, job_id: str) -> bool:  # noqa: ARG002
        """Return False: the machine completes what it has started."""
        return False

    def will_pass(self, error: APIError) -> bool:  # noqa: ARG002
        """Return False: a result is requested repeatedly for a day before that fails."""
        return False
