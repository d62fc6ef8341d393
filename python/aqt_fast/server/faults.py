"""Faults on request: chosen by rate and seed, or scripted one by one.

A fault is *handled* if the request took effect before the client was let down:

=============  =======  ==========================================================================
kind           handled  what the client sees
=============  =======  ==========================================================================
refuse         no       the connection is reset, and new ones are refused for ``refuse_seconds``;
                        all other open connections are reset as well
reset_before   no       the connection is reset
reset_after    yes      the connection is reset
slow           yes      the right answer, after ``slow_seconds``
stall          yes      nothing, until the client gives up
truncated      yes      half of the answer's body, then the connection is closed
401            no       an answer with this status; so for all that follow
410            no       only for results of the cloud interface
429            no       with ``Retry-After`` in seconds
429_date       no       with ``Retry-After`` as an HTTP date
500, 502, 504  no
503            no       without ``Retry-After``
503_retry      no       with ``Retry-After`` in seconds
500_after …    yes      also ``502_after``, ``503_after`` and ``504_after``
bad_json       yes      a status of success, and a body that is no JSON
wrong_shape    yes      a status of success, and JSON of another shape than the right answer's
=============  =======  ==========================================================================

A request that is refused anyway, say with 422, is not turned into a success by the last two: then,
as with a truncated answer that has no body, the right answer is given.
"""

from __future__ import annotations

import asyncio
import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS = (
    "refuse",
    "reset_before",
    "reset_after",
    "slow",
    "stall",
    "truncated",
    "401",
    "410",
    "429",
    "429_date",
    "500",
    "500_after",
    "502",
    "502_after",
    "503",
    "503_retry",
    "503_after",
    "504",
    "504_after",
    "bad_json",
    "wrong_shape",
)
"""All kinds of faults."""

_HANDLED = frozenset(
    kind
    for kind in KINDS
    if kind.endswith("_after") or kind in ("slow", "stall", "truncated", "bad_json", "wrong_shape")
)

_DETAILS = {
    401: "token expired",
    410: "the result has expired",
    429: "too many requests",
    500: "internal server error",
    502: "bad gateway",
    503: "service unavailable",
    504: "gateway timeout",
}


@dataclass(frozen=True)
class InjectedFault:
    """One line of the log."""

    kind: str
    method: str
    path: str


@dataclass
class _Scripted:
    kind: str
    count: int
    method: str | None
    path: str | None


class Faults:
    """Decides which requests suffer; usable from every thread while the server runs."""

    def __init__(self) -> None:
        """No faults."""
        self.refuse_seconds = 0.2
        """How long no connection is accepted."""
        self.slow_seconds = 0.1
        """How late a slow answer is."""
        self.retry_after = 1
        """What ``Retry-After`` says, in seconds."""
        self._lock = threading.Lock()
        self._scripted: list[_Scripted] = []
        self._log: list[InjectedFault] = []
        self._rate = 0.0
        self._kinds: tuple[str, ...] = KINDS
        self._random = random.Random(0)  # noqa: S311 - not for secrets

    @property
    def log(self) -> list[InjectedFault]:
        """What was injected, in order."""
        with self._lock:
            return list(self._log)

    def set(self, *, rate: float, kinds: Sequence[str] = KINDS, seed: int = 0) -> None:
        """Let requests of both interfaces suffer at random.

        The sequence of decisions depends on the seed alone; which request meets which decision
        depends on the order in which they come. Login and ``/testing`` are spared.

        Args:
            rate: share of the requests, from 0 to 1.
            kinds: each as likely as the others; one that does not suit the request is left out.
            seed: of the random generator.

        Raises:
            ValueError: the rate is out of range, or a kind does not exist.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"rate must be between 0 and 1, not {rate!r}")
        _require(kinds)
        with self._lock:
            self._rate = rate
            self._kinds = tuple(kinds)
            self._random = random.Random(seed)  # noqa: S311 - not for secrets

    def next(
        self, kind: str, count: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the next requests suffer; scripted faults come before random ones.

        Args:
            kind: one of :data:`KINDS`.
            count: how many requests.
            method: only requests with this method.
            path: only requests whose path contains this text.

        Raises:
            ValueError: the kind does not exist.
        """
        _require([kind])
        with self._lock:
            self._scripted.append(_Scripted(kind, count, method, path))

    def clear(self) -> None:
        """Back to none; the log stays."""
        with self._lock:
            self._rate = 0.0
            self._scripted.clear()

    def decide(self, method: str, path: str) -> InjectedFault | None:
        """Choose the fault of a request, if any, and log it."""
        if path.startswith("/testing/"):
            return None
        with self._lock:
            kind = self._take_scripted(method, path) or self._draw(method, path)
            if kind is None:
                return None
            fault = InjectedFault(kind, method, path)
            self._log.append(fault)
            return fault

    def withdraw(self, fault: InjectedFault) -> None:
        """Take back a fault that did not suit the answer."""
        with self._lock:
            self._log.remove(fault)

    def _take_scripted(self, method: str, path: str) -> str | None:
        for entry in self._scripted:
            if entry.method in (None, method) and (entry.path is None or entry.path in path):
                entry.count -= 1
                if entry.count <= 0:
                    self._scripted.remove(entry)
                return entry.kind
        return None

    def _draw(self, method: str, path: str) -> str | None:
        if not self._rate or not path.startswith(("/api/", "/direct/")):
            return None
        # Two draws for each request, so that its kind does not shift later decisions.
        suffers, which = self._random.random() < self._rate, self._random.random()
        fetches = method == "GET" and path.startswith("/api/v1/result/")
        kinds = [kind for kind in self._kinds if kind != "410" or fetches]
        return kinds[int(which * len(kinds))] if suffers and kinds else None


def _require(kinds: Sequence[str]) -> None:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f"unknown kinds of faults: {', '.join(unknown)}")


class FaultInjection:
    """ASGI middleware around everything else; the only place where answers are spoiled."""

    def __init__(self, app: ASGIApp, faults: Faults, refuse: Callable[[float], None]) -> None:
        """``refuse`` resets all connections and refuses new ones for so many seconds."""
        self._app = app
        self._faults = faults
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            fault = self._faults.decide(scope["method"], scope["path"])
            if fault is None:
                await self._app(scope, receive, send)
            elif fault.kind in _HANDLED:
                await self._handled(fault, scope, receive, send)
            else:
                await self._unhandled(fault.kind, scope, receive, send)
        except (asyncio.CancelledError, ClientDisconnect):
            # The server stops, or the client has left: there is nobody to answer.
            return

    async def _unhandled(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        if kind in ("reset_before", "refuse"):
            if kind == "refuse":
                self._refuse(self._faults.refuse_seconds)
            await _reset(scope, receive)
            return
        status = int(kind[:3])
        headers = [(b"content-type", b"application/json")]
        if kind in ("429", "503_retry"):
            headers.append((b"retry-after", b"%d" % self._faults.retry_after))
        elif kind == "429_date":
            when = math.ceil(time.time()) + self._faults.retry_after
            headers.append((b"retry-after", formatdate(when, usegmt=True).encode()))
        await _send(send, status, headers, orjson.dumps({"detail": _DETAILS[status]}))

    async def _handled(
        self, fault: InjectedFault, scope: Scope, receive: Receive, send: Send
    ) -> None:
        kind = fault.kind
        answer = await _collect(self._app, scope, receive)
        if answer is None:
            return
        status, headers, body = answer
        success = 200 <= status < 300
        json_header = [(b"content-type", b"application/json")]
        if kind == "slow":
            await asyncio.sleep(self._faults.slow_seconds)
            await _send(send, status, headers, body)
        elif kind == "stall":
            await _gone(receive)
        elif kind == "reset_after":
            await _reset(scope, receive)
        elif kind == "truncated" and body:
            await _send(send, status, headers, body, shown=len(body) // 2)
            scope["extensions"]["aqt_fast.connection"].transport.close()
            await _gone(receive)
        elif kind.endswith("_after"):
            failure = int(kind[:3])
            await _send(send, failure, json_header, orjson.dumps({"detail": _DETAILS[failure]}))
        elif kind == "bad_json" and success:
            spoiled = body[: len(body) // 2] + b"<html>"
            await _send(send, 200 if status == 204 else status, json_header, spoiled)
        elif kind == "wrong_shape" and success:
            spoiled = b'{"unexpected":[null,{"status":42}]}'
            await _send(send, 200 if status == 204 else status, json_header, spoiled)
        else:
            self._faults.withdraw(fault)
            await _send(send, status, headers, body)


async def _collect(
    app: ASGIApp, scope: Scope, receive: Receive
) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
    """Let the request be handled; None if the client left before there was an answer."""
    start: Message = {}
    pieces: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, keep)
    return (start["status"], start["headers"], b"".join(pieces)) if start else None


async def _send(
    send: Send,
    status: int,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    *,
    shown: int | None = None,
) -> None:
    """Send an answer, or the first bytes of its body under the length of the whole."""
    kept: list[Any] = [pair for pair in headers if pair[0].lower() != b"content-length"]
    if status != 204:
        kept.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": kept})
    more = shown is not None
    await send({"type": "http.response.body", "body": body[:shown], "more_body": more})


async def _reset(scope: Scope, receive: Receive) -> None:
    scope["extensions"]["aqt_fast.connection"].reset()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait until the connection is closed by one of the sides."""
    while (await receive())["type"] != "http.disconnect":
        pass
