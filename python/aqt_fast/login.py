"""Access tokens on this machine: found, saved, and renewed through AQT's own login package."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aqt_fast.exceptions import APIConnectionError, AQTCredentialsError

if TYPE_CHECKING:
    from aqt_fast.arnica_config import ArnicaConfig

_ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a file
_REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a file


def default_directory() -> Path:
    """Where AQT's packages keep configuration and tokens."""
    return Path.home() / ".aqt"


class TokenStore:
    """The tokens of the last login, in files that only their owner can read."""

    def __init__(self, directory: Path | None = None) -> None:
        """``directory`` is made when something is saved; None stands for ``~/.aqt``."""
        self.directory = default_directory() if directory is None else directory

    def access_token(self) -> str | None:
        """The saved access token, None if there is none.

        Raises:
            AQTCredentialsError: others can read the file.
        """
        return self._read(_ACCESS_TOKEN)

    def refresh_token(self) -> str | None:
        """The saved refresh token, None if there is none.

        Raises:
            AQTCredentialsError: others can read the file.
        """
        return self._read(_REFRESH_TOKEN)

    def save(self, access_token: str, refresh_token: str | None) -> None:
        """Save the tokens of a login; what was there before is replaced.

        Raises:
            OSError: the directory or a file cannot be written.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, token in ((_ACCESS_TOKEN, access_token), (_REFRESH_TOKEN, refresh_token)):
            path = self.directory / name
            if token is None:
                path.unlink(missing_ok=True)
                continue
            descriptor, temporary = tempfile.mkstemp(dir=self.directory, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(token)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def _read(self, name: str) -> str | None:
        path = self.directory / name
        try:
            with path.open() as file:
                mode = os.fstat(file.fileno()).st_mode
                if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise AQTCredentialsError(
                        f"others can read the access token in {path}: run 'chmod 600 {path}', "
                        f"and log in again if somebody may have read it"
                    )
                return file.read().strip() or None
        except FileNotFoundError:
            return None
        except AQTCredentialsError:
            raise
        except (OSError, UnicodeDecodeError) as error:
            raise AQTCredentialsError(f"cannot read the access token in {path}: {error}") from error


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

        from aqt_fast.arnica_config import ArnicaConfig
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
