"""URLs of servers, and plain HTTP."""

import httpx
import pytest
from api_client.scripted import JOB_ID, TOKEN, Script
from aqt_fast.api_client import Credentials, DirectAccessClient, PortalClient
from aqt_fast.api_client.http import ConnectionSettings, HTTPClient
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.portal_url import api_root
from aqt_fast.exceptions import APIError, InsecureConnectionError


class TestPlainHTTP:
    """A token is not sent unprotected."""

    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:80", "127.0.0.1", "127.8.9.1:8000", "[::1]", "[::1]:8000"],
    )
    def test_loopback(self, host):
        """This machine may be reached over plain HTTP."""
        script = Script(httpx.Response(200, content=b"[]"))
        assert (
            PortalClient(TOKEN, portal_url=f"http://{host}", transport=script).list_resources()
            == []
        )
        assert script.tokens == [TOKEN]
        assert "/system/name" not in script.requests[0].url.path

    @pytest.mark.parametrize(
        "host",
        [
            "10.0.0.1",
            "192.168.1.7:8000",
            "example.org",
            "localhost.evil.org",
            "127.0.0.1.evil.org",
            "evil.org/localhost",
            "0.0.0.0",  # noqa: S104 - refused
            "[::]",
            "[2001:db8::1]",
            "localhost.",
            "localhost%00.evil.org",
            "2130706433",
        ],
    )
    @pytest.mark.parametrize("scheme", ["http", "HTTP"])
    def test_other_machines(self, host, scheme):
        """They are refused before anything is sent, unless there is no token."""
        url = f"{scheme}://{host}"
        script = Script(httpx.Response(200, content=b"7"))
        with pytest.raises(InsecureConnectionError, match=r"plain HTTP.*https") as caught:
            PortalClient(TOKEN, portal_url=url, transport=script)
        assert TOKEN not in str(caught.value)
        with pytest.raises(InsecureConnectionError):
            DirectAccessClient(url, Credentials(TOKEN), transport=script)
        assert script.requests == []
        machine = DirectAccessClient(url, Credentials(""), transport=script)
        assert machine.result(JOB_ID, read_json) == 7

    def test_a_token_that_comes_later(self, operation):
        """It is not sent over a plain connection that was there before."""
        credentials = Credentials("")
        script = Script(operation.ok())
        if operation.client is PortalClient:
            client = PortalClient(credentials, portal_url="http://10.0.0.1", transport=script)
        else:
            client = DirectAccessClient("http://10.0.0.1", credentials, transport=script)
        assert operation.call(client) == operation.value
        credentials.replace(TOKEN, None)
        with pytest.raises(InsecureConnectionError, match="plain HTTP"):
            operation.call(client)
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "portal.test",
            "ftp://portal.test",
            "https://",
            "https:///path",
            "http://127.0.0.1@evil.org",
            "http://127.0.0.1\\@evil.org",
            "https://user:password@portal.test",
            "https://portal.test/?x=1",
            "https://portal.test/#x",
            "http://localhost?@evil.org",
            "https://portal.test:port",
            "https://port\nal.test",
            "//portal.test",
            "https://xn--/",
        ],
    )
    def test_no_url_of_a_server(self, url):
        """It is refused before anything is sent."""
        with pytest.raises(APIError, match="URL") as caught:
            HTTPClient(url, Credentials(TOKEN), ConnectionSettings())
        assert not isinstance(caught.value, InsecureConnectionError)
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("portal", "root"),
    [
        ("https://portal", "https://portal/api/v1"),
        ("https://portal/below", "https://portal/below/api/v1"),
        ("https://portal/v1", "https://portal/v1"),
    ],
)
def test_api_root(portal, root):
    """An API is below ``/api/v1``, or at a URL that ends with ``/v1``."""
    assert api_root(portal) == root
