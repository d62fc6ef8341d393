"""Middleware that breaks requests and responses."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect

from aqt_fast.server.faults import HANDLED, Faults, InjectedFault
from aqt_fast.server.request_log import note

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DETAILS = {
    404: "unknown job_id",
    401: "token expired",
    410: "the result has expired",
    429: "too many requests",
    500: "internal server error",
    502: "bad gateway",
    503: "service unavailable",
    504: "gateway timeout",
}
"""What the response to a failed request says, by status."""

_HOUR = 3600
_RETRY_AFTER = {"429_zero": b"0", "429_far": b"%d" % (365 * 24 * _HOUR), "429_garbage": b"soon"}
_SUBMIT, _RESULT = "/api/v1/submit/", "/api/v1/result/"


class FaultInjection:
    """ASGI middleware around the application; nothing else breaks a response."""

    def __init__(self, app: ASGIApp, faults: Faults, refuse: Callable[[float], None]) -> None:
        """``refuse`` resets all connections and refuses new ones for a number of seconds."""
        self._app = app
        self._faults = faults
        self._refuse = refuse
        self._num_cookies = 0
        self._submitted: bytes | None = None
        """The last response to a submission."""
        self._asked: list[str] = []
        """Paths of the last two results that were asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            fault = self._faults.decide(scope["method"], scope["path"])
            if fault is None:
                await self._serve(scope, receive, send)
                return
            note(scope, fault=fault.kind)
            if fault.kind in HANDLED:
                await self._handle_and_break(fault, scope, receive, send)
            else:
                await self._break(fault.kind, scope, receive, send)
        except (asyncio.CancelledError, ClientDisconnect):
            # The server stops, or the client has closed the connection: there is nothing to send.
            return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request without a fault."""
        if scope["path"].startswith(_SUBMIT):
            response = await _collect(self._app, scope, receive)
            if response is not None:
                self._remember(scope["path"], response[0], response[2])
                await _send(send, *response)
        else:
            self._remember(scope["path"], 200, b"")
            await self._app(scope, receive, send)

    def _remember(self, path: str, status: int, body: bytes) -> None:
        """Remember of a right response what ``other_answer`` needs later."""
        if path.startswith(_SUBMIT) and status == 200:
            self._submitted = body
        elif path.startswith(_RESULT) and path not in self._asked:
            self._asked = [*self._asked[-1:], path]

    async def _break(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a request to its end, and fail it before the application sees it."""
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
        elif kind == "429_past":
            past = formatdate(time.time() - _HOUR, usegmt=True)
            headers.append((b"retry-after", past.encode()))
        elif kind in _RETRY_AFTER:
            headers.append((b"retry-after", _RETRY_AFTER[kind]))
        await _send(send, status, headers, orjson.dumps({"detail": _DETAILS[status]}))

    async def _handle_and_break(
        self, fault: InjectedFault, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let a request take effect, then break its response."""
        kind = fault.kind
        # The application changes a scope; and these kinds change a body, which must be plain.
        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        again = {**scope, "headers": plain}
        served = dict(again) if kind in ("unlabelled", "other_answer") else scope
        response = await _collect(self._app, served, receive)
        if response is None:
            return
        status, headers, body = response
        success = 200 <= status < 300
        json_header = [(b"content-type", b"application/json")]
        if kind == "slow":
            await asyncio.sleep(self._faults.slow_seconds)
            await _send(send, status, headers, body)
        elif kind == "stall":
            await _closed(receive)
        elif kind == "reset_after":
            await _reset(scope, receive)
        elif kind == "truncated" and body:
            await _send(send, status, headers, body, limit=len(body) // 2)
            scope["extensions"]["aqt_fast.connection"].transport.close()
            await _closed(receive)
        elif kind.endswith("_after"):
            failure = int(kind[:3])
            await _send(send, failure, json_header, orjson.dumps({"detail": _DETAILS[failure]}))
        elif kind == "bad_json" and success:
            broken = body[: len(body) // 2] + b"<html>"
            await _send(send, 200 if status == 204 else status, json_header, broken)
        elif kind == "wrong_shape" and success:
            broken = b'{"unexpected":[null,{"status":42}]}'
            await _send(send, 200 if status == 204 else status, json_header, broken)
        elif kind == "cookie":
            self._num_cookies += 1
            cookie = b"c%d=%s; Path=/" % (self._num_cookies, b"x" * 1000)
            await _send(send, status, [*headers, (b"set-cookie", cookie)], body)
        elif kind == "drip" and body:
            await _send(send, status, headers, body, pause=self._faults.drip_seconds)
        else:
            other = None
            if kind == "unlabelled" and success:
                other = _without_label(body)
            elif kind == "other_answer" and success:
                other = await self._other(again, receive)
            if other is None:
                self._remember(scope["path"], status, body)
                self._faults.withdraw(fault)
                note(scope, fault=None)
            await _send(send, status, headers, body if other is None else other)

    async def _other(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the response about another job to a request of the same kind, if there is one."""
        path = scope["path"]
        if path.startswith(_SUBMIT):
            return self._submitted
        if not path.startswith(_RESULT):
            return None
        for other in [asked for asked in self._asked if asked != path]:
            changed = {**scope, "path": other, "raw_path": other.encode()}
            response = await _collect(self._app, changed, receive)
            if response is not None and response[0] == 200:
                return response[2]
        return None


async def _collect(
    app: ASGIApp, scope: Scope, receive: Receive
) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
    """Let the application handle a request, and keep its response.

    Returns:
        Status, headers and body; None if the client closed the connection before.
    """
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
    limit: int | None = None,
    pause: float | None = None,
) -> None:
    """Send a response.

    ``limit`` cuts the body after this many bytes; ``Content-Length`` still counts the whole body.
    ``pause`` has it sent byte by byte, with this many seconds between.
    """
    kept: list[Any] = [pair for pair in headers if pair[0].lower() != b"content-length"]
    if status != 204:
        kept.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": kept})
    if pause is not None:
        for byte in body[:-1]:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await asyncio.sleep(pause)
        body = body[-1:]
    more = limit is not None
    await send({"type": "http.response.body", "body": body[:limit], "more_body": more})


def _without_label(body: bytes) -> bytes | None:
    """Remove the label of the job from a response; None if it has none."""
    try:
        content = orjson.loads(body)
        del content["job"]["label"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
    return orjson.dumps(content)


async def _reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection of a request."""
    scope["extensions"]["aqt_fast.connection"].reset()
    await _closed(receive)


async def _closed(receive: Receive) -> None:
    """Wait until one side closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
