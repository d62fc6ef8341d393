"""A provider's connection to the portal, with the threads that its jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqt_fast.backends.cloud.poller import Poller
from aqt_fast.jobs.connection import Connection
from aqt_fast.jobs.dispatcher import Dispatcher

if TYPE_CHECKING:
    from aqt_fast.api_client import PortalClient  # loads httpx, which takes a while


class CloudConnection(Connection):
    """A provider's connection to the portal, with the threads that its jobs share."""

    def __init__(self, portal: PortalClient, *, max_parallel_requests: int = 8) -> None:
        """Open no connection yet.

        Args:
            portal: the portal's client.
            max_parallel_requests: maximum number of concurrent submissions, and also of concurrent
                polls.
        """
        super().__init__(max_parallel_requests, "aqt-fast portal")
        self.portal = portal
        """The portal's client."""
        self.max_parallel_requests = max_parallel_requests
        """Maximum number of concurrent submissions, and also of concurrent polls."""
        self.submissions = Dispatcher(max_parallel_requests, name="aqt-fast submissions")
        """Threads apart from those that poll: a busy portal blocks submissions for a long time."""
        self.poller = Poller(self.dispatcher, max_parallel_requests)
        """Polls all jobs."""

    @property
    def dispatchers(self) -> list[Dispatcher]:
        """All that run steps of jobs."""
        return [self.submissions, self.dispatcher]

    def disconnect(self, seconds: float) -> None:
        """Close the connection and stop all waiting."""
        self.portal.close(seconds)
