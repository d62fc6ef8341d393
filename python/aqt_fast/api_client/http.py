"""The send loop: send a request, name the fault, look up the decision, act on it.

Longer than 400 lines: all that decides whether a request is sent again stands here.
"""

from __future__ import annotations

import platform
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import httpx
import tenacity

from aqt_fast._forks import on_fork
from aqt_fast._native import __version__
from aqt_fast.api_client.credentials import BearerAuth, Credentials
from aqt_fast.api_client.decisions import (
    Decision,
    Fault,
    decide,
    redirect_fault,
    status_fault,
)
from aqt_fast.api_client.error_detail import sent_detail, status_error
from aqt_fast.api_client.payload import payload_hash
from aqt_fast.api_client.request import Answer, Request
from aqt_fast.api_client.retry_timing import (
    Attempts,
    Clock,
    Patience,
    Retry,
    RetryBudget,
    retry_after,
)
from aqt_fast.api_client.urls import is_same_server, server_url
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    RequestWithdrawnError,
    ResponseError,
    ResponseMismatchError,
    ResultExpiredError,
    SubmissionUncertainError,
)

T = TypeVar("T")

USER_AGENT = f"aqt-fast/{__version__} (Python {platform.python_version()}; httpx)"

_KEEP_ALIVE_SECONDS = 3.0
"""Shorter than servers keep idle connections (uvicorn: 5 s). A submission over a connection that
the server closes at the same time would be uncertain."""

_CLOSING_SECONDS = 1.0
"""Longest time that ``close`` waits for requests under way."""

_WANTED_CHECK_SECONDS = 0.5
"""Longest time between two checks whether a waiting request is still wanted."""

_MAX_CONNECTIONS = 32

_MAX_REDIRECTS = 5

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
"""What httpx raises before it has sent the first byte of a request."""

_INVALID = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
"""What httpx raises for a request that is not HTTP."""

_OF_PARENTS: list[httpx.Client] = []
"""Clients of the process that this one was forked from. They are never closed: a thread of the
parent may have held their lock."""

_ERROR_TYPES: Mapping[Decision, type[APIError]] = {
    Decision.NO_CONNECTION: APIConnectionError,
    Decision.NO_CREDENTIALS: AQTCredentialsError,
    Decision.INSECURE: InsecureConnectionError,
    Decision.WITHDRAWN: RequestWithdrawnError,
}


@dataclass(frozen=True)
class ConnectionSettings:
    """How a client reaches its server."""

    transport: httpx.BaseTransport | None = None
    """An ``httpx`` transport instead of the network."""
    clock: Clock | None = None
    """Tells the time and waits; None for the real one, which closing the client interrupts."""
    connect_timeout: float = 10.0
    """Seconds to wait for a connection."""
    read_timeout: float = 60.0
    """Seconds to wait for an answer, or for more of it."""


class HTTPClient:
    """A pool of connections to one server, for any number of threads.

    Args:
        base_url: the server, with the path that all requests share.
        credentials: the access token.
        settings: how to reach the server.

    Proxies and certificates come from the environment, as for any program that uses httpx
    (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``, ``SSL_CERT_DIR``).

    Raises:
        InsecureConnectionError: there is a token, and ``base_url`` is plain HTTP to another
            machine.
        APIError: ``base_url`` is not the URL of a server.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        settings: ConnectionSettings,
    ) -> None:
        """Connects to nothing yet."""
        self._url = server_url(base_url)
        credentials.check_protected(self._url)
        self._credentials = credentials
        self._settings = settings
        self._closed = threading.Event()
        self._running = 0
        self._idle = threading.Condition()
        self._clock = settings.clock or Clock(sleep=self._sleep)
        self._budget = RetryBudget(clock=self._clock)
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        """The connections that have answered, for a forked process to close its copies."""
        self._client: httpx.Client | None = self._connected()
        on_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({str(self._url)!r})>"

    @property
    def base_url(self) -> str:
        """The server, with the path that all requests share."""
        return str(self._url)

    def close(self, seconds: float = _CLOSING_SECONDS) -> None:
        """Close all connections, and end all waiting between attempts.

        Args:
            seconds: longest time to wait for requests under way; never more than one.
        """
        self._closed.set()
        with self._idle:
            # A connection that is being made now would never be closed.
            self._idle.wait_for(lambda: self._running == 0, min(seconds, _CLOSING_SECONDS))
            client = self._client
        if client is not None:
            client.close()

    def renew_in_child(self) -> None:
        """Make other connections in a forked process: both would read the same answers."""
        for copy in list(self._sockets):
            copy.close()  # the parent's stays open
        self._sockets = weakref.WeakSet()
        if self._client is not None:
            self._finalizer.detach()
            _OF_PARENTS.append(self._client)
        self._client = None
        closed, self._closed = self._closed.is_set(), threading.Event()
        if closed:
            self._closed.set()
        self._running = 0
        self._idle = threading.Condition()
        self._budget = RetryBudget(clock=self._clock)

    def send(self, request: Request, read: Callable[[Answer], T], patience: Patience) -> T:
        """Send a request, and repeat it where the decision table and ``patience`` allow.

        Args:
            request: what to send.
            read: turns the answer into a value; raises ``ResponseError`` if it cannot be used.
            patience: how long the request is repeated.

        Raises:
            APIConnectionError: the server could not be reached in time.
            AQTCredentialsError: the token is not accepted.
            InsecureConnectionError: the answer is a redirect to another server.
            RequestWithdrawnError: the caller does not want it any more; nothing was accepted.
            ResultExpiredError: the server has deleted the result.
            SubmissionUncertainError: a submission may have been accepted or not.
            APIError: the request was refused, or the answers cannot be used.
        """
        attempts = Attempts(patience, self._budget, self._clock)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Retry),
            stop=attempts.stop,
            wait=attempts.wait,
            sleep=lambda seconds: self._pause(seconds, request.wanted),
            reraise=True,
        )
        try:
            value: T = retrying(self._attempt, request, read)
        except Retry as last:
            raise last.error from last.error.__cause__
        self._budget.succeeded()
        return value

    def _attempt(self, request: Request, read: Callable[[Answer], T]) -> T:
        if request.wanted is not None and not request.wanted():
            raise self._exception(request, Fault.WITHDRAWN, "not wanted any more")
        with self._idle:
            if self._closed.is_set():
                raise self._exception(request, Fault.CLOSED, "the client is closed")
            if self._client is None:  # in a forked process
                self._client = self._connected()
            client = self._client
            self._running += 1
        try:
            response = self._exchange(client, request)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()
        if not response.is_success:
            raise self._no_success(request, response)
        try:
            return read(Answer(response.status_code, response.content))
        except ResponseError as error:
            if isinstance(error, ResponseMismatchError):
                _hang_up(response)
            raise self._exception(
                request,
                Fault.UNREADABLE,
                f"the answer cannot be used: {self._redacted(error)}",
                cause=error,
                status=response.status_code,
                offset=getattr(error, "offset", None),
            ) from error

    def _connected(self) -> httpx.Client:
        """Make a pool of connections, without a connection yet."""
        client = httpx.Client(
            auth=BearerAuth(self._credentials),
            headers={"User-Agent": USER_AGENT},
            timeout=httpx.Timeout(
                self._settings.read_timeout, connect=self._settings.connect_timeout, pool=None
            ),
            limits=httpx.Limits(
                max_connections=_MAX_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE_SECONDS
            ),
            transport=self._settings.transport,
            # A proxy would carry the token over plain HTTP to another machine.
            trust_env=self._url.scheme == "https",
        )
        # Programs may forget to close. Not at exit: threads may still have something to send.
        self._finalizer = weakref.finalize(self, client.close)
        self._finalizer.atexit = False
        return client

    def _exchange(self, client: httpx.Client, request: Request) -> httpx.Response:
        """Get one answer, after redirects within the server."""
        url = httpx.URL(f"{self._url}{request.path}")
        headers = {} if request.content is None else {"Content-Type": "application/json"}
        params = request.params or None
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                response = client.request(
                    request.method,
                    url,
                    params=params,
                    content=request.content,
                    headers=headers,
                )
            except APIConnectionError as error:
                reason = self._redacted(error)
                raise self._exception(request, Fault.NOT_RENEWED, reason, cause=error) from error
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, RuntimeError) as error:
                reason = f"{type(error).__name__}: {self._redacted(error)}"
                raise self._exception(request, self._fault(error), reason, cause=error) from error
            self._note_socket(response)
            if not response.has_redirect_location:
                return response
            url, params = self._redirected(request, response), None
        reason = f"more than {_MAX_REDIRECTS} redirects"
        raise self._exception(request, Fault.TOO_MANY_REDIRECTS, reason)

    def _note_socket(self, response: httpx.Response) -> None:
        connection = _socket_of(response)
        if connection is not None:
            self._sockets.add(connection)

    def _fault(self, error: Exception) -> Fault:
        """Name the fault when there is no answer."""
        if isinstance(error, _INVALID):
            return Fault.INVALID
        if isinstance(error, _NOT_SENT):
            return Fault.UNTRUSTED if _is_untrusted(error) else Fault.NOT_CONNECTED
        if isinstance(error, httpx.ReadTimeout):
            return Fault.READ_TIMEOUT
        if isinstance(error, httpx.HTTPError):
            return Fault.LOST
        if not self._closed.is_set():
            return Fault.INVALID
        # httpx reports with these words that it was closed before it sent anything.
        not_sent = "Cannot send a request" in str(error)
        return Fault.CLOSED if not_sent else Fault.CLOSED_MEANWHILE

    def _redirected(self, request: Request, response: httpx.Response) -> httpx.URL:
        """Find where a redirect leads, if it is one to follow."""
        status = response.status_code
        target = response.url.join(response.headers["Location"])
        same_server = is_same_server(target, self._url)
        fault = redirect_fault(status, request.method, same_server=same_server)
        if decide(fault, request.kind) is Decision.FOLLOW:
            return target
        verb = "points" if fault is Fault.SEE_OTHER else "redirects"
        if same_server:
            reason = f"the server {verb} to {self._redacted(target.path)}"
        else:
            host = self._redacted(f"{target.scheme}://{target.host}")
            reason = f"the server {verb} to {host}, which does not get the access token"
        raise self._exception(request, fault, reason, status=status)

    def _no_success(self, request: Request, response: httpx.Response) -> Exception:
        """Make the exception for an answer that is neither success nor redirect."""
        status = response.status_code
        fault = status_fault(status, request.busy)
        refusal = status_error(response, self._redacted)
        reason = str(refusal)
        if fault is Fault.UNAUTHORIZED:
            reason += f"; {self._credentials.advice}"
        ordered = retry_after(response.headers.get("Retry-After"), self._clock.now())
        return self._exception(
            request, fault, reason, cause=refusal, status=status, ordered=ordered
        )

    def _exception(
        self,
        request: Request,
        fault: Fault,
        reason: str,
        *,
        cause: Exception | None = None,
        status: int | None = None,
        offset: int | None = None,
        ordered: float | None = None,
    ) -> Exception:
        """Make the exception that the table demands after a fault.

        Args:
            request: what was sent.
            fault: what went wrong.
            reason: the same in words, without tokens.
            cause: the exception that reported it.
            status: the answer's HTTP status, None without an answer.
            offset: the byte at which the answer cannot be read.
            ordered: seconds that the answer orders to wait.
        """
        decision = decide(fault, request.kind)
        # Any answer but that of a server in trouble may come from where a wrong URL leads.
        in_trouble = status is not None and status >= httpx.codes.INTERNAL_SERVER_ERROR
        place = str(request) if in_trouble else f"{request} at {self._url}"
        message = f"{place}: {reason}"
        error: APIError
        if decision is Decision.UNCERTAIN:
            digest = payload_hash(request.content or b"")
            error = SubmissionUncertainError(request.label, digest, message)
        elif decision is Decision.EXPIRED:
            error = ResultExpiredError(request.job_id)
        else:
            no_answer = decision is Decision.RETRY and status is None
            otherwise = APIConnectionError if no_answer else APIError
            kind = _ERROR_TYPES.get(decision, otherwise)
            error = kind(message, status_code=status, offset=offset)
        if isinstance(cause, httpx.HTTPStatusError):
            error.http_response = cause.response
            error.detail = sent_detail(cause.response.content)
        error.__cause__ = cause
        if decision in (Decision.RETRY, Decision.RETRY_FEW):
            unreadable = decision is Decision.RETRY_FEW
            return Retry(error, ordered=ordered, unreadable=unreadable)
        return error

    def _pause(self, seconds: float, wanted: Callable[[], bool] | None) -> None:
        """Wait between two attempts; stop early if the caller does not want another."""
        if wanted is None:
            self._clock.sleep(seconds)
            return
        while seconds > 0 and wanted() and not self._closed.is_set():
            self._clock.sleep(min(seconds, _WANTED_CHECK_SECONDS))
            seconds -= _WANTED_CHECK_SECONDS

    def _sleep(self, seconds: float) -> None:
        """Wait on the real clock; stop early if the client is closed."""
        self._closed.wait(seconds)

    def _redacted(self, text: object) -> str:
        """The text without tokens; an exception loses them itself."""
        if isinstance(text, BaseException):
            self._credentials.redact_chain(text)
        return self._credentials.redact(str(text))


def _socket_of(response: httpx.Response) -> socket.socket | None:
    """Return the connection that an answer came over, None if it is not known."""
    stream = response.extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    return connection if isinstance(connection, socket.socket) else None


def _hang_up(response: httpx.Response) -> None:
    """End the connection of an answer to another request: the next one may be wrong, too."""
    connection = _socket_of(response)
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a connection was not made because the server's certificate is refused."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
