"""Configuration of the login to AQT's cloud. Requires the ``login`` extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

try:
    import aqt_connector
except ImportError as error:
    raise ImportError(f"{error}; install aqt-fast[login]") from error

from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL
from aqt_fast.login.tokens import default_directory

_DEFAULT_API = f"{DEFAULT_PORTAL_URL}/api"


class ArnicaConfig(aqt_connector.ArnicaConfig):
    """Client id and secret, directory of the tokens, their issuer, and the portal.

    Settable attributes are those of ``aqt_connector.ArnicaConfig``: ``arnica_url``, ``client_id``,
    ``client_secret``, ``store_access_token``, ``oidc_config``. Initial values come from the file
    ``config`` in the directory and from the variables ``AQT_CLIENT_ID`` ….
    """

    def __init__(
        self, store_path: str | Path | None = None, *, defaults: Mapping[str, str] | None = None
    ) -> None:
        """Read the file and the environment.

        Args:
            store_path: directory of configuration and tokens, None for ``~/.aqt``.
            defaults: variables ``AQT_…`` that count where the environment has none.
        """
        self.store_path = default_directory() if store_path is None else Path(store_path)
        """Directory of configuration and tokens."""
        self._defaults = {} if defaults is None else dict(defaults)
        super().__init__(self.store_path)

    @classmethod
    def of(cls, config: aqt_connector.ArnicaConfig) -> ArnicaConfig:
        """Return a configuration as it is if it is of this class, and a copy of AQT's own class."""
        if isinstance(config, cls):
            return config
        own = cls(config._app_dir)  # noqa: SLF001 - AQT's class has no public name for it
        for name in ("arnica_url", "client_id", "client_secret", "store_access_token"):
            setattr(own, name, getattr(config, name))
        own.oidc_config = config.oidc_config
        return own

    @property
    def portal_url(self) -> str | None:
        """URL of the portal as ``arnica_url`` names it, None if that is AQT's own.

        The API is at ``arnica_url`` followed by ``/v1``.
        """
        url = str(self.arnica_url).rstrip("/")
        if url == _DEFAULT_API:
            return None
        return url.removesuffix("/api") if url.endswith("/api") else f"{url}/v1"

    def _add_env_config(self, config: dict[str, str]) -> dict[str, str]:
        named = {name.removeprefix("AQT_").lower(): value for name, value in self._defaults.items()}
        settings: dict[str, str] = super()._add_env_config(config | named)
        return settings
