"""Middleware that turns away what a page in a browser, or a proxy, sends in another's name.

A browser on this computer reaches the server, and so does any page that it shows. Such a page
cannot know the token. It must not do anything without it either: read the record, log in, or use up
scripted faults. So this comes before all else:

- ``Host`` names the server. One that listens on a loopback address has no other names than
  addresses, ``localhost`` and its own. A page whose name was made to point at it (DNS rebinding)
  gets 421.
- A request of another site's page, known by ``Origin`` and ``Sec-Fetch-Site``, gets 403; but links
  to the pages for people may stand anywhere: those show nothing before they have the token.
- A body must not be compressed (415): the limit on its size holds for what is read.
- ``/testing`` needs no token, and ``/control`` steers the server. They serve this computer's own
  clients: not those of a proxy, and not by any other name.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.requests import Request

from aqt_fast.server.addresses import host_name, is_loopback, is_own_name
from aqt_fast.server.bodies import json_response
from aqt_fast.server.errors import PortalError
from aqt_fast.server.request_log import note

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_PROXIED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that a proxy adds."""


class Gate:
    """ASGI middleware in front of everything."""

    def __init__(
        self, app: ASGIApp, own_host: str, *, loopback: bool, pages: Collection[str]
    ) -> None:
        """Guard an application.

        Args:
            app: the application.
            own_host: the host that the server was started with.
            loopback: whether it listens on a loopback address.
            pages: paths of the pages that links of other sites may open.
        """
        self._app = app
        self._own_host = own_host.lower()
        self._loopback = loopback
        self._pages = frozenset(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            self._check(Request(scope))
        except PortalError as error:
            note(scope, reason=error.reason)
            response = json_response({"detail": error.detail}, error.status, connection="close")
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check(self, request: Request) -> None:
        """Raise PortalError for a request that is not let in (400, 403, 415 or 421)."""
        headers = request.headers
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            raise PortalError(400, "one valid header Host is necessary")
        inner = request.scope["path"].startswith(("/control", "/testing"))
        own = is_own_name(name) or name.lower() == self._own_host
        if not own and (inner or self._loopback):
            raise PortalError(421, "Host must be an address of this computer, or localhost")
        if inner:
            direct = not any(header in headers for header in _PROXIED)
            if request.client is None or not direct or not is_loopback(request.client.host):
                raise PortalError(403, "for loopback clients only")
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise PortalError(415, "a body must not be compressed")
        origin = headers.get("origin")
        foreign = origin is not None and origin.lower() != f"http://{hosts[0].lower()}"
        if foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            self._check_link(request)

    def _check_link(self, request: Request) -> None:
        """Raise PortalError unless a person has followed another site's link to a page."""
        followed = request.method == "GET" and request.headers.get("sec-fetch-dest") == "document"
        if not followed or request.scope["path"] not in self._pages:
            raise PortalError(403, "not for the pages of other sites")
