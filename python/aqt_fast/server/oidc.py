"""The login: a small OpenID Connect provider with Auth0's paths.

It has the flows of ``aqt-connector``:

- device code: the user counts as logged in after a few requests for the token;
- client credentials;
- refresh tokens: each can be used once.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aqt_fast.server.access_tokens import AccessTokens

if TYPE_CHECKING:
    from aqt_connector._sdk_config import AuthenticationConfig

DEVICE_CLIENT_ID = "aqt-fast-device"
"""Client identifier of the application that a user logs in with."""

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_KEY_ID = "aqt-fast-server"
_SUBJECT = "local|user"


class _OAuthError(Exception):
    """A refusal with ``error`` and ``error_description``, see RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.response = JSONResponse(
            {"error": error, "error_description": description}, status_code=status
        )


@dataclass
class OIDCProvider:
    """Issues signed tokens; the portal accepts them until they expire."""

    tokens: AccessTokens
    url: Callable[[], str]
    """Returns the server's URL, without a slash at the end."""
    lifetime: float
    """Seconds until an access token expires."""
    pending: int
    """Number of requests for a token that get ``authorization_pending`` first."""
    interval: float
    """Seconds that the client is to wait between these requests."""
    clients: Mapping[str, str] = field(repr=False)
    """Secret of each client identifier, for client credentials."""
    _codes: dict[str, int] = field(default_factory=dict, repr=False)
    _refresh_tokens: set[str] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _key: Any = field(default=None, repr=False)

    def routes(self) -> list[Route]:
        """Return the provider's routes, at the root of the server."""
        return [
            Route("/oauth/device/code", self._device_code, methods=["POST"]),
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/.well-known/jwks.json", self._jwks, methods=["GET"]),
        ]

    @property
    def audience(self) -> str:
        """The claim ``aud`` of access tokens: ``arnica_url`` of aqt-connector."""
        return f"{self.url()}/api"

    @property
    def issuer(self) -> str:
        """The claim ``iss``."""
        return f"{self.url()}/"

    def config(self) -> AuthenticationConfig:
        """Make the settings ``ArnicaConfig.oidc_config`` of aqt-connector."""
        from aqt_connector._sdk_config import AuthenticationConfig

        return AuthenticationConfig(
            audience=self.audience,
            issuer=self.issuer,
            jwks_url=f"{self.url()}/.well-known/jwks.json",
            device_client_id=DEVICE_CLIENT_ID,
        )

    async def _device_code(self, request: Request) -> Response:
        if (await _fields(request)).get("client_id") != DEVICE_CLIENT_ID:
            return _OAuthError(403, "unauthorized_client", "unknown client").response
        code = uuid.uuid4().hex
        user_code = f"{code[:4]}-{code[4:8]}".upper()
        with self._lock:
            self._codes[code] = self.pending
        page = f"{self.url()}/activate"
        return JSONResponse(
            {
                "device_code": code,
                "user_code": user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={user_code}",
                "expires_in": 900,
                "interval": self.interval,
            }
        )

    async def _token(self, request: Request) -> Response:
        fields = await _fields(request)
        try:
            # Making the key and signing take long: keep the event loop free.
            grant = await asyncio.to_thread(self._grant, fields)
        except _OAuthError as error:
            return error.response
        return JSONResponse(grant, headers={"cache-control": "no-store"})

    async def _jwks(self, _: Request) -> Response:
        from jwt.algorithms import RSAAlgorithm

        key = await asyncio.to_thread(self._signing_key)
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**public, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]})

    def _grant(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return the response to a request for a token.

        Raises:
            _OAuthError: the request is refused.
        """
        grant = fields.get("grant_type")
        if grant == "client_credentials":
            client, secret = fields.get("client_id", ""), fields.get("client_secret")
            if self.clients.get(client) is None or self.clients[client] != secret:
                raise _OAuthError(401, "access_denied", "unauthorized")
            if fields.get("audience") != self.audience:
                raise _OAuthError(403, "access_denied", "unknown audience")
            return self._issue_all(f"{client}@clients")
        if fields.get("client_id") != DEVICE_CLIENT_ID:
            raise _OAuthError(403, "unauthorized_client", "unknown client")
        if grant == _DEVICE_CODE:
            self._redeem(fields.get("device_code", ""))
        elif grant == "refresh_token":
            with self._lock:
                token = fields.get("refresh_token", "")
                if token not in self._refresh_tokens:
                    raise _OAuthError(403, "invalid_grant", "unknown or used refresh token")
                self._refresh_tokens.remove(token)
        else:
            raise _OAuthError(403, "unsupported_grant_type", "unsupported grant type")
        return self._issue_all(_SUBJECT, with_refresh=True)

    def _redeem(self, code: str) -> None:
        """Use up a device code."""
        with self._lock:
            pending = self._codes.get(code)
            if pending is None:
                raise _OAuthError(403, "invalid_grant", "unknown or used device code")
            if pending > 0:
                self._codes[code] = pending - 1
                raise _OAuthError(403, "authorization_pending", "the user has not yet logged in")
            del self._codes[code]

    def _issue_all(self, subject: str, *, with_refresh: bool = False) -> dict[str, Any]:
        tokens: dict[str, Any] = {
            "access_token": self._issue(subject, self.audience),
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
        }
        if with_refresh:
            # aqt-connector uses the identity token of a first login as its access token.
            tokens["id_token"] = self._issue(subject, DEVICE_CLIENT_ID)
            tokens["refresh_token"] = uuid.uuid4().hex
            with self._lock:
                self._refresh_tokens.add(tokens["refresh_token"])
        return tokens

    def _issue(self, subject: str, audience: str) -> str:
        """Sign a token and let the portal accept it."""
        import jwt

        now = self.tokens.now()
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "iat": int(now),
            "exp": int(now + self.lifetime),
            "jti": uuid.uuid4().hex,
        }
        token = jwt.encode(claims, self._signing_key(), algorithm="RS256", headers={"kid": _KEY_ID})
        self.tokens.accept(token, lifetime=self.lifetime)
        return token

    def _signing_key(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import rsa

        with self._lock:
            if self._key is None:
                self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return self._key


async def _fields(request: Request) -> dict[str, str]:
    """Read a form or a JSON object; any other body has no fields."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            return {}
        return parsed if isinstance(parsed, dict) else {}
    return {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
