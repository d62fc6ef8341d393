"""Connections whose requests end in time and get no bytes of others, whatever the server sends.

httpx has time-outs for single reads and writes only: a server that sends one byte now and then
would keep a request for ever. And it takes bytes that follow an answer for the next answer.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from aqt_fast._forks import ForkSafeLock

MIN_BYTES_PER_SECOND = 20_000
"""A request, and the body of an answer, may take its time-out, and a second more for so many bytes.
50 MB at 200 kB/s take 250 s; they may take 2500 s more than the time-out."""

_SLICE = 65536
"""Bytes that are written between two looks at the clock."""


class TimedStream(httpcore.NetworkStream):
    """A connection that ends each request in time, and is not used again after bytes too many.

    A request begins with what is written. The head of its answer must be there within the read
    time-out. The client then calls :meth:`begin_body` and :meth:`received`.

    An answer is passed on in parts that do not reach beyond its end: lines, chunks, or a body of
    known length.

    Args:
        stream: the connection.
        note: called with each socket of the connection.
    """

    def __init__(
        self, stream: httpcore.NetworkStream, note: Callable[[socket.socket], None]
    ) -> None:
        """Expect the first request."""
        self._stream = stream
        self._note = note
        self._until = math.inf
        self._in_parts = False
        """Whether what arrives is passed on in parts: HTTP, and not a body up to the very end."""
        self._unread = b""
        """What has arrived, of which the bytes from ``_start`` on are not passed on yet."""
        self._start = 0
        self._part_left = 0
        """Bytes of the present chunk or body that are not passed on yet; 0 for a line."""
        self._chunk_line: bytes | None = None
        """What has arrived of a line with the length of a chunk; None where no chunk begins."""
        note(stream.get_extra_info("socket"))

    def begin_body(self, timeout: float, length: int | None, *, chunked: bool) -> None:
        """Prepare for the body of an answer.

        Args:
            timeout: the time for it in seconds; :meth:`received` adds more.
            length: its length in bytes, None if the head does not tell.
            chunked: whether it comes in chunks.
        """
        self._until = time.monotonic() + timeout
        self._in_parts = chunked or length is not None
        self._part_left = length or 0
        self._chunk_line = b"" if chunked else None

    def received(self, num_bytes: int) -> None:
        """Allow more time: so many bytes of a body have arrived."""
        self._until += num_bytes / MIN_BYTES_PER_SECOND

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive bytes, up to the end of the request's time."""
        if self._start == len(self._unread):
            self._start = 0
            self._unread = self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))
        end = self._end() if self._in_parts else len(self._unread)
        part = self._unread[self._start : end]
        self._start = end
        return part

    def _end(self) -> int:
        """Find the end of the part that is passed on next."""
        arrived = len(self._unread)
        if self._part_left:
            end = min(arrived, self._start + self._part_left)
            self._part_left -= end - self._start
            return end
        end = self._unread.find(b"\n", self._start) + 1 or arrived
        if self._chunk_line is not None:
            self._chunk_line += self._unread[self._start : end]
            if self._chunk_line.endswith(b"\n"):
                size = _chunk_size(self._chunk_line)
                self._part_left = size and size + 2  # with the end of the line
                self._chunk_line = b"" if size else None
        return end

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes; the time for the answer begins with the last of them."""
        self._in_parts |= buffer[:1].isalpha()  # a method; not so the requests to a SOCKS proxy
        self._part_left, self._chunk_line = 0, None
        allowed = math.inf if timeout is None else timeout
        self._until = time.monotonic() + allowed
        view = memoryview(buffer)
        for start in range(0, len(view), _SLICE):
            part = bytes(view[start : start + _SLICE])
            self._stream.write(part, self._left(timeout, httpcore.WriteTimeout))
            self._until += len(part) / MIN_BYTES_PER_SECOND
        self._until = time.monotonic() + allowed

    def discard(self) -> None:
        """End the connection, also for a request that is on its way: an answer was not usable."""
        _shut_down(self._stream.get_extra_info("socket"))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on encrypted."""
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return TimedStream(stream, self._note)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for; a connection that is readable is not used again."""
        if info == "is_readable" and self._start < len(self._unread):
            return True
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, kind: type[httpcore.TimeoutException]) -> float | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise kind("it takes too long")
        shortest = min(left, math.inf if timeout is None else timeout)
        return None if shortest == math.inf else shortest


class Network(httpcore.NetworkBackend):
    """Makes connections, and ends them all at once."""

    def __init__(self) -> None:
        """Connected to nothing yet."""
        self._backend = httpcore.SyncBackend()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._ended = False
        self._lock = ForkSafeLock()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return TimedStream(stream, self._add)

    def hang_up(self) -> None:
        """End all connections, also those to come. Threads that wait for an answer go on."""
        with self._lock:
            self._ended = True
            for connection in self._sockets:
                _shut_down(connection)

    def close_copies(self) -> None:
        """Close a forked process's copies of the sockets; those of the parent stay open."""
        for copy in list(self._sockets):
            copy.close()

    def _add(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.add(connection)
            if self._ended:
                _shut_down(connection)


def _chunk_size(line: bytes) -> int:
    """Read the length of a chunk, 0 for the last one and for what is none."""
    try:
        return max(0, int(line.partition(b";")[0], 16))
    except ValueError:
        return 0


def _shut_down(connection: socket.socket) -> None:
    try:
        # Not that of SSLSocket, which another thread may be reading.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already
