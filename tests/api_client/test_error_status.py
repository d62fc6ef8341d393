"""Answers with an error status: 401, 408, 410, 429, 5xx."""

import itertools
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from api_client.scripted import (
    ASKING,
    EVERYTHING,
    JOB_ID,
    OTHER_TOKEN,
    PAYLOAD,
    TODAY,
    TOKEN,
    Script,
    assert_backs_off,
    assert_uncertain,
)
from aqt_fast.api_client import Credentials
from aqt_fast.exceptions import APIError, AQTCredentialsError, SubmissionUncertainError


class TestErrorStatus:
    """What is retried, uncertain or refused."""

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("header", "pause"),
        [
            ("2", 2),
            (" 1 ", 1),
            ("0", 0),
            (format_datetime(TODAY + timedelta(seconds=2), usegmt=True), 2),
            (format_datetime(TODAY - timedelta(days=1), usegmt=True), 0),
            (None, None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
        ],
    )
    def test_429_and_503_with_or_without_retry_after(self, asking, status, header, pause, time):
        """An ordered wait is kept to the second; without one, the client backs off."""
        headers = {} if header is None else {"Retry-After": header}
        script = Script(httpx.Response(status, headers=headers), asking.ok())
        assert asking.run(script, time) == asking.value
        assert len(script.requests) == 2
        if pause is None:
            assert len(time.sleeps) == 1
            assert_backs_off(time.sleeps)
        else:
            assert time.sleeps == [pause]

    @pytest.mark.parametrize(
        ("header", "pause"),
        [("77", 77), (format_datetime(TODAY + timedelta(hours=1)), 3600), (None, None)],
    )
    def test_429_with_or_without_retry_after_on_a_submission(self, submitting, header, pause, time):
        """Nothing was accepted: the same submission is sent again."""
        headers = {} if header is None else {"Retry-After": header}
        script = Script(httpx.Response(429, headers=headers), submitting.ok())
        assert submitting.run(script, time) == submitting.value
        assert [request.content for request in script.requests] == [PAYLOAD, PAYLOAD]
        assert pause is None or time.sleeps == [pause]
        assert len(time.sleeps) == 1

    @pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
    def test_503_with_or_without_retry_after_on_a_submission(self, submitting, headers, time):
        """It is uncertain: nothing proves that it was not accepted."""
        answer = httpx.Response(503, headers=headers, json={"detail": "down for maintenance"})
        script = Script(answer, submitting.ok())
        with pytest.raises(SubmissionUncertainError, match=r"503.*down for maintenance") as caught:
            submitting.run(script, time)
        assert_uncertain(caught.value, script, time)

    def test_retry_after_beyond_the_patience(self, time):
        """A poll waits; a list, for which a user waits, fails at once."""
        slow = httpx.Response(429, headers={"Retry-After": "7200"}, json={"detail": "slow down"})
        poll = ASKING["result"]
        assert poll.run(Script(slow, slow, poll.ok()), time) == poll.value
        assert time.sleeps == [7200, 7200]
        script = Script(slow, ASKING["list_resources"].ok())
        with pytest.raises(APIError, match=r"429.*slow down") as caught:
            ASKING["list_resources"].run(script, time)
        assert caught.value.status_code == 429
        assert len(script.requests) == 1
        assert len(time.sleeps) == 2

    @pytest.mark.parametrize("status", [408, 500, 501, 502, 504, 520])
    def test_500_502_504(self, asking, status, time):
        """The request is repeated."""
        fault = httpx.Response(status)
        script = Script(fault, fault, fault, asking.ok())
        assert asking.run(script, time) == asking.value
        assert len(script.requests) == 4
        assert len(time.sleeps) == 3
        assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("status", [408, 500, 501, 502, 504, 520])
    def test_500_502_504_on_a_submission(self, submitting, status, time):
        """It is uncertain whether it was accepted."""
        script = Script(httpx.Response(status, text="<h1>Oh no</h1>"), submitting.ok())
        with pytest.raises(SubmissionUncertainError, match=f"{status} .*<h1>Oh no</h1>") as caught:
            submitting.run(script, time)
        assert_uncertain(caught.value, script, time)

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_500_502_503_504_as_long_as_there_is_patience(self, status, time):
        """The error tells the last answer."""
        script = Script(httpx.Response(status, json={"detail": "out of order"}))
        with pytest.raises(APIError, match=f"GET /result/{JOB_ID}: {status} .*: out of order$") as (
            caught
        ):
            ASKING["result"].run(script, time)
        assert type(caught.value) is APIError
        assert caught.value.status_code == status
        assert time.elapsed == pytest.approx(60)

    def test_401(self, operation, time):
        """Without a renewal: one request, then an error."""
        script = Script(httpx.Response(401, json={"detail": "expired"}), operation.ok())
        with pytest.raises(AQTCredentialsError, match=r"401 Unauthorized: expired; .*log in") as (
            caught
        ):
            operation.run(script, time)
        assert caught.value.status_code == 401
        assert (script.tokens, time.sleeps) == ([TOKEN], [])

    def test_401_and_another_token(self, operation, time):
        """The token is renewed once; the request is repeated at once."""
        refused = []

        def renew(token: str) -> str:
            refused.append(token)
            return OTHER_TOKEN

        credentials = Credentials(TOKEN, renew)
        script = Script(httpx.Response(401), operation.ok())
        assert operation.run(script, time, credentials) == operation.value
        assert script.tokens == [TOKEN, OTHER_TOKEN]
        assert (refused, time.sleeps) == ([TOKEN], [])
        assert credentials.token == OTHER_TOKEN

    def test_401_and_401_again(self, operation, time):
        """One request renews the token once only."""
        tokens = itertools.count()
        script = Script(httpx.Response(401))
        with pytest.raises(AQTCredentialsError):
            operation.run(script, time, Credentials(TOKEN, lambda _: f"token-{next(tokens)}"))
        assert script.tokens == [TOKEN, "token-0"]
        assert next(tokens) == 1

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"result"}))
    def test_410_elsewhere(self, name, time):
        """Only a poll of the portal takes it for an expired result."""
        script = Script(httpx.Response(410, json={"detail": "gone"}))
        with pytest.raises(APIError, match="410 Gone: gone") as caught:
            EVERYTHING[name].run(script, time)
        assert type(caught.value) is APIError
        assert len(script.requests) == 1

    @pytest.mark.parametrize("status", [300, 302, 304])
    def test_neither_success_nor_error(self, operation, status, time):
        """A redirect without a target is refused after one request."""
        script = Script(httpx.Response(status), operation.ok())
        with pytest.raises(APIError) as caught:
            operation.run(script, time)
        assert caught.value.status_code == status
        assert len(script.requests) == 1
