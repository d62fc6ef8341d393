"""Bytes that are hardly an answer: only typed errors follow, and no submission is sent twice."""

import gzip
import random
import re
import socket
from collections import Counter
from contextlib import closing, suppress

import httpx
import pytest
from api_client.raw_server import raw_server
from api_client.scripted import ASKING, JOB_ID, LABEL, PAYLOAD, SUBMITTING, TOKEN, FakeTime, Script
from aqt_fast.api_client import Credentials, PortalClient
from aqt_fast.exceptions import (
    APIError,
    AQTCredentialsError,
    ResponseMismatchError,
    SubmissionUncertainError,
)

CASES = 300

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

JUNK = [
    *(bytes([number]) for number in (0, 9, 10, 11, 13, 32, 58, 127, 128, 255)),
    b"\r\n",
    b"\r\n\r\n",
    b"99999999999999999999",
    b"-1",
    "\u2028\u0663".encode(),
    b"%00",
    b"[[[[",
    b"x" * 5000,
]

VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2", b"HTTP/0.9", b"http/1.1", b"ICY", b""]

STATUSES = [
    *([b"200"] * 15),
    *(b"201", b"204", b"206", b"208", b"100", b"101", b"199", b"299"),
    *(b"300", b"301", b"302", b"303", b"304", b"307", b"308", b"400", b"401", b"403", b"404"),
    *(
        b"408",
        b"410",
        b"429",
        b"500",
        b"503",
        b"599",
        b"600",
        b"999",
        b"0",
        b"20",
        b"2000",
        b"-200",
    ),
]

LOCATIONS = [
    *(
        b"/there",
        b"//",
        b"http://[::1",
        b"https://[",
        b"https://a:999999/",
        b"///",
        b"?",
        b"#",
        b"",
    ),
    *(b"https://xn--/", b"https://\xff/", b"http://127.0.0.1:1/", b"http://%41:1/", b"http://a:b/"),
    *(b"javascript:x", b"https://a\\b", b"\x00", b"/" * 9000, b"http://user:word@[v1.x]/"),
    *("https://\u00df.example".encode(), b"/%zz", b"https://./", b"https://" + b"a." * 300),
]

HEADERS = [
    *(b"Retry-After: " + value for value in (b"0", b"-1", b"1e9", b"9" * 400, b"Sun, 01 Mar", b"")),
    *(b"Date: " + value for value in (b"never", b"Fri, 31 Dec 9999 23:59:59 -2359", b"0")),
    *(b"Location: " + value for value in LOCATIONS),
    *(b"Content-Encoding: " + value for value in (b"gzip", b"br", b"gzip, gzip", b"\xff", b",")),
    *(b"Transfer-Encoding: " + value for value in (b"chunked", b"gzip", b"chunked, chunked", b"")),
    *(b"Content-Length: " + value for value in (b"0", b"5", b"-5", b"5, 5", b"9" * 30, b"0x5")),
    *(b"Connection: " + value for value in (b"close", b"upgrade", b"keep-alive, \xff")),
    *(b"Set-Cookie: " + value for value in (b"a=b", b"\x01=\x02; Expires=x", b"=; Version=x")),
    *(b"Content-Type: " + value for value in (b"text/plain; charset=utf-7", b"x; charset=\xff")),
    *(b": empty", b"no colon", b" folded", b"X : y", b"X\x00: y", b"Upgrade: h2c"),
]

BODIES = [
    *(b"", b"null", b"{}", b'{"job": {"job_id": "%s"}}' % JOB_ID.encode(), b"[" * 3000),
    *(b'{"detail": ' * 990 + b"1" + b"}" * 990, b'{"detail": ' + b"[" * 990 + b"]" * 990 + b"}"),
    *(b'{"job": {"job_id": ' + b"[" * 900 + b"]" * 900 + b"}}", b"\xff\xfe", b"<h1>No</h1>"),
    *(b'{"detail": [{"loc": [[[]]], "msg": {}}]}', b'{"message": 1e999}', b'"\\ud800"', b"\0" * 9),
    *(
        gzip.compress(b"{}"),
        gzip.compress(b"{}")[:-3],
        b'[{"id": 1, "resources": {}}]',
        b"1" * 9999,
    ),
]


def strange(chance: random.Random) -> bytes:
    """An answer with some strange parts, which may then be damaged."""
    version = chance.choice(VERSIONS) if chance.random() < 0.1 else b"HTTP/1.1"
    lines = [b" ".join([version, chance.choice(STATUSES), chance.choice([b"OK", b"\xff", b""])])]
    lines += chance.choices(HEADERS, k=chance.choice([0, 1, 1, 2, 3]))
    body = chance.choice([*BODIES, *[SUBMITTING["submit"].good] * 9])
    framing = chance.randrange(4)
    if framing == 0:
        lines.append(b"Content-Length: %d" % len(body))
    elif framing == 1:
        lines.append(b"Transfer-Encoding: chunked")
        size = chance.choice([b"%x" % len(body), b"%X;a=b" % len(body), b"-1", b"zz", b"f" * 40])
        body = (
            size + b"\r\n" + body + chance.choice([b"\r\n0\r\n\r\n", b"\r\n0\r\nX: y\r\n\r\n", b""])
        )
    data = bytearray(b"\r\n".join([*lines, b"", b""]) + body)
    for _ in range(chance.choice([0, 0, 1, 1, 2, 5])):
        start = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data[start : start + chance.choice([1, 1, 4, 50])] = b""
        elif kind == 1:
            data[start:start] = chance.choice(JUNK)
        elif kind == 2:
            data[start : start + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            del data[start:]
        else:
            data[start:start] = data[chance.randrange(start + 1) : start]
    return bytes(data)


def test_any_bytes(figures):
    """Whatever the server sends, an error is one of ours, and says "uncertain" where it must."""
    chance = random.Random(7)  # noqa: S311 - repeatable
    sent = b""
    posts = 0

    def answer(connection: socket.socket, request: bytes) -> None:
        nonlocal posts
        posts += request.startswith(b"POST")
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)

    outcomes: Counter[str] = Counter()
    refused = []
    with (
        raw_server(answer) as server,
        closing(PortalClient(TOKEN, portal_url=server.url, clock=FakeTime().clock)) as portal,
    ):
        for _ in range(CASES):
            sent, posts = strange(chance), 0
            try:
                accepted = portal.submit("w", "r", PAYLOAD, label=LABEL)
                outcomes["accepted"] += 1
                assert accepted.replace("-", "").encode() in sent.lower().replace(b"-", b"")
            except SubmissionUncertainError:
                outcomes["uncertain"] += 1
            except APIError as error:
                outcomes["refused"] += 1
                refused.append((error.status_code, str(error), sent))
            assert posts <= 1 or re.search(rb" (429|307|308)\b", sent), sent
            with suppress(APIError):
                portal.list_resources()
    for status, message, answered in refused:
        assert status in range(300, 500) or "redirects" in message, answered
    assert min(outcomes[name] for name in ("accepted", "uncertain", "refused")) > CASES / 50
    figures("strange answers", tried=CASES, **outcomes)


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [301, 303, 307])
def test_locations(location, status, time):
    """A redirect to nowhere is an error of ours; after a submission it is uncertain or refused."""
    for operation in (ASKING["result"], SUBMITTING["submit"]):
        script = Script(
            httpx.Response(status, headers=[(b"Location", location)]), httpx.Response(404)
        )
        with pytest.raises(APIError):
            operation.run(script, time)
        assert {request.url.host for request in script.requests} == {"portal.test"}


@pytest.mark.parametrize(
    "error", [RecursionError, MemoryError, ValueError, AssertionError, OSError]
)
def test_exceptions_of_other_packages(error, operation, time):
    """They become ours, whatever they are; a submission is uncertain, and not sent again."""
    script = Script(error("what httpx would not raise"), operation.ok())
    if operation in SUBMITTING.values():
        with pytest.raises(SubmissionUncertainError, match=error.__name__):
            operation.run(script, time)
        assert len(script.requests) == 1
    else:
        assert operation.run(script, time) == operation.value


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_exceptions_of_the_reader(error, time):
    """What is read of an answer may be too much, too."""

    def read(_body: bytes) -> None:
        raise error

    portal = ASKING["result"].connect(Script(ASKING["result"].ok()), time)
    with pytest.raises(APIError, match="the answer cannot be used"):
        portal.result(JOB_ID, read)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyError("x"), ImportError()])
def test_exceptions_of_a_renewal(error, operation, time):
    """A login that cannot be read, for example: nothing was accepted, and that is said."""

    def renew(_token: str) -> str:
        raise error

    script = Script(httpx.Response(401))
    with pytest.raises(AQTCredentialsError, match=f"cannot be renewed: {type(error).__name__}"):
        operation.run(script, time, Credentials(TOKEN, renew))
    assert len(script.requests) == 1


@pytest.mark.parametrize("depth", [100, 300, 1000, 5000])
def test_deeply_nested_details(depth, operation, time):
    """The text of the error is there, and can be shown and pickled."""
    body = b'{"detail": ' + b"[" * depth + b"]" * depth + b"}"
    script = Script(httpx.Response(400, content=body))
    with pytest.raises(APIError, match="400 Bad Request") as caught:
        operation.run(script, time)
    assert len(repr(caught.value.detail)) < 2 * depth + 10


def test_a_redirect_with_a_user(time):
    """Nothing in a URL takes the place of the token."""
    redirect = httpx.Response(307, headers={"Location": "https://user:word@portal.test/x"})
    script = Script(redirect, ASKING["result"].ok())
    assert ASKING["result"].run(script, time) == ASKING["result"].value
    assert script.tokens == [TOKEN, TOKEN]


SEVEN = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n7\n",
    "chunks": CHUNKED + b"1\r\n7\r\n0\r\n\r\n",
    "lines in chunks": CHUNKED + b"1\r\n7\r\n3\r\n\n0\n\r\n0\r\n\r\n",
    "trailer": CHUNKED + b"1\r\n7\r\n0\r\nX: y\r\n\r\n",
    "early hints": b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7",
    "no content": b"HTTP/1.1 204 No\r\n\r\n",
    "refused": b"HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno",
}
"""Answers, each as a whole."""


@pytest.mark.parametrize("kind", SEVEN)
@pytest.mark.parametrize(
    "junk",
    [b"\r\n", b"7", b"HTTP/1.1 200 OK\r\n", SEVEN["length"].replace(b"7", b"8"), SEVEN["chunks"]],
    ids=["line", "byte", "half a head", "an answer", "another answer"],
)
def test_bytes_that_follow_an_answer(kind, junk):
    """They are not taken for the answer to the next request: that has another connection."""
    accepted = SUBMITTING["submit"].good
    good = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(accepted), accepted)

    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(good if request.startswith(b"POST") else SEVEN[kind] + junk)
        connection.recv(1)

    with (
        raw_server(answer) as server,
        closing(PortalClient(TOKEN, portal_url=server.url)) as portal,
    ):
        for _ in range(2):
            with suppress(APIError):
                portal.result(JOB_ID, bytes)
            assert portal.submit("w", "r", PAYLOAD, label=LABEL) == JOB_ID


def test_a_submission_has_a_connection_of_its_own():
    """Polls share one; its answer cannot be that of another request, however late that comes."""
    accepted = SUBMITTING["submit"].good
    good = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(accepted), accepted)
    heads = []

    def answer(connection: socket.socket, request: bytes) -> None:
        heads.append(request)
        connection.sendall(good)
        while request := connection.recv(65536):
            heads.append(request)
            connection.sendall(good)

    with (
        raw_server(answer) as server,
        closing(PortalClient(TOKEN, portal_url=server.url)) as portal,
    ):
        for _ in range(3):
            portal.result(JOB_ID, bytes)
            portal.submit("w", "r", PAYLOAD, label=LABEL)
        assert server.accepted == 1 + 3
    assert {b"Connection: close" in head for head in heads if head.startswith(b"POST")} == {True}


def test_an_answer_that_cannot_be_used_ends_its_connection():
    """The next may be that of another request, too."""
    turns = iter([b"7", b"8"])

    def answer(connection: socket.socket, _request: bytes) -> None:
        body = next(turns)
        for _ in range(9):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body)
            connection.recv(65536)

    def read(body: bytes) -> bytes:
        if body == b"7":
            raise ResponseMismatchError("it is about another job")
        return body

    with (
        raw_server(answer) as server,
        closing(PortalClient(TOKEN, portal_url=server.url)) as portal,
    ):
        for _ in range(3):
            assert portal.result(JOB_ID, read) == b"8"
        assert server.accepted == 2


@pytest.mark.parametrize("kind", SEVEN)
def test_one_connection_for_many_answers(kind):
    """As long as all is in order."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        for _ in range(5):
            connection.sendall(SEVEN[kind])
            connection.recv(65536)

    with (
        raw_server(answer) as server,
        closing(PortalClient(TOKEN, portal_url=server.url)) as portal,
    ):
        for _ in range(5):
            with suppress(APIError):
                assert portal.result(JOB_ID, bytes)[:1] in b"7"
        assert server.accepted == 1
