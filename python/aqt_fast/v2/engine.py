"""Our provider behind the 2.x face: it makes backends and jobs of this face."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from aqt_fast import aqt_provider
from aqt_fast.api_client import BackendType
from aqt_fast.v2.resources import CloudResource, DirectAccessResource, OfflineSimulatorResource

if TYPE_CHECKING:
    from aqt_connector import ArnicaConfig


class Engine(aqt_provider.AQTProvider):
    """A provider that makes backends and jobs of the 2.x face, and reads no ``.env`` file.

    Args:
        access_token: as for :class:`~aqt_fast.AQTProvider`. If there is none, it does not warn:
            somebody may log in later.
        config: how to log in, and where the portal is.
        portal_url: where the portal is, None for that of ``config``.
    """

    def __init__(
        self,
        access_token: str | None = None,
        config: ArnicaConfig | None = None,
        portal_url: str | None = None,
    ) -> None:
        """Open no connection."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", aqt_provider.NoTokenWarning)
            super().__init__(access_token, config, portal_url=portal_url, load_dotenv=False)

    def backend_class(self, backend_type: BackendType) -> type[Any]:
        """Return the class of the backends of a type."""
        if backend_type == "direct_access":
            return DirectAccessResource
        return OfflineSimulatorResource if backend_type == "offline_simulator" else CloudResource

    @property
    def other_portal_url(self) -> str | None:
        """URL of the same server with the API below ``/api``, None if it is there.

        The ``arnica_url`` of 2.x is that of the API, but users give the portal's, too.
        """
        url = self._connections.cloud().portal.portal_url
        return url.removesuffix("/v1") if url.endswith("/v1") else None
