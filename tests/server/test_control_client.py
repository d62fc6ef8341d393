"""ServerControl: another process steers a server."""

import inspect
import re
import subprocess
import sys

import httpx
import pytest
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InvalidOptionError,
)
from aqt_fast.server.control import FAULTS, STEERING
from aqt_fast.testing import ArnicaServer, Faults, FaultsControl, ServerControl
from server.cloud_client import client_of, final_state, flips, job, submit, wait_for_status
from waiting import wait_until


@pytest.fixture
def server():
    """A server that makes outcomes up."""
    with ArnicaServer(simulate=False, token="tok-7") as server:  # noqa: S106 - of this test
        yield server


@pytest.fixture
def control(server):
    """What steers it."""
    with ServerControl(server.url, server.token) as control:
        yield control


@pytest.mark.parametrize(
    ("remote", "local", "names"),
    [(ServerControl, ArnicaServer, STEERING), (FaultsControl, Faults, FAULTS)],
)
def test_same_methods(remote, local, names):
    """Whoever writes against the one can use the other."""
    for name in names:
        assert inspect.signature(getattr(remote, name)) == inspect.signature(getattr(local, name))


def test_steering(server, client, control):
    """It holds, breaks, cancels, looks at and resets what runs in the server."""
    control.hold()
    control.fail_jobs("ion lost")
    failing = submit(client, job(flips(1), label="first"))
    cancelled = submit(client, job(flips(1), label="second"))
    control.cancel(cancelled)
    control.release()
    assert final_state(client, failing).message == "ion lost"
    good = submit(client, job(flips(2, shots=9), label="third"))
    wait_for_status(client, good, "finished")
    assert [entry["label"] for entry in control.jobs(status="cancelled")] == ["second"]
    assert [entry["job_id"] for entry in control.jobs(text="third", limit=1)] == [good]
    assert control.jobs(offset=3) == []
    assert control.job(good)["shots"] == 9
    assert control.circuit(good, 0)["counts"]["outcomes"] == [["0010", 9]]
    control.faults.next("500", path="/workspaces")
    assert client.get("/workspaces").status_code == 500
    control.faults.set(rate=1.0, kinds=("429",))
    control.faults.clear()
    control.set_status("ibex", "maintenance")
    control.set_workspace("lab", jobs_being_processed=False)
    control.drift()
    control.advance(10)
    assert control.state()["workspaces"][1]["jobs_being_processed"] is False
    control.reset()
    assert (control.jobs(), server.jobs) == ([], [])


@pytest.fixture
def client(server):
    """A client of the cloud interface."""
    with client_of(server) as client:
        yield client


def test_refusals(server, control):
    """They are the exceptions of the same methods of a server."""
    for call, named in (
        (lambda: control.set_status("ibex", "lost"), "status must be one of online, offline"),
        (lambda: control.release(-1), "circuits must be an integer of at least 0, not -1"),
        (lambda: control.faults.next("fire"), "kind must be of the kinds"),
        (lambda: control.advance(object()), "advance must be called with what JSON has"),
        (lambda: control.job("../state"), "job_id must be an identifier of a job"),
        (lambda: control.jobs(limit=201), "limit must be an integer from 0 to 200, not 201"),
    ):
        with pytest.raises(InvalidOptionError, match=named):
            call()
    for call in (
        lambda: control.set_status("x", "online"),
        lambda: control.cancel("x"),
        lambda: control.job("00000000-0000-4000-8000-000000000000"),
    ):
        with pytest.raises(LookupError):
            call()
    with (
        ServerControl(server.url) as stranger,
        pytest.raises(AQTCredentialsError, match="the server's own token is necessary"),
    ):
        stranger.hold()
    with pytest.raises(APIError):
        control.call("hold", x=1)


def test_no_network(server, control):
    """It survives the network failure that it makes."""
    control.refuse(0.2)
    with pytest.raises(APIConnectionError, match="the local server cannot be reached"):
        control.state()

    def answers():
        try:
            return control.state()
        except APIConnectionError:
            return None

    wait_until(answers)
    server.stop()
    with pytest.raises(APIConnectionError):
        control.refuse(1)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8765",
        "http://evil.example",
        "https://127.0.0.1:8765",
        "127.0.0.1:8765",
        "http://127.0.0.1:x",
        "http://127.0.0.1@evil.example",
        "",
        None,
    ],
)
def test_other_computers(url):
    """The token goes nowhere else."""
    with pytest.raises(
        InvalidOptionError, match=r"url must be one such as http://127\.0\.0\.1:8765"
    ):
        ServerControl(url)


def test_quiet_serve():
    """``--quiet`` prints nothing of requests."""
    command = [sys.executable, "-m", "aqt_fast", "serve", "--port", "0", "--no-simulate", "--quiet"]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        with ServerControl(process.stdout.readline().strip()) as control:
            control.hold()
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert "export AQT_TOKEN=local-token" in err
    assert "/control" not in err


def test_serve():
    """It steers ``aqt-fast serve``, which prints a line for each request that matters."""
    command = [sys.executable, "-m", "aqt_fast", "serve", "--port", "0", "--no-simulate"]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer local-token"}
        with (
            ServerControl(url) as control,
            httpx.Client(base_url=f"{url}/api/v1", headers=headers, trust_env=False) as client,
        ):
            control.faults.next("503", path="/submit")
            sent = job(flips(1), flips(2), label="a\x1b[31m\nb")
            assert client.post("/submit/lab/ibex", json=sent).status_code == 503
            job_id = submit(client, sent, "lab/ibex")
            assert final_state(client, job_id).result
            client.get("/workspaces", headers={"Authorization": "Bearer secret-9"})
            client.get("/nothing%20here%0Aat all?token=secret-9")
            assert client.get("/workspaces").status_code == 200
        process.terminate()
        _, err = process.communicate(timeout=60)
    lines = [re.sub(r"^\d\d:\d\d:\d\d | \d+ ms", "", line) for line in err.splitlines()]
    submission, reply = (
        "POST /api/v1/submit/lab/ibex",
        f'job {job_id[:8]} "a\ufffd[31m b", 2 circuits',
    )
    assert [line for line in lines if "/api/v1" in line] == [
        f"{submission} 503, fault 503",
        f"{submission} 200, {reply}",
        f"GET /api/v1/result/{job_id} 200, {reply}",
        "GET /api/v1/workspaces 401, invalid token",
        "GET /api/v1/nothing%20here%0Aat%20all 404, Not Found",
    ]
    assert "POST /control/faults/next 204" in lines
    assert "secret-9" not in err
