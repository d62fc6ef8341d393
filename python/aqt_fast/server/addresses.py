"""Where the server listens, and which names of it are this computer's own."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from aqt_fast.exceptions import InvalidOptionError

_HOST_HEADER = re.compile(
    r"(?P<name>\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z._~-]+)(?P<port>:[0-9]{1,5})?", re.ASCII
)


@dataclass(frozen=True)
class ListeningAddress:
    """An address to listen on.

    It is looked up once: what is decided about it is decided about the address that is bound.
    """

    host: str
    """As it was given."""
    family: int
    found: tuple[Any, ...]
    """The socket address, with port 0."""

    @classmethod
    def of(cls, host: str) -> ListeningAddress:
        """Look a host up; an IPv4 address precedes others.

        Args:
            host: an address, or a name of this computer; empty for all of its IPv4 addresses.

        Raises:
            InvalidOptionError: the host has no address.
        """
        expected = "an address or a name of this computer"
        try:
            entries = socket.getaddrinfo(
                host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except (OSError, ValueError, TypeError):  # also UnicodeError
            raise InvalidOptionError("host", host, expected) from None
        entries.sort(key=lambda entry: entry[0] != socket.AF_INET)
        family, _, _, _, found = entries[0]
        return cls(host, family, found)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this computer reach the address."""
        return is_loopback(self.found[0])

    @property
    def url_host(self) -> str:
        """The host of URLs for clients on this computer."""
        address = _parse(self.found[0])
        if address is not None and address.is_unspecified:
            return "127.0.0.1" if isinstance(address, IPv4Address) else "[::1]"
        return f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host

    def with_port(self, port: int) -> tuple[Any, ...]:
        """Return the socket address with a port."""
        return (self.found[0], port, *self.found[2:])


def is_loopback(address: str) -> bool:
    """Whether a numeric address is one of this computer's loopback addresses."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def client_name(address: str) -> str:
    """Return what stands for one client: its address, or its network (64 bits) of IPv6.

    A client of IPv6 has as many addresses as it likes.
    """
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return address if parsed is None else str(parsed)


def host_name(header: str) -> str | None:
    """Return the host of a header ``Host`` without its port; None if it is malformed."""
    match = _HOST_HEADER.fullmatch(header)
    if match is None:
        return None
    name = match["name"]
    if name.startswith("["):
        return name[1:-1] if _parse(name[1:-1]) is not None else None
    return name


def is_own_name(name: str) -> bool:
    """Whether a host name cannot stand for this computer by an attacker's word.

    An address names itself, and ``localhost`` is never looked up. Any other name means what its
    owner's name server says: a page in a browser may have it point here (DNS rebinding).
    """
    plain = name.lower().removesuffix(".")
    return plain == "localhost" or plain.endswith(".localhost") or _parse(name) is not None


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Read a numeric address; one of IPv4 within IPv6 counts as that of IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
