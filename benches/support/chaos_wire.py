"""TCP connections and HTTP messages as the chaos proxy handles them: bytes, whatever they say."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

HELD_SECONDS = 5.0
"""How long a fault holds a connection at most."""

_LINGER_ZERO = struct.pack("ii", 1, 0)
_EMPTY_LINE = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_LABEL = re.compile(rb'"label":"(?:[^"\\]|\\.)*",?')


@dataclass(frozen=True)
class Message:
    """A request or an answer of HTTP/1.1."""

    start: bytes
    """The first line, without its end."""
    fields: bytes
    """The other lines of the head, without the empty one."""
    body: bytes

    @property
    def raw(self) -> bytes:
        """All bytes."""
        return self.head + self.body

    @property
    def head(self) -> bytes:
        """What is before the body."""
        return self.start + b"\r\n" + self.fields + _EMPTY_LINE

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.start.partition(b" ")[0].decode("latin-1")

    @property
    def path(self) -> str:
        """The path of a request, without its query."""
        return self.start.split(b" ")[1].partition(b"?")[0].decode("latin-1")

    @property
    def sha256(self) -> str:
        """Digest of the body in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    def with_length(self, length: int) -> Message:
        """The same with another ``Content-Length``."""
        fields = _LENGTH.sub(b"content-length: %d" % length, self.fields)
        return Message(self.start, fields, self.body)

    def chunked(self) -> Message:
        """The same with its head announcing chunks; the body is still whole."""
        fields = _LENGTH.sub(b"transfer-encoding: chunked", self.fields)
        return Message(self.start, fields, self.body)

    def without_label(self) -> Message:
        """The same without the API job's label."""
        body = _LABEL.sub(b"", self.body)
        return Message(self.start, self.fields, body).with_length(len(body))


class Wire:
    """One end of a TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over an open connection."""
        self._reader = reader
        self._writer = writer
        self.owed = b""
        """What is sent as soon as the next request has come."""

    @classmethod
    async def of(cls, connected: socket.socket) -> Wire:
        """Take over a connected socket."""
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(*await asyncio.open_connection(sock=connected))

    @classmethod
    async def to(cls, host: str, port: int) -> Wire:
        """Connect."""
        return cls(*await asyncio.open_connection(host, port))

    async def read(self) -> Message | None:
        """Read the next message; None if the other side has closed the connection before it.

        Raises:
            ConnectionError: the connection was reset, or closed within the message.
        """
        try:
            head = await self._reader.readuntil(_EMPTY_LINE)
            start, _, fields = head.removesuffix(_EMPTY_LINE).partition(b"\r\n")
            found = _LENGTH.search(fields)
            body = await self._reader.readexactly(int(found[1])) if found else b""
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise ConnectionError("closed within a message") from error
            return None
        return Message(start, fields, body)

    async def write(self, data: bytes) -> None:
        """Send, and wait while buffers are full.

        Raises:
            ConnectionError: the connection was reset.
        """
        self._writer.write(data)
        await self._writer.drain()

    async def drip(self, pieces: Iterable[bytes], pause: float) -> None:
        """Send pieces with pauses of some seconds between them."""
        for piece in pieces:
            await self.write(piece)
            await asyncio.sleep(pause)

    def shut(self) -> None:
        """Send FIN, and go on reading."""
        self._writer.write_eof()

    def close(self) -> None:
        """Send what is left, then FIN."""
        self._writer.close()

    def reset(self) -> None:
        """Send RST, and drop what was not sent yet."""
        connection = self._writer.get_extra_info("socket")
        if connection is not None and not self._writer.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._writer.transport.abort()

    async def is_left(self, seconds: float = HELD_SECONDS) -> bool:
        """Wait whether the other side closes the connection in this time; drop what it sends."""
        try:
            await asyncio.wait_for(self._drain(), seconds)
        except (TimeoutError, asyncio.TimeoutError):
            return False
        except ConnectionError:
            pass
        return True

    async def _drain(self) -> None:
        while await self._reader.read(65536):
            pass
