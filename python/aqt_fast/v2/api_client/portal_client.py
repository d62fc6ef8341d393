"""The client of the portal."""

from aqt_fast.api_client import DEFAULT_PORTAL_URL
from aqt_fast.api_client.portal import PortalClient

__all__ = ["DEFAULT_PORTAL_URL", "PortalClient"]
