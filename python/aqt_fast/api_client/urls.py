"""URLs: which servers may get the token, and identifiers as parts of a path."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote

import httpx

from aqt_fast.exceptions import APIError, InsecureConnectionError


def server_url(text: str, *, with_token: bool) -> httpx.URL:
    """Read the URL of a server, without a slash at its end.

    Args:
        text: the URL, with the path that all requests share.
        with_token: whether requests carry an access token.

    Raises:
        InsecureConnectionError: the token would travel over plain HTTP to another machine.
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
    if with_token:
        check_protected(url)
    return url


def check_protected(url: httpx.URL) -> None:
    """Refuse a URL to which a token would travel over plain HTTP, unless it is this machine's.

    Raises:
        InsecureConnectionError: the connection would not be protected.
    """
    if url.scheme == "http" and not _is_loopback(url.host):
        raise InsecureConnectionError(
            f"{url}: the access token is not sent over plain HTTP to another machine; use https://"
        )


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
