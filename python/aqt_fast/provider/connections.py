"""The provider's credentials, and the connections that its backends share."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL
from aqt_fast.exceptions import APIError, AQTCredentialsError
from aqt_fast.login.connector import log_in, renew
from aqt_fast.login.tokens import TokenStore

if TYPE_CHECKING:
    from aqt_fast.api_client import Credentials
    from aqt_fast.backends.cloud.connection import CloudConnection
    from aqt_fast.backends.direct.connection import DirectConnection
    from aqt_fast.login.config import ArnicaConfig
    from aqt_fast.provider.settings import Settings


class Connections:
    """Opens each connection on first use, and loads httpx only then.

    Args:
        access_token: the user's token; None takes that of ``AQT_TOKEN`` or of the last login.
        config: how to log in, None to read the settings and ``~/.aqt/config``.
        settings: the variables ``AQT_…``.
        portal_url: URL of the portal, None to read the settings.
        connect_timeout: maximum time in seconds to wait for a connection.
        read_timeout: maximum time in seconds to wait for an answer, or for more of it.
        max_parallel_requests: maximum number of concurrent submissions to the portal, and also of
            concurrent polls.

    Raises:
        AQTCredentialsError: others can read the saved token.
    """

    def __init__(
        self,
        access_token: str | None,
        config: ArnicaConfig | None,
        settings: Settings,
        *,
        portal_url: str | None,
        connect_timeout: float,
        read_timeout: float,
        max_parallel_requests: int,
    ) -> None:
        """Find the token; open no connection."""
        self._config = config
        self._settings = settings
        self._portal_url = portal_url or settings.get("AQT_PORTAL_URL") or DEFAULT_PORTAL_URL
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_parallel = max_parallel_requests
        self._closed = False
        self._cloud: CloudConnection | None = None
        self._machines: dict[str, DirectConnection] = {}
        self._credentials: Credentials | None = None
        self._lock = threading.Lock()
        self._renewable = False
        if access_token is None:
            access_token = settings.get("AQT_TOKEN")
        if access_token is None:
            access_token = self._tokens().access_token()
            self._renewable = access_token is not None
        self._token = access_token or ""

    @property
    def token(self) -> str:
        """The access token, or the empty string."""
        return self._token if self._credentials is None else self._credentials.token

    @property
    def named_machine(self) -> str | None:
        """The URL of the machine that the settings name (``AQT_DIRECT_URL``)."""
        return self._settings.get("AQT_DIRECT_URL") or None

    def log_in(self) -> None:
        """Log in to AQT's cloud, and save the tokens.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        token = log_in(
            self._config, self._tokens(), defaults=self._settings.from_file, out=sys.stderr
        )
        with self._lock:
            self._token = token
            self._renewable = True
            if self._credentials is not None:
                self._credentials.replace(token, self._renew)

    def cloud(self) -> CloudConnection:
        """Return the connection to the portal."""
        from aqt_fast.api_client import PortalClient
        from aqt_fast.backends.cloud.connection import CloudConnection

        with self._lock:
            if self._cloud is None:
                portal = PortalClient(
                    self._shared_credentials(),
                    portal_url=self._portal_url,
                    connect_timeout=self._connect_timeout,
                    read_timeout=self._read_timeout,
                )
                self._cloud = CloudConnection(portal, max_parallel_requests=self._max_parallel)
                if self._closed:
                    self._cloud.close()
            return self._cloud

    def cloud_at(self, portal_url: str) -> CloudConnection:
        """Return the connection to the portal, which must have this URL.

        Raises:
            AQTCredentialsError: there is no access token.
            APIError: the portal has another URL.
        """
        if not self._token:
            raise AQTCredentialsError("the job is with AQT's portal, and there is no access token")
        connection = self.cloud()
        if portal_url != connection.portal.portal_url:
            raise APIError(
                f"the job is with {portal_url}, not with "
                f"{connection.portal.portal_url}; set AQT_PORTAL_URL"
            )
        return connection

    def machine(self, url: str) -> DirectConnection:
        """Return the connection to a machine: one per machine, however its URL is written.

        Raises:
            InsecureConnectionError: there is a token, and the URL is plain HTTP to another
                computer.
            APIError: ``url`` is not the URL of a server.
        """
        from aqt_fast.api_client import DirectAccessClient
        from aqt_fast.backends.direct.connection import DirectConnection

        with self._lock:
            client = DirectAccessClient(
                url,
                self._shared_credentials(),
                connect_timeout=self._connect_timeout,
                read_timeout=self._read_timeout,
            )
            connection = self._machines.setdefault(client.base_url, DirectConnection(client))
            if self._closed:
                connection.close()
            return connection

    def known_machine(self, url: str) -> DirectConnection:
        """Return the connection to the machine of a stored job.

        Raises:
            APIError: the machine would get the access token, but only the stored job names its URL.
        """
        named = self.named_machine
        if named:
            self.machine(named)
        if self._token and url not in self._machines:
            raise APIError(
                f"the job is with the machine at {url}, which would get the access token: set "
                "AQT_DIRECT_URL to this address"
            )
        return self.machine(url)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            self._closed = True
            connections = [self._cloud, *self._machines.values()]
        for connection in connections:
            if connection is not None:
                connection.close()

    def _shared_credentials(self) -> Credentials:
        from aqt_fast.api_client import Credentials

        if self._credentials is None:
            self._credentials = Credentials(self._token, self._renew if self._renewable else None)
        return self._credentials

    def _tokens(self) -> TokenStore:
        return TokenStore(None if self._config is None else Path(self._config.store_path))

    def _renew(self, refused: str) -> str | None:
        return renew(self._config, self._tokens(), refused, self._settings.from_file)
