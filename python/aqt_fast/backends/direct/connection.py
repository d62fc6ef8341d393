"""The connection to a machine, with the single thread that its jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqt_fast.jobs.connection import Connection

if TYPE_CHECKING:
    from aqt_fast.api_client import DirectAccessClient  # loads httpx, which takes a while


class DirectConnection(Connection):
    """The connection to a machine, with the single thread that all jobs share."""

    def __init__(self, client: DirectAccessClient) -> None:
        """Open no connection yet."""
        super().__init__(1, "aqt-fast direct access")
        self.client = client
        """The machine's client."""

    def disconnect(self, seconds: float) -> None:
        """Close the connection and stop all waiting."""
        self.client.close(seconds)
