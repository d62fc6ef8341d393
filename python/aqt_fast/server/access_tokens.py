"""Bearer tokens, and the workspaces that each one opens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from aqt_fast.server.errors import PortalError


@dataclass(frozen=True)
class _Grant:
    workspaces: frozenset[str] | None
    expires: float | None

    def has_ended(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now


@dataclass
class AccessTokens:
    """The tokens that the server accepts now."""

    now: Callable[[], float]
    """Returns seconds since the epoch."""
    _grants: dict[str, _Grant] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def accept(
        self,
        token: str,
        *,
        workspaces: Collection[str] | None = None,
        lifetime: float | None = None,
    ) -> None:
        """Accept a token from now on; a second call replaces the first.

        Args:
            token: without ``Bearer``.
            workspaces: identifiers; None opens all workspaces.
            lifetime: in seconds; None means no expiry.
        """
        opened = None if workspaces is None else frozenset(workspaces)
        now = self.now()
        expires = None if lifetime is None else now + lifetime
        with self._lock:
            for ended in [known for known, grant in self._grants.items() if grant.has_ended(now)]:
                del self._grants[ended]
            self._grants[token] = _Grant(opened, expires)

    def revoke(self, token: str) -> None:
        """Stop accepting a token; ignore a token that is not accepted."""
        with self._lock:
            self._grants.pop(token, None)

    def workspaces(self, authorization: str | None) -> frozenset[str] | None:
        """Return the workspaces that the header ``Authorization`` opens; None means all.

        Raises:
            PortalError: the token is missing, unknown or expired (401).
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise PortalError(401, "not authenticated")
        with self._lock:
            grant = self._grants.get(token.strip())
        if grant is None:
            raise PortalError(401, "invalid token")
        if grant.has_ended(self.now()):
            raise PortalError(401, "token expired")
        return grant.workspaces
