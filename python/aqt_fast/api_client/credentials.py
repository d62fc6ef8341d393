"""The access token: where it is kept, and how one renewal serves all requests that wait."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NoReturn

import httpx

from aqt_fast._forks import ForkSafeLock
from aqt_fast.api_client.urls import is_private, is_protected
from aqt_fast.exceptions import AQTCredentialsError, AQTError, InsecureConnectionError

_HIDDEN = "[token]"

_NO_RENEWAL_SECONDS = 1.0
"""After a renewal that gave no token, none is tried for this time: somebody may log in later."""


class Credentials:
    """An access token and, where there is one, the way to the next.

    Args:
        token: the access token, or the empty string for none.
        renew: takes the token that was refused, and returns a new one, or None if there is none.
        missing: why there is no token, for the message of a server that wants one.

    Raises:
        AQTCredentialsError: the token has characters that no HTTP header can carry.
    """

    def __init__(
        self,
        token: str,
        renew: Callable[[str], str | None] | None = None,
        *,
        missing: str = "there is no access token: give one, or log in",
    ) -> None:
        """Neither ``repr`` nor any message of this class shows the token."""
        self._token = _checked(token)
        self._renew = renew
        self._seen = frozenset({self._token} - {""})
        self._refused: dict[str, float] = {}
        self._missing = missing
        self._plain_http: set[tuple[str, int | None]] = set()
        """Hosts and ports that may get the token over plain HTTP."""
        self._lock = ForkSafeLock()

    def __repr__(self) -> str:
        return f"<Credentials({'a token' if self._token else 'no token'})>"

    @property
    def token(self) -> str:
        """The token, or the empty string."""
        return self._token

    @property
    def advice(self) -> str:
        """What to do when a server does not accept the token, or wants one."""
        if not self._token:
            return self._missing
        return "the access token is not accepted, log in again or give another token"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an access token is neither copied nor pickled")

    def renewed(self, refused: str) -> str | None:
        """Get a token other than the one that was refused; None if there is none.

        Several requests may learn at the same time that their token has expired. The first renews
        it, the others wait and take the same new token.

        Raises:
            AQTCredentialsError: the login refuses, or gives what cannot be a token.
            APIConnectionError: the login cannot be reached.
        """
        with self._lock:
            if self._token != refused:
                return self._token
            since = time.monotonic() - self._refused.get(refused, -math.inf)
            if self._renew is None or since < _NO_RENEWAL_SECONDS:
                return None
            try:
                token = _checked(self._renew(refused) or "")
            except AQTError:
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise AQTCredentialsError(f"the token cannot be renewed: {reason}") from error
            if token in ("", refused):
                self._refused[refused] = time.monotonic()
                return None
            self._token = token
            self._seen |= {token}
            return token

    def replace(self, token: str, renew: Callable[[str], str | None] | None) -> None:
        """Use another token from now on.

        Raises:
            AQTCredentialsError: the token has characters that no HTTP header can carry.
        """
        with self._lock:
            self._token = _checked(token)
            self._seen |= {self._token} - {""}
            self._renew = renew

    def allow_plain_http(self, url: httpx.URL) -> None:
        """Let this server have the token over plain HTTP, where others can read it.

        Args:
            url: the server; its host is an address in a private network, or a link-local one.

        Raises:
            InsecureConnectionError: the host is none of these.
        """
        if not (is_protected(url) or is_private(url.host)):
            raise InsecureConnectionError(
                f"{url}: plain HTTP can be allowed for private and link-local addresses only, such "
                "as 192.168.0.7; use https://, or the address instead of the name"
            )
        self._plain_http.add((url.host, url.port))

    def check_protected(self, url: httpx.URL) -> None:
        """Refuse a URL to which the token would travel over plain HTTP.

        Raises:
            InsecureConnectionError: it is another machine's, and :meth:`allow_plain_http` was not
                called for it.
        """
        if self._token and not is_protected(url) and (url.host, url.port) not in self._plain_http:
            raise InsecureConnectionError(
                f"{url}: the access token is not sent over plain HTTP to another machine; use "
                "https://, or allow_plain_http=True for a direct-access machine in a private "
                "network"
            )

    def redact(self, text: str) -> str:
        """Hide every token that was ever in use."""
        for token in sorted(self._seen, key=len, reverse=True):
            text = text.replace(token, _HIDDEN)
        return text

    def redact_chain(self, error: BaseException | None) -> None:
        """Hide every token in an exception and in those that led to it.

        Exceptions of other packages may quote what the server has sent.
        """
        while error is not None:
            error.args = tuple(map(self._redact_text, error.args))
            attributes = vars(error)
            attributes.update({name: self._redact_text(item) for name, item in attributes.items()})
            error = error.__cause__ or error.__context__

    def _redact_text(self, value: object) -> object:
        return self.redact(value) if isinstance(value, str) else value


def _checked(token: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        # The message must not show the token, not even a wrong one.
        raise AQTCredentialsError("the access token has characters that no token has")
    return token
