"""The connections that a provider's backends share, in this process."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aqt_fast._forks import ForkSafeLock, on_fork
from aqt_fast._pickles import Single
from aqt_fast._warnings import say, warn_caller
from aqt_fast.exceptions import APIError, AQTCredentialsError
from aqt_fast.jobs.connection import close_connections
from aqt_fast.provider.access import Access

if TYPE_CHECKING:
    from aqt_fast.backends.cloud.connection import CloudConnection
    from aqt_fast.backends.direct.connection import DirectConnection
    from aqt_fast.provider.settings import Settings


class PlainHTTPWarning(UserWarning):
    """The access token is sent over plain HTTP, as was allowed: others can read it."""


class Connections(Single):
    """Opens each connection on first use, and loads httpx only then.

    A forked process opens its own; so does one that unpickles them. A copy is the same object.

    Args:
        access: the access token, and the portal it is for.
        settings: the variables ``AQT_…``.
        connect_timeout: maximum time in seconds to wait for a connection.
        read_timeout: maximum time in seconds to wait for an answer to begin, and for the rest of
            it. A request, and the rest, may take a second more for each 20 kB.
        max_parallel_requests: maximum number of concurrent submissions to the portal, and also of
            concurrent polls.
    """

    def __init__(
        self,
        access: Access,
        settings: Settings,
        *,
        connect_timeout: float,
        read_timeout: float,
        max_parallel_requests: int,
    ) -> None:
        """Open no connection."""
        self._access = access
        self._settings = settings
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_parallel = max_parallel_requests
        self._begin()

    def _begin(self) -> None:
        self._closed = False
        self._cloud: CloudConnection | None = None
        self._machines: dict[str, DirectConnection] = {}
        self._lock = ForkSafeLock()
        on_fork(self)

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_access", "_settings", "_connect_timeout", "_read_timeout", "_max_parallel")
        return {name: vars(self)[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def renew_in_child(self) -> None:
        """Leave the connections to the process that this one was forked from."""
        self._cloud = None
        self._machines = {}

    @property
    def token(self) -> str:
        """The access token, or the empty string."""
        return self._access.token

    @property
    def missing_token(self) -> str | None:
        """Why there is no token although there is a login, or the pickled provider had one."""
        return self._access.missing

    @property
    def named_machine(self) -> str | None:
        """The URL of the machine that the settings name (``AQT_DIRECT_URL``)."""
        return self._settings.get("AQT_DIRECT_URL") or None

    def log_in(self, *, anew: bool) -> None:
        """Log in to AQT's cloud, and save the tokens.

        Args:
            anew: log in even if the saved token is valid.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        known = None if anew else self._valid_token()
        if known is None:
            self._access.log_in()
        else:
            self._access.take(known)
            say("already logged in, the saved access token is valid")

    def _valid_token(self) -> str | None:
        """Return the token of the last login if the portal accepts it or a renewed one."""
        from aqt_fast.api_client import PortalClient

        credentials = self._access.of_last_login()
        if credentials is None:
            return None
        portal = PortalClient(
            credentials,
            portal_url=self._access.portal_url,
            connect_timeout=self._connect_timeout,
            read_timeout=self._read_timeout,
        )
        try:
            portal.list_workspaces()
        except APIError:
            return None
        finally:
            portal.close()
        return credentials.token

    def use_token(self, token: str) -> None:
        """Use another access token from now on.

        Raises:
            AQTCredentialsError: the token has characters that no token has.
        """
        self._access.take(token, renewable=False)

    def cloud(self) -> CloudConnection:
        """Return the connection to the portal.

        Raises:
            AQTCredentialsError: there is no access token for this portal.
        """
        from aqt_fast.api_client import PortalClient
        from aqt_fast.backends.cloud.connection import CloudConnection

        credentials = self._access.required()
        with self._lock:
            if self._cloud is None:
                portal = PortalClient(
                    credentials,
                    portal_url=self._access.portal_url,
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
        if not self.token:
            reason = self.missing_token or "there is no access token"
            raise AQTCredentialsError(f"the job is with AQT's portal, and {reason}")
        connection = self.cloud()
        if portal_url != connection.portal.portal_url:
            raise APIError(
                f"the job is with {portal_url}, not with "
                f"{connection.portal.portal_url}; set AQT_PORTAL_URL"
            )
        return connection

    def machine(self, url: str, *, allow_plain_http: bool | None = None) -> DirectConnection:
        """Return the connection to a machine: one per machine, however its URL is written.

        Args:
            url: URL of the machine.
            allow_plain_http: send the token to a private or link-local address over plain HTTP;
                None for what the settings say.

        Warns:
            PlainHTTPWarning: the token is sent over plain HTTP.

        Raises:
            InvalidOptionError: ``AQT_DIRECT_ALLOW_PLAIN_HTTP`` is neither true nor false.
            InsecureConnectionError: there is a token, and the URL is plain HTTP to another
                computer.
            APIError: ``url`` is not the URL of a server.
        """
        from aqt_fast.api_client import DirectAccessClient
        from aqt_fast.api_client.urls import is_protected, server_url
        from aqt_fast.backends.direct.connection import DirectConnection

        if allow_plain_http is None:
            allow_plain_http = self._settings.flag("AQT_DIRECT_ALLOW_PLAIN_HTTP")
        server = server_url(url)
        base_url = str(server)
        credentials = self._access.for_machine(named=base_url == self._named_base_url())
        if allow_plain_http and credentials.token and not is_protected(server):
            credentials.allow_plain_http(server)
            message = f"the access token is sent over plain HTTP to {base_url}: others can read it"
            warn_caller(message, PlainHTTPWarning)
        with self._lock:
            connection = self._machines.get(base_url)
            if connection is None:
                client = DirectAccessClient(
                    url,
                    credentials,
                    connect_timeout=self._connect_timeout,
                    read_timeout=self._read_timeout,
                )
                connection = self._machines[base_url] = DirectConnection(client)
            if self._closed:
                connection.close()
            return connection

    def _named_base_url(self) -> str | None:
        from aqt_fast.api_client.urls import server_url

        with suppress(APIError):
            return str(server_url(self.named_machine or ""))
        return None

    def known_machine(self, url: str) -> DirectConnection:
        """Return the connection to the machine of a stored job.

        Raises:
            APIError: the machine would get the access token, but only the stored job names its URL.
        """
        named = self.named_machine
        if named:
            self.machine(named)
        if self.token and url not in self._machines:
            raise APIError(
                f"the job is with the machine at {url}, which would get the access token: set "
                "AQT_DIRECT_URL to this address"
            )
        return self.machine(url)

    def close(self) -> None:
        """Close all connections of this process."""
        with self._lock:
            self._closed = True
            connections = [self._cloud, *self._machines.values()]
        close_connections(filter(None, connections))
