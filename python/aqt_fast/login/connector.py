"""Logging in and renewing tokens, through AQT's own package ``aqt-connector``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from aqt_fast.exceptions import APIConnectionError, AQTCredentialsError

if TYPE_CHECKING:
    from aqt_fast.login.config import ArnicaConfig
    from aqt_fast.login.tokens import TokenStore


def log_in(config: ArnicaConfig | None, store: TokenStore, *, out: TextIO) -> str:
    """Log in to AQT's cloud and save the tokens.

    With a client's id and secret (``AQT_CLIENT_ID`` and ``AQT_CLIENT_SECRET``, or in the
    configuration) that needs nobody; without, somebody has to open a link.

    Args:
        config: how to log in, None for what the environment and ``~/.aqt/config`` say.
        store: where the tokens are saved.
        out: where the link is shown.

    Returns:
        The access token.

    Raises:
        AQTCredentialsError: the login has failed, or the package ``aqt-connector`` is missing.
    """
    with _app(config) as app:
        try:
            if app.config.client_id and app.config.client_secret:
                access, refresh = _with_client(app), None
            else:
                access, refresh = app.oidc_service.authenticate_device(out=out)
        except Exception as error:
            raise AQTCredentialsError(f"the login has failed: {_reason(error)}") from error
        keep = app.config.store_access_token
    if keep:
        store.save(access, refresh)
    return str(access)


def renew(config: ArnicaConfig | None, store: TokenStore, refused: str) -> str | None:
    """Find another token than the one that was refused, None if somebody has to log in.

    Takes a token that another process has saved in the meantime, or the refresh token of the last
    login, or the client's id and secret.

    Raises:
        AQTCredentialsError: others can read the tokens, or AQT's login refuses to renew them.
        APIConnectionError: AQT's login cannot be reached.
    """
    import httpx  # loaded already by who asks; the provider must not wait for it

    saved = store.access_token()
    if saved and saved != refused:
        return saved
    refresh = store.refresh_token()
    try:
        app = _app(config)
    except AQTCredentialsError:
        return None
    with app:
        try:
            if refresh:
                access, refresh = app.oidc_service.authenticate_with_refresh_token(refresh)
            elif app.config.client_id and app.config.client_secret:
                access, refresh = _with_client(app), None
            else:
                return None
        except (httpx.TransportError, OSError) as error:
            # PermissionError is what the package raises for a refusal.
            kind = AQTCredentialsError if isinstance(error, PermissionError) else APIConnectionError
            raise kind(f"the token cannot be renewed: {_reason(error)}") from error
        except Exception as error:
            raise AQTCredentialsError(f"the token cannot be renewed: {_reason(error)}") from error
        keep = app.config.store_access_token
    if keep:
        with suppress(OSError):  # it is good all the same
            store.save(access, refresh)
    return str(access)


def _app(config: ArnicaConfig | None) -> Any:
    """AQT's own package, which knows how to log in.

    Raises:
        AQTCredentialsError: it is not installed.
    """
    try:
        import aqt_connector

        from aqt_fast.login.config import ArnicaConfig
    except ImportError as error:
        raise AQTCredentialsError(
            "logging in needs the package aqt-connector: pip install 'aqt-fast[login]'"
        ) from error
    return aqt_connector.ArnicaApp(ArnicaConfig() if config is None else config)


def _with_client(app: Any) -> str:
    credentials = (app.config.client_id, app.config.client_secret)
    return str(app.oidc_service.authenticate_with_client_credentials(credentials))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}{f': {error}' if str(error) else ''}"
