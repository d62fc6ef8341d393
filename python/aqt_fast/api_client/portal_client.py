"""The portal's client, under the name that it has in ``qiskit-aqt-provider`` 1.x."""

from aqt_fast.api_client.portal import PortalClient
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL

__all__ = ["DEFAULT_PORTAL_URL", "PortalClient"]
