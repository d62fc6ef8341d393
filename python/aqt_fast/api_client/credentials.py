"""The bearer token: where it is kept, and how it is renewed once for all requests that wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import httpx

from aqt_fast.exceptions import AQTCredentialsError

_HIDDEN = "[token]"


class Credentials:
    """An access token and, where there is one, the way to the next.

    Args:
        token: the bearer token, or the empty string for none.
        renew: is given the token that was refused, and returns a new one, or None if there is
            none to be had.

    Raises:
        AQTCredentialsError: the token has characters that no HTTP header can carry.
    """

    def __init__(self, token: str, renew: Callable[[str], str | None] | None = None) -> None:
        """Neither ``repr`` nor any message of this class shows the token."""
        self._token = _checked(token)
        self._renew = renew
        self._seen = {self._token} - {""}
        self._refused: set[str] = set()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Credentials({'a token' if self._token else 'no token'})>"

    @property
    def token(self) -> str:
        """The token, or the empty string."""
        return self._token

    def renewed(self, refused: str) -> str | None:
        """A token other than the one that was refused, None if there is none to be had.

        Many requests may find out at the same time that their token has expired: the first renews
        it and the others wait for what that gives.
        """
        with self._lock:
            if self._token != refused:
                return self._token
            if self._renew is None or refused in self._refused:
                return None
            token = _checked(self._renew(refused) or "")
            if token in ("", refused):
                self._refused.add(refused)
                return None
            self._token = token
            self._seen.add(token)
            return token

    def replace(self, token: str, renew: Callable[[str], str | None] | None) -> None:
        """Take another token from now on.

        Raises:
            AQTCredentialsError: as when it is made.
        """
        with self._lock:
            self._token = _checked(token)
            self._seen.add(self._token)
            self._renew = renew

    def redact(self, text: str) -> str:
        """Replace every token that was ever in use by a mark."""
        for token in self._seen:
            text = text.replace(token, _HIDDEN)
        return text


class BearerAuth(httpx.Auth):
    """Puts the token into each request, and another one if it is refused."""

    def __init__(self, credentials: Credentials) -> None:
        """Takes the token from ``credentials`` each time."""
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with the token; after 401 once more with a renewed one."""
        token = self._credentials.token
        if not token:
            yield request
            return
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            renewed = self._credentials.renewed(token)
            if renewed:
                request.headers["Authorization"] = f"Bearer {renewed}"
                yield request


def _checked(token: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        # The token itself must not be shown, not even the wrong one.
        raise AQTCredentialsError("the access token has characters that no token has")
    return token
