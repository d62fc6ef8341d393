"""Configuration of the login to AQT's cloud. Requires the ``login`` extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

try:
    import aqt_connector
except ImportError as error:
    raise ImportError(f"{error}; install aqt-fast[login]") from error

from aqt_fast.login.tokens import default_directory


class ArnicaConfig(aqt_connector.ArnicaConfig):
    """Client id and secret, directory of the tokens, and their issuer.

    Settable attributes are those of ``aqt_connector.ArnicaConfig``: ``client_id``,
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

    def _add_env_config(self, config: dict[str, str]) -> dict[str, str]:
        named = {name.removeprefix("AQT_").lower(): value for name, value in self._defaults.items()}
        settings: dict[str, str] = super()._add_env_config(config | named)
        return settings
