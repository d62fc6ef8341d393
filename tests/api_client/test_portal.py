"""The portal's client: where the portal is, resources, results, cancelling."""

import httpx
import pytest
from api_client.scripted import ASKING, JOB_ID, SUBMITTING, TOKEN, URL, Script
from aqt_fast.api_client import PortalClient
from aqt_fast.exceptions import APIError, ResultExpiredError, SubmissionUncertainError


class TestPortal:
    """What only this client does."""

    @pytest.mark.parametrize("where", ["argument", "environment", "default"])
    def test_where_the_portal_is(self, where, monkeypatch):
        """The argument comes before the environment, then the default."""
        monkeypatch.setenv("AQT_PORTAL_URL", "" if where == "default" else "https://env.test/")
        url = "https://argument.test/" if where == "argument" else None
        script = Script(httpx.Response(200, content=b"[]"))
        portal = PortalClient(TOKEN, portal_url=url, transport=script)
        portal.list_resources()
        expected = {
            "argument": "https://argument.test",
            "environment": "https://env.test",
            "default": "https://arnica.aqt.eu",
        }[where]
        assert str(script.requests[0].url) == f"{expected}/api/v1/workspaces"
        assert portal.portal_url == expected
        assert repr(portal) == f"<PortalClient({expected!r})>"

    def test_details_of_resources(self, time):
        """Each is fetched once, however often it is listed; the order stays."""

        def answer(request: httpx.Request) -> httpx.Response:
            name = request.url.path.rpartition("/")[2]
            if name == "workspaces":
                return httpx.Response(
                    200,
                    json=[
                        {
                            "id": space,
                            "resources": [{"id": i, "name": i, "type": "device"} for i in ids],
                        }
                        for space, ids in (("w1", "ab"), ("w2", "bc"))
                    ],
                )
            if name == "c":
                return httpx.Response(404, json={"detail": "no c"})
            details = {"name": name, "type": "device", "available_qubits": 3, "status": "online"}
            return httpx.Response(200, json=details)

        script = Script(answer)
        portal = PortalClient(TOKEN, portal_url=URL, transport=script, clock=time.clock)
        left_out = []
        found = portal.resources(
            portal.list_resources(), on_error=lambda item, error: left_out.append((item, error))
        )
        assert [(item.workspace_id, item.resource_id) for item in found] == [
            ("w1", "a"),
            ("w1", "b"),
            ("w2", "b"),
        ]
        assert [(item.resource_id, error.status_code) for item, error in left_out] == [("c", 404)]
        assert len(script.requests) == 4
        with pytest.raises(APIError, match="no c"):
            portal.workspaces()

    def test_410_on_a_result(self, time):
        """The portal has deleted it: the error names the job."""
        script = Script(httpx.Response(410, json={"detail": "gone"}), ASKING["result"].ok())
        with pytest.raises(ResultExpiredError, match=JOB_ID) as caught:
            ASKING["result"].run(script, time)
        assert (caught.value.job_id, caught.value.status_code) == (JOB_ID, 410)
        assert (len(script.requests), time.sleeps) == (1, [])

    @pytest.mark.parametrize("status", [204, 206, 208])
    def test_other_successes(self, status, time):
        """Cancelling needs no body; a submission needs the identifier."""
        script = Script(httpx.Response(status))
        assert ASKING["cancel"].run(script, time) is (status != 208)
        with pytest.raises(SubmissionUncertainError):
            SUBMITTING["submit"].run(script, time)
