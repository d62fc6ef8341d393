"""The address of AQT's portal, for those who do not load an HTTP client."""

from __future__ import annotations

DEFAULT_PORTAL_URL = "https://arnica.aqt.eu"
"""Where AQT's portal is, if ``AQT_PORTAL_URL`` is not set."""

API_PATH = "/api/v1"
"""Path of the portal's API."""


def portal_root(url: str) -> str:
    """Return the URL of a portal as it is compared: without its API's path or a final slash."""
    return url.rstrip("/").removesuffix(API_PATH)
