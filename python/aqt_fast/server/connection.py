"""One connection of a client: HTTP by uvicorn, with limits on sizes and on time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from aqt_fast.server.limits import Limits

_LINGERING_SECONDS = 1.0
"""After a refusal: closing at once would reset the connection of a client that is still sending,
before it has read why."""

_LOGGER = logging.getLogger("aqt_fast.server")
_LOGGER.setLevel(logging.ERROR)  # uvicorn warns of each malformed request

_REASONS = {
    400: "invalid HTTP request",
    408: "the request took too long",
    413: "the body is too long",
    414: "the URL is too long",
    431: "the headers are too long, or too many",
}


class _TooMuchError(Exception):
    """Ends the parsing of a request."""


class Connection(HttpToolsProtocol):
    """Refuses what exceeds the limits; never writes into an answer that is under way.

    Passes itself to each request, because ASGI has no way to reset a connection.
    """

    def __init__(self, limits: Limits, **settings: Any) -> None:
        """``settings`` are those of uvicorn's class."""
        super().__init__(**settings)
        self.logger = _LOGGER
        self._limits = limits
        self._reading: Literal["nothing", "head", "body"] = "nothing"
        self._received = 0
        """Bytes of the request that is being read, without those that came with an earlier one."""
        self._num_begun = 0
        """How many requests have begun with the last bytes."""
        self._num_headers = 0
        self._num_bytes = 0
        """Bytes of its body, decoded from chunks."""
        self._refusal = 400
        self._refused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def reset(self) -> None:
        """Close the connection with RST instead of FIN; drop what was not sent yet."""
        peer = self.transport.get_extra_info("socket")
        if peer is not None and not self.transport.is_closing():
            with contextlib.suppress(OSError):
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    # -- what asyncio calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._set_deadline(self._limits.idle_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all timers."""
        for timer in (self._deadline, self._taking):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read more of a request; after a refusal, drop it."""
        if self._refused:
            return
        self._num_begun = 0 if self._reading == "nothing" else 1
        super().data_received(data)
        if self._reading == "nothing" or self._refused or self._num_begun > 1:
            return
        # Nobody else counts a header that has not ended yet, or what is around chunks.
        self._received += len(data)
        head, body = self._limits.head_bytes, self._limits.body_bytes
        if self._reading == "head" and self._received > head:
            self._refuse(431)
        elif self._received > head + 2 * body:
            self._refuse(413)

    def pause_writing(self) -> None:
        """Watch whether the client takes its answer."""
        super().pause_writing()
        self._watch_taking(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop watching."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    # -- what the parser calls ----------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        super().on_message_begin()
        self.scope["extensions"] = {"aqt_fast.connection": self}  # type: ignore[dict-item]
        self._num_begun += 1
        self._reading = "head"
        self._received = self._num_headers = self._num_bytes = 0
        self._set_deadline(self._limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        """Read a part of the URL."""
        super().on_url(url)
        if len(self.url) > self._limits.head_bytes // 8:
            self._stop_parsing(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header, or one after a body in chunks, which nobody looks at."""
        self._num_headers += 1
        if self._num_headers > self._limits.headers:
            self._stop_parsing(431)
        if self._reading == "head":
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, unless it is too long."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._limits.head_bytes:
            self._stop_parsing(431)
        for name, value in self.headers:
            # The parser has seen that it is a number.
            if name == b"content-length" and int(value) > self._limits.body_bytes:
                self._stop_parsing(413)
        self._reading = "body"
        self._set_deadline(self._limits.body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read a part of the body."""
        self._num_bytes += len(body)
        if self._num_bytes > self._limits.body_bytes:
            self._stop_parsing(413)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request; its answer may take any time."""
        self._reading = "nothing"
        self._set_deadline(None if self._is_answering() else self._limits.idle_seconds)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - _REASONS has the texts
        """Refuse what the parser has refused."""
        self._refuse(self._refusal)

    # -- what uvicorn's answers call ----------------------------------------------------------

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # uvicorn's does not count a byte before a request
        if self._refused:
            self.transport.close()
        elif self._reading == "nothing" and not self._is_answering():
            self._set_deadline(self._limits.idle_seconds)

    # -- limits -------------------------------------------------------------------------------

    def _is_answering(self) -> bool:
        """Whether the newest request, or an earlier one, has no complete answer yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_parsing(self, status: int) -> None:
        """Have the parser stop, and refuse the request."""
        self._refusal = status
        raise _TooMuchError

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        """End a wait for the client."""
        if self._reading == "nothing":
            self.transport.close()
        elif self.pipeline or (self._reading == "head" and self._is_answering()):
            # Nothing is read while the answer to an earlier request is under way.
            self._set_deadline(self._limits.head_seconds)
        else:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Answer with an error and close; an answer that is under way comes to its end first."""
        self._refused = True
        self._set_deadline(None)
        earlier = bool(self.pipeline) or (self._reading != "body" and self._is_answering())
        self.pipeline.clear()
        if earlier:
            return  # `on_response_complete` closes the connection
        begun = self._reading == "body" and self.cycle.response_started
        if self._is_answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not begun and not self.transport.is_closing():
            body = b'{"detail":"%s"}' % _REASONS[status].encode()
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: "
            self.transport.write(STATUS_LINE[status] + head + b"%d\r\n\r\n" % len(body) + body)
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGERING_SECONDS, self.transport.close)

    def _watch_taking(self, before: int) -> None:
        """Reset the connection if the client takes nothing of its answer for a time."""
        self._taking = self.loop.call_later(self._limits.answer_seconds, self._check_taking, before)

    def _check_taking(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= before:
            self.reset()
        else:
            self._watch_taking(left)
