"""The login: a small OpenID Connect provider with Auth0's paths.

It has the flows of ``aqt-connector``:

- device code: the user counts as logged in after a few requests for the token, or confirms it;
- client credentials;
- refresh tokens: each can be used once.
"""

from __future__ import annotations

import asyncio
import secrets
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
from aqt_fast.server.addresses import client_name
from aqt_fast.server.bodies import read_short
from aqt_fast.server.device_codes import LIFETIME, CodeError, DeviceCodes
from aqt_fast.server.log_in_page import PATH, form_page, text_page

if TYPE_CHECKING:
    from aqt_connector._sdk_config import AuthenticationConfig

DEVICE_CLIENT_ID = "aqt-fast-device"
"""Client identifier of the application that a user logs in with."""

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_KEY_ID = "aqt-fast-server"
_SUBJECT = "local|user"
_MOST_REFRESH_TOKENS = 1000
"""Refresh tokens that are accepted at one time; the oldest are forgotten."""


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
    codes: DeviceCodes = field(repr=False)
    """Logins that have begun."""
    interval: float
    """Seconds that a client is to wait between its requests for a token."""
    clients: Mapping[str, str] = field(repr=False)
    """Secret of each client identifier, for client credentials."""
    enabled: bool
    """If False, every request is refused."""
    console: Callable[[str], object] = field(repr=False)
    """Takes a line for the person who runs the server."""
    _refresh_tokens: dict[str, None] = field(default_factory=dict, repr=False)
    """In order of issue."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _key: Any = field(default=None, repr=False)

    def routes(self) -> list[Route]:
        """Return the provider's routes, at the root of the server."""
        served: list[tuple[str, Callable[[Request], Any], list[str]]] = [
            ("/oauth/device/code", self._device_code, ["POST"]),
            ("/oauth/token", self._token, ["POST"]),
            ("/.well-known/jwks.json", self._jwks, ["GET"]),
            (PATH, self._page, ["GET", "POST"]),
        ]
        return [
            Route(path, serve if self.enabled else self._refuse, methods=methods)
            for path, serve, methods in served
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

    async def _refuse(self, _: Request) -> Response:
        advice = "start it with --log-in, or ArnicaServer(log_in=True)"
        return _OAuthError(403, "access_denied", f"this server has no login: {advice}").response

    async def _device_code(self, request: Request) -> Response:
        if (await _fields(request)).get("client_id") != DEVICE_CLIENT_ID:
            return _OAuthError(403, "unauthorized_client", "unknown client").response
        client = request.client.host if request.client is not None else "an unknown client"
        try:
            code = self.codes.begin(client_name(client))
        except CodeError as error:
            return _OAuthError(429, *error.args).response
        page = f"http://{request.headers['host']}{PATH}"
        if code.confirmation is not None:
            # Nothing that the client has sent: who reads this enters the code where it says.
            line = (
                f"{client} asks to log in with the code {code.user_code}. To confirm it, enter "
                f"{code.confirmation} at {self.url()}{PATH}?user_code={code.user_code} "
                "(other addresses of this server have this page, too)"
            )
            await asyncio.to_thread(self.console, line)
        return JSONResponse(
            {
                "device_code": code.device_code,
                "user_code": code.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={code.user_code}",
                "expires_in": LIFETIME,
                "interval": self.interval,
            }
        )

    async def _page(self, request: Request) -> Response:
        if not self.codes.confirm:
            return text_page("You are logged in. You can close this page.")
        if request.method != "POST":
            return form_page(request.query_params.get("user_code", ""))
        fields = await _fields(request)
        user_code = fields.get("user_code", "")
        if self.codes.confirm_log_in(user_code, fields.get("confirmation_code", "")):
            return text_page("The login is confirmed. You can close this page.")
        return form_page(user_code, failed=True)

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
            client, secret = fields.get("client_id", ""), fields.get("client_secret", "")
            right = self.clients.get(client)
            if right is None or not secrets.compare_digest(right.encode(), secret.encode()):
                raise _OAuthError(401, "access_denied", "unauthorized")
            if fields.get("audience") != self.audience:
                raise _OAuthError(403, "access_denied", "unknown audience")
            return self._issue_all(f"{client}@clients")
        if fields.get("client_id") != DEVICE_CLIENT_ID:
            raise _OAuthError(403, "unauthorized_client", "unknown client")
        if grant == _DEVICE_CODE:
            try:
                self.codes.redeem(fields.get("device_code", ""))
            except CodeError as error:
                raise _OAuthError(403, *error.args) from None
        elif grant == "refresh_token":
            with self._lock:
                token = fields.get("refresh_token", "")
                if token not in self._refresh_tokens:
                    raise _OAuthError(403, "invalid_grant", "unknown or used refresh token")
                del self._refresh_tokens[token]
        else:
            raise _OAuthError(403, "unsupported_grant_type", "unsupported grant type")
        return self._issue_all(_SUBJECT, with_refresh=True)

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
                self._refresh_tokens[tokens["refresh_token"]] = None
                if len(self._refresh_tokens) > _MOST_REFRESH_TOKENS:
                    del self._refresh_tokens[next(iter(self._refresh_tokens))]
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
    """Read the texts of a form or of a JSON object; any other body has no fields.

    Raises:
        PortalError: the body is too long (413).
    """
    body = await read_short(request)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            return {}
        fields = parsed.items() if isinstance(parsed, dict) else ()
        return {name: value for name, value in fields if isinstance(value, str)}
    return {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
