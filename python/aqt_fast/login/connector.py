"""Log in and renew tokens with AQT's own package ``aqt-connector``."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from aqt_fast._texts import one_line
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL, is_same_portal
from aqt_fast.exceptions import APIConnectionError, AQTCredentialsError
from aqt_fast.login.tokens import Origin

if TYPE_CHECKING:
    from aqt_fast.login.config import ArnicaConfig
    from aqt_fast.login.tokens import TokenStore


def log_in(
    config: ArnicaConfig | None,
    store: TokenStore,
    portal_url: str,
    *,
    defaults: Mapping[str, str] | None = None,
    out: TextIO,
) -> str:
    """Log in to AQT's cloud and save the tokens, with a note which portal they are for.

    With a client's id and secret (``AQT_CLIENT_ID`` and ``AQT_CLIENT_SECRET``, or in the
    configuration), this runs unattended. Otherwise, the user must open a link.

    Args:
        config: how to log in, None to read the environment and ``~/.aqt/config``.
        store: where to save the tokens.
        portal_url: the portal that the token is wanted for.
        defaults: variables ``AQT_…`` to use without ``config``, unless the environment has them.
        out: where to print the link.

    Returns:
        The access token.

    Raises:
        AQTCredentialsError: the login has failed, would give a token for another portal, or
            ``aqt-connector`` is not installed.
        InvalidSettingError: a proxy or certificates of the environment cannot be used.
    """
    with _app(config, defaults) as app:
        origin = _origin(app)
        if not is_same_portal(origin.portal_url, portal_url):
            raise AQTCredentialsError(
                f"this login gives a token for {origin.portal_url}, not for {portal_url}: if that "
                "has a login of its own, name it with AQT_ARNICA_URL (its URL with /api), else set "
                "AQT_TOKEN"
            )
        try:
            if app.config.client_id and app.config.client_secret:
                access, refresh = _with_client(app), None
            else:
                access, refresh = app.oidc_service.authenticate_device(out=Shown(out))
        except Exception as error:
            raise AQTCredentialsError(f"the login has failed: {_reason(error)}") from error
        keep = app.config.store_access_token
    if keep:
        store.save(access, refresh, origin)
    return str(access)


def renew(
    config: ArnicaConfig | None,
    store: TokenStore,
    refused: str,
    portal_url: str,
    defaults: Mapping[str, str] | None = None,
) -> str | None:
    """Return a new token in place of a refused one, None if the user must log in.

    The new token is one that another process has saved meanwhile for the same portal. Otherwise,
    get one with the refresh token of the last login, which only its issuer gets, or with the
    client's id and secret.

    Raises:
        AQTCredentialsError: others can read the tokens, the configuration cannot be read, or AQT's
            login refuses to renew the token.
        InvalidSettingError: a proxy or certificates of the environment cannot be used.
        APIConnectionError: AQT's login cannot be reached.
    """
    import httpx  # loaded by the HTTP client already; importing the provider must not load it

    saved = store.access_token_for(portal_url)
    if saved and saved != refused:
        return saved
    refresh = store.refresh_token()
    if importlib.util.find_spec("aqt_connector") is None:
        return None
    with _app(config, defaults) as app:
        origin = _origin(app)
        if not is_same_portal(origin.portal_url, portal_url):
            return None
        if refresh and not store.origin(refresh).agrees_with(origin):
            refresh = None
        try:
            if refresh:
                access, refresh = app.oidc_service.authenticate_with_refresh_token(refresh)
            elif app.config.client_id and app.config.client_secret:
                access, refresh = _with_client(app), None
            else:
                return None
        except (httpx.TransportError, OSError) as error:
            # The package raises PermissionError for a refusal.
            kind = AQTCredentialsError if isinstance(error, PermissionError) else APIConnectionError
            raise kind(f"the token cannot be renewed: {_reason(error)}") from error
        except Exception as error:
            raise AQTCredentialsError(f"the token cannot be renewed: {_reason(error)}") from error
        keep = app.config.store_access_token
    if keep:
        with suppress(OSError):  # the token is valid even if it cannot be saved
            store.save(access, refresh, origin)
    return str(access)


class Shown:
    """A stream for texts of others: it writes nothing that a terminal would obey.

    Args:
        out: where to write.
    """

    def __init__(self, out: TextIO) -> None:
        """Write nothing yet."""
        self._out = out

    def write(self, text: str) -> int:
        """Write a text with its lines, and with the blanks that the link's QR code is made of."""
        return self._out.write(
            "".join(letter if letter in "\n\xa0" else one_line(letter) for letter in text)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def _app(config: ArnicaConfig | None, defaults: Mapping[str, str] | None) -> Any:
    """Make AQT's own application object, which implements the login.

    Raises:
        AQTCredentialsError: ``aqt-connector`` is not installed, or the configuration cannot be
            read.
        InvalidSettingError: a proxy or certificates of the environment cannot be used.
    """
    try:
        import aqt_connector

        from aqt_fast.login.config import ArnicaConfig
    except ImportError as error:
        raise AQTCredentialsError(
            "logging in needs the package aqt-connector: pip install 'aqt-fast[login]'"
        ) from error
    from aqt_fast.api_client.environment import check_for_httpx  # loads httpx, as above

    check_for_httpx()
    try:
        config = ArnicaConfig(defaults=defaults) if config is None else config
        return aqt_connector.ArnicaApp(config)
    except Exception as error:
        reason = f"the login's configuration cannot be used: {_reason(error)}"
        raise AQTCredentialsError(reason) from error


def _origin(app: Any) -> Origin:
    """Return what gives the tokens of a login."""
    return Origin(app.config.portal_url or DEFAULT_PORTAL_URL, app.config.oidc_config.issuer)


def _with_client(app: Any) -> str:
    credentials = (app.config.client_id, app.config.client_secret)
    return str(app.oidc_service.authenticate_with_client_credentials(credentials))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}{f': {error}' if str(error) else ''}"
