"""What clients may send and leave undone."""

import errno
import socket
import threading

import pytest
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.server import http_server
from aqt_fast.testing import ArnicaServer, Limits
from raw_http import answer, connection, exchange, request, statuses
from server.cloud_client import SUBMIT, client_of, flips, job, submit
from waiting import wait_until

SMALL = Limits(body_bytes=4000, head_bytes=2000, headers=20)
CLOSE = b"Connection: close"
HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
PATIENT = 2.0
"""Seconds in which a client sends its request, and the server answers, on a busy machine."""


@pytest.fixture(scope="module")
def small():
    """A server that takes little."""
    with ArnicaServer(simulate=False, limits=SMALL) as server:
        yield server


def test_sizes(small):
    """Each limit has its status; whatever is within them is served."""
    post = {"method": "POST", "path": f"/api/v1{SUBMIT}"}
    chunked = b"Transfer-Encoding: chunked"
    chunk = b"7d0\r\n" + b"x" * 2000 + b"\r\n"
    cases = [
        (request(small, CLOSE), 200),
        (request(small, *[b"A: b"] * 17, CLOSE), 200),
        (request(small, *[b"A: b"] * 18, CLOSE), 431),
        (request(small, b"A: " + b"b" * 1800, CLOSE), 200),
        (request(small, b"A: " + b"b" * 2000), 431),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"b" * 10_000, 431),
        (request(small, CLOSE, path="/" + "a" * 200), 404),
        (b"GET /" + b"a" * 260, 414),
        (request(small, b"Content-Length: 4000", CLOSE, **post) + b"x" * 4000, 422),
        (request(small, b"Content-Length: 4001", **post) + b"x" * 4001, 413),
        (request(small, b"Content-Length: 4001", b"Expect: 100-continue", **post), 413),
        (request(small, b"Content-Length: " + b"9" * 18, **post), 413),
        (request(small, chunked, CLOSE, **post) + 2 * chunk + b"0\r\n\r\n", 422),
        (request(small, chunked, **post) + 3 * chunk + b"0\r\n\r\n", 413),
        (request(small, chunked, **post) + b"0\r\n" + b"A: b\r\n" * 20 + b"\r\n", 431),
        (request(small, b"Content-Encoding: gzip", b"Content-Length: 2", **post) + b"xx", 415),
    ]
    for data, status in cases:
        found = statuses(exchange(small, data))
        assert [code for code in found if code != 100] == [status], data[:300]


def test_chunks_of_one_byte(small):
    """What stands around them counts, too: 4000 bytes would take 24 kB."""
    post = {"method": "POST", "path": f"/api/v1{SUBMIT}"}
    head = request(small, b"Transfer-Encoding: chunked", **post)
    with connection(small) as peer:
        peer.sendall(head)
        for _ in range(30):
            peer.sendall(b"1\r\nx\r\n" * 66)
        assert statuses(answer(peer)) == [413]


@pytest.mark.parametrize(
    ("limits", "part", "status"),
    [
        ({"idle_seconds": 0.1}, b"", []),
        ({"idle_seconds": 0.1}, b"\r\n", []),
        ({"head_seconds": 0.1}, b"G", [408]),
        ({"head_seconds": 0.1}, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b", [408]),
        ({"body_seconds": 0.1}, HEAD.replace(b"GET /", b"POST /oauth/token") + b"\r\nx", [408]),
        ({"idle_seconds": PATIENT}, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", [200]),
        ({"head_seconds": 0.1}, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /", [200, 408]),
        ({"body_seconds": PATIENT}, HEAD + b"\r\nx", [200]),
    ],
)
def test_times(limits, part, status):
    """Whoever sends nothing more is answered and disconnected, by the one limit that is short."""
    short = Limits(**limits)
    with ArnicaServer(simulate=False, limits=short) as server, connection(server) as peer:
        peer.sendall(part)
        assert statuses(answer(peer)) == status


def test_drips():
    """A byte now and then does not put an end off."""
    stopped = threading.Event()

    def drip(peer):
        for byte in b"GET / HTTP/1.1\r\nA: " + b"b" * 10_000:
            if stopped.wait(0.02):
                return
            try:
                peer.sendall(bytes([byte]))
            except OSError:
                return

    limits = Limits(head_seconds=0.3)
    with ArnicaServer(simulate=False, limits=limits) as server, connection(server) as peer:
        thread = threading.Thread(target=drip, args=(peer,))
        thread.start()
        found = answer(peer)
        stopped.set()
        thread.join()
    assert statuses(found) == [408]


def test_answer_that_nobody_takes():
    """The connection is reset, and the server goes on."""
    limits = Limits(answer_seconds=0.1)
    with ArnicaServer(simulate=False, limits=limits) as server, client_of(server) as client:
        job_id = submit(client, job(*[flips(1, shots=2000, qubits=20)] * 50))
        wait_until(lambda: server.jobs[0].status == "finished")
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.settimeout(20)
            peer.connect(("127.0.0.1", server.port))
            peer.sendall(request(server, path=f"/api/v1/result/{job_id}"))
            wait_until(lambda: server.jobs[0].fetches == 1)
            assert _is_reset(peer)
        assert client.get("/workspaces").status_code == 200


def _is_reset(peer):
    """Whether the server resets a connection on which nobody reads."""
    wait_until(lambda: peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET)
    return True


def test_long_answers_are_no_offence():
    """A request that waits for its answer has no deadline, nor have those behind it."""
    limits = Limits(head_seconds=0.1, body_seconds=0.1, idle_seconds=PATIENT)
    with ArnicaServer(simulate=False, limits=limits) as server:
        server.faults.slow_seconds = PATIENT + 0.5
        server.faults.next("slow")
        both = request(server) + request(server, CLOSE)
        assert statuses(exchange(server, both)) == [200, 200]


def test_refusal_waits_for_the_answer_before(small):
    """What follows a good request does not get in the way of its answer."""
    small.faults.slow_seconds = 0.2
    small.faults.next("slow")
    found = exchange(small, request(small) + b"\0garbage\r\n\r\n")
    assert statuses(found) == [200]
    assert found.endswith(b"]")


@pytest.fixture
def exhausted(monkeypatch):
    """While this is set, no connection is accepted; each try is counted."""
    event = threading.Event()
    event.calls = []
    accept = socket.socket.accept

    def failing(listener):
        event.calls.append(listener)
        if event.is_set():
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", failing)
    return event


def test_no_descriptors(small, exhausted):
    """The server tries again, and goes on."""
    exhausted.set()
    with connection(small) as peer:
        peer.sendall(request(small, CLOSE))
        wait_until(lambda: len(exhausted.calls) >= 3)
        exhausted.clear()
        assert statuses(answer(peer)) == [200]


def test_no_descriptors_is_no_loop(exhausted, monkeypatch):
    """The server waits before it tries again; meanwhile it serves the connections that it has."""
    monkeypatch.setattr(http_server, "_NO_ROOM_SECONDS", 3600.0)
    with ArnicaServer(simulate=False) as server, client_of(server) as client:
        assert client.get("/workspaces").status_code == 200
        tried = len(exhausted.calls)
        exhausted.set()
        with connection(server):
            wait_until(lambda: len(exhausted.calls) > tried)
            for _ in range(20):
                assert client.get("/workspaces").status_code == 200
        assert len(exhausted.calls) == tried + 1


def test_limits_are_checked():
    """Each one is named."""
    for name, value in (
        ("body_bytes", 0),
        ("head_bytes", 1.5),
        ("headers", True),
        ("head_seconds", 0),
        ("idle_seconds", float("nan")),
        ("kept_jobs", -1),
    ):
        with pytest.raises(InvalidOptionError, match=f"^{name} must be"):
            Limits(**{name: value})
