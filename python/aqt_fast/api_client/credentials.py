"""The bearer token: where it is kept, and how it is renewed once for all requests that wait."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable, Generator

import httpx

from aqt_fast.exceptions import AQTCredentialsError, InsecureConnectionError

_HIDDEN = "[token]"

_ANSWER_HOLDS_SECONDS = 1.0
"""That there is no other token is believed for so long: somebody may log in any time."""


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
        self._token = ""
        self._token = _checked(token)
        self._renew = renew
        self._seen = frozenset({self._token} - {""})
        self._refused: dict[str, float] = {}
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
            since = time.monotonic() - self._refused.get(refused, -math.inf)
            if self._renew is None or since < _ANSWER_HOLDS_SECONDS:
                return None
            token = _checked(self._renew(refused) or "")
            if token in ("", refused):
                self._refused[refused] = time.monotonic()
                return None
            self._token = token
            self._seen |= {token}
            return token

    def replace(self, token: str, renew: Callable[[str], str | None] | None) -> None:
        """Take another token from now on.

        Raises:
            AQTCredentialsError: as when it is made.
        """
        with self._lock:
            self._token = _checked(token)
            self._seen |= {self._token} - {""}
            self._renew = renew

    def redact(self, text: str) -> str:
        """Replace every token that was ever in use by a mark."""
        for token in sorted(self._seen, key=len, reverse=True):
            text = text.replace(token, _HIDDEN)
        return text

    def redact_chain(self, error: BaseException | None) -> None:
        """Replace every token in what an exception and those that led to it say.

        They are somebody else's, and may quote what the server has sent.
        """
        while error is not None:
            error.args = tuple(map(self._redact_text, error.args))
            attributes = vars(error)
            attributes.update({name: self._redact_text(item) for name, item in attributes.items()})
            error = error.__cause__ or error.__context__

    def _redact_text(self, value: object) -> object:
        return self.redact(value) if isinstance(value, str) else value


class BearerAuth(httpx.Auth):
    """Puts the token into each request, and another one if it is refused."""

    def __init__(self, credentials: Credentials) -> None:
        """Takes the token from ``credentials`` each time: there may be none at first."""
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with the token; after 401 once more with a renewed one."""
        token = self._credentials.token
        if not token:
            yield request
            return
        check_protected(request.url)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            renewed = self._credentials.renewed(token)
            if renewed:
                request.headers["Authorization"] = f"Bearer {renewed}"
                yield request


def check_protected(url: httpx.URL) -> None:
    """Refuse to send a token over plain HTTP to another machine.

    Raises:
        InsecureConnectionError: that is what would happen.
    """
    if url.scheme == "http" and not _is_loopback(url.host):
        raise InsecureConnectionError(
            f"{url}: the access token is not sent over plain HTTP to another machine; use https://"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(token: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        # The token itself must not be shown, not even the wrong one.
        raise AQTCredentialsError("the access token has characters that no token has")
    return token
