"""URLs: which servers may get the token, and identifiers as parts of a path."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote

import httpx

from aqt_fast.exceptions import APIError

_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Addresses in private networks (RFC 1918, RFC 4193), and link-local ones."""


def server_url(text: str) -> httpx.URL:
    """Read the URL of a server, without a slash at its end.

    Args:
        text: the URL, with the path that all requests share.

    Raises:
        APIError: it is not the URL of a server.
    """
    try:
        url = httpx.URL(text.rstrip("/"))
        host = url.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise APIError(f"{text!r} is no URL: {error}") from error
    if url.scheme not in ("http", "https") or not host:
        raise APIError(f"{text!r} is no URL of a server: it must start with https://")
    if url.userinfo or url.query or url.fragment:
        raise APIError("the URL of a server has neither user, password, query nor fragment")
    return url


def is_protected(url: httpx.URL) -> bool:
    """Whether nobody else can read what is sent to a URL: by https, or within this machine."""
    return url.scheme != "http" or _is_loopback(url.host)


def is_private(host: str) -> bool:
    """Whether a host is given by its address in a private network, or a link-local address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in _PRIVATE)


def is_same_server(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether two URLs agree in scheme, host and port."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def path_segment(identifier: str) -> str:
    """Escape an identifier so that it is exactly one segment of a path."""
    if not identifier.strip("."):  # "." and ".." would be taken for directories
        return identifier.replace(".", "%2E")
    return quote(identifier, safe="")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
