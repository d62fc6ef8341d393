"""What a page in a browser can do to a server on this computer: nothing without the token."""

import socket

import httpx
import pytest
from aqt_fast.testing import ArnicaServer

OWN = ["127.0.0.1", "127.0.0.1:99", "localhost:1", "LOCALHOST.", "app.localhost", "[::1]:80"]
FOREIGN = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil.example."]
GARBAGE = ["", "a b", "a/b", "user@127.0.0.1", "127.0.0.1:x", "[::1", "[zz]", "é", "a,b", ":80"]
PATHS = ["/api/v1/workspaces", "/testing/record", "/control/state", "/oauth/device/code", "/health"]
PAGES = ["/", "/docs", "/activate"]


@pytest.fixture(scope="module")
def local():
    """A server on a loopback address."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture(scope="module")
def everywhere():
    """A server on all addresses."""
    with ArnicaServer(host="", simulate=False, log_in=True, console=lambda _: None) as server:
        yield server


@pytest.fixture(scope="module")
def ask():
    """Requests with the right token, on connections that are kept."""
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield lambda server, path, **how: _status(client, server, path, **how)


def _status(client, server, path, *, method="GET", **headers):
    """The status of a request with the right token."""
    named = {name.replace("_", "-"): value.encode() for name, value in headers.items()}
    named["authorization"] = f"Bearer {server.token}".encode()
    form = {"client_id": "aqt-fast-device"} if method == "POST" else None
    url = f"http://127.0.0.1:{server.port}{path}"
    return client.request(method, url, data=form, headers=named).status_code


def test_names(local, everywhere, ask, figures):
    """A page whose name points here is turned away, with any token and on any path."""
    for path in [*PATHS, *PAGES]:
        method = "POST" if "oauth" in path else "GET"
        assert {ask(local, path, method=method, host=name) for name in OWN} == {200}
        assert {ask(local, path, method=method, host=name) for name in FOREIGN} == {421}
        assert {ask(local, path, method=method, host=name) for name in GARBAGE} == {400}
    assert {ask(everywhere, PATHS[0], host=name) for name in [*OWN, *FOREIGN]} == {200}
    for path in ("/testing/record", "/control/state"):
        assert {ask(everywhere, path, host=name) for name in FOREIGN} == {421}
        assert {ask(everywhere, path, host=name) for name in OWN} == {200}
    figures("names in Host", own=len(OWN), foreign=len(FOREIGN), garbage=len(GARBAGE))


def test_own_name(ask, monkeypatch):
    """The name that the server was started with is its own."""
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry])
    server = ArnicaServer(host="Arnica.example", simulate=False)
    monkeypatch.undo()
    with server:
        assert ask(server, PATHS[0], host="arnica.example:1") == 200
        assert ask(server, PATHS[0], host="evil.example") == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_site": "same-site", "sec_fetch_dest": "iframe"},
    ],
)
def test_pages_of_other_sites(local, ask, headers):
    """They are turned away before they use up a fault; links to pages work."""
    local.faults.next("500")
    for path in [*PATHS, *PAGES, "/control/hold", "/static/main.js"]:
        for method in ("GET", "POST", "OPTIONS"):
            assert ask(local, path, method=method, **headers) == 403
    assert local.faults.log == []
    local.faults.clear()
    link = {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document"}
    assert {ask(local, path, **link) for path in PAGES} == {200}
    assert {ask(local, path, **link) for path in PATHS} == {403}
    own = {"origin": local.url, "sec_fetch_site": "same-origin"}
    assert ask(local, "/oauth/device/code", method="POST", **own) == 200


def test_record_behind_a_proxy(local, ask):
    """Whoever comes by way of a proxy is not on this computer."""
    for name in ("forwarded", "via", "x_forwarded_for", "x_forwarded_host", "x_real_ip"):
        for path in ("/testing/record", "/control/state"):
            assert ask(local, path, **{name: "127.0.0.1"}) == 403
        assert ask(local, "/api/v1/workspaces", **{name: "garbage é"}) == 200
