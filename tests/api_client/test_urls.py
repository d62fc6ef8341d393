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

    @pytest.mark.parametrize(
        "host",
        [
            "10.0.0.1",
            "172.16.0.1:6020",
            "172.31.255.254",
            "192.168.1.7:8000",
            "169.254.1.1",
            "[fd00::7]:6020",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "127.0.0.1:6020",
        ],
    )
    def test_private_networks_on_request(self, host):
        """A machine at such an address gets the token over plain HTTP if that is allowed."""
        script = Script(httpx.Response(200, json="marmot"))
        machine = DirectAccessClient(
            f"http://{host}", Credentials(TOKEN), transport=script, allow_plain_http=True
        )
        assert machine.system_name() == "marmot"
        assert script.tokens == [TOKEN]

    @pytest.mark.parametrize(
        "host",
        [
            "example.org",
            "machine.local",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "11.0.0.1",
            "100.64.0.1",
            "0.0.0.0",  # noqa: S104 - refused
            "[2001:db8::1]",
            "[::ffff:8.8.8.8]",
            "10.0.0.1.evil.org",
            "167772161",
        ],
    )
    def test_other_addresses_on_request(self, host):
        """Refused even then: names may lead anywhere."""
        script = Script(httpx.Response(200, json="marmot"))
        with pytest.raises(InsecureConnectionError, match="private and link-local addresses only"):
            DirectAccessClient(
                f"http://{host}", Credentials(TOKEN), transport=script, allow_plain_http=True
            )
        assert script.requests == []

    def test_only_the_machine_that_was_allowed(self):
        """Neither another port, another host, nor the portal."""
        credentials = Credentials(TOKEN)
        script = Script(httpx.Response(200, json="marmot"))
        DirectAccessClient(
            "http://10.0.0.1:6020", credentials, transport=script, allow_plain_http=True
        )
        for url in ("http://10.0.0.1:6021", "http://10.0.0.1", "http://10.0.0.2:6020"):
            with pytest.raises(InsecureConnectionError):
                DirectAccessClient(url, credentials, transport=script)
            with pytest.raises(InsecureConnectionError):
                PortalClient(credentials, portal_url=url, transport=script)

    def test_a_redirect_from_the_machine_that_was_allowed(self):
        """Does not lead the token elsewhere."""
        moved = httpx.Response(307, headers={"Location": "http://10.0.0.2/system/name"})
        script = Script(moved, httpx.Response(200, json="marmot"))
        machine = DirectAccessClient(
            "http://10.0.0.1", Credentials(TOKEN), transport=script, allow_plain_http=True
        )
        with pytest.raises(InsecureConnectionError):
            machine.system_name()
        assert len(script.requests) == 1

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
