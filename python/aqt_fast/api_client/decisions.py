"""What happens after every fault of a request: one table, and the questions that callers ask of it.

A request that submits must never run twice. It is sent again only if the server has certainly not
accepted it: no byte went out, or the answer says so. All other requests can be sent again without
harm.

Knows neither httpx nor a connection: :mod:`aqt_fast.api_client.http` tells the faults apart and
acts on the decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus

from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    MisroutedResponseError,
    ResponseMismatchError,
)

SUBMITTING_METHODS = frozenset({"POST", "PUT"})

BUSY_STATUSES = frozenset({HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses with which any server says that it has accepted nothing yet."""

_ENDED_STATUSES = frozenset({HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Statuses with which a server may say that there is nothing left to cancel."""

_METHOD_KEEPING = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})


class RequestKind(Enum):
    """What a request does, as far as that decides about a fault."""

    ASK = "GET or DELETE; can be sent again without harm"
    POLL = "GET of an API job's state, which holds its result for a limited time"
    LONG_POLL = "GET that the server answers as soon as there is a result"
    SUBMIT = "POST or PUT; must not be accepted twice"


class Fault(Enum):
    """Everything that can go wrong with a request."""

    # Before the first byte went out.
    WITHDRAWN = "the caller does not want the request any more"
    CLOSED = "the client is closed"
    INVALID = "no HTTP request can be made of it, for example because its URL is not valid"
    NOT_CONNECTED = "the name is unknown, or no connection could be made"
    UNTRUSTED = "the server's certificate is refused"

    # After bytes went out, without a complete answer.
    CLOSED_MEANWHILE = "the client was closed while the request was under way"
    LOST = "the connection was lost, or the answer is truncated"
    READ_TIMEOUT = "no answer has come within the read time-out"
    NOT_RENEWED = "401, and a new token cannot be fetched just now"

    # Answers.
    UNREADABLE = "success, but the answer is not JSON or has the wrong shape"
    REDIRECTED = "redirect within the server that keeps the method"
    METHOD_CHANGED = "redirect within the server that makes a GET of DELETE"
    OTHER_SERVER = "redirect to another server"
    SEE_OTHER = "301, 302 or 303 after a submission: perhaps done, look there"
    NO_ERROR = "any other status below 400"
    TOO_MANY_REDIRECTS = "redirects without end"
    UNAUTHORIZED = "401, also with a renewed token"
    REQUEST_TIMEOUT = "408"
    GONE = "410"
    BUSY = "429, and what else the server answers instead of accepting a request"
    REFUSED = "any other status from 400, below 500"
    UNAVAILABLE = "503"
    SERVER_ERROR = "500, 502, 504 and any other status from 500"


class Decision(Enum):
    """What to do about a fault."""

    RETRY = "send again, after the time that the answer orders, if it orders one"
    RETRY_FEW = "send again, but a few times only"
    FOLLOW = "go where the redirect points"
    UNCERTAIN = "raise SubmissionUncertainError: it may have been accepted"
    REFUSED = "raise APIError"
    EXPIRED = "raise ResultExpiredError"
    NO_CONNECTION = "raise APIConnectionError"
    NO_CREDENTIALS = "raise AQTCredentialsError"
    INSECURE = "raise InsecureConnectionError"
    WITHDRAWN = "raise RequestWithdrawnError"


_RETRY = Decision.RETRY
_FEW = Decision.RETRY_FEW
_FOLLOW = Decision.FOLLOW
_UNCERTAIN = Decision.UNCERTAIN
_REFUSED = Decision.REFUSED
_EXPIRED = Decision.EXPIRED
_NO_CONNECTION = Decision.NO_CONNECTION
_NO_CREDENTIALS = Decision.NO_CREDENTIALS
_INSECURE = Decision.INSECURE
_WITHDRAWN = Decision.WITHDRAWN

# fmt: off
_ROWS: Mapping[Fault, tuple[Decision, Decision, Decision, Decision]] = {
    #                          ASK              POLL             LONG_POLL        SUBMIT
    Fault.WITHDRAWN:          (_WITHDRAWN,      _WITHDRAWN,      _WITHDRAWN,      _WITHDRAWN),
    Fault.CLOSED:             (_NO_CONNECTION,  _NO_CONNECTION,  _NO_CONNECTION,  _NO_CONNECTION),
    Fault.INVALID:            (_REFUSED,        _REFUSED,        _REFUSED,        _REFUSED),
    Fault.NOT_CONNECTED:      (_RETRY,          _RETRY,          _RETRY,          _RETRY),
    # A certificate does not mend itself.
    Fault.UNTRUSTED:          (_NO_CONNECTION,  _NO_CONNECTION,  _NO_CONNECTION,  _NO_CONNECTION),

    Fault.CLOSED_MEANWHILE:   (_NO_CONNECTION,  _NO_CONNECTION,  _NO_CONNECTION,  _UNCERTAIN),
    Fault.LOST:               (_RETRY,          _RETRY,          _RETRY,          _UNCERTAIN),
    # To a long poll, no answer in time means: not yet.
    Fault.READ_TIMEOUT:       (_RETRY,          _RETRY,          _NO_CONNECTION,  _UNCERTAIN),
    # 401: nothing was accepted.
    Fault.NOT_RENEWED:        (_RETRY,          _RETRY,          _RETRY,          _RETRY),

    Fault.UNREADABLE:         (_FEW,            _FEW,            _FEW,            _UNCERTAIN),
    Fault.REDIRECTED:         (_FOLLOW,         _FOLLOW,         _FOLLOW,         _FOLLOW),
    Fault.METHOD_CHANGED:     (_REFUSED,        _REFUSED,        _REFUSED,        _REFUSED),
    Fault.OTHER_SERVER:       (_INSECURE,       _INSECURE,       _INSECURE,       _INSECURE),
    # RFC 9110, 15.4.4: the server may have done what was asked. Many mean the same by 301 and 302,
    # which browsers follow with a GET.
    Fault.SEE_OTHER:          (_REFUSED,        _REFUSED,        _REFUSED,        _UNCERTAIN),
    # 1xx, 300, 304, or a redirect that leads nowhere: no error, so it does not say that nothing
    # was done.
    Fault.NO_ERROR:           (_REFUSED,        _REFUSED,        _REFUSED,        _UNCERTAIN),
    Fault.TOO_MANY_REDIRECTS: (_REFUSED,        _REFUSED,        _REFUSED,        _REFUSED),
    Fault.UNAUTHORIZED:       (_NO_CREDENTIALS, _NO_CREDENTIALS, _NO_CREDENTIALS, _NO_CREDENTIALS),
    Fault.REQUEST_TIMEOUT:    (_RETRY,          _RETRY,          _RETRY,          _UNCERTAIN),
    Fault.GONE:               (_REFUSED,        _EXPIRED,        _REFUSED,        _REFUSED),
    Fault.BUSY:               (_RETRY,          _RETRY,          _RETRY,          _RETRY),
    Fault.REFUSED:            (_REFUSED,        _REFUSED,        _REFUSED,        _REFUSED),
    # A proxy may answer 503 after it has passed the submission on.
    Fault.UNAVAILABLE:        (_RETRY,          _RETRY,          _RETRY,          _UNCERTAIN),
    Fault.SERVER_ERROR:       (_RETRY,          _RETRY,          _RETRY,          _UNCERTAIN),
}
# fmt: on

TABLE: Mapping[Fault, Mapping[RequestKind, Decision]] = {
    fault: dict(zip(RequestKind, row, strict=True)) for fault, row in _ROWS.items()
}
"""The decision about each fault for each kind of request."""


def decide(fault: Fault, kind: RequestKind) -> Decision:
    """Look up what to do about a fault."""
    return TABLE[fault][kind]


def status_fault(status: int, busy: frozenset[int] = BUSY_STATUSES) -> Fault:
    """Name the fault behind the status of an answer that is neither success nor redirect.

    Args:
        status: the HTTP status.
        busy: statuses with which this server says that it has accepted nothing yet.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return Fault.UNAUTHORIZED
    if status in busy:
        return Fault.BUSY
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return Fault.REQUEST_TIMEOUT
    if status == HTTPStatus.GONE:
        return Fault.GONE
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Fault.UNAVAILABLE
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Fault.SERVER_ERROR
    return Fault.REFUSED if status >= HTTPStatus.BAD_REQUEST else Fault.NO_ERROR


def redirect_fault(status: int, method: str, *, same_server: bool) -> Fault:
    """Name the fault, if it is one, behind an answer with a ``Location``.

    Args:
        status: the HTTP status: 301, 302, 303, 307 or 308.
        method: the HTTP method of the request.
        same_server: whether the redirect keeps scheme, host and port.
    """
    if status not in _METHOD_KEEPING and method in SUBMITTING_METHODS:
        return Fault.SEE_OTHER
    if not same_server:
        return Fault.OTHER_SERVER
    if method != "GET" and status not in _METHOD_KEEPING:
        return Fault.METHOD_CHANGED
    return Fault.REDIRECTED


NOT_ACCEPTED: tuple[type[APIError], ...] = (APIConnectionError, AQTCredentialsError)
"""Errors of a submission after which nothing was accepted, and the same may be accepted later."""


def will_pass(error: APIError) -> bool:
    """Whether the error of a poll passes by itself, so that a later poll may be answered."""
    if isinstance(error, APIConnectionError):
        return True
    if error.status_code is None:
        return False
    return decide(status_fault(error.status_code), RequestKind.POLL) is Decision.RETRY


def is_misrouted(error: APIError) -> bool:
    """Whether the answers to a poll were to somebody else's: they say nothing of the API job."""
    return isinstance(error.__cause__, MisroutedResponseError)


def is_unknown(error: APIError) -> bool:
    """Whether the error of a poll means that there is no such API job."""
    return error.status_code == HTTPStatus.NOT_FOUND


def is_of_another_job(error: APIError) -> bool:
    """Whether the error of a poll means that there is no such API job, or that it is another."""
    mismatch = isinstance(error.__cause__, ResponseMismatchError) and not is_misrouted(error)
    return mismatch or is_unknown(error)


def may_have_ended(error: APIError) -> bool:
    """Whether a cancellation may have been refused because the API job has ended by itself."""
    return error.status_code in _ENDED_STATUSES
