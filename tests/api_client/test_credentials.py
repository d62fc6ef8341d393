"""Access tokens and their renewal."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from api_client.scripted import ASKING, JOB_ID, OTHER_TOKEN, TOKEN, URL, Script, assert_silent
from aqt_fast.api_client import Credentials, PortalClient
from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import APIConnectionError, AQTCredentialsError


class TestTokens:
    """One renewal for all requests that wait for it."""

    def test_single_flight(self, time):
        """The token expires for many threads; one renewal serves all."""
        num_threads = 16
        together = threading.Barrier(num_threads, timeout=20)
        renewals = []

        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers["Authorization"] == f"Bearer {TOKEN}":
                together.wait()
                return httpx.Response(401)
            return httpx.Response(200, content=b"7")

        def renew(token: str) -> str:
            renewals.append(token)
            return OTHER_TOKEN

        script = Script(answer)
        portal = PortalClient(
            Credentials(TOKEN, renew), portal_url=URL, transport=script, clock=time.clock
        )
        with ThreadPoolExecutor(num_threads) as threads:
            found = list(
                threads.map(lambda _: portal.result(JOB_ID, read_json), range(num_threads))
            )
        assert found == [7] * num_threads
        assert renewals == [TOKEN]
        assert sorted(script.tokens) == sorted([TOKEN, OTHER_TOKEN] * num_threads)
        assert time.sleeps == []

    @pytest.mark.parametrize("renewed", [None, "", TOKEN, f" {TOKEN}\n"])
    def test_no_other_token_to_be_had(self, operation, renewed, time):
        """The request fails at once; no other renewal follows until somebody logs in."""
        asked = []

        def renew(token: str) -> str | None:
            asked.append(token)
            return renewed

        credentials = Credentials(TOKEN, renew)

        def answer(request: httpx.Request) -> httpx.Response:
            valid = request.headers["Authorization"] == f"Bearer {OTHER_TOKEN}"
            return operation.ok() if valid else httpx.Response(401)

        script = Script(answer)
        client = operation.connect(script, time, credentials)
        for _ in range(2):
            with pytest.raises(AQTCredentialsError):
                operation.call(client)
        assert script.tokens == [TOKEN, TOKEN]
        assert asked == [TOKEN]
        credentials.replace(OTHER_TOKEN, None)
        assert operation.call(client) == operation.value
        assert script.tokens == [TOKEN, TOKEN, OTHER_TOKEN]

    def test_a_renewal_that_fails(self, operation, time):
        """The error tells why; the next request renews again."""
        outcomes = iter([AQTCredentialsError("the login cannot be reached"), OTHER_TOKEN])

        def renew(_token: str) -> str:
            outcome = next(outcomes)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        script = Script(httpx.Response(401), httpx.Response(401), operation.ok())
        client = operation.connect(script, time, Credentials(TOKEN, renew))
        with pytest.raises(AQTCredentialsError, match="the login cannot be reached"):
            operation.call(client)
        assert len(script.requests) == 1
        assert operation.call(client) == operation.value
        assert script.tokens == [TOKEN, TOKEN, OTHER_TOKEN]

    def test_a_login_that_cannot_be_reached(self, operation, time):
        """401: nothing was accepted, so every request is sent again."""
        outcomes = iter([APIConnectionError("the login cannot be reached"), OTHER_TOKEN])

        def renew(_token: str) -> str:
            outcome = next(outcomes)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        script = Script(httpx.Response(401), httpx.Response(401), operation.ok())
        assert operation.run(script, time, Credentials(TOKEN, renew)) == operation.value
        assert script.tokens == [TOKEN, TOKEN, OTHER_TOKEN]
        assert len(time.sleeps) == 1

    def test_a_login_that_stays_out_of_reach(self, time):
        """The error tells why the token was not renewed."""

        def renew(_token: str) -> str:
            raise APIConnectionError("the login cannot be reached")

        script = Script(httpx.Response(401))
        with pytest.raises(APIConnectionError, match="the login cannot be reached"):
            ASKING["list_resources"].run(script, time, Credentials(TOKEN, renew))
        assert len(script.requests) > 1

    def test_a_token_that_was_renewed_meanwhile(self, time):
        """It is used without another renewal."""

        def log_in_elsewhere(_request: httpx.Request) -> httpx.Response:
            credentials.replace(OTHER_TOKEN, None)
            return httpx.Response(401)

        credentials = Credentials(TOKEN, lambda _: pytest.fail("renewed without need"))
        script = Script(log_in_elsewhere, ASKING["result"].ok())
        assert ASKING["result"].run(script, time, credentials) == ASKING["result"].value
        assert script.tokens == [TOKEN, OTHER_TOKEN]

    @pytest.mark.parametrize(
        "token", ["tök", "to ken", "to\nken", "to\r\nX-Evil: 1", "\x00t", "\u2603"]
    )
    def test_a_token_that_no_header_can_carry(self, token):
        """It is refused, and no message shows it."""
        credentials = Credentials(TOKEN, lambda _: token)
        for attempt in (
            lambda: Credentials(token),
            lambda: credentials.replace(token, None),
            lambda: credentials.renewed(TOKEN),
            lambda: PortalClient(token, portal_url=URL),
        ):
            with pytest.raises(AQTCredentialsError, match="characters") as caught:
                attempt()
            assert_silent(caught.value, token)
        assert credentials.token == TOKEN

    def test_white_space_around_a_token(self, time):
        """It is stripped: files end with a newline."""
        script = Script(ASKING["result"].ok())
        ASKING["result"].run(script, time, f"{TOKEN}\n")
        assert script.tokens == [TOKEN]
