"""AQT's HTTP interfaces: bytes in, bytes out. Nothing in here knows Qiskit."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from aqt_fast.api_client.models import BackendType, ListedResource, Resource, Workspace, Workspaces

if TYPE_CHECKING:
    from aqt_fast.api_client.credentials import Credentials
    from aqt_fast.api_client.direct import DirectAccessClient
    from aqt_fast.api_client.portal import DEFAULT_PORTAL_URL, PortalClient
    from aqt_fast.api_client.retry import Clock

__all__ = [
    "DEFAULT_PORTAL_URL",
    "BackendType",
    "Clock",
    "Credentials",
    "DirectAccessClient",
    "ListedResource",
    "PortalClient",
    "Resource",
    "Workspace",
    "Workspaces",
]

_MODULES = {
    "DEFAULT_PORTAL_URL": "aqt_fast.api_client.portal",
    "Clock": "aqt_fast.api_client.retry",
    "Credentials": "aqt_fast.api_client.credentials",
    "DirectAccessClient": "aqt_fast.api_client.direct",
    "PortalClient": "aqt_fast.api_client.portal",
}
"""What needs httpx, which loads when first used."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value
