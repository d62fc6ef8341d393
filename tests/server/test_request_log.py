"""What the server tells about the requests that it has served."""

import threading

import httpx
import pytest
from aqt_fast.cli.request_lines import RequestLines, request_line
from aqt_fast.testing import ArnicaServer, ServedRequest
from server.cloud_client import SUBMIT, client_of, final_state, flips, job, submit
from waiting import wait_until


@pytest.fixture
def served():
    """What was told."""
    return []


@pytest.fixture
def server(served):
    """A server that tells."""
    with ArnicaServer(simulate=False, requests=served.append) as server:
        yield server


@pytest.fixture
def client(server):
    """A client of the cloud interface."""
    with client_of(server) as client:
        yield client


def test_what_matters(server, client, served):
    """Submissions, results, changes, faults and refusals matter; looking does not."""
    job_id = submit(client, job(flips(1), label="one"))
    assert final_state(client, job_id).result
    wait_until(lambda: sum(request.matters for request in served) == 2)
    submission, result = (request for request in served if request.matters)
    for request in (submission, result):
        assert (request.job_id, request.label, request.circuits) == (job_id, "one", 1)
        assert (request.status, request.client, request.fault) == (200, "127.0.0.1", None)
    assert client.get("/workspaces").status_code == 200
    wait_until(lambda: served[-1].path.endswith("/workspaces"))
    assert not served[-1].matters
    server.faults.next("slow")
    client.get("/workspaces")
    wait_until(lambda: served[-1].fault == "slow")
    assert served[-1].matters
    server.faults.next("bad_json")  # does not suit a refusal
    assert client.post(SUBMIT, json={}).status_code == 422
    wait_until(lambda: served[-1].status == 422)
    assert (served[-1].fault, served[-1].matters) == (None, True)
    assert served[-1].reason
    assert client.delete(f"/jobs/{job_id}").status_code == 422
    wait_until(lambda: served[-1].method == "DELETE")
    assert served[-1].reason == "job_id: the job has ended: finished"


def test_without_an_answer(server, client, served):
    """A request whose connection was reset has no status; one that the gate refuses has."""
    server.faults.next("reset_before")
    with pytest.raises(httpx.TransportError):
        client.get("/workspaces")
    wait_until(lambda: served)
    assert (served[-1].status, served[-1].fault) == (None, "reset_before")
    assert client.get("/workspaces", headers={"host": "evil.example"}).status_code == 421
    wait_until(lambda: served[-1].status == 421)
    assert served[-1].reason.startswith("Host must be")


def test_paths(client, served):
    """They are cut, as they came, and without the query."""
    client.get("/" + "é" * 500, params={"user_code": "AAAA-BBBB"})
    wait_until(lambda: served)
    assert len(served[-1].path) == 200
    assert served[-1].path.startswith("/api/v1/%C3%A9%C3%A9")


REQUEST = ServedRequest(
    "GET", "/a", "::1", 404, 0.0123, None, "\x1b]0;x\x07" + 500 * "y", None, None, None
)


def test_lines():
    """A terminal obeys none; they are short."""
    line = request_line(REQUEST)
    assert line.isprintable()
    assert line.split(" ", 1)[1].startswith("GET /a 404 12 ms, \ufffd]0;x\ufffdyy")
    assert len(line) < 130


def test_nobody_reads():
    """The server does not wait for a full pipe; lines that were left out are counted."""
    written, reading = [], threading.Event()

    def write(line):
        assert reading.wait(30)
        written.append(line)

    lines = RequestLines(write)
    lines.start()
    for _ in range(1500):
        lines.tell(REQUEST)
    lines.close()  # gives up after a second
    assert written == []
    reading.set()
    wait_until(lambda: written and "no line" in written[-1])
    assert len(written) - 1 + int(written[-1].split()[1]) == 1500


def test_nobody_can_read():
    """A pipe that was closed ends the lines, not the server."""

    def write(_):
        raise BrokenPipeError

    lines = RequestLines(write)
    lines.tell(REQUEST)
    lines.start()
    lines.close()
    lines.tell(REQUEST)
    lines.close()
