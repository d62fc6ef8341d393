"""Which addresses only this computer reaches, and what opens a server elsewhere."""

import socket

import httpx
import pytest
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.server.addresses import ListeningAddress
from aqt_fast.testing import ArnicaServer


@pytest.fixture(autouse=True)
def _names(monkeypatch):
    """Names mean the same on each computer."""
    look_up = socket.getaddrinfo
    known = {
        "here": [("127.0.1.1", socket.AF_INET)],
        "mixed": [("192.0.2.7", socket.AF_INET), ("127.0.0.1", socket.AF_INET)],
        "lan": [("192.0.2.7", socket.AF_INET)],
    }

    def found(host, *args, **options):
        if host not in known:
            return look_up(host, *args, **options)
        return [(kind, socket.SOCK_STREAM, 6, "", (name, 0)) for name, kind in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize(
    ("host", "url_host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.3.2.1", "127.3.2.1"),
        ("127.1", "127.1"),
        ("localhost", "localhost"),
        ("::1", "[::1]"),
        ("::ffff:127.0.0.1", "[::ffff:127.0.0.1]"),
        ("here", "here"),
    ],
)
def test_loopback(host, url_host):
    """Defaults that everybody knows are accepted, and there is a login."""
    server = ArnicaServer(host=host, simulate=False)
    assert server.is_loopback
    assert (server.token, server.clients) == ("local-token", {"local-client": "local-secret"})
    assert server.log_in
    assert server.url == f"http://{url_host}:0"
    assert not ArnicaServer(host=host, simulate=False, log_in=False).log_in


@pytest.mark.parametrize(
    ("host", "url_host"),
    [
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ("0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "[::1]"),
        ("::ffff:0.0.0.0", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("169.254.7.7", "169.254.7.7"),
        ("::ffff:192.0.2.7", "[::ffff:192.0.2.7]"),
        ("::127.0.0.1", "[::127.0.0.1]"),
        ("2001:db8::7", "[2001:db8::7]"),
        ("fe80::7%lo", "[fe80::7%25lo]"),
        ("lan", "lan"),
        ("mixed", "mixed"),
    ],
)
def test_beyond_loopback(host, url_host):
    """Secrets are random, and there is no login unless asked for; what is given counts."""
    server, other = (ArnicaServer(host=host, simulate=False) for _ in range(2))
    assert not server.is_loopback
    assert len(server.token) >= 32
    assert server.token != other.token
    (secret,) = server.clients.values()
    assert len(secret) >= 32
    assert [secret] != list(other.clients.values())
    assert not server.log_in
    assert server.url == f"http://{url_host}:0"
    chosen = {"token": "t-1", "clients": {"c": "s"}, "log_in": True}
    given = ArnicaServer(host=host, simulate=False, **chosen)
    assert {name: getattr(given, name) for name in chosen} == chosen


@pytest.mark.parametrize("host", ["1.2.3.4.5", "[::1]", "localhost:1", "a\0b", "x" * 300, 7, None])
def test_no_address(host):
    """It is refused at once."""
    with pytest.raises(InvalidOptionError, match="host must be"):
        ArnicaServer(host=host, simulate=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "::1", "::ffff:127.0.0.1"])
def test_listening_on_loopback(host):
    """What was decided about is bound, and the URL leads there."""
    with ArnicaServer(host=host, simulate=False) as server:
        reply = httpx.get(f"{server.url}/api/v1/workspaces", trust_env=False)
    assert reply.status_code == 401
    assert ListeningAddress.of(host).with_port(5)[1] == 5
