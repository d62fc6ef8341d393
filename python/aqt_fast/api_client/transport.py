"""The way to a server: httpx's transport, over connections that end in time."""

from __future__ import annotations

import ssl

import httpcore
import httpx

from aqt_fast.api_client.network import Network

_KEEP_ALIVE_SECONDS = 3.0
"""Shorter than servers keep idle connections (uvicorn: 5 s). A submission over a connection that
the server closes at the same time would be uncertain."""

_MAX_CONNECTIONS = 32


class Transport(httpx.HTTPTransport):
    """Sends requests over a pool of connections that a :class:`Network` makes.

    ``httpx.HTTPTransport`` cannot be given a network, but its pool can.

    Args:
        network: makes the connections.
        context: the trusted certificates; None if there is no TLS.
        proxy: the proxy to pass, None for none.
    """

    def __init__(
        self, network: Network, context: ssl.SSLContext | None, proxy: httpx.Proxy | None
    ) -> None:
        """Connect to nothing yet."""
        self._pool = _pool(network, context, proxy)


def _pool(
    network: Network, context: ssl.SSLContext | None, proxy: httpx.Proxy | None
) -> httpcore.ConnectionPool:
    if proxy is None:
        return httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=network,
        )
    kind = httpcore.SOCKSProxy if proxy.url.scheme.startswith("socks") else httpcore.HTTPProxy
    return kind(
        proxy_url=str(proxy.url),
        proxy_auth=proxy.raw_auth,
        ssl_context=context,
        max_connections=_MAX_CONNECTIONS,
        keepalive_expiry=_KEEP_ALIVE_SECONDS,
        network_backend=network,
    )
