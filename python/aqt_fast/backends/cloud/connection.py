"""A provider's connection to the portal, and the threads that its jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqt_fast.backends.cloud.poller import Poller
from aqt_fast.jobs.connection import Connection
from aqt_fast.jobs.dispatcher import Dispatcher

if TYPE_CHECKING:
    from aqt_fast.api_client import PortalClient


class CloudConnection(Connection):
    """A provider's connection to the portal, and the threads that its jobs share."""

    def __init__(self, portal: PortalClient, *, max_parallel_requests: int = 8) -> None:
        """Connects to nothing yet.

        Args:
            portal: who is asked.
            max_parallel_requests: submissions that are under way at the same time, and polls as
                well.
        """
        super().__init__(max_parallel_requests, "aqt-fast portal")
        self.portal = portal
        """Who is asked."""
        self.max_parallel_requests = max_parallel_requests
        """Submissions that are under way at the same time, and polls as well."""
        self.submissions = Dispatcher(max_parallel_requests, name="aqt-fast submissions")
        """Other threads than those that poll: a portal that is full keeps submissions waiting."""
        self.poller = Poller(self.dispatcher, max_parallel_requests)
        """Asks for all jobs."""

    def disconnect(self) -> None:
        """Close the connection and end all waiting."""
        self.portal.close()
        self.submissions.close()
