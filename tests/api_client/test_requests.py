"""What is sent."""

import httpx
import pytest
from api_client.scripted import JOB_ID, LABEL, OTHER_TOKEN, PAYLOAD, SUBMITTING, TOKEN, URL, Script
from aqt_fast import __version__
from aqt_fast.api_client import Credentials, DirectAccessClient, PortalClient
from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import AQTCredentialsError, RequestWithdrawnError


class TestRequests:
    """Method, path, headers, body and time-outs."""

    def test_what_goes_out(self, operation, time):
        """Method, path, query and headers; the payload is not changed."""
        script = Script(operation.ok())
        assert operation.run(script, time) == operation.value
        (request,) = script.requests
        assert request.method == operation.method
        assert request.url.raw_path.decode() == operation.path
        assert request.url.host == "portal.test"
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["User-Agent"].startswith(f"aqt-fast/{__version__} ")
        submits = operation in SUBMITTING.values()
        assert request.content == (PAYLOAD if submits else b"")
        assert request.headers.get("Content-Type") == ("application/json" if submits else None)

    def test_without_a_token(self, operation, time):
        """No header is sent, and nothing is renewed."""
        script = Script(operation.ok())
        assert operation.run(script, time, "") == operation.value
        assert "Authorization" not in script.requests[0].headers
        script = Script(httpx.Response(401))
        with pytest.raises(AQTCredentialsError):
            operation.run(script, time, Credentials("", lambda _: OTHER_TOKEN))
        assert len(script.requests) == 1

    def test_time_outs(self, time):
        """The settings reach the transport."""
        script = Script(httpx.Response(200, content=b"[]"))
        portal = PortalClient(
            TOKEN,
            portal_url=URL,
            transport=script,
            clock=time.clock,
            connect_timeout=3,
            read_timeout=4,
        )
        portal.list_resources()
        machine = DirectAccessClient(
            URL, Credentials(TOKEN), transport=script, connect_timeout=5, read_timeout=6
        )
        machine.result(JOB_ID, read_json)
        found = [request.extensions["timeout"] for request in script.requests]
        assert [(each["connect"], each["read"]) for each in found] == [(3, 4), (5, 6)]
        assert {each["pool"] for each in found} == {None}

    @pytest.mark.parametrize(
        "identifier",
        [
            "a/b",
            "../..",
            ".",
            "..",
            "a?b=c",
            "a#b",
            "a%2Fb",
            "a b",
            "Käse\u2603",
            "a;b&c",
            "a.b",
            "\\",
        ],
    )
    def test_an_identifier_is_one_segment(self, identifier, time):
        """Its characters add neither segments nor a query."""
        script = Script(SUBMITTING["submit"].ok())
        portal = SUBMITTING["submit"].connect(script, time)
        portal.submit(identifier, identifier, PAYLOAD, label=LABEL)
        portal.result(identifier, read_json)
        portal.cancel(identifier)
        paths = [request.url.raw_path.decode().partition("?")[0] for request in script.requests]
        assert [path.count("/") for path in paths] == [5, 4, 4]
        for path in paths:
            last = path.rpartition("/")[2]
            assert httpx.URL(f"{URL}/{last}").path == f"/{identifier}"
            assert last not in (".", "..")
        assert [str(request.url.params) for request in script.requests] == [
            "",
            "include_timing_data=true",
            "",
        ]

    @pytest.mark.parametrize("attempts", [0, 1, 2])
    def test_a_submission_that_is_not_wanted_any_more(self, submitting, attempts, time):
        """``wanted`` is called before each attempt; after False nothing is sent."""
        script = Script(httpx.Response(429, headers={"Retry-After": "0"}))
        client = submitting.connect(script, time)

        def wanted() -> bool:
            return len(script.requests) < attempts

        place = ("w", "r") if isinstance(client, PortalClient) else ()
        with pytest.raises(RequestWithdrawnError, match="not wanted"):
            client.submit(*place, PAYLOAD, label=LABEL, wanted=wanted)
        assert len(script.requests) == attempts
