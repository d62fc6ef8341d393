"""Redirects: the token stays with its server."""

import httpx
import pytest
from api_client.scripted import (
    ASKING,
    EVERYTHING,
    PAYLOAD,
    SUBMITTING,
    TOKEN,
    URL,
    FakeTime,
    Script,
    assert_uncertain,
)
from aqt_fast.exceptions import APIError, InsecureConnectionError, SubmissionUncertainError
from hypothesis import example, given
from hypothesis import strategies as st


class TestRedirects:
    """Which redirects are followed."""

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.org/api/v1/workspaces",
            "//evil.org/",
            "https://portal.test.evil.org/",
            "https://sub.portal.test/",
            "https://portal.test:8443/",
            "http://portal.test/",
            "http://127.0.0.1/",
            "https://portal.test@evil.org/",
        ],
    )
    def test_to_another_server(self, operation, target, time):
        """It is refused at once; the other server gets no request."""
        # After the others a submission may have been dealt with, see below.
        submits = operation.method in ("POST", "PUT")
        statuses = (307, 308) if submits else (301, 302, 303, 307, 308)
        for status in statuses:
            script = Script(httpx.Response(status, headers={"Location": target}), operation.ok())
            with pytest.raises(InsecureConnectionError, match="not get the access token") as caught:
                operation.run(script, time)
            assert httpx.URL(target).host in str(caught.value)
            assert caught.value.status_code == status
            assert [request.url.host for request in script.requests] == ["portal.test"]
            assert time.sleeps == []

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("target", ["/new?x=1", f"{URL}/new?x=1", f"{URL}:443/new?x=1"])
    def test_of_a_question_within_the_server(self, status, target, time):
        """It is followed to exactly where it points."""
        poll = ASKING["result"]
        script = Script(httpx.Response(status, headers={"Location": target}), poll.ok())
        assert poll.run(script, time) == poll.value
        assert [request.url.raw_path.decode() for request in script.requests] == [
            poll.path,
            "/new?x=1",
        ]
        assert script.requests[1].method == "GET"
        assert script.tokens == [TOKEN, TOKEN]
        assert time.sleeps == []

    @pytest.mark.parametrize("status", [307, 308])
    def test_of_a_submission_that_keeps_the_method(self, submitting, status, time):
        """It is followed with the payload."""
        moved = httpx.Response(status, headers={"Location": "/new"})
        script = Script(moved, submitting.ok())
        assert submitting.run(script, time) == submitting.value
        assert [(request.method, request.content) for request in script.requests] == [
            (submitting.method, PAYLOAD)
        ] * 2
        assert script.requests[1].url.path == "/new"
        assert script.requests[1].headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305])
    @pytest.mark.parametrize("target", ["/done", "https://evil.org/done"])
    def test_see_other(self, submitting, status, target, time):
        """After a submission they may mean that it was accepted; they are not followed."""
        script = Script(httpx.Response(status, headers={"Location": target}), submitting.ok())
        with pytest.raises(SubmissionUncertainError) as caught:
            submitting.run(script, time)
        if status in (301, 302, 303):
            assert f"points to {target.removesuffix('.org/done')}" in str(caught.value)
        assert_uncertain(caught.value, script, time)

    @pytest.mark.parametrize(
        "status",
        [301, 302, 303],
    )
    def test_that_would_change_the_method(self, status, time):
        """It is refused; the error tells where it points."""
        operation = EVERYTHING["cancel"]
        script = Script(httpx.Response(status, headers={"Location": "/login"}), operation.ok())
        with pytest.raises(APIError, match="redirects to /login") as caught:
            operation.run(script, time)
        assert type(caught.value) is APIError
        assert caught.value.status_code == status
        assert len(script.requests) == 1

    def test_in_circles(self, operation, time):
        """The request ends after five redirects."""
        script = Script(httpx.Response(308, headers={"Location": "/round"}))
        with pytest.raises(APIError, match="more than 5 redirects"):
            operation.run(script, time)
        assert len(script.requests) == 6
        assert time.sleeps == []

    @given(st.text(st.characters(codec="latin-1"), max_size=30))
    @example("https://[::1")
    @example("http:///")
    @example("https://portal.test:999999/")
    @example("https://xn--/")
    def test_to_anything(self, target):
        """Whatever the target, no other server is asked, and only our exceptions are raised."""
        script = Script(
            httpx.Response(307, headers=[(b"Location", target.encode("latin-1"))]),
            httpx.Response(404),
        )
        with pytest.raises(APIError):
            SUBMITTING["submit"].run(script, FakeTime())
        assert {request.url.host for request in script.requests} == {"portal.test"}
