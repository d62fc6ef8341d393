"""The direct-access client."""

import httpx
import pytest
from api_client.scripted import SUBMITTING, Script
from aqt_fast.exceptions import APIError


class TestDirectAccess:
    """What only this client does."""

    def test_409_while_the_machine_is_busy(self, time):
        """The machine is asked again; from the portal, 409 is an error."""
        busy = httpx.Response(409, json={"detail": "busy"})
        direct, portal = SUBMITTING["direct_submit"], SUBMITTING["submit"]
        script = Script(busy, busy, direct.ok())
        assert direct.run(script, time) == direct.value
        assert len(script.requests) == 3
        script = Script(busy, portal.ok())
        with pytest.raises(APIError, match=r"409.*busy") as caught:
            portal.run(script, time)
        assert type(caught.value) is APIError
        assert len(script.requests) == 1
