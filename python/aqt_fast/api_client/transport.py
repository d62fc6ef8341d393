"""The way to a server: httpx's transport, over connections that end in time."""

from __future__ import annotations

import ssl

import httpcore
import httpx

from aqt_fast.api_client.decisions import SUBMITTING_METHODS
from aqt_fast.api_client.network import Network

_KEEP_ALIVE_SECONDS = 3.0
"""Shorter than servers keep idle connections (uvicorn: 5 s)."""

_MAX_CONNECTIONS = 32


class Transport(httpx.BaseTransport):
    """Sends requests over connections that a :class:`Network` makes.

    Each submission has a connection of its own: no bytes that belong to another request can be
    taken for its answer. Other requests share connections.

    Args:
        network: makes the connections.
        context: the trusted certificates; None if there is no TLS.
        proxy: the proxy to pass, None for none.
    """

    def __init__(
        self, network: Network, context: ssl.SSLContext | None, proxy: httpx.Proxy | None
    ) -> None:
        """Connect to nothing yet."""
        self._shared = _Pooled(_pool(network, context, proxy, most_idle=_MAX_CONNECTIONS))
        self._own = _Pooled(_pool(network, context, proxy, most_idle=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and receive the head of its answer."""
        transport = self._own if request.method in SUBMITTING_METHODS else self._shared
        return transport.handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        self._shared.close()
        self._own.close()


class _Pooled(httpx.HTTPTransport):
    """``httpx.HTTPTransport`` over a pool: it cannot be given a network, but its pool can."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool


def _pool(
    network: Network,
    context: ssl.SSLContext | None,
    proxy: httpx.Proxy | None,
    *,
    most_idle: int,
) -> httpcore.ConnectionPool:
    if proxy is None:
        return httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=most_idle,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=network,
        )
    kind = httpcore.SOCKSProxy if proxy.url.scheme.startswith("socks") else httpcore.HTTPProxy
    return kind(
        proxy_url=str(proxy.url),
        proxy_auth=proxy.raw_auth,
        ssl_context=context,
        max_connections=_MAX_CONNECTIONS,
        max_keepalive_connections=most_idle,
        keepalive_expiry=_KEEP_ALIVE_SECONDS,
        network_backend=network,
    )
