"""How to log in to AQT's cloud. Needs the extra ``login``."""

from __future__ import annotations

from pathlib import Path

try:
    import aqt_connector
except ImportError as error:
    raise ImportError(f"{error}; install aqt-fast[login]") from error

from aqt_fast.login.tokens import default_directory


class ArnicaConfig(aqt_connector.ArnicaConfig):
    """Client id and secret, where the tokens are kept, and who issues them.

    Attributes that the user may set are those of ``aqt_connector.ArnicaConfig``: ``client_id``,
    ``client_secret``, ``store_access_token``, ``oidc_config``. They start with what the file
    ``config`` in the directory and the variables ``AQT_CLIENT_ID`` … say.
    """

    def __init__(self, store_path: str | Path | None = None) -> None:
        """Read the file and the environment.

        Args:
            store_path: directory of configuration and tokens, None for ``~/.aqt``.
        """
        self.store_path = default_directory() if store_path is None else Path(store_path)
        """Directory of configuration and tokens."""
        super().__init__(self.store_path)
