"""The body of an answer: received and decompressed within limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress

import httpx

from aqt_fast.api_client.network import TimedStream
from aqt_fast.exceptions import ResponseError, ResponseTooLargeError

ACCEPTED_ENCODINGS = "gzip"
"""Value of ``Accept-Encoding``. Other encodings are not decoded."""

_MOST_BYTES_OF_AN_ERROR = 2**20
"""What is read of an answer that reports no success; the rest is not received."""

_PIECE = 2**16
"""Most bytes that are decompressed at a time."""

_OF_THE_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that do not describe a body that was decoded."""


def read_answer(response: httpx.Response, most_bytes: int) -> httpx.Response:
    """Receive the body, and return the answer as a whole, decompressed.

    If the answer reports no success, its status counts whatever its body is: what cannot be
    decompressed, and what is longer than 1 MiB, is left out.

    Args:
        response: the answer, of which the head has arrived.
        most_bytes: largest body of a success, decompressed.

    Raises:
        ResponseTooLargeError: the body is larger.
        ResponseError: the body cannot be decompressed.
        httpx.HTTPError: the connection was lost, or the body did not come in time.
    """
    return httpx.Response(
        response.status_code,
        headers=[
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in _OF_THE_TRANSFER
        ],
        content=_read(response, most_bytes),
        request=response.request,
        extensions={
            "reason_phrase": response.reason_phrase.encode("ascii", "ignore"),
            "network_stream": response.extensions.get("network_stream"),
        },
    )


def discard_connection(response: httpx.Response) -> None:
    """End the connection of an answer that was not usable: the next may be another's."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, TimedStream):
        stream.discard()


def _read(response: httpx.Response, most_bytes: int) -> bytes:
    if response.is_stream_consumed:  # a transport of the caller's own has done it
        return response.content
    if response.is_success:
        try:
            return b"".join(_limited(_decoded(response), most_bytes))
        except ResponseError:
            discard_connection(response)
            raise
    body = bytearray()
    with suppress(ResponseError):
        for part in _limited(_decoded(response), _MOST_BYTES_OF_AN_ERROR):
            body += part
    return bytes(body)


def _limited(parts: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """Pass parts on, up to a limit.

    Raises:
        ResponseTooLargeError: there is more.
    """
    left = most_bytes
    for part in parts:
        if len(part) > left:
            yield part[:left]
            raise ResponseTooLargeError(most_bytes)
        left -= len(part)
        yield part


def _decoded(response: httpx.Response) -> Iterator[bytes]:
    encodings = response.headers.get("Content-Encoding", "").replace(",", " ").lower().split()
    received = _received(response)
    if not set(encodings) - {"identity"}:
        return received
    if encodings in (["gzip"], ["x-gzip"]):
        return _inflated(received)
    raise ResponseError(f"it is encoded as {' '.join(encodings)[:40]!r}, not as gzip")


def _received(response: httpx.Response) -> Iterator[bytes]:
    stream = response.extensions.get("network_stream")
    timed = stream if isinstance(stream, TimedStream) else None
    if timed is not None:
        length = response.headers.get("Content-Length", "")
        chunked = "Transfer-Encoding" in response.headers
        timed.begin_body(
            response.request.extensions["timeout"]["read"],
            int(length) if length.isdigit() and not chunked else None,
            chunked=chunked,
        )
    for part in response.iter_raw():
        if timed is not None:
            timed.received(len(part))
        yield part


def _inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a little at a time, so that a small part cannot fill the memory."""
    inflater = _inflater()
    try:
        for part in parts:
            rest = part
            while True:
                if inflater.eof and rest:  # another member
                    inflater = _inflater()
                piece = inflater.decompress(rest, _PIECE)
                yield piece
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                if not rest and len(piece) < _PIECE:
                    break
    except zlib.error as error:
        raise ResponseError(f"it cannot be decompressed: {error}") from error
    if not inflater.eof:
        raise ResponseError("it cannot be decompressed: its end is missing")


def _inflater() -> zlib._Decompress:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)
