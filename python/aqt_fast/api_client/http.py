"""Requests that survive faults: one pooled client, and a decision for everything that can happen.

Requests that only ask (GET) or cannot do harm twice (DELETE) are repeated. Requests that submit
(POST, PUT) are repeated only if the server cannot have accepted anything: the connection was never
made, or the answer says so (429).
"""

from __future__ import annotations

import hashlib
import os
import platform
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import httpx
import tenacity

from aqt_fast._native import __version__
from aqt_fast.api_client.credentials import BearerAuth, Credentials, check_protected
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.retry import Attempts, Clock, Patience, Retry, RetryBudget, retry_after
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    RequestWithdrawnError,
    ResponseError,
    SubmissionUncertainError,
)

T = TypeVar("T")

USER_AGENT = f"aqt-fast/{__version__} (Python {platform.python_version()}; httpx)"

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 60.0

_KEEP_ALIVE_SECONDS = 3.0
"""Idle connections are closed before servers do (uvicorn: 5 s): a submission over a connection
that the server is just closing would be uncertain."""

_CLOSING_SECONDS = 1.0
"""So long are requests waited for that have not been answered when the client is closed."""

_LOOK_EVERY_SECONDS = 0.5
"""So often is it looked whether a request that waits is still wanted."""

_MOST_CONNECTIONS = 32

_MOST_REDIRECTS = 5

_LONGEST_DETAIL = 2000

_NOTHING_SENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError
)  # fmt: skip
"""What httpx raises before it has sent the first byte of a request."""

_NOT_HTTP = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL)
"""What httpx raises for a request that cannot be made at all."""


@dataclass(frozen=True)
class Request:
    """What to ask, and how the answer is read."""

    method: Literal["GET", "DELETE", "POST", "PUT"]
    """The HTTP method."""
    path: str
    """Path below the base URL, starting with a slash."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The query."""
    content: bytes | None = field(default=None, repr=False)
    """The body, JSON."""
    label: str = ""
    """What a submission is called."""
    busy: frozenset[int] = frozenset({httpx.codes.TOO_MANY_REQUESTS})
    """Statuses that say: nothing was accepted, come again."""
    wanted: Callable[[], bool] | None = None
    """Tells before each attempt whether it is still wanted; None: it is."""
    long_poll: bool = False
    """Whether no answer in time means: not yet."""

    @property
    def submits(self) -> bool:
        """Whether the request must not be repeated once it may have been accepted."""
        return self.method in ("POST", "PUT")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """A successful answer."""

    status_code: int
    """The HTTP status, 200 to 299."""
    body: bytes
    """The body, decompressed."""


class HTTPClient:
    """A pool of connections to one server, for any number of threads.

    Args:
        base_url: the server, with the path that all requests share.
        credentials: the bearer token.
        transport: an ``httpx`` transport instead of the network.
        clock: tells the time and waits; None for the real one, which ``close`` interrupts.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer, or for more of it.

    Proxies and certificates come from the environment, as for any program that uses httpx
    (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``, ``SSL_CERT_DIR``).

    Raises:
        InsecureConnectionError: there is a token, and ``base_url`` is plain HTTP to another
            machine.
        APIError: ``base_url`` is no URL of a server.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        """Connects to nothing yet."""
        self._url = _checked_url(base_url, with_token=bool(credentials.token))
        self._credentials = credentials
        self._process = os.getpid()
        self._closed = threading.Event()
        self._running = 0
        self._idle = threading.Condition()
        self._clock = clock or Clock(sleep=self._sleep)
        self._budget = RetryBudget(clock=self._clock)
        self._client = httpx.Client(
            auth=BearerAuth(credentials),
            headers={"User-Agent": USER_AGENT},
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=None),
            limits=httpx.Limits(
                max_connections=_MOST_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE_SECONDS
            ),
            transport=transport,
            # A proxy would carry the token over plain HTTP to another machine.
            trust_env=self._url.scheme == "https",
        )
        # Not everybody closes what they open. Programs that end still have something to send.
        weakref.finalize(self, self._client.close).atexit = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({str(self._url)!r})>"

    @property
    def base_url(self) -> str:
        """The server, with the path that all requests share."""
        return str(self._url)

    def close(self) -> None:
        """Close all connections, and end all waiting between attempts."""
        if os.getpid() != self._process:
            return
        self._closed.set()
        with self._idle:
            # A connection that is being made now would never be closed.
            self._idle.wait_for(lambda: self._running == 0, _CLOSING_SECONDS)
        self._client.close()

    def _pause(self, seconds: float, wanted: Callable[[], bool] | None) -> None:
        """Let seconds pass between two attempts, fewer if there will be no other."""
        if wanted is None:
            self._clock.sleep(seconds)
            return
        while seconds > 0 and wanted() and not self._closed.is_set():
            self._clock.sleep(min(seconds, _LOOK_EVERY_SECONDS))
            seconds -= _LOOK_EVERY_SECONDS

    def _sleep(self, seconds: float) -> None:
        """Let seconds pass, fewer if the client is closed."""
        self._closed.wait(seconds)

    def send(self, request: Request, read: Callable[[Answer], T], patience: Patience) -> T:
        """Send a request as often as it takes and is allowed.

        Args:
            request: what to ask.
            read: makes something of the answer; a ``ResponseError`` says that it cannot be used.
            patience: how long the request is repeated.

        Raises:
            APIConnectionError: the server could not be reached in time.
            AQTCredentialsError: the token is not accepted.
            InsecureConnectionError: the answer is a redirect to another server.
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
        if os.getpid() != self._process:
            # The connections belong to the other process: both would read the same answers.
            raise APIConnectionError(
                f"{request}: the client was made in process {self._process}; make another provider "
                "in this one"
            )
        if request.wanted is not None and not request.wanted():
            raise RequestWithdrawnError(f"{request}: not wanted any more")
        with self._idle:
            if self._closed.is_set():
                raise APIConnectionError(f"{request}: the client is closed")
            self._running += 1
        try:
            response = self._exchange(request)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()
        if not response.is_success:
            raise self._failure(request, response)
        try:
            return read(Answer(response.status_code, response.content))
        except ResponseError as error:
            raise self._unreadable(request, response.status_code, error) from error

    def _exchange(self, request: Request) -> httpx.Response:
        """One answer, after redirects within the server."""
        url = httpx.URL(f"{self._url}{request.path}")
        headers = {} if request.content is None else {"Content-Type": "application/json"}
        params = request.params or None
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                response = self._client.request(
                    request.method,
                    url,
                    params=params,
                    content=request.content,
                    headers=headers,
                )
            except APIConnectionError as error:
                # The token has expired, so nothing was accepted, and cannot be renewed just now.
                raise Retry(error) from error
            except httpx.HTTPError as error:
                raise self._lost(request, error) from error
            except (httpx.InvalidURL, UnicodeError, RuntimeError) as error:
                raise self._not_made(request, error) from error
            if not response.has_redirect_location:
                return response
            url, params = self._redirected(request, response), None
        raise APIError(f"{request}: more than {_MOST_REDIRECTS} redirects")

    def _not_made(self, request: Request, error: Exception) -> APIError:
        """What to say of a request that httpx refuses to make."""
        message = f"{request}: {self._redacted(error)}"
        if not self._closed.is_set():
            return APIError(message)
        if request.submits and "Cannot send a request" not in message:
            return self._uncertain(request, message)
        return APIConnectionError(message)

    def _redirected(self, request: Request, response: httpx.Response) -> httpx.URL:
        target = response.url.join(response.headers["Location"])
        if request.submits and response.status_code == httpx.codes.SEE_OTHER:
            # "Done; look there": RFC 9110, 15.4.4.
            raise self._uncertain(
                request, f"{request}: the server points to {self._redacted(target.path)}"
            )
        origin = (self._url.scheme, self._url.host, self._url.port)
        if (target.scheme, target.host, target.port) != origin:
            host = self._redacted(f"{target.scheme}://{target.host}")
            raise InsecureConnectionError(
                f"{request}: the server redirects to {host}, which does not get the access token",
                status_code=response.status_code,
            )
        keeps_method = response.status_code in (
            httpx.codes.TEMPORARY_REDIRECT,
            httpx.codes.PERMANENT_REDIRECT,
        )
        if request.method != "GET" and not keeps_method:
            message = f"{request}: the server redirects to {self._redacted(target.path)}"
            raise APIError(message, status_code=response.status_code)
        return target

    def _lost(self, request: Request, error: httpx.HTTPError) -> Exception:
        """What to do when there is no answer."""
        what = f"{type(error).__name__}: {self._redacted(error)}"
        if isinstance(error, _NOT_HTTP):
            return APIError(f"{request}: {what}")
        lost = APIConnectionError(f"{request} at {self._url}: {what}")
        lost.__cause__ = error
        if request.submits and not isinstance(error, _NOTHING_SENT):
            return self._uncertain(request, what)
        if request.long_poll and isinstance(error, httpx.ReadTimeout):
            return lost
        if _is_untrusted(error):
            return lost
        return Retry(lost)

    def _failure(self, request: Request, response: httpx.Response) -> Exception:
        """What to do with an answer that is no success."""
        status = response.status_code
        detail = self._redacted(_detail(response))[:_LONGEST_DETAIL]
        reason = self._redacted(response.reason_phrase)
        message = f"{request}: {status} {reason}{detail and f': {detail}'}"
        if status == httpx.codes.UNAUTHORIZED:
            hint = "log in again or give another token"
            return AQTCredentialsError(
                f"{message}; the access token is not accepted, {hint}", status_code=status
            )
        error = APIError(message, status_code=status)
        ordered = retry_after(response.headers.get("Retry-After"), self._clock.now())
        if status in request.busy:
            return Retry(error, ordered=ordered)
        if status == httpx.codes.REQUEST_TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            if request.submits:
                return self._uncertain(request, message)
            return Retry(error, ordered=ordered)
        return error

    def _unreadable(self, request: Request, status: int, error: ResponseError) -> Exception:
        """What to do with a success that says nothing."""
        message = f"{request}: the answer cannot be used: {self._redacted(error)}"
        if request.submits:
            return self._uncertain(request, message)
        offset = getattr(error, "offset", None)
        wrong = APIError(message, status_code=status, offset=offset)
        wrong.__cause__ = error
        return Retry(wrong, unreadable=True)

    def _uncertain(self, request: Request, reason: str) -> SubmissionUncertainError:
        digest = hashlib.sha256(request.content or b"").hexdigest()
        return SubmissionUncertainError(request.label, digest, reason)

    def _redacted(self, text: object) -> str:
        if isinstance(text, BaseException):
            self._credentials.redact_chain(text)
        return self._credentials.redact(str(text))


def _checked_url(base_url: str, *, with_token: bool) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/"))
        host = url.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise APIError(f"{base_url!r} is no URL: {error}") from error
    if url.scheme not in ("http", "https") or not host:
        raise APIError(f"{base_url!r} is no URL of a server: it must start with https://")
    if url.userinfo or url.query or url.fragment:
        raise APIError("the URL of a server has neither user, password, query nor fragment")
    if with_token:
        check_protected(url)
    return url


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether the server's certificate is to blame, which does not mend itself."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _detail(response: httpx.Response) -> str:
    """The server's reason: ``detail`` or ``message`` of the body if there is one, or its text."""
    text = response.content.decode("utf-8", "replace").strip()
    try:
        body = read_json(response.content)
    except ResponseError:
        return text
    detail = body.get("detail", body.get("message", text)) if isinstance(body, dict) else text
    if isinstance(detail, list):
        detail = "; ".join(_field_error(item) for item in detail)
    return str(detail)


def _field_error(item: object) -> str:
    """One entry of a 422 answer: where, and what is wrong."""
    if not isinstance(item, dict):
        return str(item)
    location = item.get("loc")
    place = ".".join(map(str, location)) if isinstance(location, list) else ""
    return f"{place}: {item.get('msg', item)}" if place else str(item.get("msg", item))
