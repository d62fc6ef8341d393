"""Who may do what: bearer tokens and the workspaces that they open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from aqt_fast.server.portal import PortalError


@dataclass(frozen=True)
class _Grant:
    workspaces: frozenset[str] | None
    expires: float | None


@dataclass
class AccessTokens:
    """The tokens that are accepted at the moment."""

    now: Callable[[], float]
    """Seconds since the epoch."""
    _grants: dict[str, _Grant] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def accept(
        self,
        token: str,
        *,
        workspaces: Collection[str] | None = None,
        lifetime: float | None = None,
    ) -> None:
        """Accept a token for some workspaces (None: all), for so many seconds (None: for good)."""
        opened = None if workspaces is None else frozenset(workspaces)
        expires = None if lifetime is None else self.now() + lifetime
        with self._lock:
            self._grants[token] = _Grant(opened, expires)

    def revoke(self, token: str) -> None:
        """Accept a token no more; nothing if it was not."""
        with self._lock:
            self._grants.pop(token, None)

    def workspaces(self, authorization: str | None) -> frozenset[str] | None:
        """What the header ``Authorization`` of a request opens; None is everything.

        Raises:
            PortalError: there is no token, or one that is not accepted (401).
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise PortalError(401, "not authenticated")
        with self._lock:
            grant = self._grants.get(token.strip())
        if grant is None:
            raise PortalError(401, "invalid token")
        if grant.expires is not None and grant.expires <= self.now():
            raise PortalError(401, "token expired")
        return grant.workspaces
