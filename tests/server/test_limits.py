"""What clients may send and leave undone."""

import errno
import socket
import threading

import pytest
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.testing import ArnicaServer, Limits
from raw_http import answer, connection, exchange, request, statuses
from server.cloud_client import SUBMIT, client_of, flips, job, submit
from waiting import wait_until

SMALL = Limits(body_bytes=4000, head_bytes=2000, headers=20, idle_seconds=0.1)
SHORT = Limits(head_seconds=0.3, body_seconds=0.3, idle_seconds=0.3)


@pytest.fixture(scope="module")
def small():
    """A server that takes little."""
    with ArnicaServer(simulate=False, limits=SMALL) as server:
        yield server


@pytest.fixture(scope="module")
def strict():
    """A server that does not wait long."""
    with ArnicaServer(simulate=False, limits=SHORT) as server:
        yield server


def test_sizes(small):
    """Each limit has its status; whatever is within them is served."""
    post = {"method": "POST", "path": f"/api/v1{SUBMIT}"}
    chunk = b"7d0\r\n" + b"x" * 2000 + b"\r\n"
    cases = [
        (request(small), 200),
        (request(small, *[b"A: b"] * 18), 200),
        (request(small, *[b"A: b"] * 19), 431),
        (request(small, b"A: " + b"b" * 1800), 200),
        (request(small, b"A: " + b"b" * 2000), 431),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"b" * 10_000, 431),
        (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404),
        (b"GET /" + b"a" * 260, 414),
        (request(small, b"Content-Length: 4000", **post) + b"x" * 4000, 422),
        (request(small, b"Content-Length: 4001", **post) + b"x" * 4001, 413),
        (request(small, b"Content-Length: 4001", b"Expect: 100-continue", **post), 413),
        (request(small, b"Content-Length: " + b"9" * 18, **post), 413),
        (request(small, b"Transfer-Encoding: chunked", **post) + 2 * chunk + b"0\r\n\r\n", 422),
        (request(small, b"Transfer-Encoding: chunked", **post) + 3 * chunk + b"0\r\n\r\n", 413),
        (
            request(small, b"Transfer-Encoding: chunked", **post)
            + b"0\r\n"
            + b"A: b\r\n" * 20
            + b"\r\n",
            431,
        ),
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
    ("part", "status"),
    [
        (b"", []),
        (b"\r\n", []),
        (b"G", [408]),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b", [408]),
        (b"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx", [408]),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", [404]),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /", [404, 408]),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx", [404]),
    ],
)
def test_times(strict, part, status):
    """Whoever sends nothing more is answered and disconnected."""
    with connection(strict) as peer:
        peer.sendall(part)
        assert statuses(answer(peer)) == status


def test_drips(strict):
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

    with connection(strict) as peer:
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


def test_long_answers_are_no_offence(strict):
    """A request that waits for its answer has no deadline, nor have those behind it."""
    strict.faults.slow_seconds = 1.0
    strict.faults.next("slow")
    with connection(strict) as peer:
        peer.sendall(request(strict) + request(strict, b"Connection: close"))
        assert statuses(answer(peer)) == [200, 200]


def test_refusal_waits_for_the_answer_before(strict):
    """What follows a good request does not get in the way of its answer."""
    strict.faults.slow_seconds = 0.2
    strict.faults.next("slow")
    found = exchange(strict, request(strict) + b"\0garbage\r\n\r\n")
    assert statuses(found) == [200]
    assert found.endswith(b"]")


def test_no_descriptors(strict, monkeypatch):
    """The server waits a little instead of trying all the time, and goes on."""
    exhausted = threading.Event()
    exhausted.set()
    accept, calls = socket.socket.accept, []

    def failing(listener):
        calls.append(listener)
        if exhausted.is_set():
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", failing)
    with connection(strict) as peer:
        peer.sendall(request(strict, b"Connection: close"))
        threading.Event().wait(0.5)
        tried = len(calls)
        exhausted.clear()
        assert statuses(answer(peer)) == [200]
    assert 1 <= tried <= 20


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
