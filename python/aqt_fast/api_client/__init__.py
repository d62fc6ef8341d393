"""AQT's HTTP interfaces: bytes in, bytes out, without Qiskit.

::

    portal          AQT's cloud: workspaces, resources, jobs
    direct          a machine in the same network
    models          workspaces and resources, read from JSON
    payload         the body of a submission, and what identifies it
    http            the send loop of both
    request         a request, and a successful answer
    answer_body     the body of an answer, within limits
    transport       the way to a server
    network         connections whose requests end in time
    environment     proxies and trusted certificates
    decisions       what happens after every fault: one table
    retry_timing    when to try again
    error_detail    the reason that a server gives for an error
    credentials     the access token, and its renewal
    portal_url      the address of AQT's portal
    urls            which servers may get the token; identifiers in paths
    errors, portal_client    names of the peer's 1.x
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from aqt_fast._lazy import lazy_names
from aqt_fast.api_client.models import BackendType, ListedResource, Resource, Workspace, Workspaces
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL

if TYPE_CHECKING:
    from aqt_fast.api_client.credentials import Credentials
    from aqt_fast.api_client.direct import DirectAccessClient
    from aqt_fast.api_client.portal import PortalClient
    from aqt_fast.api_client.retry_timing import Clock

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

# These import httpx or tenacity, which a program without requests does not need.


def _credentials() -> ModuleType:
    from aqt_fast.api_client import credentials

    return credentials


def _direct() -> ModuleType:
    from aqt_fast.api_client import direct

    return direct


def _portal() -> ModuleType:
    from aqt_fast.api_client import portal

    return portal


def _retry() -> ModuleType:
    from aqt_fast.api_client import retry_timing

    return retry_timing


__getattr__ = lazy_names(
    __name__,
    {
        "Clock": _retry,
        "Credentials": _credentials,
        "DirectAccessClient": _direct,
        "PortalClient": _portal,
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
