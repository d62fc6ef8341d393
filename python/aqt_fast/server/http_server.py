"""The socket and its thread: start, stop, reset connections. HTTP is uvicorn's."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

from aqt_fast.server.connection import Connection
from aqt_fast.server.limits import Limits

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from aqt_fast.server.addresses import ListeningAddress

_BACKLOG = 2048

_SHARES_PORTS = os.name == "posix"
"""Whether SO_REUSEADDR lets two sockets have a port of which one listens. On Windows, it lets any
process take any port."""

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of ``accept`` that stay until something is closed."""
_NO_ROOM_SECONDS = 0.1
"""How long nothing is accepted after one of them: the connection waits, and the loop would spin."""


class HttpServer:
    """Serves an ASGI application; keeps its port from the first start to :meth:`close`."""

    def __init__(self, app: ASGIApp, address: ListeningAddress, port: int, limits: Limits) -> None:
        """Listen on nothing yet; the first start replaces port 0 by a free one."""
        self._app = app
        self._limits = limits
        self._address = address
        self._port = port
        self._reservation: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: _Serving | None = None

    @property
    def port(self) -> int:
        """The port; 0 before the first start if it is to be a free one."""
        return self._port

    def start(self) -> None:
        """Listen, and return once connections are accepted; do nothing if it listens already.

        Raises:
            OSError: the port is in use.
        """
        if self._thread is not None:
            return
        if self._reservation is None:
            reservation = _bind(self._address, self._port)
            self._port = reservation.getsockname()[1]
            if _SHARES_PORTS:
                # This socket never listens: it keeps the port while the server is stopped.
                # Otherwise another process could take it, or a client's outgoing connection.
                self._reservation = reservation
            else:
                reservation.close()
        ready: threading.Event = threading.Event()
        failures: list[BaseException] = []
        thread = threading.Thread(
            target=self._run, args=(ready, failures), name="aqt-fast server", daemon=True
        )
        thread.start()
        ready.wait()
        if failures:
            thread.join()
            self.close()
            raise failures[0]
        self._thread = thread

    def stop(self) -> None:
        """Reset all connections and refuse new ones until the next start."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._serving is not None:
            self._loop.call_soon_threadsafe(self._serving.ended.set)
            thread.join()

    def close(self) -> None:
        """Stop, and free the port."""
        self.stop()
        if self._reservation is not None:
            self._reservation.close()
            self._reservation = None

    def refuse(self, seconds: float) -> None:
        """Reset all connections, refuse new ones for a number of seconds; return once it is so."""
        loop, serving = self._loop, self._serving
        if self._thread is None or loop is None or serving is None:
            return
        if threading.current_thread() is self._thread:
            serving.refuse(seconds)
        else:
            asyncio.run_coroutine_threadsafe(serving.refuse_from_outside(seconds), loop).result()

    def _run(self, ready: threading.Event, failures: list[BaseException]) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            bind = partial(_bind, self._address, self._port)
            self._serving = _Serving(self._app, self._limits, bind)
            self._serving.listen()
            ready.set()
            await self._serving.until_ended()

        # Whatever loop is usual here: that of Windows does not tell when a connection arrives.
        loop = asyncio.SelectorEventLoop()
        try:
            loop.run_until_complete(serve())
        except BaseException as error:  # noqa: BLE001 - `start` raises it again
            failures.append(error)
        finally:
            ready.set()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()


class _Serving:
    """Accepts connections in one event loop, from a start to a stop."""

    def __init__(self, app: ASGIApp, limits: Limits, bind: Callable[[], socket.socket]) -> None:
        self.ended = asyncio.Event()
        self._limits = limits
        self._bind = bind
        # No log: a request may hold a secret, such as a token.
        self._config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # A header must not say who the client is.
            proxy_headers=False,
        )
        self._config.load()
        self._state = ServerState()
        self._listener: socket.socket | None = None
        self._adopting: set[asyncio.Task[None]] = set()
        self._reopening: asyncio.TimerHandle | None = None

    def listen(self) -> None:
        """Accept connections."""
        # Not by asyncio's own server: it loses a connection that arrives while it is closed, and
        # issues a warning.
        listener = self._bind()
        listener.setblocking(False)
        listener.listen(_BACKLOG)
        self._listener = listener
        self._await_connections(listener)

    async def until_ended(self) -> None:
        """Serve until ``ended`` is set, then close all connections and end all tasks."""
        await self.ended.wait()
        self._stop_listening()
        # Let each request see that its client is gone; then cancel those that wait for anything
        # else.
        await asyncio.gather(*self._adopting, asyncio.sleep(0))
        tasks: list[asyncio.Task[Any]] = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._reopening is not None:
            self._reopening.cancel()

    def refuse(self, seconds: float) -> None:
        """Stop listening for a number of seconds; a second call can only make it longer."""
        loop = asyncio.get_running_loop()
        when = loop.time() + seconds
        if self._reopening is not None:
            when = max(when, self._reopening.when())
            self._reopening.cancel()
        self._stop_listening()
        self._reopening = loop.call_at(when, self.listen)

    async def refuse_from_outside(self, seconds: float) -> None:
        """Do the same for another thread; all connections are reset before it returns."""
        self.refuse(seconds)
        await asyncio.sleep(0)

    def _await_connections(self, listener: socket.socket) -> None:
        if self._listener is listener:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            accepted, _ = listener.accept()
        except OSError as error:
            # Otherwise, the client has closed the connection already.
            if error.errno in _NO_ROOM:
                loop.remove_reader(listener)
                loop.call_later(_NO_ROOM_SECONDS, self._await_connections, listener)
            return
        accepted.setblocking(False)
        task = loop.create_task(self._adopt(listener, accepted))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def _adopt(self, listener: socket.socket, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.connect_accepted_socket(self._connection, accepted)
        if self._listener is not listener:
            # The server stopped listening in between.
            connection.reset()

    def _connection(self) -> Connection:
        return Connection(self._limits, config=self._config, server_state=self._state, app_state={})

    def _stop_listening(self) -> None:
        """Stop listening and reset all connections."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for connection in list(self._state.connections):
            if isinstance(connection, Connection):
                connection.reset()


def _bind(address: ListeningAddress, port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets with this protocol number.
    bound = socket.socket(address.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if _SHARES_PORTS:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address.with_port(port))
    except BaseException:
        bound.close()
        raise
    return bound
