"""What the chaos proxy does to the bytes of an exchange, which is a request and its answer.

Each fault is a coroutine that gets the exchange, and returns whether the client's connection stays
open. No fault makes a valid answer that is untrue, such as another status: nobody could notice it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import Protocol

from chaos_wire import Message, Wire

_NO_STATUS_LINES = (
    b"HTTP/1.1 2O0 OK",
    b"HTTP/1.1  OK",
    b"HTTP/1.1",
    b"HTP/1.1 200 OK",
    b"HTTP/x.1 200 OK",
    b"200 OK",
    b"\x00\xff\x7f\x80",
    b"HTTP/1.1 200 " + b"O" * 200_000,
)
_NO_SIZES = (b"", b"-5", b"0x", b"g", b"f" * 30, b"\xff\xfe", b"1;" + b"x" * 200_000)
_JUNK = (
    b"\0",
    b"\r\n\r\n",
    b"\xff" * 1000,
    b"<html>Bad Gateway</html>",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
)
"""The valid answers come with the bytes before them, so that a client can notice them."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_SINGLE_BYTES = 200
_REQUEST_PIECES = 30


class Proxy(Protocol):
    """What faults need of the proxy."""

    async def fetch(self, request: Message) -> Message:
        """Send a request to the server, and return its answer."""

    async def dial(self) -> Wire:
        """Connect to the server."""

    async def exchange_answers(self, request: Message, answer: Message) -> Message:
        """Give an answer away for another request's; the same one if there is none to have."""

    def refuse(self, seconds: float) -> None:
        """Refuse new connections."""

    def stall(self, seconds: float) -> None:
        """Do not accept new connections."""


@dataclass(frozen=True)
class Exchange:
    """A request, and the means to answer it."""

    proxy: Proxy
    client: Wire
    request: Message
    random: Random
    read_timeout: float
    """Seconds that the client waits for an answer."""

    async def answer(self) -> Message:
        """The server's answer."""
        return await self.proxy.fetch(self.request)

    def cut(self, data: bytes) -> bytes:
        """The beginning of some bytes, without the last one at least."""
        return data[: self.random.randrange(len(data))]

    def pieces(self, data: bytes, most: int) -> list[bytes]:
        """The bytes in random pieces."""
        number = min(most, len(data) - 1)
        cuts = sorted(self.random.sample(range(1, len(data)), number))
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


Fault = Callable[[Exchange], Awaitable[bool]]


async def _reset_before_request(exchange: Exchange) -> bool:
    exchange.client.reset()
    return False


async def _reset_within_request(exchange: Exchange) -> bool:
    with closing(await exchange.proxy.dial()) as server:
        await server.write(exchange.cut(exchange.request.raw))
        server.reset()
    exchange.client.reset()
    return False


async def _close_within_request(exchange: Exchange) -> bool:
    with closing(await exchange.proxy.dial()) as server:
        await server.write(exchange.cut(exchange.request.raw))
    return False


async def _reset_after_request(exchange: Exchange) -> bool:
    """The server may have accepted the request, or not yet."""
    with closing(await exchange.proxy.dial()) as server:
        await server.write(exchange.request.raw)
        server.reset()
    exchange.client.reset()
    return False


async def _reset_before_answer(exchange: Exchange) -> bool:
    await exchange.answer()
    exchange.client.reset()
    return False


async def _reset_within_answer(exchange: Exchange) -> bool:
    await exchange.client.write(exchange.cut((await exchange.answer()).raw))
    exchange.client.reset()
    return False


async def _cut_answer(exchange: Exchange) -> bool:
    await exchange.client.write(exchange.cut((await exchange.answer()).raw))
    return False


async def _half_closed(exchange: Exchange) -> bool:
    await exchange.answer()
    exchange.client.shut()
    await exchange.client.is_left()
    return False


async def _black_hole(exchange: Exchange) -> bool:
    await exchange.client.is_left()
    return False


async def _no_answer(exchange: Exchange) -> bool:
    """Half open: the server has answered, the client never hears of it."""
    await exchange.answer()
    await exchange.client.is_left()
    return False


async def _late_answer(exchange: Exchange) -> bool:
    answer = await exchange.answer()
    if await exchange.client.is_left(exchange.read_timeout * exchange.random.uniform(1.1, 2)):
        return False
    await exchange.client.write(answer.raw)
    return True


async def _answer_in_drips(exchange: Exchange) -> bool:
    raw = (await exchange.answer()).raw
    first = [raw[place : place + 1] for place in range(min(_SINGLE_BYTES, len(raw)))]
    seconds = exchange.read_timeout * exchange.random.uniform(0.2, 1.5)
    await exchange.client.drip([*first, raw[_SINGLE_BYTES:]], seconds / len(first))
    return True


async def _request_in_drips(exchange: Exchange) -> bool:
    pieces = exchange.pieces(exchange.request.raw, _REQUEST_PIECES)
    with closing(await exchange.proxy.dial()) as server:
        await server.drip(pieces, exchange.read_timeout / 4 / _REQUEST_PIECES)
        answer = await server.read()
    if answer is not None:
        await exchange.client.write(answer.raw)
    return answer is not None


async def _partial_writes(exchange: Exchange) -> bool:
    raw = (await exchange.answer()).raw
    await exchange.client.drip(exchange.pieces(raw, exchange.random.randrange(1, 20)), 0.001)
    return True


async def _junk_after_answer(exchange: Exchange) -> bool:
    junk = exchange.random.choice(_JUNK)
    await exchange.client.write((await exchange.answer()).raw + junk)
    return True


async def _duplicated_answer(exchange: Exchange) -> bool:
    await exchange.client.write(2 * (await exchange.answer()).raw)
    return True


async def _shifted_answers(exchange: Exchange) -> bool:
    """The duplicate comes when the next request has come: each then gets the previous answer."""
    answer = await exchange.answer()
    await exchange.client.write(answer.raw)
    exchange.client.owed = answer.raw
    return True


async def _swapped_answers(exchange: Exchange) -> bool:
    answer = await exchange.proxy.exchange_answers(exchange.request, await exchange.answer())
    await exchange.client.write(answer.raw)
    return True


async def _no_status_line(exchange: Exchange) -> bool:
    answer = await exchange.answer()
    line = exchange.random.choice(_NO_STATUS_LINES)
    await exchange.client.write(Message(line, answer.fields, answer.body).raw)
    return False


async def _wrong_length(exchange: Exchange) -> bool:
    answer = await exchange.answer()
    shorter = exchange.random.randrange(max(1, len(answer.body)))
    longer = len(answer.body) + exchange.random.choice((1, 2, 1000, 10**18))
    await exchange.client.write(answer.with_length(exchange.random.choice((shorter, longer))).raw)
    return True


async def _wrong_chunks(exchange: Exchange) -> bool:
    answer = (await exchange.answer()).chunked()
    chunks = exchange.pieces(answer.body, 2) if len(answer.body) > 1 else [answer.body]
    sizes = [b"%x" % len(chunk) for chunk in chunks]
    wrong = exchange.random.randrange(len(chunks))
    off = len(chunks[wrong]) + exchange.random.choice((-1, 1, 2, 3))
    sizes[wrong] = exchange.random.choice((*_NO_SIZES, b"%x" % off))
    body = b"".join(
        size + b"\r\n" + chunk + b"\r\n" for size, chunk in zip(sizes, chunks, strict=True)
    )
    await exchange.client.write(answer.head + body + b"0\r\n\r\n")
    return True


async def _garbage(exchange: Exchange) -> bool:
    await exchange.answer()
    await exchange.client.write(exchange.random.randbytes(exchange.random.randrange(1, 2000)))
    return False


async def _continues(exchange: Exchange) -> bool:
    """``100 Continue`` over and over: each arrives within the time-out, the answer never does."""
    await exchange.answer()
    pause = exchange.read_timeout / 10
    await exchange.client.drip([_CONTINUE] * exchange.random.randrange(5, 40), pause)
    exchange.client.reset()
    return False


async def _closed_idle(exchange: Exchange) -> bool:
    """The connection ends some time after the answer, perhaps when the next request is sent."""
    await exchange.client.write((await exchange.answer()).raw)
    await asyncio.sleep(exchange.random.uniform(0, 0.02))
    if exchange.random.choice((True, False)):
        exchange.client.reset()
    return False


async def _refused(exchange: Exchange) -> bool:
    exchange.proxy.refuse(exchange.random.uniform(0.02, 0.1))
    exchange.client.reset()
    return False


async def _slow_accept(exchange: Exchange) -> bool:
    exchange.proxy.stall(exchange.read_timeout * exchange.random.uniform(0.1, 1.5))
    exchange.client.reset()
    return False


FAULTS: Mapping[str, Fault] = {
    fault.__name__.removeprefix("_"): fault
    for fault in (
        _refused,
        _slow_accept,
        _reset_before_request,
        _reset_within_request,
        _close_within_request,
        _reset_after_request,
        _reset_before_answer,
        _reset_within_answer,
        _cut_answer,
        _half_closed,
        _black_hole,
        _no_answer,
        _late_answer,
        _request_in_drips,
        _answer_in_drips,
        _partial_writes,
        _junk_after_answer,
        _duplicated_answer,
        _shifted_answers,
        _swapped_answers,
        _no_status_line,
        _wrong_length,
        _wrong_chunks,
        _garbage,
        _continues,
        _closed_idle,
    )
}
"""All faults by name."""
