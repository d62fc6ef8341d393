"""Answers with an error status: 401, 408, 410, 429, 5xx."""

import gzip
import itertools
import pickle
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
from aqt_fast.api_client import (
    DEFAULT_PORTAL_URL,
    Credentials,
    PortalClient,
    direct,
    errors,
    portal_client,
)
from aqt_fast.api_client.retry_timing import Patience
from aqt_fast.exceptions import APIError, AQTCredentialsError, SubmissionUncertainError


class TestErrorStatus:
    """What is retried, uncertain or refused."""

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("header", "pause"),
        [
            ("2", 2),
            (" 1 ", 1),
            ("0", None),
            (format_datetime(TODAY + timedelta(seconds=2), usegmt=True), 2),
            (format_datetime(TODAY - timedelta(days=1), usegmt=True), None),
            (None, None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
        ],
    )
    def test_429_and_503_with_or_without_retry_after(self, asking, status, header, pause, time):
        """An ordered wait is kept to the second; without one to come, the client backs off."""
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
        slow = httpx.Response(429, headers={"Retry-After": "3000"}, json={"detail": "slow down"})
        poll = ASKING["result"]
        assert poll.run(Script(slow, slow, poll.ok()), time) == poll.value
        assert time.sleeps == [3000, 3000]
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
        """A redirect without a target: one request; a submission is uncertain."""
        script = Script(httpx.Response(status), operation.ok())
        with pytest.raises(APIError) as caught:
            operation.run(script, time)
        submits = operation.method in ("POST", "PUT")
        assert isinstance(caught.value, SubmissionUncertainError) is submits
        assert submits or caught.value.status_code == status
        assert len(script.requests) == 1


class TestAnswerInTheError:
    """An error holds the answer, httpx's exception as its cause, and no token."""

    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            ({"detail": "no such thing"}, "no such thing"),
            (
                {"detail": [{"loc": ["body"], "msg": "too long"}]},
                [{"loc": ["body"], "msg": "too long"}],
            ),
            ({"message": {"code": 7}}, {"code": 7}),
            ({"error": "else"}, None),
            ([], None),
        ],
        ids=repr,
    )
    def test_refused(self, operation, body, detail, time):
        """``detail`` is the server's reason as it was sent."""
        script = Script(httpx.Response(400, json=body, headers={"X-Trace": "7"}))
        with pytest.raises(APIError) as caught:
            operation.run(script, time)
        error = caught.value
        assert error.detail == detail
        assert isinstance(error.__cause__, httpx.HTTPStatusError)
        assert error.__cause__.response is error.http_response
        assert error.http_response.status_code == 400
        assert error.http_response.json() == body
        assert error.http_response.headers["X-Trace"] == "7"
        assert error.http_response.request.method == operation.method
        assert error.http_response.url.path == script.requests[0].url.path
        with pytest.raises(httpx.HTTPStatusError, match="400 Bad Request"):
            error.http_response.raise_for_status()
        again = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (again.detail, again.http_response.status_code) == (detail, 400)

    @pytest.mark.parametrize("status", [401, 429, 500])
    def test_of_every_kind(self, operation, status, time, monkeypatch):
        """Also of errors that are retried, uncertain, or about credentials."""
        # Not thousands of attempts, as in the day for which a machine is waited for.
        monkeypatch.setattr(direct, "_RESULT", Patience(seconds=600.0))
        script = Script(httpx.Response(status, json={"detail": "no"}))
        with pytest.raises(APIError) as caught:
            operation.run(script, time)
        assert (caught.value.detail, caught.value.http_response.status_code) == ("no", status)
        assert isinstance(caught.value.__cause__, httpx.HTTPStatusError)

    def test_without_an_answer(self, time):
        """There is neither."""
        with pytest.raises(APIError) as caught:
            ASKING["result"].run(Script(httpx.ConnectError("no route")), time)
        assert (caught.value.detail, caught.value.http_response) == (None, None)

    def test_compressed(self, time):
        """The body is the decoded one."""
        body = gzip.compress(b'{"detail": "packed"}')
        answer = httpx.Response(400, content=body, headers={"Content-Encoding": "gzip"})
        with pytest.raises(APIError, match="packed") as caught:
            ASKING["result"].run(Script(answer), time)
        assert caught.value.http_response.json() == {"detail": "packed"}

    def test_no_token(self, operation, time):
        """Neither what was sent nor what the server repeats."""
        answer = httpx.Response(
            400, json={"detail": [TOKEN, {TOKEN: 1}]}, headers={"X-Echo": f"Bearer {TOKEN}"}
        )
        with pytest.raises(APIError) as caught:
            operation.run(Script(answer), time)
        error = caught.value
        response = error.http_response
        shown = [error.detail, response.text, response.headers.multi_items()]
        shown += [response.request.headers.multi_items(), response.request.content]
        assert TOKEN not in repr(shown)
        assert "Authorization" not in response.request.headers
        assert TOKEN.encode() not in pickle.dumps([error, error.__cause__.response])


class TestErrorsModule:
    """``aqt_fast.api_client.errors``, as in the 1.x package."""

    def test_names(self):
        """The exceptions are the package's."""
        assert errors.APIError is APIError
        assert portal_client.PortalClient is PortalClient
        assert portal_client.DEFAULT_PORTAL_URL == DEFAULT_PORTAL_URL

    def test_success(self):
        """The answer is returned as it is."""
        answer = httpx.Response(200, request=httpx.Request("GET", "https://portal.test"))
        assert errors.http_response_raise_for_status(answer) is answer

    @pytest.mark.parametrize("status", [404, 500])
    def test_error(self, status):
        """An error status is an ``APIError`` with the server's reason."""
        request = httpx.Request("GET", "https://portal.test")
        answer = httpx.Response(status, json={"detail": "odd"}, request=request)
        with pytest.raises(APIError, match=f"^{status} .*: odd$") as caught:
            errors.http_response_raise_for_status(answer)
        assert (caught.value.status_code, caught.value.detail) == (status, "odd")
        assert isinstance(caught.value.__cause__, httpx.HTTPStatusError)
