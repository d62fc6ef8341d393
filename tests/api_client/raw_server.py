"""A server on loopback that answers with bytes of the test's choice."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[socket.socket, bytes], None]
"""Answers a request: takes the connection and what was received. It may raise ``OSError``."""


class RawServer:
    """Reads requests, and has ``answer`` answer each; a connection ends when that returns.

    Args:
        answer: what answers, which may be changed.
    """

    def __init__(self, answer: Answer) -> None:
        """Listen."""
        self.answer = answer
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self.answer(connection, _request(connection))
        self._open.discard(connection)

    def close(self) -> None:
        """End all connections."""
        self._listener.close()
        for connection in list(self._open):
            connection.close()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionError
    return part


@contextlib.contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """A server for the length of a block."""
    server = RawServer(answer)
    try:
        yield server
    finally:
        server.close()
