"""Proxies and certificates from the environment."""

import os
import socket
import sys
from pathlib import Path

import certifi
import httpx
import pytest
from api_client.scripted import JOB_ID, LABEL, PAYLOAD, TOKEN, URL, assert_silent
from aqt_fast.api_client import DirectAccessClient, PortalClient
from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.environment import check_for_httpx, proxy_for
from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import APIConnectionError, InvalidSettingError


@pytest.mark.usefixtures("no_proxies")
class TestEnvironment:
    """Proxies and certificates."""

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
    def test_plain_http_goes_through_no_proxy(self, name, web, listener, monkeypatch):
        """A proxy would carry the token to another machine."""
        monkeypatch.setenv(name, listener.url)
        portal = PortalClient(TOKEN, portal_url=web.url)
        assert portal.result(JOB_ID, read_json)["path"].startswith("/api/v1/result/")
        portal.close()
        assert listener.heard == []

    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_https_goes_through_the_proxy(self, name, listener, monkeypatch, time):
        """The proxy learns the host, but no token."""
        monkeypatch.setenv(name, listener.url)
        portal = PortalClient(TOKEN, portal_url=URL, clock=time.clock)
        with pytest.raises(APIConnectionError, match="407"):
            portal.list_resources()
        portal.close()
        assert listener.heard[0].startswith(b"CONNECT portal.test:443 ")
        assert not [heard for heard in listener.heard if TOKEN.encode() in heard]

    def test_no_proxy_for_excepted_hosts(self, listener, monkeypatch, time):
        """NO_PROXY is obeyed: the server gets TLS first, the proxy nothing."""
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            nobody_url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            monkeypatch.setenv("HTTPS_PROXY", nobody_url)
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            url = listener.url.replace("http:", "https:")
            portal = PortalClient(TOKEN, portal_url=url, clock=time.clock)
            with pytest.raises(APIConnectionError):
                portal.list_resources()
            portal.close()
            nobody.setblocking(False)
            with pytest.raises(BlockingIOError):
                nobody.accept()
        assert listener.heard
        assert {heard[:1] for heard in listener.heard} == {b"\x16"}

    def test_trusted_certificate(self, secure_web, monkeypatch):
        """Those in SSL_CERT_FILE are trusted."""
        monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.certificate))
        portal = PortalClient(TOKEN, portal_url=secure_web.url)
        assert portal.result(JOB_ID, read_json)["token"] == f"Bearer {TOKEN}"
        portal.close()

    def test_no_other_certificates(self, secure_web, tmp_path, monkeypatch, time):
        """Others are refused at once, with or without the variable."""
        end = "-----END CERTIFICATE-----\n"
        bundle = Path(certifi.where()).read_text()
        other = tmp_path / "other.pem"
        other.write_text(bundle[: bundle.index(end)] + end)
        for path in (None, other):
            if path is not None:
                monkeypatch.setenv("SSL_CERT_FILE", str(path))
            portal = PortalClient(TOKEN, portal_url=secure_web.url, clock=time.clock)
            with pytest.raises(APIConnectionError, match="certificate verify failed"):
                portal.submit("w", "r", PAYLOAD, label=LABEL)
            portal.close()
        assert time.sleeps == []

    @pytest.mark.parametrize("secure_web", ["127.0.0.2"], indirect=True)
    def test_certificate_of_another_host(self, secure_web, monkeypatch, time):
        """A trusted certificate must name the host."""
        monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.certificate))
        portal = PortalClient(TOKEN, portal_url=secure_web.url, clock=time.clock)
        with pytest.raises(APIConnectionError, match=r"not valid for '127.0.0.1'"):
            portal.list_resources()
        portal.close()
        assert time.sleeps == []


PASSWORD = "hush-hush"  # noqa: S105 - nobody's

BAD_PROXIES = [
    f"foo://user:{PASSWORD}@proxy.example:1",
    f"http://user:{PASSWORD}@proxy.example:99999999",
    f"http://user:{PASSWORD}@[::1",
    f"http://user:{PASSWORD}@:{PASSWORD}",
    f"http://user:{PASSWORD}/@proxy.example:80:80",
    f"http://{PASSWORD}:port",
    f"user:{PASSWORD}\u0000@proxy",
    f"socks4://user:{PASSWORD}@proxy.example",
    "://",
    "http://",
]


@pytest.mark.usefixtures("no_proxies")
class TestUnusableSettings:
    """The error names the variable, and comes where the connection is made."""

    @pytest.fixture(params=["cloud", "machine", "another package"])
    def connect(self, request):
        """Make a connection."""
        if request.param == "cloud":
            return lambda: PortalClient(TOKEN, portal_url=URL)
        if request.param == "machine":
            return lambda: DirectAccessClient(URL, Credentials(TOKEN))
        return check_for_httpx

    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    @pytest.mark.parametrize("address", BAD_PROXIES)
    def test_proxies(self, connect, name, address, monkeypatch):
        """No message shows the password of the proxy."""
        if "\0" not in address:
            monkeypatch.setenv(name, address)
        else:
            monkeypatch.setattr(
                "aqt_fast.api_client.environment.getproxies",
                lambda: {name.lower().removesuffix("_proxy"): address},
            )
            monkeypatch.setitem(os.environ, name, "x")
        with pytest.raises(InvalidSettingError, match=f"^{name} cannot be used") as caught:
            connect()
        assert caught.value.variable == name
        assert_silent(caught.value, PASSWORD)

    def test_a_socks_proxy_without_its_package(self, connect, monkeypatch):
        """The error says what to install."""
        monkeypatch.setitem(sys.modules, "socksio", None)
        monkeypatch.setenv("ALL_PROXY", f"socks5://user:{PASSWORD}@proxy.example:1080")
        said = r"^ALL_PROXY cannot be used: a SOCKS proxy .* pip install 'httpx\[socks\]'"
        with pytest.raises(InvalidSettingError, match=said) as caught:
            connect()
        assert_silent(caught.value, PASSWORD)

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("missing", "SSL_CERT_FILE"),
            ("directory", "SSL_CERT_FILE"),
            ("empty", "SSL_CERT_FILE"),
            ("junk", "SSL_CERT_FILE"),
            ("missing", "SSL_CERT_DIR"),
            ("junk", "SSL_CERT_DIR"),
        ],
    )
    def test_certificates(self, connect, kind, name, tmp_path, monkeypatch):
        """The error names the file, too."""
        path = tmp_path / "certificates"
        if kind == "directory":
            path.mkdir()
        elif kind != "missing":
            path.write_text("" if kind == "empty" else "-----BEGIN CERTIFICATE-----\n")
        monkeypatch.setenv(name, str(path))
        with pytest.raises(InvalidSettingError, match=f"^{name} cannot be used: {path} cannot"):
            connect()

    @pytest.mark.parametrize("no_proxy", ["http://[", "[::1", "a:b:c", "\u2603:x", "://", "*:*"])
    def test_odd_exceptions_from_proxies(self, no_proxy, listener, monkeypatch, time):
        """They name no host: the proxy is used."""
        monkeypatch.setenv("HTTPS_PROXY", listener.url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        portal = PortalClient(TOKEN, portal_url=URL, clock=time.clock)
        with pytest.raises(APIConnectionError, match="407"):
            portal.list_resources()
        portal.close()
        assert listener.heard

    def test_exceptions_that_httpx_cannot_read(self, monkeypatch):
        """The login's package would fail: the error names the variable."""
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@proxy.example")
        monkeypatch.setenv("NO_PROXY", "a:b")
        with pytest.raises(InvalidSettingError, match=r"^NO_PROXY cannot be used") as caught:
            check_for_httpx()
        assert_silent(caught.value, PASSWORD)

    @pytest.mark.parametrize(
        ("no_proxy", "passes"),
        [
            ("", True),
            ("portal.test", False),
            (".test", False),
            ("test", False),
            ("PORTAL.TEST", False),
            ("portal.test:443", False),
            ("portal.test:8443", True),
            ("other.test, portal.test", False),
            ("al.test", True),
            ("*", False),
        ],
    )
    def test_exceptions_from_proxies(self, no_proxy, passes, monkeypatch):
        """Hosts, domains and ports, as in ``urllib.request``."""
        monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        proxy = proxy_for(httpx.URL(URL))
        assert (proxy is not None) is passes
        assert proxy is None or str(proxy.url) == "http://proxy.example:3128"

    def test_plain_http_needs_none_of_them(self, web, monkeypatch):
        """A server on this computer is reached all the same."""
        monkeypatch.setenv("HTTPS_PROXY", "foo://x")
        monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
        portal = PortalClient(TOKEN, portal_url=web.url)
        assert portal.result(JOB_ID, read_json)["token"] == f"Bearer {TOKEN}"
        portal.close()
