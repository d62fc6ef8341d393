"""The requests to the portal, without Qiskit: names of :mod:`aqt_fast.api_client`.

::

    errors          the error of a request
    portal_client   the client of the portal
    models          workspaces and resources
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from aqt_fast._lazy import lazy_names
from aqt_fast._native import __version__
from aqt_fast.api_client import DEFAULT_PORTAL_URL, Resource, Workspace, Workspaces
from aqt_fast.api_client import BackendType as AQTBackendType

if TYPE_CHECKING:
    from aqt_fast.api_client import PortalClient

__all__ = [
    "DEFAULT_PORTAL_URL",
    "AQTBackendType",
    "PortalClient",
    "Resource",
    "Workspace",
    "Workspaces",
    "__version__",
]


def _portal() -> ModuleType:
    from aqt_fast.api_client import portal

    return portal


__getattr__ = lazy_names(__name__, {"PortalClient": _portal})
