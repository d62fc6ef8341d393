"""Codes of the login with a device: who may redeem them, and when."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

LIFETIME = 900
"""Seconds until a device code expires."""
MOST_CODES = 100
"""Device codes that wait to be redeemed at one time; more are refused."""
MOST_CODES_EACH = 10
"""The same for one client, if a person must confirm logins."""
MOST_TRIES = 5
"""Wrong confirmation codes until a login is denied."""

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class CodeError(Exception):
    """A device code cannot be redeemed; ``args`` are OAuth's error and its description."""


@dataclass(eq=False)
class DeviceCode:
    """A log-in that has begun."""

    user_code: str
    client: str
    """Who has begun it, see :func:`~aqt_fast.server.addresses.client_name`."""
    confirmation: str | None
    """What the person enters on the page of the login; None if nobody needs to confirm it."""
    pending: int
    """Number of requests for a token that come too early."""
    expires: float
    device_code: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)
    tries: int = MOST_TRIES


class DeviceCodes:
    """The logins that have begun; the event loop and its threads share them."""

    def __init__(self, now: Callable[[], float], *, pending: int, confirm: bool) -> None:
        """Begin without logins.

        Args:
            now: returns seconds since the epoch.
            pending: number of requests for a token that come too early, if nobody confirms it.
            confirm: whether a person must confirm each login.
        """
        self.confirm = confirm
        self._now = now
        self._pending = pending
        self._codes: dict[str, DeviceCode] = {}
        self._lock = threading.Lock()

    def begin(self, client: str) -> DeviceCode:
        """Begin a login for a client.

        Raises:
            CodeError: too many are under way.
        """
        with self._lock:
            now = self._now()
            for expired in [code for code in self._codes.values() if code.expires <= now]:
                del self._codes[expired.device_code]
            own = sum(code.client == client for code in self._codes.values())
            if len(self._codes) >= MOST_CODES or (self.confirm and own >= MOST_CODES_EACH):
                raise CodeError("slow_down", "too many logins are under way")
            code = DeviceCode(
                user_code=_code(),
                client=client,
                confirmation=_code() if self.confirm else None,
                pending=0 if self.confirm else self._pending,
                expires=now + LIFETIME,
            )
            self._codes[code.device_code] = code
            return code

    def confirm_log_in(self, user_code: str, confirmation: str) -> bool:
        """Confirm a login; return False for a wrong code, or one that cannot be confirmed."""
        with self._lock:
            codes = (code for code in self._codes.values() if code.user_code == user_code)
            code = next(codes, None)
            if code is None or code.confirmation is None or code.expires <= self._now():
                return False
            if code.tries <= 0:
                return False
            entered = confirmation.strip().upper().encode()
            if not secrets.compare_digest(entered, code.confirmation.encode()):
                code.tries -= 1
                return False
            code.confirmation = None
            return True

    def redeem(self, device_code: str) -> None:
        """Use up a device code.

        Raises:
            CodeError: it cannot be used, or not yet.
        """
        with self._lock:
            code = self._codes.get(device_code)
            if code is None:
                raise CodeError("invalid_grant", "unknown or used device code")
            if code.expires <= self._now():
                raise CodeError("expired_token", "the device code has expired")
            if code.tries <= 0:
                raise CodeError("access_denied", "wrong confirmation codes were entered")
            if code.confirmation is not None or code.pending > 0:
                code.pending -= 1
                raise CodeError("authorization_pending", "the user has not yet logged in")
            del self._codes[device_code]


def _code() -> str:
    """Return a random code of 40 bits that a person can read and type."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
