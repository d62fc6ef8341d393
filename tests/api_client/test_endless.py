"""Answers without an end in size or time; each ends within the limits of its request."""

import gzip
import itertools
import json
import socket
import subprocess
import sys
import threading
import time as real_time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing

import httpcore
import httpx
import orjson
import pytest
import zstandard
from api_client.raw_server import RawServer, raw_server
from api_client.scripted import (
    ASKING,
    EVERYTHING,
    JOB_ID,
    LABEL,
    PAYLOAD,
    SUBMITTING,
    TOKEN,
    Broken,
    Script,
)
from aqt_fast.api_client import DirectAccessClient, PortalClient
from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.network import TimedStream
from aqt_fast.api_client.request import MOST_BYTES, MOST_BYTES_OF_A_RESULT
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    ResponseTooLargeError,
    SubmissionUncertainError,
)

HEAD = b"HTTP/1.1 200 OK\r\n"

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def portal_at(server: RawServer, **settings: float) -> closing[PortalClient]:
    """A client of a server, for the length of a block."""
    return closing(PortalClient(TOKEN, portal_url=server.url, **settings))


def bomb(num_bytes: int) -> bytes:
    """Blanks, compressed."""
    packer = zlib.compressobj(9, wbits=31)
    blanks = b" " * 2**20
    return b"".join(packer.compress(blanks) for _ in range(num_bytes // 2**20)) + packer.flush()


def limit_of(name: str) -> int:
    """The limit of the answer to an operation."""
    return MOST_BYTES_OF_A_RESULT if "result" in name else MOST_BYTES


@pytest.fixture(scope="module")
def bombs() -> dict[int, bytes]:
    """One blank more than each limit."""
    limits = MOST_BYTES, MOST_BYTES_OF_A_RESULT
    return {limit: bomb(limit) + gzip.compress(b" ") for limit in limits}


class TestSize:
    """Limits count what is decompressed."""

    @pytest.mark.parametrize("name", EVERYTHING)
    def test_compressed(self, name, bombs, time):
        """The error names the limit; a submission is uncertain."""
        operation, limit = EVERYTHING[name], limit_of(name)
        body = bombs[limit]
        assert len(body) < limit / 900
        packed = httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=Broken([body[:-21], body[-21:]])
        )
        script = Script(packed)
        submits = name in SUBMITTING
        with pytest.raises(APIError, match=f"more than the {limit} bytes") as caught:
            operation.run(script, time)
        assert type(caught.value) is (SubmissionUncertainError if submits else APIError)
        assert isinstance(caught.value.__cause__, ResponseTooLargeError)
        assert caught.value.__cause__.most_bytes == limit
        assert len(script.requests) == (1 if submits else 4)

    def test_not_compressed(self, time):
        """The rest is not received."""
        sent = []

        def endless() -> Iterator[bytes]:
            for _ in itertools.count():
                sent.append(1)
                yield b" " * 2**20

        class Endless(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                return endless()

        script = Script(lambda _: httpx.Response(200, stream=Endless()))
        with pytest.raises(SubmissionUncertainError, match="more than"):
            SUBMITTING["submit"].run(script, time)
        assert len(sent) == MOST_BYTES // 2**20 + 1

    def test_as_large_as_allowed(self, time):
        """It is read."""
        good = ASKING["list_resources"].good
        body = good + b" " * (MOST_BYTES - len(good))
        for headers, parts in (
            ({}, [body]),
            ({"Content-Encoding": "gzip"}, [gzip.compress(body)]),
            ({"Content-Encoding": "x-gzip"}, [gzip.compress(good), gzip.compress(b" ")]),
            ({"Content-Encoding": "identity"}, [good]),
        ):
            answer = httpx.Response(200, headers=headers, stream=Broken(parts))
            value = ASKING["list_resources"].run(Script(answer), time)
            assert value == ASKING["list_resources"].value

    @pytest.mark.parametrize("cut", [1, 3, 10, 64])
    def test_in_small_parts(self, cut, time):
        """However the compressed bytes arrive."""
        good = orjson.dumps({"response": ["01" * 70, *range(3000)]})
        packed = gzip.compress(good[:5000]) + gzip.compress(good[5000:])
        parts = [packed[start : start + cut] for start in range(0, len(packed), cut)]
        answer = httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=Broken([*parts, b""])
        )
        assert ASKING["result"].run(Script(answer), time) == json.loads(good)

    @pytest.mark.parametrize(
        ("encoding", "pack"),
        [
            ("deflate", zlib.compress),
            ("zstd", zstandard.compress),
            ("br", lambda body: body),
            ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
            ("gzip, br", gzip.compress),
            (", ".join(["gzip"] * 500), gzip.compress),
            ("\x7f\u00e9", gzip.compress),
        ],
    )
    @pytest.mark.parametrize("name", ["result", "submit"])
    def test_encodings_that_were_not_asked_for(self, name, encoding, pack, time):
        """They are not decoded."""
        operation = EVERYTHING[name]
        headers = [(b"Content-Encoding", encoding.encode("latin-1"))]
        body = pack(operation.good)
        script = Script(httpx.Response(200, headers=headers, stream=Broken([body])))
        with pytest.raises(APIError, match="not as gzip") as caught:
            operation.run(script, time)
        assert isinstance(caught.value, SubmissionUncertainError) == (name == "submit")
        assert {request.headers["Accept-Encoding"] for request in script.requests} == {"gzip"}

    @pytest.mark.parametrize("encoding", ["gzip", "br", ""])
    @pytest.mark.parametrize("status", [400, 429, 503])
    def test_errors(self, encoding, status, time):
        """The status counts, whatever comes with it."""
        refused = httpx.Response(
            status, headers={"Content-Encoding": encoding}, stream=Broken([b"x" * 2**21])
        )
        script = Script(refused, ASKING["result"].ok())
        if status == 400:
            with pytest.raises(APIError, match="400") as caught:
                ASKING["result"].run(script, time)
            assert len(str(caught.value)) < 3000
            assert len(caught.value.http_response.content) <= 2**20
        else:
            assert ASKING["result"].run(script, time) == ASKING["result"].value

    @pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
    def test_memory(self, figures):
        """A compressed answer of 3 MB, which has 3 GB, takes no more than the limit allows."""
        code = """if True:
            import httpx, re, zlib
            from pathlib import Path
            from aqt_fast.api_client import Clock, PortalClient
            from aqt_fast.exceptions import APIError

            packer = zlib.compressobj(9, wbits=31)
            head, block = (
                packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
            )

            class Parts(httpx.SyncByteStream):
                def __iter__(self):
                    yield head + 3000 * block

            class Here(httpx.BaseTransport):
                def handle_request(self, request):
                    headers = {"Content-Encoding": "gzip"}
                    return httpx.Response(200, headers=headers, stream=Parts())

            def peak():
                status = Path("/proc/self/status").read_text()
                return int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) // 1024

            clock = Clock(sleep=lambda _: None)
            portal = PortalClient("secret", portal_url="https://x", transport=Here(), clock=clock)
            before = peak()
            for ask in (portal.list_resources, lambda: portal.result("7", len)):
                try:
                    ask()
                except APIError as error:
                    assert "more than the" in str(error), error
            print(3000 * len(block), peak() - before)
        """
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        packed, mebibytes = map(int, done.stdout.split())
        figures("3 GB in a compressed answer", packed_bytes=packed, mebibytes=mebibytes)
        assert mebibytes < 300


def drip(*before: bytes, part: bytes = b"x") -> Callable[[socket.socket, bytes], None]:
    """Answer with these bytes, and then with others for ever, a few at a time."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"".join(before))
        while True:
            connection.sendall(part)
            real_time.sleep(0.005)

    return answer


DRIPS = {
    "status line": drip(b"HTTP/1.1 200 "),
    "name of a header": drip(HEAD),
    "value of a header": drip(HEAD + b"X: "),
    "headers": drip(HEAD, part=b"A: b\r\n"),
    "folded header": drip(HEAD + b"A: b\r\n", part=b" c\r\n"),
    "100 Continue": drip(part=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103 Early Hints": drip(part=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "body by length": drip(HEAD + b"Content-Length: 999999\r\n\r\n", part=b" "),
    "body until the end": drip(HEAD + b"\r\n", part=b" "),
    "length of a chunk": drip(CHUNKED, part=b"0"),
    "extension of a chunk": drip(CHUNKED + b"5;"),
    "a chunk": drip(CHUNKED + b"FFFFF\r\n"),
    "chunks": drip(CHUNKED, part=b"1\r\nx\r\n"),
    "trailer": drip(CHUNKED + b"0\r\n", part=b"A: b\r\n"),
    "compressed": drip(
        HEAD + b"Content-Encoding: gzip\r\n\r\n",
        gzip.compress(b"")[:10],
        part=b"\0\0\0\xff\xff",  # an empty block
    ),
    "empty members": drip(HEAD + b"Content-Encoding: gzip\r\n\r\n", part=gzip.compress(b"")),
    "error": drip(b"HTTP/1.1 400 No\r\n\r\n", part=b" "),
    "redirect": drip(b"HTTP/1.1 307 No\r\nLocation: /x\r\n\r\n", part=b" "),
    "nothing": drip(part=b""),
}


class TestTime:
    """A server that is never silent for long, and never done."""

    @pytest.mark.parametrize("where", DRIPS)
    def test_dripping(self, where):
        """It ends as if no answer came: a submission is uncertain, and is not sent again."""
        with raw_server(DRIPS[where]) as server, portal_at(server, read_timeout=0.15) as portal:
            with pytest.raises(SubmissionUncertainError, match=r"ReadTimeout|Protocol") as caught:
                portal.submit("w", "r", PAYLOAD, label=LABEL)
            assert server.accepted == 1
            assert isinstance(caught.value.__cause__, httpx.TransportError)

    @pytest.mark.parametrize("where", ["100 Continue", "headers", "chunks"])
    def test_other_polls_go_on(self, where):
        """A drip holds up its own poll only, which is asked again."""
        asked = itertools.count()

        def answer(connection: socket.socket, request: bytes) -> None:
            if b"/result/slow" in request and next(asked) < 1:
                DRIPS[where](connection, request)
            connection.sendall(HEAD + b"Content-Length: 1\r\n\r\n7")

        with raw_server(answer) as server, portal_at(server, read_timeout=0.3) as portal:
            values = []
            slow = threading.Thread(
                target=lambda: values.append(portal.result("slow", read_json)), daemon=True
            )
            slow.start()
            for _ in range(20):
                assert portal.result(JOB_ID, read_json) == 7
            slow.join(60)
            assert values == [7]

    def test_a_long_poll_without_an_end(self):
        """There is no result yet."""
        with raw_server(DRIPS["100 Continue"]) as server:
            machine = DirectAccessClient(server.url, Credentials(TOKEN), read_timeout=0.15)
            assert machine.result(JOB_ID, read_json) is None
            machine.close()

    def test_a_server_that_reads_slowly(self):
        """The request has a limit of its own, too."""

        def answer(_connection: socket.socket, _request: bytes) -> None:
            real_time.sleep(60)

        with (
            raw_server(answer) as server,
            portal_at(server, read_timeout=0.2) as portal,
            pytest.raises(SubmissionUncertainError, match="Timeout"),
        ):
            portal.submit("w", "r", b" " * 30_000_000, label=LABEL)

    @pytest.mark.parametrize("where", ["nothing", "100 Continue", "a chunk"])
    def test_closing_the_client(self, where):
        """Whoever waits for an answer goes on: a poll ends, a submission is uncertain."""
        arrived = threading.Semaphore(0)

        def answer(connection: socket.socket, request: bytes) -> None:
            arrived.release()
            DRIPS[where](connection, request)

        errors: list[APIError] = []

        def call(ask: Callable[[], object]) -> None:
            try:
                ask()
            except APIError as error:
                errors.append(error)

        with raw_server(answer) as server, portal_at(server, read_timeout=1000.0) as portal:
            asks = (
                lambda: portal.submit("w", "r", PAYLOAD, label=LABEL),
                lambda: portal.result(JOB_ID, read_json),
            )
            threads = [threading.Thread(target=call, args=(ask,), daemon=True) for ask in asks]
            for thread in threads:
                thread.start()
                assert arrived.acquire(timeout=30)
            portal.close()
            for thread in threads:
                thread.join(30)
            assert not any(thread.is_alive() for thread in threads)
        assert {type(error) for error in errors} == {SubmissionUncertainError, APIConnectionError}


class Line(httpcore.NetworkStream):
    """A connection over which a part arrives, or goes, after so many seconds of a test's clock."""

    def __init__(self, parts: list[bytes], seconds: float) -> None:
        self.now = 0.0
        self._parts = iter(parts)
        self.seconds = seconds

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def read(self, _most: int, timeout: float | None = None) -> bytes:
        """The next part."""
        if timeout is not None and timeout < self.seconds:
            self.now += timeout
            raise httpcore.ReadTimeout
        self.now += self.seconds
        return next(self._parts)

    def write(self, _buffer: bytes, timeout: float | None = None) -> None:
        """Take a part."""
        if timeout is not None and timeout < self.seconds:
            self.now += timeout
            raise httpcore.WriteTimeout
        self.now += self.seconds

    def get_extra_info(self, _info: str) -> None:
        """There is no socket."""


class TestAllowedTime:
    """By a clock of the test's own."""

    @pytest.fixture
    def stream(self, monkeypatch):
        """Make a connection and send a request over it."""

        def make(parts: list[bytes], seconds: float) -> tuple[TimedStream, Line]:
            line = Line([HEAD, *parts], 0)
            monkeypatch.setattr("aqt_fast.api_client.network.time", line)
            stream = TimedStream(line, lambda _: None)
            stream.write(b"GET / HTTP/1.1\r\n\r\n", 60)
            assert stream.read(65536, 60) == HEAD
            line.seconds = seconds
            return stream, line

        return make

    @staticmethod
    def receive(stream: TimedStream, num_bytes: int) -> None:
        """Receive a body of known length, as the client does."""
        stream.begin_body(60, num_bytes, chunked=False)
        while num_bytes:
            part = stream.read(65536, 60)
            stream.received(len(part))
            num_bytes -= len(part)

    @pytest.mark.parametrize("rate", [20_000, 25_000, 200_000])
    def test_a_large_result_over_a_slow_line(self, stream, rate):
        """50 MB take 250 s at 200 kB/s, or 2500 s at the lowest rate: they are received."""
        part = b"7" * 50_000
        connection, line = stream([part] * 1000, len(part) / rate)
        self.receive(connection, 50_000_000)
        assert line.now == pytest.approx(50_000_000 / rate)

    @pytest.mark.parametrize(("part", "seconds", "most"), [(b"7", 1, 61), (b"7" * 9999, 1, 122)])
    def test_a_line_that_is_too_slow(self, stream, part, seconds, most):
        """It ends when its time is over: after 60 s, and a second for each 20 kB that came."""
        connection, line = stream([part] * 10**5, seconds)
        with pytest.raises(httpcore.ReadTimeout):
            self.receive(connection, 50_000_000)
        assert 60 <= line.now <= most

    def test_a_head_that_is_too_slow(self, stream):
        """It has 60 s, however much of it arrives."""
        connection, line = stream([b"A: b\r\n" * 1000] * 100, 7)
        for _ in range(8000):
            assert connection.read(65536, 60) == b"A: b\r\n"
        with pytest.raises(httpcore.ReadTimeout):
            connection.read(65536, 60)
        assert line.now <= 60

    @pytest.mark.parametrize(("seconds", "sent"), [(3, True), (30, False)])
    def test_a_large_request(self, stream, seconds, sent):
        """It has a second more for each 20 kB, too."""
        connection, line = stream([], seconds)
        if sent:
            connection.write(b"POST " + b" " * 6_000_000, 60)
            assert line.now > 60
        else:
            with pytest.raises(httpcore.WriteTimeout):
                connection.write(b"POST " + b" " * 6_000_000, 60)

    def test_many_lines_in_chunks(self, stream):
        """A chunk is passed on in parts as large as they arrive, not line by line."""
        body = b"             1\n" * 10_000
        sent = b"%x\r\n%s\r\n" % (len(body), body) + b"0\r\nX: y\r\n\r\n"
        parts = [sent[start : start + 60_000] for start in range(0, len(sent), 60_000)]
        connection, _ = stream(parts, 0)
        connection.begin_body(60, None, chunked=True)
        passed = []
        while sum(map(len, passed)) < len(sent):
            passed.append(connection.read(65536, 60))
        assert b"".join(passed) == sent
        assert len(passed) < 20


class TestHeaders:
    """Their number and size."""

    @pytest.mark.parametrize(
        "headers",
        [
            b"X: " + b"y" * 200_000,
            b"x" * 200_000 + b": y",
            b"\r\n".join(b"X-%d: y" % number for number in range(30_000)),
            b"\r\n".join([b"Set-Cookie: a=b"] * 30_000),
        ],
        ids=["value", "name", "many", "cookies"],
    )
    def test_too_many_or_too_large(self, headers):
        """The answer counts as lost."""

        def answer(connection: socket.socket, _request: bytes) -> None:
            connection.sendall(HEAD + headers + b"\r\nContent-Length: 1\r\n\r\n7")

        with (
            raw_server(answer) as server,
            portal_at(server) as portal,
            pytest.raises(SubmissionUncertainError, match="Protocol"),
        ):
            portal.submit("w", "r", PAYLOAD, label=LABEL)
