"""Every status that an answer can have, and what the rules of reliability demand for each.

The rules are written down here once more: a submission is repeated only if nothing was accepted,
and is called refused only where the answer says that it was.
"""

from __future__ import annotations

import socketserver
from collections.abc import Iterator

import httpx
import pytest
from api_client.conftest import serving
from api_client.scripted import (
    EVERYTHING,
    JOB_ID,
    LABEL,
    PAYLOAD,
    TOKEN,
    FakeTime,
    Operation,
    Script,
)
from aqt_fast.api_client import PortalClient
from aqt_fast.exceptions import (
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    ResultExpiredError,
    SubmissionUncertainError,
    WorkspaceRefusedError,
)

STATUSES = (99, *range(100, 600), 600, 666, 999)
TARGETS = (None, "/elsewhere", "https://evil.org/")
OPERATIONS = ("submit", "direct_submit", "result", "direct_result", "list_resources", "cancel")

FOLLOWED = {301, 302, 303, 307, 308}
KEEP_METHOD = {307, 308}


def demanded(operation: Operation, status: int, target: str | None, *, good: bool) -> object:
    """What must come of an answer: ``once`` or ``again`` for success, else the type of error."""
    submits, asks = operation.method in ("POST", "PUT"), operation.method == "GET"
    if 200 <= status <= 299:
        if good or operation.method == "DELETE":
            return "once"
        return SubmissionUncertainError if submits else "again"
    if status in FOLLOWED and target is not None:
        if submits and status not in KEEP_METHOD:
            return SubmissionUncertainError
        if target.startswith("https"):
            return InsecureConnectionError
        return "again" if asks or status in KEEP_METHOD else APIError
    if status == 401:
        return AQTCredentialsError
    if status == 429 or (status == 409 and operation.method == "PUT"):
        return "again"
    if status < 400 or status == 408 or status >= 500:
        if submits:
            return SubmissionUncertainError
        return APIError if status < 400 else "again"
    if status == 403 and operation.method == "POST":
        return WorkspaceRefusedError
    expires = operation is EVERYTHING["result"]
    return ResultExpiredError if status == 410 and expires else APIError


class Once(Script):
    """Gives one answer of the test's, and then what the method accepts."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.ok())
        self.answer = operation.ok()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Record the request, and answer it."""
        first = not self.requests
        right = super().handle_request(request)
        return self.answer if first else right


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_status(name, figures):
    """With a good body or another, with and without a place to go."""
    operation = EVERYTHING[name]
    script = Once(operation)
    client = operation.connect(script, FakeTime())
    tried = wrong = 0
    for status in STATUSES:
        # Elsewhere a target, or a body, makes no difference.
        for target in TARGETS if status // 100 == 3 else TARGETS[:1]:
            for body in (operation.good, b"<html>") if status // 100 == 2 else (b"<html>",):
                headers = {} if target is None else {"Location": target}
                script.answer = httpx.Response(status, content=body, headers=headers)
                script.requests.clear()
                expected = demanded(operation, status, target, good=body == operation.good)
                found: object
                try:
                    value = operation.call(client)
                except APIError as error:
                    found = type(error)
                else:
                    found = "once" if len(script.requests) == 1 else "again"
                    assert value == operation.value or status == 208
                tried += 1
                wrong += found != expected
                assert found == expected, (status, target, body)
                assert found == "again" or operation.method == "GET" or len(script.requests) == 1
                assert {request.url.host for request in script.requests} == {"portal.test"}
    client.close()
    figures(f"answers to {name}, all statuses", tried=tried, other_than_demanded=wrong)


GOOD = b'{"job": {"job_id": "%s"}}' % JOB_ID.encode()


class Portal:
    """A portal on loopback that gives all submissions the same bytes, and counts them."""

    def __init__(self) -> None:
        self.answer = b""
        self.submissions = 0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data = b""
                while PAYLOAD not in data:
                    data += self.request.recv(65536)
                outer.submissions += 1
                self.request.sendall(outer.answer)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal of bytes."""
    yield from serving(Portal())


ODD = (
    "099", "100", "101", "103", "199", "200", "204", "205", "206", "226", "299", "300", "304",
    "308", "600", "999", "1000", "20", "2OO", "-1", "",
)  # fmt: skip


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("status", ODD)
def test_on_the_wire(portal, status, length):
    """Statuses that HTTP forbids, or that have no body: the right identifier, or uncertain."""
    head = f"HTTP/1.1 {status} Odd\r\n".encode()
    if length:
        head += b"Content-Length: %d\r\n" % len(GOOD)
    portal.answer = head + b"Connection: close\r\n\r\n" + GOOD
    client = PortalClient(TOKEN, portal_url=portal.url, read_timeout=5)
    if status in ("200", "205", "206", "226", "299"):
        assert client.submit("w", "r", PAYLOAD, label=LABEL) == JOB_ID
    else:
        with pytest.raises(SubmissionUncertainError) as caught:
            client.submit("w", "r", PAYLOAD, label=LABEL)
        assert caught.value.label == LABEL
    client.close()
    assert portal.submissions == 1
