"""The access token of a provider: where it comes from, and why there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqt_fast._forks import ForkSafeLock
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL, portal_root
from aqt_fast.exceptions import AQTCredentialsError
from aqt_fast.login.connector import log_in, renew
from aqt_fast.login.tokens import TokenStore

if TYPE_CHECKING:
    from aqt_fast.api_client import Credentials
    from aqt_fast.login.config import ArnicaConfig
    from aqt_fast.provider.settings import Settings

_NONE_HERE = "there is no access token in this process"


class Access:
    """The access token for one portal.

    The token of a login counts only for the portal that the login was for.

    A pickle names the portal, but carries no token. Where it is unpickled, the token is searched
    for when it is needed, and only if the settings there are for the same portal.

    Args:
        access_token: the user's token; None takes that of ``AQT_TOKEN`` or of the last login.
        config: how to log in, None to read the settings and ``~/.aqt/config``.
        settings: the variables ``AQT_…``.
        portal_url: URL of the portal, None to read the settings.

    Raises:
        AQTCredentialsError: others can read the saved token.
    """

    def __init__(
        self,
        access_token: str | None,
        config: ArnicaConfig | None,
        settings: Settings,
        portal_url: str | None,
    ) -> None:
        """Find the token."""
        self._config = config
        self._directory = None if config is None else Path(config.store_path)
        self._settings = settings
        self.portal_url = portal_root(portal_url or self._portal_of_settings())
        """URL of the portal, without the path of its API."""
        self.unpickled = False
        """Whether another process may have had another token."""
        self._wanted = True
        self._renewable = False
        self._credentials: Credentials | None = None
        self._lock = ForkSafeLock()
        self._elsewhere: str | None = None
        self._token = self._found() if access_token is None else access_token

    def __getstate__(self) -> dict[str, Any]:
        return {
            "settings": self._settings,
            "directory": None if self._directory is None else str(self._directory),
            "portal_url": self.portal_url,
            "wanted": self._wanted and (self.unpickled or bool(self.token)),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        directory = state["directory"]
        self._config = None
        self._directory = None if directory is None else Path(directory)
        self._settings = state["settings"]
        self.portal_url = state["portal_url"]
        self.unpickled = True
        self._wanted = state["wanted"]
        self._renewable = False
        self._credentials = None
        self._lock = ForkSafeLock()
        self._elsewhere = None
        self._token = ""

    @property
    def token(self) -> str:
        """The access token, or the empty string."""
        if self._credentials is not None:
            return self._credentials.token
        if not self._token and self.unpickled and self._wanted and self.missing is None:
            self._token = self._found()
        return self._token

    @property
    def missing(self) -> str | None:
        """Why there is no token although there is a login, or the pickled provider had one.

        None if there is one, or if none is wanted.
        """
        if not self._wanted or self._token or self._credentials is not None:
            return None
        if not self.unpickled:
            return self._elsewhere
        mend = (
            f"set AQT_TOKEN (and AQT_PORTAL_URL={self.portal_url}), for a pickle carries no token"
        )
        try:
            token, _ = self._sought()
        except AQTCredentialsError as error:
            return str(error)
        if self._elsewhere is not None:
            return self._elsewhere
        if not token:
            return f"{_NONE_HERE} for {self.portal_url}; {mend}, or log in"
        here = portal_root(self._portal_of_login() or self._portal_of_settings())
        if here != self.portal_url:
            return f"the token of this process is for {here}, not for {self.portal_url}; {mend}"
        return None

    def required(self) -> Credentials:
        """Return the credentials for the portal, which all requests share.

        Raises:
            AQTCredentialsError: there is no token.
        """
        if not self.token:
            raise AQTCredentialsError(self.missing or _NONE_HERE)
        return self.credentials()

    def credentials(self) -> Credentials:
        """Return the credentials that all requests share, with or without a token."""
        from aqt_fast.api_client import Credentials

        token = self.token
        with self._lock:
            if self._credentials is None:
                self._credentials = Credentials(token, self._renew if self._renewable else None)
            return self._credentials

    def for_machine(self, *, named: bool) -> Credentials:
        """Return the credentials for a machine in the same network.

        Args:
            named: whether the settings name this machine (``AQT_DIRECT_URL``). The machine of a
                pickled backend gets a token of this process only then.
        """
        from aqt_fast.api_client import Credentials

        if not self.unpickled:
            return self.credentials()
        if self.token and named:
            return self.credentials()
        reason = "the machine of a pickled backend gets a token only if AQT_DIRECT_URL names it"
        return Credentials("", missing=(named and self.missing) or reason)

    def log_in(self) -> None:
        """Log in to AQT's cloud, and save the tokens.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        token = log_in(
            self._login_config(),
            self._tokens(),
            self.portal_url,
            defaults=self._settings.from_file,
            out=sys.stderr,
        )
        self.take(token)

    def of_last_login(self) -> Credentials | None:
        """Return credentials of the last login, which renew themselves; None if there was none.

        Raises:
            AQTCredentialsError: others can read the saved token.
        """
        from aqt_fast.api_client import Credentials

        saved = self._tokens().access_token_for(self.portal_url)
        token = saved or (self.token if self._renewable else "")
        return Credentials(token, self._renew) if token else None

    def take(self, token: str, *, renewable: bool = True) -> None:
        """Use another token from now on.

        Args:
            token: the token, or the empty string for none.
            renewable: whether it comes from a login.

        Raises:
            AQTCredentialsError: the token has characters that no token has.
        """
        from aqt_fast.api_client import Credentials

        renew = self._renew if renewable else None
        with self._lock:
            if self._credentials is None:
                self._credentials = Credentials(token, renew)
            else:
                self._credentials.replace(token, renew)
            self._token = self._credentials.token
            self._renewable = renewable
            self._wanted = bool(token)

    def _found(self) -> str:
        """Take the token of the settings or of the last login, or the empty string."""
        token, from_login = self._sought()
        self._renewable = self._renewable or from_login
        return token

    def _sought(self) -> tuple[str, bool]:
        """Return the token of the settings or of the last login, and whether it is of the latter.

        Raises:
            AQTCredentialsError: others can read the saved token.
        """
        self._elsewhere = None
        token = self._settings.get("AQT_TOKEN")
        if token is not None:
            return token, False
        tokens = self._tokens()
        token = tokens.access_token_for(self.portal_url)
        saved = token or tokens.access_token()
        if saved and not token:
            self._elsewhere = (
                f"the saved login is for {tokens.origin(saved).portal_url}, not for "
                f"{self.portal_url}: log in for this portal, or set AQT_TOKEN to a token of it"
            )
        return token or "", token is not None

    def _portal_of_login(self) -> str | None:
        """Return the portal that the configuration of the login names, if there is one."""
        try:
            config = self._login_config()
        except ImportError:  # without the extra `login`
            return None
        return None if config is None else config.portal_url

    def _portal_of_settings(self) -> str:
        return self._settings.get("AQT_PORTAL_URL") or DEFAULT_PORTAL_URL

    def _tokens(self) -> TokenStore:
        return TokenStore(self._directory)

    def _login_config(self) -> ArnicaConfig | None:
        if self._config is None and self._directory is not None:
            from aqt_fast.login.config import ArnicaConfig

            self._config = ArnicaConfig(self._directory, defaults=self._settings.from_file)
        return self._config

    def _renew(self, refused: str) -> str | None:
        return renew(
            self._login_config(),
            self._tokens(),
            refused,
            self.portal_url,
            self._settings.from_file,
        )
