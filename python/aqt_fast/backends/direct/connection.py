"""The connection to a machine, and the one thread that its jobs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqt_fast.jobs.connection import Connection

if TYPE_CHECKING:
    from aqt_fast.api_client import DirectAccessClient


class DirectConnection(Connection):
    """The connection to a machine, and the one thread that all jobs share."""

    def __init__(self, client: DirectAccessClient) -> None:
        """Connects to nothing yet."""
        super().__init__(1, "aqt-fast direct access")
        self.client = client
        """Who is asked."""

    def disconnect(self) -> None:
        """Close the connection and end all waiting."""
        self.client.close()
