"""Requests as bytes, for what no client library sends."""

from __future__ import annotations

import re
import socket
from contextlib import suppress

from aqt_fast.testing import ArnicaServer


def connection(server: ArnicaServer) -> socket.socket:
    """A connection to a server."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def request(
    server: ArnicaServer,
    *lines: bytes,
    method: str = "GET",
    path: str = "/api/v1/workspaces",
    token: bool = True,
) -> bytes:
    """The head of a request with the right token; more lines as bytes."""
    head = [f"{method} {path} HTTP/1.1".encode(), b"Host: 127.0.0.1"]
    if token:
        head.append(f"Authorization: Bearer {server.token}".encode())
    return b"\r\n".join([*head, *lines, b"", b""])


def answer(peer: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    pieces = []
    with suppress(ConnectionError):
        while piece := peer.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def exchange(server: ArnicaServer, data: bytes) -> bytes:
    """Send bytes; return all that comes until the server closes the idle connection."""
    with connection(server) as peer:
        with suppress(ConnectionError):
            peer.sendall(data)
        return answer(peer)


def statuses(data: bytes) -> list[int]:
    """The status of each answer, for answers without a status line in their bodies."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", data)]
