"""The address of AQT's portal, for those who do not load an HTTP client."""

from __future__ import annotations

DEFAULT_PORTAL_URL = "https://arnica.aqt.eu"
"""Where AQT's portal is, if ``AQT_PORTAL_URL`` is not set."""

API_PATH = "/api/v1"
"""Path of the portal's API."""


def portal_root(url: str) -> str:
    """Return the URL of a portal as it is compared: without its API's path or a final slash."""
    return url.rstrip("/").removesuffix(API_PATH)


def api_root(portal_url: str) -> str:
    """Return the URL to which the paths of a portal's API are appended.

    It is ``portal_url`` itself if that ends with ``/v1``: for an API that is not below ``/api``.
    """
    return portal_url if portal_url.endswith("/v1") else f"{portal_url}/api/v1"
