"""The send loop: send a request, name the fault, look up the decision, act on it.

Longer than 400 lines: all that decides whether a request is sent again stands here.
"""

from __future__ import annotations

import platform
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import TypeVar

import httpx
import tenacity

from aqt_fast._forks import on_fork
from aqt_fast._native import __version__
from aqt_fast.api_client.answer_body import ACCEPTED_ENCODINGS, discard_connection, read_answer
from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.decisions import (
    Decision,
    Fault,
    RequestKind,
    decide,
    redirect_fault,
    status_fault,
)
from aqt_fast.api_client.environment import proxy_for, trusted_certificates
from aqt_fast.api_client.error_detail import sent_detail, status_error
from aqt_fast.api_client.network import Network
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
from aqt_fast.api_client.transport import Transport
from aqt_fast.api_client.urls import is_same_server, server_url
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    RequestWithdrawnError,
    ResponseError,
    ResultExpiredError,
    SubmissionUncertainError,
)

T = TypeVar("T")

USER_AGENT = f"aqt-fast/{__version__} (Python {platform.python_version()}; httpx)"

_CLOSING_SECONDS = 1.0
"""Longest time that ``close`` waits for requests under way, before it ends their connections."""

_WANTED_CHECK_SECONDS = 0.5
"""Longest time between two checks whether a waiting request is still wanted."""

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


class _NoCookies(CookieJar):
    """Keeps no cookie, and sends none."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Leave the answer's cookies alone."""


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
    """Seconds to wait for the head of an answer, and for its body. Request and body may take a
    second more for each 20 kB: see :mod:`aqt_fast.api_client.network`."""


class HTTPClient:
    """A pool of connections to one server, for any number of threads.

    Args:
        base_url: the server, with the path that all requests share.
        credentials: the access token.
        settings: how to reach the server.

    Proxies and certificates come from the environment (``HTTPS_PROXY``, ``ALL_PROXY``,
    ``NO_PROXY``, ``SSL_CERT_FILE``, ``SSL_CERT_DIR``). No cookies are kept.

    Raises:
        InsecureConnectionError: there is a token, and ``base_url`` is plain HTTP to another
            machine.
        InvalidSettingError: a proxy or certificates of the environment cannot be used.
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
        self._network = Network()
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

        A submission that gets no answer in time is uncertain.

        Args:
            seconds: longest time to wait for requests under way; never more than one.
        """
        self._closed.set()
        with self._idle:
            # A connection that is being made now would never be closed.
            self._idle.wait_for(lambda: self._running == 0, min(seconds, _CLOSING_SECONDS))
            client = self._client
        self._network.hang_up()
        if client is not None:
            client.close()

    def renew_in_child(self) -> None:
        """Make other connections in a forked process: both would read the same answers."""
        self._network.close_copies()
        self._network = Network()
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
        except (ResponseError, RecursionError, MemoryError) as error:
            discard_connection(response)
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
        transport = self._settings.transport
        if transport is None:
            # Without TLS a proxy would get the token, and carry it to another machine.
            secure = self._url.scheme == "https"
            context = trusted_certificates() if secure else None
            transport = Transport(self._network, context, proxy_for(self._url) if secure else None)
        client = httpx.Client(
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPTED_ENCODINGS},
            cookies=_NoCookies(),
            timeout=httpx.Timeout(
                self._settings.read_timeout, connect=self._settings.connect_timeout, pool=None
            ),
            transport=transport,
            trust_env=False,
        )
        # Programs may forget to close. Not at exit: threads may still have something to send.
        self._finalizer = weakref.finalize(self, client.close)
        self._finalizer.atexit = False
        return client

    def _exchange(self, client: httpx.Client, request: Request) -> httpx.Response:
        """Get one answer, after redirects within the server."""
        url = httpx.URL(f"{self._url}{request.path}", params=request.params or None)
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._answer(client, request, url)
            if not response.has_redirect_location:
                return response
            url = self._redirected(request, response)
        reason = f"more than {_MAX_REDIRECTS} redirects"
        raise self._exception(request, Fault.TOO_MANY_REDIRECTS, reason)

    def _answer(self, client: httpx.Client, request: Request, url: httpx.URL) -> httpx.Response:
        """Get one answer; after 401, one with a renewed token."""
        token = self._credentials.token
        response = self._answer_with(client, request, url, token)
        if not token or response.status_code != httpx.codes.UNAUTHORIZED:
            return response
        try:
            renewed = self._credentials.renewed(token)
        except APIConnectionError as error:
            reason = self._redacted(error)
            raise self._exception(request, Fault.NOT_RENEWED, reason, cause=error) from error
        return self._answer_with(client, request, url, renewed) if renewed else response

    def _answer_with(
        self, client: httpx.Client, request: Request, url: httpx.URL, token: str
    ) -> httpx.Response:
        """Send a request once, and receive the whole answer."""
        headers = {} if request.content is None else {"Content-Type": "application/json"}
        if request.kind is RequestKind.SUBMIT:
            headers["Connection"] = "close"  # see Transport
        if token:
            self._credentials.check_protected(url)
            headers["Authorization"] = f"Bearer {token}"
        try:
            outgoing = client.build_request(
                request.method, url, content=request.content, headers=headers
            )
        except (httpx.InvalidURL, ValueError) as error:
            reason = f"{type(error).__name__}: {self._redacted(error)}"
            raise self._exception(request, Fault.INVALID, reason, cause=error) from error
        status = None
        try:
            # The base class of authentication: nothing in a URL takes the place of the token.
            with closing(client.send(outgoing, auth=httpx.Auth(), stream=True)) as response:
                status = response.status_code
                return read_answer(response, request.most_bytes)
        except ResponseError as error:
            reason = f"the answer cannot be used: {self._redacted(error)}"
            raise self._exception(
                request, Fault.UNREADABLE, reason, cause=error, status=status
            ) from error
        except Exception as error:  # whatever httpx raises about strange answers
            reason = f"{type(error).__name__}: {self._redacted(error)}"
            if self._closed.is_set():
                reason = f"the client is closed; {reason}"
            raise self._exception(request, self._fault(error), reason, cause=error) from error

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
        if self._closed.is_set():
            # httpx reports with these words that it was closed before it sent anything.
            not_sent = "Cannot send a request" in str(error)
            return Fault.CLOSED if not_sent else Fault.CLOSED_MEANWHILE
        return Fault.UNREADABLE

    def _redirected(self, request: Request, response: httpx.Response) -> httpx.URL:
        """Find where a redirect leads, if it is one to follow."""
        status = response.status_code
        try:
            target = response.url.join(response.headers["Location"])
        except ValueError as error:
            reason = f"the server redirects to what is no URL: {self._redacted(error)}"
            raise self._exception(
                request, Fault.UNREADABLE, reason, cause=error, status=status
            ) from error
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
        ordered = retry_after(
            response.headers.get("Retry-After"), self._clock.now(), response.headers.get("Date")
        )
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


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a connection was not made because the server's certificate is refused."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
