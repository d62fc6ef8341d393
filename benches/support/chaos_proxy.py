"""A proxy on real sockets that mistreats the bytes between client and server.

A share of all exchanges suffers a fault (:mod:`chaos_faults`). Which exchange suffers which follows
from the seed, the request and how often it was sent before: not from the order in which threads
send. Every fault is logged, without the head of the request, which holds the token.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from chaos_faults import FAULTS, Exchange
from chaos_wire import Message, Wire
from typing_extensions import Self

_BACKLOG = 2048
_PARTNER_SECONDS = 0.2
"""How long an answer waits for another one to be swapped with."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Hit:
    """One line of the log."""

    kind: str
    method: str
    path: str
    exchange: int
    """Number of the exchange, from 1."""
    connection: int
    """Number of the client's connection, from 1."""
    sha256: str
    """Digest of the request's body, as the server records it."""


class ChaosProxy:
    """Passes requests on to a server, and mistreats some; a context manager that listens inside.

    Args:
        server_url: where requests go.
        seed: of the faults.
        read_timeout: seconds that the client waits for an answer, which some faults exceed.
        labels: whether answers name API jobs by their labels. Without them, answers to
            submissions are never swapped, as nobody could notice it.
        kinds: the faults to choose from.
    """

    def __init__(
        self,
        server_url: str,
        *,
        seed: int,
        read_timeout: float,
        labels: bool = True,
        kinds: Collection[str] = FAULTS,
    ) -> None:
        """Listen on nothing, and do no harm yet."""
        self.rate = 0.0
        """Share of exchanges that suffer a fault, from 0 to 1."""
        self.log: list[Hit] = []
        """All faults so far."""
        self.exchanges: Counter[str] = Counter()
        """Requests so far by method."""
        self._seed = seed
        self._read_timeout = read_timeout
        self._labels = labels
        self._kinds = sorted(kinds)
        server = urlsplit(server_url)
        self._server = str(server.hostname), server.port or 80
        self._connections = 0
        self._times: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        """Digests of the bodies that the server has accepted, by identifier."""
        self._offered: tuple[Message, asyncio.Future[Message], Message] | None = None
        """An answer that waits for another one: its request, its partner, and itself."""
        self._tasks: set[asyncio.Task[None]] = set()
        # This socket never listens: it keeps the port while connections are refused.
        self._reservation = _bound(0)
        self._port = self._reservation.getsockname()[1]
        self._listener: socket.socket | None = None
        self._stalled = False
        self._timer: asyncio.TimerHandle | None = None
        """Ends a refusal or a stall."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos proxy")

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def num_connections(self) -> int:
        """Connections of clients that are open."""
        return len(self._tasks)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._reservation.close()

    def refuse(self, seconds: float) -> None:
        """Refuse new connections, in the event loop."""
        if self._listener is not None and not self._stalled:
            self._deafen()
            self._listener.close()
            self._listener = None
            self._timer = self._loop.call_later(seconds, self._listen)

    def stall(self, seconds: float) -> None:
        """Do not accept new connections, in the event loop: they wait in the backlog."""
        if self._listener is not None and not self._stalled:
            self._deafen()
            self._stalled = True
            self._timer = self._loop.call_later(seconds, self._hear)

    async def dial(self) -> Wire:
        """Connect to the server."""
        return await Wire.to(*self._server)

    async def fetch(self, request: Message) -> Message:
        """Send a request to the server, and return its answer.

        Raises:
            ConnectionError: the server has closed the connection instead.
        """
        with closing(await self.dial()) as server:
            await server.write(request.raw)
            answer = await server.read()
        if answer is None:
            raise ConnectionError("no answer")
        if request.method == "POST":
            for job_id in _UUID.findall(answer.body.decode("latin-1")):
                self._names.setdefault(job_id, request.sha256)
        return answer if self._labels else answer.without_label()

    async def exchange_answers(self, request: Message, answer: Message) -> Message:
        """Give an answer away for another request's; the same one if there is none to have."""
        if self._offered is not None:
            other, partner, offered = self._offered
            if self._labels or "GET" in (request.method, other.method):
                self._offered = None
                partner.set_result(answer)
                return offered
            return answer
        mine: asyncio.Future[Message] = self._loop.create_future()
        self._offered = request, mine, answer
        try:
            return await asyncio.wait_for(mine, _PARTNER_SECONDS)
        except (TimeoutError, asyncio.TimeoutError):
            self._offered = None
            return answer

    def _call(self, function: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (function(), done.set()))
        done.wait()

    def _listen(self) -> None:
        self._listener = _bound(self._port)
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)
        self._hear()

    def _hear(self) -> None:
        self._stalled = False
        if self._listener is not None:
            self._loop.add_reader(self._listener, self._accept, self._listener)

    def _deafen(self) -> None:
        self._loop.remove_reader(self._listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return  # the client has left already
        accepted.setblocking(False)
        self._connections += 1
        task = self._loop.create_task(self._converse(accepted, self._connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, accepted: socket.socket, connection: int) -> None:
        client = await Wire.of(accepted)
        try:
            while (request := await client.read()) is not None:
                if not await self._answer(client, request, connection):
                    break
        except ConnectionError:
            pass
        except asyncio.CancelledError:
            client.reset()
            raise
        finally:
            client.close()

    async def _answer(self, client: Wire, request: Message, connection: int) -> bool:
        """Answer a request, or do something else; return whether the connection stays open."""
        self.exchanges[request.method] += 1
        number = self.exchanges.total()

        def note(kind: str) -> None:
            hit = Hit(kind, request.method, request.path, number, connection, request.sha256)
            self.log.append(hit)

        owed, client.owed = client.owed, b""
        kind, random = self._choose(request)
        if owed:
            note("answer_of_another")
            await client.write(owed)
        elif kind is not None:
            note(kind)
            exchange = Exchange(self, client, request, random, self._read_timeout)
            return await FAULTS[kind](exchange)
        await client.write((await self.fetch(request)).raw)
        return True

    def _choose(self, request: Message) -> tuple[str | None, Random]:
        """The fault of an exchange, None for none, and what else it draws lots with."""
        path = _UUID.sub(lambda found: self._names.get(found[0], found[0]), request.path)
        name = f"{request.method} {path} {request.sha256}"
        self._times[name] += 1
        random = Random(f"{self._seed} {name} {self._times[name]}")  # noqa: S311 - no secret
        hit = random.random() < self.rate
        return random.choice(self._kinds) if hit else None, random

    async def _end(self) -> None:
        """Stop listening and close all connections."""
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            self._deafen()
            self._listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
