"""The address of AQT's portal, for those who do not load an HTTP client."""

from __future__ import annotations

from urllib.parse import urlsplit

DEFAULT_PORTAL_URL = "https://arnica.aqt.eu"
"""Where AQT's portal is, if ``AQT_PORTAL_URL`` is not set."""

API_PATH = "/api/v1"
"""Path of the portal's API."""


def portal_root(url: str) -> str:
    """Return the URL of a portal as it is compared: without its API's path or a final slash."""
    return url.rstrip("/").removesuffix(API_PATH)


def is_same_portal(one: str, other: str) -> bool:
    """Whether two URLs of portals agree in scheme, host and port, however they are written."""
    return _parts(one) == _parts(other)


def _parts(url: str) -> tuple[object, ...]:
    try:
        split = urlsplit(url)
        port = split.port or {"http": 80, "https": 443}.get(split.scheme)
    except ValueError:
        return (url,)
    return (split.scheme, split.hostname, port) if split.hostname else (url,)


def api_root(portal_url: str) -> str:
    """Return the URL to which the paths of a portal's API are appended.

    It is ``portal_url`` itself if that ends with ``/v1``: for an API that is not below ``/api``.
    """
    return portal_url if portal_url.endswith("/v1") else f"{portal_url}/api/v1"
