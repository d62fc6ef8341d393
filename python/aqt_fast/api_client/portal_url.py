"""The address of AQT's portal, for those who do not load an HTTP client."""

from __future__ import annotations

DEFAULT_PORTAL_URL = "https://arnica.aqt.eu"
"""Where AQT's portal is, if ``AQT_PORTAL_URL`` is not set."""
