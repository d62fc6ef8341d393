"""A resource of the portal, as the endpoint of API jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aqt_fast._native import JobState, decode_response
from aqt_fast.api_client import Resource
from aqt_fast.api_client.decisions import will_pass
from aqt_fast.api_client.models import check_job, job_place, read_job
from aqt_fast.exceptions import APIError
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from aqt_fast.api_client import PortalClient  # loads httpx, which takes a while


class CloudEndpoint:
    """Runs API jobs on a resource of the portal."""

    name = "the portal"
    settling_seconds = 8.0

    def __init__(self, portal: PortalClient, resource: Resource) -> None:
        """Send requests for ``resource`` to ``portal``."""
        self._portal = portal
        self._resource = resource
        self._place = job_place(resource.workspace_id, resource.resource_id)

    @staticmethod
    def encode(snapshot: Snapshot, part: Part, label: str) -> bytes:
        """Encode the request body of an API job."""
        return snapshot.encode_job(part.start, part.stop, part.repetitions, label)

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Submit an API job once and return the portal's identifier."""
        return self._portal.submit(
            self._resource.workspace_id,
            self._resource.resource_id,
            body,
            label=label,
            wanted=wanted,
        )

    def result(
        self,
        job_id: str,
        read: Callable[[bytes], JobState],
        wanted: Callable[[], bool] | None = None,
    ) -> JobState:
        """Request the state of an API job."""
        return self._portal.result(job_id, read, wanted=wanted)

    def decode(self, body: bytes) -> JobState:
        """Decode an answer."""
        return decode_response(body)

    def check_place(self, body: bytes) -> None:
        """Check that an answer is about a job of this resource, as far as it tells."""
        check_job(read_job(body), self._place)

    def cancel(self, job_id: str) -> bool:
        """Cancel an API job. Return False if it was already cancelled."""
        return self._portal.cancel(job_id)

    def will_pass(self, error: APIError) -> bool:
        """Whether the portal cannot answer just now, and may do so later."""
        return will_pass(error)
