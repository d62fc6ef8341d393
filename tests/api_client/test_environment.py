"""Proxies and certificates from the environment."""

import socket
from pathlib import Path

import certifi
import pytest
from api_client.scripted import JOB_ID, LABEL, PAYLOAD, TOKEN, URL
from aqt_fast.api_client import PortalClient
from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import APIConnectionError


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
