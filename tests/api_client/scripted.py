"""Scripted answers, a clock that waits for nothing, and all requests of both clients."""

import hashlib
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

import httpx
import orjson
from aqt_fast.api_client import Clock, Credentials, DirectAccessClient, ListedResource, PortalClient
from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import SubmissionUncertainError

URL = "https://portal.test"

TOKEN = "eyJhbGciOiJub25l.c2VjcmV0LXNlY3JldA.x_-9"  # noqa: S105 - nobody's

OTHER_TOKEN = "eyJhbGciOiJub25l.b3RoZXItb3RoZXI.y_-8"  # noqa: S105 - nobody's

JOB_ID = "6a1c0f5e-7d0b-4a52-9c59-2f4a6c1f3c11"

PAYLOAD = b'{"job_type": "quantum_circuit"}'

LABEL = "part 3 of 7"

TODAY = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class FakeTime:
    """A clock that only ``sleep`` moves."""

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
    """Gives the answers in order, and repeats the last; raises an answer that is an exception."""

    def __init__(self, *answers: httpx.Response | Exception | Callable) -> None:
        self._answers = iter(answers[:-1])
        self._last = answers[-1]
        self._lock = threading.Lock()
        self.requests: list[httpx.Request] = []
        self.tokens: list[str] = []
        """The token of each request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Record the request, and answer it."""
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
    """A body in parts, which may break off with an exception."""

    def __init__(self, parts: list[bytes | Exception]) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise type(part)(*part.args)
            yield part


class Operation(NamedTuple):
    """A method of a client, with an answer that it accepts."""

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
        """Make a client on a scripted transport; ``time`` None takes the real clock."""
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
        """The answer that the method accepts."""
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


def name_of(value: object) -> str | None:
    """Name a parameter in the name of a test."""
    return type(value).__name__ if isinstance(value, Exception) else None


def assert_backs_off(sleeps: list[float]) -> None:
    """Each pause is within its bound, with full jitter."""
    for count, pause in enumerate(sleeps):
        assert 0 <= pause <= min(10, 0.5 * 2**count)


def assert_uncertain(error: SubmissionUncertainError, script: Script, time: FakeTime) -> None:
    """One request was sent, and the message names the submission."""
    digest = hashlib.sha256(PAYLOAD).hexdigest()
    assert (error.label, error.payload_hash) == (LABEL, digest)
    assert LABEL in str(error)
    assert digest in str(error)
    assert error.reason in str(error)
    assert len(script.requests) == 1
    assert time.sleeps == []


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    open_ends: list[BaseException | None] = [error]
    while open_ends:
        error = open_ends.pop()
        if error is not None:
            yield error
            open_ends += [error.__cause__, error.__context__]


def assert_silent(error: BaseException, *secrets: str) -> None:
    """Neither the exception nor one that led to it shows a secret."""
    said = traceback.format_exception(error)
    for each in chain(error):
        said += [str(each), repr(each), repr(each.args), repr(vars(each))]
    for secret in secrets:
        assert secret not in "".join(said)
