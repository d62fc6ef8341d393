"""The HTTP clients under every fault of the request table: scripted answers, and no waiting."""

import gzip
import hashlib
import itertools
import logging
import socket
import socketserver
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import httpx
import orjson
import pytest
import tenacity
from aqt_fast import __version__
from aqt_fast.api_client import Clock, Credentials, DirectAccessClient, ListedResource, PortalClient
from aqt_fast.api_client.http import ConnectionSettings, HTTPClient
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.request import Request
from aqt_fast.api_client.retry import BACK_OFF, Attempts, Patience, Retry, RetryBudget, retry_after
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    MalformedResponseError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from hypothesis import example, given
from hypothesis import strategies as st

URL = "https://portal.test"
TOKEN = "eyJhbGciOiJub25l.c2VjcmV0LXNlY3JldA.x_-9"  # noqa: S105 - nobody's
OTHER_TOKEN = "eyJhbGciOiJub25l.b3RoZXItb3RoZXI.y_-8"  # noqa: S105 - nobody's
JOB_ID = "6a1c0f5e-7d0b-4a52-9c59-2f4a6c1f3c11"
PAYLOAD = b'{"job_type": "quantum_circuit"}'
LABEL = "chunk 3 of 7"
TODAY = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class FakeTime:
    """A clock on which only sleeping lets time pass."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.sleeps: list[float] = []
        self.clock = Clock(
            monotonic=lambda: 1000 + self.elapsed,
            now=lambda: TODAY.timestamp() + self.elapsed,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.elapsed += seconds


class Script(httpx.BaseTransport):
    """Gives one answer after the other, the last for ever; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception | Callable) -> None:
        self._answers = iter(answers[:-1])
        self._last = answers[-1]
        self._lock = threading.Lock()
        self.requests: list[httpx.Request] = []
        self.tokens: list[str] = []
        """The token of each request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, and note what was asked."""
        request.read()
        with self._lock:
            self.requests.append(request)
            self.tokens.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
            answer = next(self._answers, self._last)
        if isinstance(answer, Exception):
            raise type(answer)(*answer.args)
        if callable(answer):
            return answer(request)
        fresh = httpx.Response(
            answer.status_code,
            headers=answer.headers,
            stream=answer.stream,
            extensions=answer.extensions,
        )
        if isinstance(answer.stream, Broken):
            fresh.stream = Broken(answer.stream.parts)
        return fresh


class Broken(httpx.SyncByteStream):
    """A body that ends before its end."""

    def __init__(self, parts: list[bytes | Exception]) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise type(part)(*part.args)
            yield part


class Operation(NamedTuple):
    """A method of a client, with an answer that it takes."""

    client: type
    call: Callable[[Any], object]
    good: bytes
    value: object
    method: str
    path: str
    patience: float

    def connect(
        self,
        transport: httpx.BaseTransport,
        time: FakeTime | None,
        token: str | Credentials = TOKEN,
    ) -> PortalClient | DirectAccessClient:
        """A client that sees only the script and the time, None for the real one."""
        clock = time and time.clock
        if self.client is PortalClient:
            return PortalClient(token, portal_url=URL, transport=transport, clock=clock)
        credentials = token if isinstance(token, Credentials) else Credentials(token)
        return DirectAccessClient(URL, credentials, transport=transport, clock=clock)

    def run(
        self, transport: httpx.BaseTransport, time: FakeTime, token: str | Credentials = TOKEN
    ) -> object:
        """Make a client, call the method, and close it."""
        client = self.connect(transport, time, token)
        try:
            return self.call(client)
        finally:
            client.close()

    def ok(self) -> httpx.Response:
        """The answer that it takes."""
        return httpx.Response(200, content=self.good)


ASKING = {
    "list_resources": Operation(
        PortalClient,
        lambda client: client.list_resources(),
        b'[{"id": "w", "resources": [{"id": "r", "name": "R", "type": "device"}]}]',
        [ListedResource("w", "r", "R", "device")],
        "GET",
        "/api/v1/workspaces",
        3,
    ),
    "result": Operation(
        PortalClient,
        lambda client: client.result(JOB_ID, read_json),
        b'{"response": 1}',
        {"response": 1},
        "GET",
        f"/api/v1/result/{JOB_ID}?include_timing_data=true",
        60,
    ),
    "cancel": Operation(
        PortalClient,
        lambda client: client.cancel(JOB_ID),
        b"",
        True,
        "DELETE",
        f"/api/v1/jobs/{JOB_ID}",
        60,
    ),
    "num_ions": Operation(
        DirectAccessClient,
        lambda client: client.num_ions(),
        b'{"num_ions": 12}',
        12,
        "GET",
        "/status/ions",
        3,
    ),
    "system_name": Operation(
        DirectAccessClient,
        lambda client: client.system_name(),
        b'"marmot"',
        "marmot",
        "GET",
        "/system/name",
        3,
    ),
    "direct_result": Operation(
        DirectAccessClient,
        lambda client: client.result(JOB_ID, read_json),
        b'{"result": 1}',
        {"result": 1},
        "GET",
        f"/circuit/result/{JOB_ID}",
        24 * 3600,
    ),
}

SUBMITTING = {
    "submit": Operation(
        PortalClient,
        lambda client: client.submit("w", "r", PAYLOAD, label=LABEL),
        orjson.dumps({"job": {"job_id": JOB_ID.upper()}}),
        JOB_ID,
        "POST",
        "/api/v1/submit/w/r",
        600,
    ),
    "direct_submit": Operation(
        DirectAccessClient,
        lambda client: client.submit(PAYLOAD, label=LABEL),
        orjson.dumps(JOB_ID),
        JOB_ID,
        "PUT",
        "/circuit",
        600,
    ),
}

EVERYTHING = ASKING | SUBMITTING

BEFORE = [
    httpx.ConnectError("[Errno -2] Name or service not known"),
    httpx.ConnectError("[Errno 111] Connection refused"),
    httpx.ConnectTimeout("timed out"),
    httpx.PoolTimeout("no connection free"),
    httpx.ProxyError("502 Bad Gateway"),
]

AFTER = [
    httpx.ReadError("[Errno 104] Connection reset by peer"),
    httpx.ReadTimeout("timed out"),
    httpx.WriteError("[Errno 32] Broken pipe"),
    httpx.WriteTimeout("timed out"),
    httpx.CloseError("closed"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.DecodingError("not what it says it is"),
]


@pytest.fixture
def time() -> FakeTime:
    """A clock that waits for nothing."""
    return FakeTime()


@pytest.fixture(params=ASKING.values(), ids=ASKING.keys())
def asking(request) -> Operation:
    """GET and DELETE."""
    return request.param


@pytest.fixture(params=SUBMITTING.values(), ids=SUBMITTING.keys())
def submitting(request) -> Operation:
    """POST and PUT."""
    return request.param


@pytest.fixture(params=EVERYTHING.values(), ids=EVERYTHING.keys())
def operation(request) -> Operation:
    """Any request."""
    return request.param


def name_of(value: object) -> str | None:
    """What a parameter is called in a test's name."""
    return type(value).__name__ if isinstance(value, Exception) else None


def assert_backs_off(sleeps: list[float]) -> None:
    """Each pause is within its bound, with full jitter."""
    for count, pause in enumerate(sleeps):
        assert 0 <= pause <= min(10, 0.5 * 2**count)


def assert_uncertain(error: SubmissionUncertainError, script: Script, time: FakeTime) -> None:
    """One request, no second one, and the message says which submission it is about."""
    digest = hashlib.sha256(PAYLOAD).hexdigest()
    assert (error.label, error.payload_hash) == (LABEL, digest)
    assert LABEL in str(error)
    assert digest in str(error)
    assert error.reason in str(error)
    assert len(script.requests) == 1
    assert time.sleeps == []


class TestRequestTable:
    """Each row of the table in `reliability.md`."""

    @pytest.mark.parametrize("fault", BEFORE, ids=name_of)
    def test_name_or_connection_failure_before_bytes_went_out(self, operation, fault, time):
        """Anything is sent again."""
        script = Script(fault, fault, operation.ok())
        assert operation.run(script, time) == operation.value
        assert len(script.requests) == 3
        assert len({bytes(request.read()) for request in script.requests}) == 1
        assert len(time.sleeps) == 2
        assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"direct_result"}))
    def test_no_connection_as_long_as_there_is_patience(self, name, time):
        """Then the error says what was asked of whom, and why it could not be."""
        operation = EVERYTHING[name]
        script = Script(httpx.ConnectError("[Errno 111] Connection refused"))
        with pytest.raises(APIConnectionError, match="Connection refused") as caught:
            operation.run(script, time)
        assert operation.method in str(caught.value)
        assert URL in str(caught.value)
        assert caught.value.status_code is None
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
        assert time.elapsed == pytest.approx(operation.patience)
        assert len(script.requests) == len(time.sleeps) + 1
        assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("fault", AFTER, ids=name_of)
    def test_connection_lost_read_timeout_or_truncated_answer_after_bytes_went_out(
        self, asking, fault, time
    ):
        """A question is asked again; but a long poll without an answer says: not yet."""
        script = Script(fault, asking.ok())
        value = asking.run(script, time)
        if asking is ASKING["direct_result"] and isinstance(fault, httpx.ReadTimeout):
            assert value is None
            assert (len(script.requests), time.sleeps) == (1, [])
        else:
            assert value == asking.value
            assert len(script.requests) == 2
            assert len(time.sleeps) == 1
            assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("fault", AFTER, ids=name_of)
    def test_connection_lost_read_timeout_or_truncated_answer_after_a_submission_went_out(
        self, submitting, fault, time
    ):
        """Nobody knows whether it was accepted: it is not sent again."""
        script = Script(fault, submitting.ok())
        with pytest.raises(SubmissionUncertainError, match=type(fault).__name__) as caught:
            submitting.run(script, time)
        assert str(fault) in caught.value.reason
        assert isinstance(caught.value.__cause__, type(fault))
        assert_uncertain(caught.value, script, time)

    @pytest.mark.parametrize("fault", [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut")])
    @pytest.mark.parametrize("status", [200, 500])
    def test_truncated_answer_after_its_head_has_arrived(self, operation, fault, status, time):
        """The status alone is no answer."""
        head = Broken([operation.good[:3], fault])
        script = Script(httpx.Response(status, stream=head), operation.ok())
        if operation in SUBMITTING.values():
            with pytest.raises(SubmissionUncertainError) as caught:
                operation.run(script, time)
            assert_uncertain(caught.value, script, time)
        else:
            assert operation.run(script, time) == operation.value
            assert len(script.requests) == 2

    def test_lost_as_long_as_there_is_patience(self, time):
        """Losing answers for ever is as bad as no connection."""
        script = Script(httpx.ReadTimeout("timed out"))
        with pytest.raises(APIConnectionError, match=f"/result/{JOB_ID} at .*ReadTimeout"):
            ASKING["result"].run(script, time)
        assert time.elapsed == pytest.approx(60)

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
        """The server's order is obeyed to the second; without one, it is backed off."""
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
        """Nothing was accepted: the submission is sent again, as it was."""
        headers = {} if header is None else {"Retry-After": header}
        script = Script(httpx.Response(429, headers=headers), submitting.ok())
        assert submitting.run(script, time) == submitting.value
        assert [request.content for request in script.requests] == [PAYLOAD, PAYLOAD]
        assert pause is None or time.sleeps == [pause]
        assert len(time.sleeps) == 1

    @pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
    def test_503_with_or_without_retry_after_on_a_submission(self, submitting, headers, time):
        """No proof that nothing was accepted."""
        answer = httpx.Response(503, headers=headers, json={"detail": "down for maintenance"})
        script = Script(answer, submitting.ok())
        with pytest.raises(SubmissionUncertainError, match=r"503.*down for maintenance") as caught:
            submitting.run(script, time)
        assert_uncertain(caught.value, script, time)

    def test_retry_after_beyond_our_patience(self, time):
        """A job is worth waiting for; somebody who sits in front of a list is told at once."""
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

    def test_409_while_the_machine_is_busy(self, time):
        """Direct access: come again. The portal: an error like others."""
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

    @pytest.mark.parametrize("status", [408, 500, 501, 502, 504, 520])
    def test_500_502_504(self, asking, status, time):
        """A question is asked again."""
        fault = httpx.Response(status)
        script = Script(fault, fault, fault, asking.ok())
        assert asking.run(script, time) == asking.value
        assert len(script.requests) == 4
        assert len(time.sleeps) == 3
        assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("status", [408, 500, 501, 502, 504, 520])
    def test_500_502_504_on_a_submission(self, submitting, status, time):
        """Nobody knows whether it was accepted."""
        script = Script(httpx.Response(status, text="<h1>Oh no</h1>"), submitting.ok())
        with pytest.raises(SubmissionUncertainError, match=f"{status} .*<h1>Oh no</h1>") as caught:
            submitting.run(script, time)
        assert_uncertain(caught.value, script, time)

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_500_502_503_504_as_long_as_there_is_patience(self, status, time):
        """Then the last answer is the error."""
        script = Script(httpx.Response(status, json={"detail": "out of order"}))
        with pytest.raises(APIError, match=f"GET /result/{JOB_ID}: {status} .*: out of order$") as (
            caught
        ):
            ASKING["result"].run(script, time)
        assert type(caught.value) is APIError
        assert caught.value.status_code == status
        assert time.elapsed == pytest.approx(60)

    def test_401(self, operation, time):
        """With a token that cannot be renewed: an error, after one request."""
        script = Script(httpx.Response(401, json={"detail": "expired"}), operation.ok())
        with pytest.raises(AQTCredentialsError, match=r"401 Unauthorized: expired; .*log in") as (
            caught
        ):
            operation.run(script, time)
        assert caught.value.status_code == 401
        assert (script.tokens, time.sleeps) == ([TOKEN], [])

    def test_401_and_another_token(self, operation, time):
        """The token is renewed once, and the request goes on without a pause."""
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
        """A renewed token that is refused as well is not renewed for ever."""
        tokens = itertools.count()
        script = Script(httpx.Response(401))
        with pytest.raises(AQTCredentialsError):
            operation.run(script, time, Credentials(TOKEN, lambda _: f"token-{next(tokens)}"))
        assert script.tokens == [TOKEN, "token-0"]
        assert next(tokens) == 1

    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            ({"detail": "no such thing"}, "no such thing"),
            ({"message": "no such thing"}, "no such thing"),
            (
                {
                    "detail": [
                        {"loc": ["body", "payload", 0], "msg": "too long", "type": "value"},
                        {"loc": [], "msg": "too short"},
                        {"loc": "odd"},
                        "plain",
                    ]
                },
                "body.payload.0: too long; too short; {'loc': 'odd'}; plain",
            ),
            ({"detail": {"code": 7}}, "{'code': 7}"),
            ({"detail": None}, "None"),
            ({"error": "else"}, '{"error":"else"}'),
            (["a", "b"], '["a","b"]'),
            (b"<h1>No</h1>\n", "<h1>No</h1>"),
            (b"\xff\xfe", "\ufffd\ufffd"),
            (b"", None),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_400_403_404_422(self, operation, body, detail, time):
        """An error with the server's detail, after one request."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        for status in (400, 403, 404, 422):
            script = Script(httpx.Response(status, content=content), operation.ok())
            with pytest.raises(APIError) as caught:
                operation.run(script, time)
            assert type(caught.value) is APIError
            assert caught.value.status_code == status
            reason = httpx.codes.get_reason_phrase(status)
            end = f": {status} {reason}" + ("" if detail is None else f": {detail}")
            assert str(caught.value).startswith(f"{operation.method} /")
            assert str(caught.value).endswith(end)
            assert (len(script.requests), time.sleeps) == (1, [])

    def test_a_long_detail_is_cut(self, time):
        """Nobody reads megabytes in a message."""
        script = Script(httpx.Response(400, text="x" * 1_000_000))
        with pytest.raises(APIError) as caught:
            ASKING["result"].run(script, time)
        assert 1000 < len(str(caught.value)) < 3000

    @pytest.mark.parametrize("charset", ["zip", "hex", "idna", "rot13", "undefined", "nonsense"])
    def test_a_detail_in_an_odd_charset(self, operation, charset, time):
        """What the server claims about its text cannot break the report of its error."""
        headers = {"Content-Type": f"text/html; charset={charset}"}
        script = Script(httpx.Response(404, headers=headers, content=b"not here \xff"))
        with pytest.raises(APIError, match="404 Not Found: not here"):
            operation.run(script, time)

    def test_410_on_a_result(self, time):
        """The portal has deleted it: the error says of which job."""
        script = Script(httpx.Response(410, json={"detail": "gone"}), ASKING["result"].ok())
        with pytest.raises(ResultExpiredError, match=JOB_ID) as caught:
            ASKING["result"].run(script, time)
        assert (caught.value.job_id, caught.value.status_code) == (JOB_ID, 410)
        assert (len(script.requests), time.sleeps) == (1, [])

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"result"}))
    def test_410_elsewhere(self, name, time):
        """Is an error like others."""
        script = Script(httpx.Response(410, json={"detail": "gone"}))
        with pytest.raises(APIError, match="410 Gone: gone") as caught:
            EVERYTHING[name].run(script, time)
        assert type(caught.value) is APIError
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        ("name", "body", "offset"),
        [
            ("list_resources", b"", 0),
            ("list_resources", b'[{"id": "w", ?}]', 13),
            ("list_resources", b"<html>", 0),
            ("list_resources", b'[{"id": "\xff"}]', 0),
            ("list_resources", b"[" * 100_000, None),
            ("list_resources", b"{}", 0),
            ("list_resources", b"[7]", 0),
            ("list_resources", b'[{"id": "w"}]', 0),
            ("list_resources", b'[{"id": "w", "resources": [{"id": 1}]}]', 0),
            ("num_ions", b"12", 0),
            ("num_ions", b'{"num_ions": "12"}', 0),
            ("num_ions", b'{"num_ions": true}', 0),
            ("num_ions", b'{"num_ions": 0}', 0),
            ("system_name", b'{"name": "marmot"}', 0),
            ("system_name", b'"marmot', 7),
            ("result", b'{"a": 1', 7),
            ("direct_result", b"[1, 2, x]", 7),
        ],
    )
    def test_answer_that_is_no_json_or_of_the_wrong_shape(self, name, body, offset, time):
        """Asked again three times, then an error with the byte offset."""
        operation = ASKING[name]
        broken = httpx.Response(200, content=body)
        script = Script(broken, broken, broken, operation.ok())
        assert operation.run(script, time) == operation.value
        assert len(time.sleeps) == 3
        assert_backs_off(time.sleeps)
        script = Script(broken)
        with pytest.raises(APIError, match="the answer cannot be used: byte") as caught:
            operation.run(script, time)
        assert type(caught.value) is APIError
        assert caught.value.status_code == 200
        assert isinstance(caught.value.__cause__, MalformedResponseError)
        assert caught.value.offset == caught.value.__cause__.offset
        assert offset in (None, caught.value.offset)
        assert f"byte {caught.value.offset}" in str(caught.value)
        assert len(script.requests) == 4

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"{",
            b"null",
            b"[]",
            b"7",
            b'"7"',
            b'"%s' % JOB_ID.encode(),
            b'{"job": null}',
            b'{"job": {}}',
            b'{"job": {"job_id": 7}}',
            b'{"job": {"job_id": "../../etc/passwd"}}',
        ],
    )
    def test_answer_to_a_submission_that_is_no_json_or_of_the_wrong_shape(
        self, submitting, body, time
    ):
        """It was accepted, but as what?"""
        script = Script(httpx.Response(200, content=body), submitting.ok())
        with pytest.raises(SubmissionUncertainError, match="the answer cannot be used: byte") as (
            caught
        ):
            submitting.run(script, time)
        assert_uncertain(caught.value, script, time)

    def test_answers_that_cannot_be_used_among_other_faults(self, time):
        """Only those count that cannot be used."""
        broken, fault = httpx.Response(200, content=b"{"), httpx.Response(502)
        poll = ASKING["result"]
        faults = [broken, fault, fault, broken, fault, httpx.ReadError("reset"), broken]
        script = Script(*faults, poll.ok())
        assert poll.run(script, time) == poll.value
        assert len(script.requests) == 8

    @pytest.mark.parametrize("status", [204, 206, 208])
    def test_other_successes(self, status, time):
        """What is not there to be read cannot be read; cancelling needs nothing to be read."""
        script = Script(httpx.Response(status))
        assert ASKING["cancel"].run(script, time) is (status != 208)
        with pytest.raises(SubmissionUncertainError):
            SUBMITTING["submit"].run(script, time)

    @pytest.mark.parametrize("status", [300, 302, 304])
    def test_neither_success_nor_error(self, operation, status, time):
        """A redirect to nowhere is refused after one request."""
        script = Script(httpx.Response(status), operation.ok())
        with pytest.raises(APIError) as caught:
            operation.run(script, time)
        assert caught.value.status_code == status
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        "fault", [httpx.UnsupportedProtocol("what?"), httpx.LocalProtocolError("what?")]
    )
    def test_a_request_that_cannot_be_made(self, operation, fault, time):
        """Is not tried again."""
        script = Script(fault, operation.ok())
        with pytest.raises(APIError, match=r"what\?") as caught:
            operation.run(script, time)
        assert type(caught.value) is APIError
        assert (len(script.requests), time.sleeps) == (1, [])


class TestRequests:
    """What is sent."""

    def test_what_goes_out(self, operation, time):
        """Method, path and query, headers, and the payload as it is."""
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
        """There is no empty one either, and nothing to renew."""
        script = Script(operation.ok())
        assert operation.run(script, time, "") == operation.value
        assert "Authorization" not in script.requests[0].headers
        script = Script(httpx.Response(401))
        with pytest.raises(AQTCredentialsError):
            operation.run(script, time, Credentials("", lambda _: OTHER_TOKEN))
        assert len(script.requests) == 1

    def test_time_outs(self, time):
        """Those of the settings."""
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
        """Whatever is in it, the path has as many segments as it should, and no query."""
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

    @pytest.mark.parametrize("where", ["argument", "environment", "default"])
    def test_where_the_portal_is(self, where, monkeypatch):
        """Argument before environment before AQT's own."""
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
        """Each is asked for once, wherever it is listed; the order stays."""

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

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"cancel"}))
    def test_compressed_answers(self, name, time):
        """Are asked for, and decompressed."""
        operation = EVERYTHING[name]
        headers = {"Content-Encoding": "gzip"}
        packed = httpx.Response(
            200, headers=headers, stream=Broken([gzip.compress(operation.good)])
        )
        script = Script(packed)
        assert operation.run(script, time) == operation.value
        assert "gzip" in script.requests[0].headers["Accept-Encoding"]

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"cancel"}))
    @pytest.mark.parametrize("damage", [lambda data: b"x" * len(data), lambda data: data[:-9]])
    def test_compressed_answers_that_are_damaged(self, name, damage, time):
        """Are as good as lost, or cannot be used."""
        operation = EVERYTHING[name]
        content = damage(gzip.compress(operation.good + b" " * 99))
        headers = {"Content-Encoding": "gzip"}
        script = Script(
            httpx.Response(200, headers=headers, stream=Broken([content])), operation.ok()
        )
        if operation in SUBMITTING.values() and b"x" in content:
            with pytest.raises(SubmissionUncertainError, match="DecodingError") as caught:
                operation.run(script, time)
            assert_uncertain(caught.value, script, time)
        else:
            assert operation.run(script, time) == operation.value


class TestRedirects:
    """The token stays with its server."""

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
        """Is refused; the other server gets no request, and nothing is tried again."""
        # After 303 a submission has been dealt with, see below.
        submits = operation.method in ("POST", "PUT")
        statuses = (301, 302, 307, 308) if submits else (301, 302, 303, 307, 308)
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
        """Is followed to exactly where it points."""
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
        """Is followed with the payload."""
        moved = httpx.Response(status, headers={"Location": "/new"})
        script = Script(moved, submitting.ok())
        assert submitting.run(script, time) == submitting.value
        assert [(request.method, request.content) for request in script.requests] == [
            (submitting.method, PAYLOAD)
        ] * 2
        assert script.requests[1].url.path == "/new"
        assert script.requests[1].headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("target", ["/done", "https://evil.org/done"])
    def test_see_other(self, submitting, target, time):
        """303 after a submission may mean that it was accepted; nobody is asked there."""
        script = Script(httpx.Response(303, headers={"Location": target}), submitting.ok())
        with pytest.raises(SubmissionUncertainError, match="points to /done"):
            submitting.run(script, time)
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        ("name", "status"),
        [(name, status) for name in ("submit", "direct_submit") for status in (301, 302)]
        + [("cancel", status) for status in (301, 302, 303)],
    )
    def test_that_would_change_the_method(self, name, status, time):
        """Is refused with the place it points to."""
        operation = EVERYTHING[name]
        script = Script(httpx.Response(status, headers={"Location": "/login"}), operation.ok())
        with pytest.raises(APIError, match="redirects to /login") as caught:
            operation.run(script, time)
        assert type(caught.value) is APIError
        assert caught.value.status_code == status
        assert len(script.requests) == 1

    def test_in_circles(self, operation, time):
        """Ends soon, and is not tried again."""
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
        """Whatever the server says, only it is asked, and only our exceptions are raised."""
        script = Script(
            httpx.Response(307, headers=[(b"Location", target.encode("latin-1"))]),
            httpx.Response(404),
        )
        with pytest.raises(APIError):
            SUBMITTING["submit"].run(script, FakeTime())
        assert {request.url.host for request in script.requests} == {"portal.test"}


class TestPlainHTTP:
    """A token is not sent unprotected."""

    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:80", "127.0.0.1", "127.8.9.1:8000", "[::1]", "[::1]:8000"],
    )
    def test_loopback(self, host):
        """May be plain."""
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
        """Are refused before anything is sent; without a token there is nothing to protect."""
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
        """Is not sent over the plain connection that was there before it."""
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
        """Is refused."""
        with pytest.raises(APIError, match="URL") as caught:
            HTTPClient(url, Credentials(TOKEN), ConnectionSettings())
        assert not isinstance(caught.value, InsecureConnectionError)
        assert TOKEN not in str(caught.value)


def state_after(attempt: int, error: Retry) -> tenacity.RetryCallState:
    """What tenacity knows after a failed attempt."""
    state = tenacity.RetryCallState(None, None, (), {})
    state.attempt_number = attempt
    state.set_exception((type(error), error, None))
    return state


class TestBackOff:
    """When the next attempt is made."""

    @pytest.mark.parametrize("attempt", [1, 2, 3, 5, 6, 50, 5000])
    def test_full_jitter_and_cap(self, attempt):
        """Anywhere between nothing and a bound that doubles up to ten seconds."""
        state = state_after(attempt, Retry(APIError("no")))
        bound = 10 if attempt > 5 else 0.5 * 2 ** (attempt - 1)
        pauses = [BACK_OFF(state) for _ in range(400)]
        assert 0 <= min(pauses) < 0.1 * bound
        assert 0.9 * bound < max(pauses) <= bound

    def test_budget_of_all_requests_of_a_client(self, time):
        """When it is empty, requests are delayed but none is dropped."""
        later = httpx.Response(429, headers={"Retry-After": "0"})
        script = Script(*[later] * 60, ASKING["result"].ok())
        portal = ASKING["result"].connect(script, time)
        assert portal.result(JOB_ID, read_json) == ASKING["result"].value
        assert time.sleeps[:50] == [0] * 50
        assert time.sleeps[50:] == pytest.approx([0.5] * 10)
        script = Script(*[later] * 3, ASKING["cancel"].ok())
        portal._http._client._transport = script
        assert portal.cancel(JOB_ID) is True
        # The success has paid for half a retry, the stock itself is still empty.
        assert time.sleeps[60:] == pytest.approx([0.25, 0.5, 0.5])

    def test_budget_and_order_at_the_same_time(self, time):
        """The longer of the two counts, not their sum."""
        now = httpx.Response(429, headers={"Retry-After": "0"})
        later = httpx.Response(429, headers={"Retry-After": "7"})
        script = Script(*[now] * 60, later, ASKING["result"].ok())
        assert ASKING["result"].run(script, time) == ASKING["result"].value
        assert time.sleeps[-2:] == pytest.approx([0.5, 7])

    def test_budget_refills(self, time):
        """By time and by success, up to its stock."""
        budget = RetryBudget(stock=3, per_second=2, per_success=0.5, clock=time.clock)
        assert [budget.take() for _ in range(5)] == [0, 0, 0, 0.5, 1]
        time.elapsed += 1
        assert budget.take() == 0.5
        for _ in range(4):
            budget.succeeded()
        assert [budget.take(), budget.take()] == [0, 0.5]
        time.elapsed += 1000
        assert [budget.take() for _ in range(4)] == [0, 0, 0, 0.5]
        time.elapsed += 1000
        budget.take()
        for _ in range(100):
            budget.succeeded()
        assert [budget.take() for _ in range(4)] == [0, 0, 0, 0.5]

    @given(st.lists(st.sampled_from(["take", "succeed", "wait"]), max_size=200))
    def test_budget_bounds_any_history(self, history):
        """Never a negative pause, and never more retries than stock, time and successes allow."""
        time = FakeTime()
        budget = RetryBudget(stock=5, per_second=2, per_success=0.5, clock=time.clock)
        successes = 0
        turns = []
        for step in history:
            if step == "take":
                pause = budget.take()
                assert pause >= 0
                turns.append(time.elapsed + pause)
            elif step == "succeed":
                budget.succeeded()
                successes += 1
            else:
                time.elapsed += 1.5
        for count, turn in enumerate(sorted(turns), 1):
            assert count <= 5 + 2 * turn + 0.5 * successes + 1e-6

    def test_budget_from_many_threads(self, time):
        """No retry is given out twice."""
        budget = RetryBudget(stock=50, per_second=1, per_success=0, clock=time.clock)
        with ThreadPoolExecutor(8) as threads:
            pauses = list(threads.map(lambda _: budget.take(), range(200)))
        assert sorted(pauses) == [0] * 50 + list(range(1, 151))

    def test_patience(self, time):
        """No attempt starts after the deadline; what the server orders comes on top, or ends it."""
        budget = RetryBudget(clock=time.clock)
        error = Retry(APIError("no"))
        attempts = Attempts(Patience(10), budget, time.clock)
        time.elapsed = 9.5
        assert not attempts.stop(state_after(9, error))
        assert all(attempts.wait(state_after(9, error)) <= 0.5 for _ in range(40))
        time.elapsed = 10
        assert attempts.stop(state_after(9, error))
        ordered = Retry(APIError("later"), ordered=30)
        obeys = Attempts(Patience(10), budget, time.clock)
        assert not obeys.stop(state_after(1, ordered))
        assert obeys.wait(state_after(1, ordered)) == 30
        time.elapsed += 39
        assert not obeys.stop(state_after(2, error))
        time.elapsed += 1
        assert obeys.stop(state_after(3, error))
        hasty = Attempts(Patience(10, obeys_orders=False), budget, time.clock)
        assert hasty.stop(state_after(1, ordered))
        assert hasty.stop(state_after(1, Retry(APIError("later"), ordered=10)))
        assert not hasty.stop(state_after(1, Retry(APIError("later"), ordered=9)))

    def test_discovery_takes_no_longer_than_it_may(self, time):
        """Somebody sits in front of it."""
        for _ in range(20):
            before = time.elapsed
            with pytest.raises(APIError):
                ASKING["list_resources"].run(Script(httpx.Response(500)), time)
            assert time.elapsed - before <= 3 + 1e-6


class TestRetryAfter:
    """The header, as RFC 9110 has it and as servers write it."""

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, None),
            ("", None),
            ("120", 120),
            ("007", 7),
            ("\t5 ", 5),
            ("999999999999", 24 * 3600),
            ("9" * 5000, None),
            ("\u0663", None),
            ("1e3", None),
            ("inf", None),
            ("nan", None),
            ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
            ("Sunday, 01-Mar-26 12:02:00 GMT", 120),
            ("Sun Mar  1 12:02:00 2026", 120),
            ("Sun, 01 Mar 2026 14:02:00 +0200", 120),
            ("Sun, 01 Mar 2026 12:02:00 -0000", 120),
            ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
            ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
            ("Sun, 01 Mar 2026 25:00:00 GMT", None),
        ],
    )
    def test_examples(self, header, seconds):
        """Seconds and dates."""
        assert retry_after(header, TODAY.timestamp()) == seconds

    @given(st.integers(0, 10**9))
    def test_seconds(self, seconds):
        """A day at most."""
        assert retry_after(str(seconds), 0.0) == min(seconds, 24 * 3600)

    @given(st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1)))  # noqa: DTZ001 - UTC below
    def test_dates(self, date):
        """To the second, as the header has no more."""
        date = date.replace(tzinfo=timezone.utc)
        wanted = (date.replace(microsecond=0) - TODAY).total_seconds()
        found = retry_after(format_datetime(date, usegmt=True), TODAY.timestamp())
        assert found == min(max(wanted, 0), 24 * 3600)

    @given(
        st.one_of(
            st.text(max_size=40),
            st.text('0123456789 :,+-()GMTJanFeb"\\.', max_size=40),
            st.lists(
                st.sampled_from(
                    ["Sun,", "01", "Mar", "2026", "12:00:00", "GMT", "+9999", "-2400", "0", "1.2.3"]
                ),
                max_size=7,
            ).map(" ".join),
        )
    )
    def test_junk(self, header):
        """Never an exception, never negative, never longer than a day."""
        seconds = retry_after(header, TODAY.timestamp())
        assert seconds is None or 0 <= seconds <= 24 * 3600


class TestTokens:
    """One renewal for all requests that wait for it."""

    def test_single_flight(self, time):
        """Many threads find out at once; the token is renewed once, and all succeed with it."""
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
        """Is an error after one request, and is not asked for again until somebody logs in."""
        asked = []

        def renew(token: str) -> str | None:
            asked.append(token)
            return renewed

        credentials = Credentials(TOKEN, renew)
        script = Script(httpx.Response(401))
        client = operation.connect(script, time, credentials)
        for _ in range(2):
            with pytest.raises(AQTCredentialsError):
                operation.call(client)
        assert script.tokens == [TOKEN, TOKEN]
        assert asked == [TOKEN]
        script = client._http._client._transport = Script(operation.ok())
        credentials.replace(OTHER_TOKEN, None)
        assert operation.call(client) == operation.value
        assert script.tokens == [OTHER_TOKEN]

    def test_a_renewal_that_fails(self, operation, time):
        """Says why; the next request tries again, for the fault may pass."""
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

    def test_a_token_that_was_renewed_meanwhile(self, time):
        """Is taken without another renewal."""

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
        """Is refused without being shown, wherever it comes from."""
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
        """Comes from files, and is no part of it."""
        script = Script(ASKING["result"].ok())
        ASKING["result"].run(script, time, f"{TOKEN}\n")
        assert script.tokens == [TOKEN]


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    open_ends: list[BaseException | None] = [error]
    while open_ends:
        error = open_ends.pop()
        if error is not None:
            yield error
            open_ends += [error.__cause__, error.__context__]


def assert_silent(error: BaseException, *secrets: str) -> None:
    """Neither the exception nor one that led to it says anything about the secrets."""
    said = traceback.format_exception(error)
    for each in chain(error):
        said += [str(each), repr(each), repr(each.args), repr(vars(each))]
    for secret in secrets:
        assert secret not in "".join(said)


def echoes(token: str) -> dict[str, Exception | httpx.Response]:
    """Answers and faults that quote the token."""
    moved = {"Location": f"https://evil.org/{token}"}
    faults = {type(fault).__name__: type(fault)(f"odd: {token!r}") for fault in BEFORE + AFTER}
    return faults | {
        "not made": httpx.LocalProtocolError(f"Illegal header value b'Bearer {token}'"),
        "detail": httpx.Response(400, json={"detail": f"what is {token}?"}),
        "fields": httpx.Response(422, json={"detail": [{"loc": [token], "msg": token}]}),
        "odd detail": httpx.Response(403, json={"detail": {token: [token]}}),
        "text": httpx.Response(404, text=f"Bearer {token}"),
        "cut text": httpx.Response(404, text="x" * (2000 - len(token) // 2) + token),
        "reason": httpx.Response(400, extensions={"reason_phrase": f"Bad {token}".encode()}),
        "refused": httpx.Response(401, json={"detail": token}),
        "failure": httpx.Response(500, text=token),
        "busy": httpx.Response(429, text=token),
        "no JSON": httpx.Response(200, text=token),
        "JSON": httpx.Response(200, json=token),
        "id": httpx.Response(200, json={"job": {"job_id": token}}),
        "number": httpx.Response(200, json={"num_ions": token}),
        "elsewhere": httpx.Response(302, headers=moved),
        "host": httpx.Response(302, headers={"Location": f"https://{token}.evil.org/"}),
        "login": httpx.Response(302, headers={"Location": f"/login/{token}"}),
    }


class TestRedaction:
    """The token is nowhere to be seen."""

    TOKENS = (TOKEN.lower(), TOKEN, "to+ken/~!$&'()*,;=:@[]{}|^`<>#%")

    @pytest.mark.parametrize("kind", echoes(TOKEN))
    @pytest.mark.parametrize("name", [name for name in EVERYTHING if name != "direct_result"])
    def test_whatever_the_server_quotes(self, name, kind, time, caplog):
        """Neither messages, tracebacks nor logs repeat it."""
        caplog.set_level(logging.DEBUG)
        for token in self.TOKENS[: {"host": 1, "login": 2}.get(kind)]:
            script = Script(echoes(token)[kind])
            try:
                EVERYTHING[name].run(script, time, token)
            except APIError as error:
                assert_silent(error, token, token[: len(token) // 2])
            else:
                assert name in ("cancel", "result", "system_name")
            assert script.tokens[0] == token
            if kind not in ("reason", "login"):  # httpx itself logs the status line and the URL
                assert token not in caplog.text
                assert token not in repr([vars(record) for record in caplog.records])

    def test_in_a_result_that_cannot_be_read(self, time):
        """Not even if whoever reads it quotes the body."""

        def read(body: bytes) -> None:
            text = body.decode()
            try:
                raise MalformedResponseError(text, 7)
            except MalformedResponseError as error:
                raise MalformedResponseError(f"strange: {text}", 5) from error

        for poll in (PortalClient.result, DirectAccessClient.result):
            script = Script(httpx.Response(200, text=TOKEN))
            name = "result" if poll is PortalClient.result else "direct_result"
            client = ASKING[name].connect(script, time)
            with pytest.raises(APIError, match=r"byte 5: strange: \[token\]") as caught:
                poll(client, JOB_ID, read)
            assert caught.value.offset == 5
            assert_silent(caught.value, TOKEN)

    def test_older_and_longer_tokens(self, time):
        """All that were ever in use are hidden, also if one begins with another."""
        credentials = Credentials(TOKEN, lambda _: f"{TOKEN}-secret-end")
        assert credentials.renewed(TOKEN) == f"{TOKEN}-secret-end"
        credentials.replace("", None)
        credentials.replace(OTHER_TOKEN, None)
        text = f"{TOKEN}-secret-end {TOKEN} {OTHER_TOKEN}"
        assert credentials.redact(text) == "[token] [token] [token]"
        with pytest.raises(APIError) as caught:
            ASKING["result"].run(Script(httpx.Response(400, text=text)), time, credentials)
        assert_silent(caught.value, TOKEN, OTHER_TOKEN, "-secret-end")

    def test_in_the_repr_of_anything(self, time):
        """Clients, credentials and requests can be shown."""
        credentials = Credentials(TOKEN, lambda _: TOKEN)
        portal = PortalClient(credentials, portal_url=URL, clock=time.clock)
        machine = DirectAccessClient(URL, credentials)
        request = Request("POST", "/x", content=TOKEN.encode())
        things = (credentials, portal, machine, portal._http, portal._http._client, request)
        for thing in things:
            assert TOKEN not in repr(thing)
            assert TOKEN not in str(thing)
        assert repr(Credentials("")) == "<Credentials(no token)>"
        assert repr(credentials) == "<Credentials(a token)>"
        portal.close()
        machine.close()

    def test_while_tokens_change(self):
        """Redaction in one thread, new tokens in others."""
        credentials = Credentials("t-first", None)
        stop = threading.Event()

        def replace() -> None:
            for number in itertools.count():
                if stop.is_set():
                    return
                credentials.replace(f"t{number % 3000}", None)

        with ThreadPoolExecutor(1) as threads:
            done = threads.submit(replace)
            try:
                texts = {credentials.redact("say t-first") for _ in range(150)}
            finally:
                stop.set()
            done.result(20)
        assert texts == {"say [token]"}

    def test_in_the_log_of_a_real_connection(self, caplog, web):
        """Not at the most talkative level of httpx and httpcore either."""
        caplog.set_level(logging.DEBUG)
        portal = PortalClient(TOKEN, portal_url=web.url)
        assert portal.result(JOB_ID, read_json)["token"] == f"Bearer {TOKEN}"
        portal.close()
        loggers = {record.name.partition(".")[0] for record in caplog.records}
        assert {"httpx", "httpcore"} <= loggers
        assert TOKEN not in caplog.text
        assert TOKEN not in repr([vars(record) for record in caplog.records])


class Web:
    """A web server on loopback that answers with what it was asked."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = orjson.dumps({"path": self.path, "token": self.headers["Authorization"]})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class Listener:
    """A server on loopback that notes what it is told first, and hangs up."""

    def __init__(self) -> None:
        self.heard = heard = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                heard.append(self.request.recv(65536))
                self.request.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def serving(what: Any) -> Iterator[Any]:
    """Let a server run until it is not needed any more."""
    thread = threading.Thread(target=what.server.serve_forever, args=(0.01,))
    thread.start()
    yield what
    what.server.shutdown()
    thread.join()
    what.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server."""
    yield from serving(Web())


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that only notes who comes."""
    yield from serving(Listener())


@pytest.fixture
def no_proxies(monkeypatch) -> None:
    """No setting of this machine gets into a test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_proxies")
class TestEnvironment:
    """Proxies and certificates."""

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
    def test_plain_http_goes_through_no_proxy(self, name, web, listener, monkeypatch):
        """It would carry the token to another machine."""
        monkeypatch.setenv(name, listener.url)
        portal = PortalClient(TOKEN, portal_url=web.url)
        assert portal.result(JOB_ID, read_json)["path"].startswith("/api/v1/result/")
        portal.close()
        assert listener.heard == []

    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_https_goes_through_the_proxy(self, name, listener, monkeypatch, time):
        """Which sees where to, but no token."""
        monkeypatch.setenv(name, listener.url)
        portal = PortalClient(TOKEN, portal_url=URL, clock=time.clock)
        with pytest.raises(APIConnectionError, match="407"):
            portal.list_resources()
        portal.close()
        assert listener.heard[0].startswith(b"CONNECT portal.test:443 ")
        assert not [heard for heard in listener.heard if TOKEN.encode() in heard]

    def test_except_where_there_shall_be_none(self, listener, monkeypatch, time):
        """NO_PROXY is obeyed: the first that the server hears is TLS."""
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

    def test_certificates(self, tmp_path, monkeypatch):
        """Those in SSL_CERT_FILE are trusted, and no others."""
        end = "-----END CERTIFICATE-----\n"
        bundle = Path(certifi.where()).read_text()
        (tmp_path / "one.pem").write_text(bundle[: bundle.index(end)] + end)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "one.pem"))
        portal = PortalClient(TOKEN, portal_url=URL)
        context = portal._http._client._transport._pool._ssl_context
        portal.close()
        assert len(context.get_ca_certs()) == 1
        assert context.check_hostname


class TestClosing:
    """A client that is closed."""

    @pytest.mark.parametrize("name", ["result", "cancel", "direct_result", *SUBMITTING])
    def test_ends_waiting_between_attempts(self, name):
        """At once, for all threads that wait."""
        operation = EVERYTHING[name]
        num_threads = 3
        asked = threading.Semaphore(0)

        def answer(_request: httpx.Request) -> httpx.Response:
            asked.release()
            return httpx.Response(429, headers={"Retry-After": "3600"})

        script = Script(answer)
        client = operation.connect(script, None)
        errors = []

        def call() -> None:
            try:
                operation.call(client)
            except APIError as error:
                errors.append(error)

        threads = [threading.Thread(target=call, daemon=True) for _ in range(num_threads)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert asked.acquire(timeout=20)
        client.close()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert len(script.requests) == num_threads
        assert [type(error) for error in errors] == [APIConnectionError] * num_threads
        assert all("the client is closed" in str(error) for error in errors)

    def test_asks_nothing_any_more(self, operation, time):
        """And says so."""
        script = Script(operation.ok())
        client = operation.connect(script, time)
        client.close()
        client.close()
        with pytest.raises(APIConnectionError, match="the client is closed"):
            operation.call(client)
        assert script.requests == []

    def test_while_a_request_is_on_its_way(self, submitting, time):
        """A submission whose answer got lost that way is uncertain, not refused."""

        def close(_request: httpx.Request) -> httpx.Response:
            client.close()
            raise httpx.ReadError("[Errno 9] Bad file descriptor")

        client = submitting.connect(Script(close), time)
        with pytest.raises(SubmissionUncertainError):
            submitting.call(client)
