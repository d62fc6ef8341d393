"""The local server, as another client sees it: httpx, and AQT's own models for every answer."""

import gzip
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from email.utils import parsedate_to_datetime

import httpx
import orjson
import pytest
from aqt_connector import ArnicaApp, ArnicaConfig, fetch_job_state, get_access_token, log_in
from aqt_connector.exceptions import AuthenticationError, NotAuthenticatedError
from aqt_connector.models.arnica.jobs import JobStatus
from aqt_connector.models.arnica.response_bodies.jobs import ResultResponse, SubmitJobResponse
from aqt_connector.models.arnica.response_bodies.resources import (
    CharacterisationResponse,
    ResourceDetails,
)
from aqt_connector.models.arnica.response_bodies.workspaces import Workspace as WorkspaceModel
from aqt_fast.server.faults import KINDS
from aqt_fast.testing import ArnicaServer, Resource, Workspace, circuit_digest, count_runs
from pydantic import TypeAdapter

pytest_plugins = ["aqt_fast.testing"]

HALF = {"operation": "RXX", "qubits": [0, 1], "theta": 0.5}
MEASURE = {"operation": "MEASURE"}
READ_TIMEOUT = 0.3


def circuit(gates=(), *, shots=10, qubits=2):
    """A circuit of a request."""
    return {
        "repetitions": shots,
        "quantum_circuit": [*gates, MEASURE],
        "number_of_qubits": qubits,
    }


def flips(value, *, shots=10, qubits=4):
    """A circuit that gives one outcome: the bits of ``value``, qubit 0 first."""
    gates = [
        {"operation": "R", "qubit": qubit, "phi": 0.0, "theta": 1.0}
        for qubit in range(qubits)
        if value >> qubit & 1
    ]
    return circuit(gates, shots=shots, qubits=qubits)


def job(*circuits, label=None):
    """A request body."""
    payload = {"circuits": list(circuits)}
    return {"job_type": "quantum_circuit", "label": label, "payload": payload}


def client_of(server, token=None):
    """A client of the cloud interface."""
    headers = {"Authorization": f"Bearer {server.token if token is None else token}"}
    base = f"{server.url}/api/v1"
    return httpx.Client(base_url=base, headers=headers, timeout=10, trust_env=False)


def submit(client, body, place="default/simulator_ideal"):
    """Submit a job that is accepted; its identifier."""
    response = client.post(f"/submit/{place}", json=body)
    assert response.status_code == 200, response.text
    return str(SubmitJobResponse.model_validate_json(response.content).job.job_id)


def state(client, job_id, **params):
    """The job's state, read by AQT's model."""
    response = client.get(f"/result/{job_id}", params=params)
    assert response.status_code == 200, response.text
    answer = ResultResponse.model_validate_json(response.content)
    assert str(answer.job.job_id) == job_id
    return answer.response


def until(condition):
    """Wait for something that another thread does."""
    deadline = time.monotonic() + 20
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)
    return value


def ended(client, job_id, **params):
    """The job's last state."""
    return until(lambda: (last := state(client, job_id, **params)).is_finished() and last)


@pytest.fixture(params=[True, False], ids=["aer", "native"])
def server(request):
    """A server that simulates, and one that makes outcomes up."""
    with ArnicaServer(simulate=request.param, seed=3) as server:
        yield server


@pytest.fixture
def client(server):
    """A client with the server's token."""
    with client_of(server) as client:
        yield client


# -- the cloud interface --------------------------------------------------------------------------


def test_fixture(arnica_server):
    """The package's own fixture gives a server that answers."""
    with client_of(arnica_server) as client:
        assert client.get("/workspaces").status_code == 200


def test_discovery(client):
    """Workspaces share a resource; devices have a characterisation; one is not online."""
    response = client.get("/workspaces")
    workspaces = TypeAdapter(list[WorkspaceModel]).validate_json(response.content)
    found = {workspace.id: [each.id for each in workspace.resources] for workspace in workspaces}
    assert found == {
        "default": ["simulator_ideal", "simulator_noise"],
        "lab": ["ibex", "pine", "rowan", "simulator_noise"],
    }
    for name in {name for names in found.values() for name in names}:
        body = client.get(f"/resources/{name}").content
        details = ResourceDetails.model_validate_json(body)
        assert details.id == name
        assert (details.characterisation is not None) == (details.type.value == "device")
        if details.characterisation:
            raw = json.loads(body)["characterisation"]
            fidelities = CharacterisationResponse.model_validate(raw)
            pairs = details.available_qubits * (details.available_qubits - 1) // 2
            assert len(fidelities.two_qubit_gate_fidelity) == pairs
    assert json.loads(client.get("/resources/rowan").content)["status"] == "maintenance"


def test_outcomes(client):
    """Entry i of a shot is qubit i; circuits keep their order, shots and width."""
    values = [0b0001, 0b0110, 0b1000, 0b1111]
    circuits = [flips(value, shots=5 + index) for index, value in enumerate(values)]
    result = ended(client, submit(client, job(*circuits))).result
    assert result == {
        index: [[value >> qubit & 1 for qubit in range(4)]] * (5 + index)
        for index, value in enumerate(values)
    }


def test_simulated_distribution():
    """Definitions of all gates: a Bell state by rxx, and one turned back by r and rz."""
    turn = {"operation": "R", "qubit": 0, "phi": 0.5, "theta": 0.5}
    back = {"operation": "R", "qubit": 0, "phi": 1.5, "theta": 0.5}
    frame = {"operation": "RZ", "qubit": 0, "phi": 1.0}
    with ArnicaServer(seed=5) as server, client_of(server) as client:
        circuits = [
            circuit([HALF], shots=1000),
            circuit([turn, back]),
            circuit([turn, frame, turn]),
        ]
        body = job(*circuits)
        result = ended(client, submit(client, body)).result
        bell = Counter(map(tuple, result[0]))
        assert set(bell) == {(0, 0), (1, 1)}
        assert 400 < bell[0, 0] < 600
        assert result[1] == [[0, 0]] * 10
        assert result[2] == [[0, 0]] * 10
        noisy = ended(client, submit(client, job(circuit([HALF] * 200, shots=1000)), "lab/ibex"))
        assert len(set(map(tuple, noisy.result[0]))) == 4


@pytest.mark.parametrize("simulate", [True, False])
def test_seed(simulate):
    """The same seed and the same jobs give the same shots; another job gives others."""

    def outcomes(seed):
        body = job(circuit([HALF], shots=64), circuit([HALF], shots=64))
        with ArnicaServer(simulate=simulate, seed=seed) as server, client_of(server) as client:
            return [ended(client, submit(client, body)).result for _ in range(2)]

    first, second = outcomes(1)
    assert outcomes(1) == [first, second]
    assert first != second
    assert first[0] != first[1]
    assert outcomes(2)[0] != first[0]


def test_states_and_timing(server, client):
    """Queued, ongoing with progress, finished; changes of status on request only."""
    server.hold()
    first = submit(client, job(*[flips(index) for index in range(3)], label="first"))
    second = submit(client, job(flips(1)))
    until(lambda: state(client, first).status == JobStatus.ONGOING)
    assert state(client, second).status == JobStatus.QUEUED
    assert state(client, first).finished_count == 0
    server.release(2)
    until(lambda: state(client, first).finished_count == 2)
    assert [
        status.new_status for status in state(client, first, include_timing_data=True).timing_data
    ] == [
        JobStatus.QUEUED,
        JobStatus.ONGOING,
    ]
    server.release()
    last = ended(client, first, include_timing_data=True)
    assert [change.new_status.value for change in last.timing_data] == [
        "queued",
        "ongoing",
        "finished",
    ]
    assert last.timing_data == sorted(last.timing_data, key=lambda change: change.timestamp)
    assert state(client, first).timing_data is None
    assert client.get(f"/result/{first}").json()["job"] == {
        "job_id": first,
        "job_type": "quantum_circuit",
        "label": "first",
        "resource_id": "simulator_ideal",
        "workspace_id": "default",
    }
    ended(client, second)


def test_device_time():
    """A machine with device time takes it, and one that is fast enough still ends."""
    with ArnicaServer(simulate=False, speed=1e-3) as server, client_of(server) as client:
        slow = submit(client, job(flips(1)))
        until(lambda: state(client, slow).status == JobStatus.ONGOING)
        assert state(client, slow).finished_count == 0
    with ArnicaServer(simulate=False, speed=1e4) as server, client_of(server) as client:
        assert ended(client, submit(client, job(flips(1), flips(2)))).status == JobStatus.FINISHED


def test_cancel(server, client):
    """A queued job never starts, a running one stops after the circuit in hand."""
    server.hold()
    running = submit(client, job(flips(1), flips(2), flips(3)))
    queued = submit(client, job(flips(4)))
    server.release(1)
    until(lambda: state(client, running).status == JobStatus.ONGOING)
    until(lambda: state(client, running).finished_count == 1)
    assert client.delete(f"/jobs/{queued}").status_code == 204
    assert client.delete(f"/jobs/{queued}").status_code == 208
    assert state(client, queued).status == JobStatus.CANCELLED
    assert client.delete(f"/jobs/{running}").status_code == 204
    assert client.delete(f"/jobs/{running}").status_code == 208
    assert ended(client, running).status == JobStatus.CANCELLED
    server.release()
    after = submit(client, job(flips(5)))
    assert ended(client, after).status == JobStatus.FINISHED
    assert client.delete(f"/jobs/{after}").status_code == 422
    assert [accepted.runs for accepted in server.jobs] == [(1, 0, 0), (0,), (1,)]


def test_failed_job(server, client):
    """A job can end with an error that the server was told."""
    server.fail_jobs("lost an ion")
    last = ended(client, submit(client, job(flips(1))))
    assert (last.status, last.message) == (JobStatus.ERROR, "lost an ion")
    assert ended(client, submit(client, job(flips(1)))).status == JobStatus.FINISHED


def test_offline_resource(server, client):
    """Its jobs wait until it is online."""
    waiting = submit(client, job(flips(1)), "lab/rowan")
    ended(client, submit(client, job(flips(1)), "lab/ibex"))
    assert state(client, waiting).status == JobStatus.QUEUED
    server.set_status("rowan", "online")
    assert client.get("/resources/rowan").json()["status"] == "online"
    assert ended(client, waiting).status == JobStatus.FINISHED


def test_expiry(server, client):
    """24 hours after the first fetch, not after the end."""
    job_id = submit(client, job(flips(1)))
    until(lambda: server.jobs[0].status == "finished")
    server.advance(48 * 3600)
    assert state(client, job_id).result
    server.advance(24 * 3600 - 60)
    assert state(client, job_id).result
    server.advance(61)
    response = client.get(f"/result/{job_id}")
    assert (response.status_code, response.json()) == (410, {"detail": "the result has expired"})
    assert server.jobs[0].fetches == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/resources/nowhere", 404),
        (f"/result/{uuid.UUID(int=7)}", 404),
        ("/result/12", 422),
        ("/nothing", 404),
        ("/jobs/12", 405),
    ],
)
def test_refused_gets(client, path, status):
    """Each has a status and a detail."""
    response = client.get(path)
    assert response.status_code == status
    detail = response.json()["detail"]
    if status == 422:
        assert detail == [
            {"loc": ["path", "job_id"], "msg": "not a valid UUID", "type": "value_error"}
        ]
    else:
        assert isinstance(detail, str)


@pytest.mark.parametrize(
    ("place", "status"),
    [("default/ibex", 404), ("nowhere/ibex", 403), ("direct-access/ibex", 403)],
)
def test_refused_places(server, client, place, status):
    """Workspace and resource must belong together."""
    assert client.post(f"/submit/{place}", json=job(flips(1))).status_code == status
    assert client.delete(f"/jobs/{uuid.uuid4()}").status_code == 404
    assert client.delete("/jobs/12").status_code == 422
    assert server.jobs == []


R = {"operation": "R", "qubit": 0, "phi": 0.0, "theta": 1.0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        orjson.dumps(job()),
        orjson.dumps(job(*[flips(1)] * 51)),
        orjson.dumps(job(flips(1, shots=0))),
        orjson.dumps(job(flips(1, shots=2001))),
        orjson.dumps(job(circuit([{**R, "theta": 1.1}]))),
        orjson.dumps(job(circuit([{**R, "phi": -0.1}]))),
        orjson.dumps(job(circuit([{**R, "more": 1}]))),
        orjson.dumps(job(circuit([{**HALF, "qubits": [1, 1]}]))),
        orjson.dumps(job(circuit([{**HALF, "theta": 0.6}]))),
        orjson.dumps(job(circuit([{**R, "qubit": 2}]))),
        orjson.dumps(job(circuit([MEASURE]))),
        orjson.dumps(job(circuit([R] * 2000))),
        orjson.dumps(job(flips(1, qubits=32))),
        orjson.dumps(job(flips(1, qubits=21))),
        json.dumps(job(circuit([{"operation": "RZ", "qubit": 0, "phi": float("nan")}]))).encode(),
        orjson.dumps({**job(flips(1)), "label": 7}),
        orjson.dumps({**job(flips(1)), "job_type": "other"}),
    ],
)
def test_refused_bodies(server, client, body):
    """A 422 with a list of problems; nothing is accepted."""
    response = client.post("/submit/default/simulator_ideal", content=body)
    assert response.status_code == 422, response.text
    detail = response.json()["detail"]
    assert detail
    for problem in detail:
        assert set(problem) == {"loc", "msg", "type"}
        assert problem["loc"][0] == "body"
    assert server.jobs == []


def test_tokens(server, client):
    """Missing, wrong, revoked and expired ones; some open one workspace only."""
    refused = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {server.token}"}]
    for headers in refused:
        response = httpx.get(f"{server.url}/api/v1/workspaces", headers=headers, trust_env=False)
        assert response.status_code == 401
        assert isinstance(response.json()["detail"], str)
    foreign = submit(client, job(flips(1)), "lab/ibex")
    server.accept("guest", workspaces=["default"], lifetime=3600)
    with client_of(server, "guest") as guest:
        assert [workspace["id"] for workspace in guest.get("/workspaces").json()] == ["default"]
        assert guest.get("/resources/ibex").status_code == 403
        assert guest.get("/resources/simulator_noise").status_code == 200
        assert guest.post("/submit/lab/ibex", json=job(flips(1))).status_code == 403
        assert guest.get(f"/result/{foreign}").status_code == 404
        assert guest.delete(f"/jobs/{foreign}").status_code == 404
        server.advance(3601)
        assert guest.get("/workspaces").status_code == 401
    server.revoke(server.token)
    assert client.get("/workspaces").status_code == 401
    assert client.post("/submit/lab/ibex", json=job(flips(1))).status_code == 401
    server.accept(server.token)
    assert client.get("/workspaces").status_code == 200
    assert server.token not in repr(server)


def test_own_workspaces():
    """Limits of a resource, and a workspace that takes no jobs."""
    tiny = Resource("tiny", "Tiny", "device", 3, max_shots=20)
    workspaces = [Workspace("a", [tiny]), Workspace("b", [tiny], accepting_job_submissions=False)]
    with (
        ArnicaServer(simulate=False, workspaces=workspaces) as server,
        client_of(server) as client,
    ):
        submit(client, job(flips(1, shots=20, qubits=3)), "a/tiny")
        for body in (job(flips(1, shots=21, qubits=3)), job(flips(1, qubits=4))):
            assert client.post("/submit/a/tiny", json=body).status_code == 422
        assert client.post("/submit/b/tiny", json=job(flips(1, qubits=3))).status_code == 403
        assert client.get("/workspaces").json()[1]["accepting_job_submissions"] is False


def test_compressed_answers():
    """Only if the server may and the client accepts it; errors and small answers stay plain."""
    body = job(flips(5, shots=500))
    with ArnicaServer(simulate=False, compress=True) as server, client_of(server) as client:
        job_id = submit(client, body)
        ended(client, job_id)
        with client.stream("GET", f"/result/{job_id}") as response:
            assert response.headers["content-encoding"] == "gzip"
            raw = b"".join(response.iter_raw())
        plain = client.get(f"/result/{job_id}", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content) / 10


def test_large_body(client):
    """A full job of several megabytes gets through, and others are served meanwhile."""
    gates = [R, {"operation": "RZ", "qubit": 0, "phi": 0.123456789}] * 999
    body = orjson.dumps(job(*[circuit(gates, shots=2)] * 50))
    assert len(body) > 4e6
    response = client.post("/submit/default/simulator_ideal", content=body)
    assert response.status_code == 200
    result = ended(client, response.json()["job"]["job_id"]).result
    assert result == dict.fromkeys(range(50), [[1, 0]] * 2)


# -- the record -----------------------------------------------------------------------------------


def test_record():
    """What was accepted, byte for byte, and how often each circuit ran."""
    bodies = [job(flips(1), flips(2), label="a"), job(flips(1, shots=7), flips(1))]
    with ArnicaServer(simulate=False, identify_circuits=True) as server:
        with client_of(server) as client:
            ids = [submit(client, body) for body in bodies]
            for job_id in ids:
                ended(client, job_id)
            state(client, ids[0])
            first, second = server.jobs
            assert [first.job_id, second.job_id] == ids
            assert (first.label, second.label) == ("a", None)
            assert (first.repetitions, second.repetitions) == ((10, 10), (7, 10))
            assert (first.fetches, second.fetches) == (2, 1)
            assert first.runs == second.runs == (1, 1)
            assert count_runs(server.jobs) == {
                circuit_digest(flips(1)): 2,
                circuit_digest(flips(2)): 1,
                circuit_digest(flips(1, shots=7)): 1,
            }
        response = httpx.get(f"{server.url}/testing/record", trust_env=False)
        assert response.json() == json.loads(json.dumps(server.record()))
        assert [entry["job_id"] for entry in response.json()["jobs"]] == ids
        assert server.token not in response.text
    with ArnicaServer(simulate=False) as server, client_of(server) as client:
        submit(client, bodies[0])
        with pytest.raises(LookupError, match="identify_circuits"):
            count_runs(server.jobs)


def test_two_threads(server):
    """Jobs of several threads: each result belongs to its job, each circuit runs once."""
    wrong = []

    def work(thread):
        with client_of(server) as client:
            for number in range(8):
                value = (thread * 8 + number) % 16
                place = ("default/simulator_ideal", "lab/ibex")[number % 2]
                last = ended(client, submit(client, job(flips(value)), place))
                expected = [[value >> qubit & 1 for qubit in range(4)]]
                if place.startswith("default") and last.result != {0: expected * 10}:
                    wrong.append(value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [accepted.runs for accepted in server.jobs] == [(1,)] * 16


# -- direct access --------------------------------------------------------------------------------


def test_direct_access(server, client):
    """One circuit at a time; the result's request waits for it."""
    url = server.direct_url_of("pine")
    assert client.get(f"{url}/status/ions").json() == {"num_ions": 20}
    assert client.get(f"{url}/system/name").json() == "PINE"
    server.hold()
    job_id = client.put(f"{url}/circuit", json=flips(6)).json()
    assert str(uuid.UUID(job_id)) == job_id
    assert client.put(f"{url}/circuit", json=flips(7)).status_code == 409
    with pytest.raises(httpx.ReadTimeout):
        client.get(f"{url}/circuit/result/{job_id}", timeout=0.1)
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(client.get(f"{url}/circuit/result/{job_id}").json())
    )
    waiting.start()
    server.release()
    waiting.join()
    finished = {"status": "finished", "result": [[0, 1, 1, 0]] * 10}
    if answers[0]["payload"] != finished:
        # A simulated device has noise.
        assert {tuple(map(len, answers[0]["payload"]["result"]))} == {(4,) * 10}
    assert answers[0]["job_id"] == job_id
    assert client.get(f"{url}/circuit/result/{job_id}").json() == answers[0]
    assert client.get(f"/result/{job_id}").status_code == 404
    assert client.get(f"{server.direct_url}/circuit/result/{job_id}").status_code == 404
    assert [(entry.workspace_id, entry.runs) for entry in server.jobs] == [("direct-access", (1,))]


def test_direct_access_failures(server, client):
    """A measurement that failed, bad bodies, unknown circuits, no token."""
    url = server.direct_url
    assert url == server.direct_url_of("ibex")
    server.fail_jobs("lost an ion")
    job_id = client.put(f"{url}/circuit", json=flips(6)).json()
    answer = client.get(f"{url}/circuit/result/{job_id}").json()
    assert answer == {"job_id": job_id, "payload": {"status": "error"}}
    two = orjson.dumps(flips(1)) + b"," + orjson.dumps(flips(2))
    for body in (b"", b"{}", two, orjson.dumps(job(flips(1))), orjson.dumps(flips(1, qubits=13))):
        response = client.put(f"{url}/circuit", content=body)
        assert response.status_code == 422, body
        assert {"loc", "msg", "type"} == set(response.json()["detail"][0])
    assert client.get(f"{url}/circuit/result/{uuid.uuid4()}").status_code == 404
    assert client.get(f"{url}/circuit/result/7").status_code == 422
    assert client.get(f"{server.direct_url_of('nothing')}/status/ions").status_code == 404
    assert httpx.get(f"{url}/status/ions", trust_env=False).status_code == 401
    assert len(server.jobs) == 1


# -- the network ----------------------------------------------------------------------------------


def test_stop_and_start(server, client):
    """Nobody listens in between, the port is the same, machines work on, nothing is forgotten."""
    server.hold()
    job_id = submit(client, job(flips(1)))
    port = server.port
    server.stop()
    for _ in range(2):
        with pytest.raises(httpx.ConnectError):
            client.get(f"/result/{job_id}")
    server.release()
    until(lambda: server.jobs[0].status == "finished")
    server.start()
    server.start()
    assert server.port == port
    assert state(client, job_id).result == {0: [[1, 0, 0, 0]] * 10}


def test_stop_with_blocked_requests(server, client, caplog, capfd):
    """It does not wait for long polls and stalled answers, and says nothing about them."""
    server.hold()
    url = server.direct_url
    job_id = client.put(f"{url}/circuit", json=flips(1)).json()
    server.faults.next("stall", path="/workspaces")
    failures = []

    def ask(address):
        try:
            client.get(address)
        except httpx.TransportError as error:
            failures.append(error)

    addresses = [f"{url}/circuit/result/{job_id}"] * 3 + ["/workspaces"]
    threads = [threading.Thread(target=ask, args=(address,)) for address in addresses]
    for thread in threads:
        thread.start()
    until(lambda: server.faults.log)
    server.stop()
    for thread in threads:
        thread.join(10)
    assert len(failures) == 4
    server.start()
    server.release()
    assert client.get(f"{url}/circuit/result/{job_id}").json()["payload"]["status"] == "finished"
    assert caplog.records == []
    assert capfd.readouterr().err == ""


def test_close_ends_all_threads():
    """Nothing lives on, not even a machine with a job under way; the port is free."""
    before = set(threading.enumerate())
    with ArnicaServer(simulate=False, speed=1e-6) as server, client_of(server) as client:
        port = server.port
        submit(client, job(flips(1)))
    until(lambda: set(threading.enumerate()) <= before)
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


def test_port_in_use(server):
    """It says so, and can be tried again."""
    other = ArnicaServer(port=server.port, simulate=False)
    with pytest.raises(OSError, match="in use"):
        other.start()
    other.close()


# -- faults ---------------------------------------------------------------------------------------


def post(client, timeout=READ_TIMEOUT):
    """Submit a job that may suffer."""
    return client.post("/submit/default/simulator_ideal", json=job(flips(9)), timeout=timeout)


@pytest.fixture
def faulty():
    """A server that does not simulate."""
    with ArnicaServer(simulate=False) as server:
        server.faults.refuse_seconds = server.faults.slow_seconds = 0.05
        yield server


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse", httpx.ReadError),
        ("reset_before", httpx.ReadError),
        ("reset_after", httpx.ReadError),
        ("stall", httpx.ReadTimeout),
        ("truncated", httpx.RemoteProtocolError),
    ],
)
def test_broken_connections(faulty, kind, error):
    """The client gets no usable answer; the record tells whether the job was accepted."""
    with client_of(faulty) as client:
        client.get("/workspaces")
        faulty.faults.next(kind)
        with pytest.raises(error) as raised:
            post(client)
        if kind.startswith("reset"):
            assert "reset" in str(raised.value).lower()
        assert len(faulty.jobs) == (0 if kind in ("refuse", "reset_before") else 1)
        if kind == "refuse":
            with pytest.raises(httpx.ConnectError):
                post(client)
        until(lambda: reachable(client))
        assert [fault.kind for fault in faulty.faults.log] == [kind]
        assert faulty.faults.log[0].path == "/api/v1/submit/default/simulator_ideal"
        assert faulty.faults.log[0].method == "POST"


def reachable(client):
    """Whether the server answers."""
    try:
        return client.get("/workspaces").status_code == 200
    except httpx.ConnectError:
        return False


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[0].isdigit() and kind != "410"])
def test_error_answers(faulty, kind):
    """Status, detail, ``Retry-After``; handled before or not, as its name says."""
    faulty.faults.retry_after = 3
    with client_of(faulty) as client:
        faulty.faults.next(kind)
        before = time.time()
        response = post(client)
        assert response.status_code == int(kind[:3])
        assert isinstance(response.json()["detail"], str)
        assert len(faulty.jobs) == (1 if kind.endswith("_after") else 0)
        retry_after = response.headers.get("retry-after")
        if kind in ("429", "503_retry"):
            assert retry_after == "3"
        elif kind == "429_date":
            when = parsedate_to_datetime(retry_after).timestamp()
            assert before + 3 <= when <= time.time() + 4
        else:
            assert retry_after is None
        # The fault was of the answer: the token is as good as before.
        assert post(client).status_code == 200


def test_expired_by_fault(faulty):
    """A 410 that counts as no fetch."""
    with client_of(faulty) as client:
        job_id = submit(client, job(flips(1)))
        until(lambda: faulty.jobs[0].status == "finished")
        faulty.faults.next("410", path="/result/")
        assert client.get("/workspaces").status_code == 200
        assert client.get(f"/result/{job_id}").status_code == 410
        assert faulty.jobs[0].fetches == 0
        assert state(client, job_id).result


def test_slow(faulty):
    """The right answer after the read time-out of an impatient client, and in time for others."""
    with client_of(faulty) as client:
        faulty.faults.next("slow", count=2)
        assert post(client, timeout=10).status_code == 200
        faulty.faults.slow_seconds = 5
        with pytest.raises(httpx.ReadTimeout):
            post(client, timeout=0.1)
        assert len(faulty.jobs) == 2


@pytest.mark.parametrize("kind", ["bad_json", "wrong_shape"])
def test_unusable_answers(faulty, kind):
    """A success whose body is of no use; a refusal stays one, and is not logged as a fault."""
    with client_of(faulty) as client:
        faulty.faults.next(kind)
        response = post(client)
        assert response.status_code == 200
        if kind == "bad_json":
            with pytest.raises(ValueError, match=r"Expecting|Invalid|Extra"):
                response.json()
        else:
            with pytest.raises(ValueError, match="validation error"):
                SubmitJobResponse.model_validate(response.json())
        assert len(faulty.jobs) == 1
        assert [fault.kind for fault in faulty.faults.log] == [kind]
        faulty.faults.next(kind)
        assert client.post("/submit/default/simulator_ideal", content=b"").status_code == 422
        assert len(faulty.faults.log) == 1


def test_refuse_now(faulty):
    """Between two requests: the next one cannot connect, so nothing of it went out."""
    with client_of(faulty) as client:
        assert reachable(client)
        faulty.refuse(0.05)
        with pytest.raises(httpx.ConnectError):
            post(client)
        faulty.refuse(0.01)
        until(lambda: reachable(client))
        assert faulty.jobs == []


def test_scripted_faults_choose(faulty):
    """By method and by path; those that do not fit wait."""
    with client_of(faulty) as client:
        faulty.faults.next("500", count=2, method="POST")
        faulty.faults.next("502", path="/resources/")
        assert client.get("/workspaces").status_code == 200
        assert client.get("/resources/ibex").status_code == 502
        assert [post(client).status_code for _ in range(3)] == [500, 500, 200]
        faulty.faults.next("500", count=5)
        faulty.faults.clear()
        assert post(client).status_code == 200
    for wrong in (lambda: faulty.faults.next("fire"), lambda: faulty.faults.set(rate=2)):
        with pytest.raises(ValueError, match=r"fire|rate"):
            wrong()


def test_random_faults_repeat(faulty):
    """The same seed gives the same decisions; the rate is kept; the record is spared."""

    def run(seed):
        faulty.faults.set(rate=0.3, kinds=["500", "503", "410"], seed=seed)
        with client_of(faulty) as client:
            statuses = [client.get("/workspaces").status_code for _ in range(200)]
            assert client.get(f"{faulty.url}/testing/record").status_code == 200
        return statuses

    first = run(1)
    assert run(1) == first
    assert run(2) != first
    assert set(first) == {200, 500, 503}
    assert 35 < sum(status != 200 for status in first) < 85


def test_many_jobs_under_faults(faulty):
    """All kinds at once, three threads: every job that was accepted ran once, nobody hangs."""
    kinds = [kind for kind in KINDS if kind not in ("stall", "410")]
    faulty.faults.refuse_seconds = faulty.faults.slow_seconds = 0.005
    faulty.faults.set(rate=0.2, kinds=kinds, seed=11)
    known, lost = [], []

    def work(thread):
        generator = random.Random(thread)  # noqa: S311
        with client_of(faulty) as client:
            for _ in range(60):
                try:
                    response = client.post(
                        "/submit/default/simulator_ideal", json=job(flips(generator.randrange(16)))
                    )
                    known.append(response.json()["job"]["job_id"])
                except (httpx.TransportError, ValueError, KeyError):  # noqa: PERF203
                    lost.append(thread)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    faulty.faults.clear()
    accepted = until(
        lambda: (jobs := faulty.jobs) and all(entry.status == "finished" for entry in jobs) and jobs
    )
    assert len(known) + len(lost) == 180
    assert set(known) <= {entry.job_id for entry in accepted}
    assert len(known) < len(accepted) < 180
    assert all(entry.runs == (1,) for entry in accepted)
    with client_of(faulty) as client:
        until(lambda: reachable(client))
        for job_id in known:
            assert state(client, job_id).result


# -- login ----------------------------------------------------------------------------------------


@pytest.fixture
def oidc_server(monkeypatch):
    """A server whose login is quick; no setting of this computer matters."""
    for name in [name for name in os.environ if name.startswith("AQT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ArnicaServer(simulate=False, pending=2, poll_interval=0.01, token_lifetime=600) as server:
        yield server


def app_of(server, path, **settings):
    """AQT's own client, with nothing but the server's address changed."""
    config = ArnicaConfig(path)
    config.arnica_url = f"{server.url}/api"
    config.oidc_config = server.oidc_config()
    for name, value in settings.items():
        setattr(config, name, value)
    return ArnicaApp(config)


def test_log_in_with_a_device_code(oidc_server, tmp_path):
    """The user is asked to confirm, the token opens the portal, and it is found again."""
    out = io.StringIO()
    with app_of(oidc_server, tmp_path) as app:
        token = log_in(app, stdout=out)
        assert f"{oidc_server.url}/activate?user_code=" in out.getvalue()
        assert get_access_token(app) == token
        with client_of(oidc_server, token) as client:
            job_id = submit(client, job(flips(1)))
            ended(client, job_id)
        assert fetch_job_state(app, uuid.UUID(job_id)).result == {0: [[1, 0, 0, 0]] * 10}
        oidc_server.advance(601)
        with pytest.raises(NotAuthenticatedError):
            fetch_job_state(app, uuid.UUID(job_id), api_token=token)


def test_log_in_with_client_credentials(oidc_server, tmp_path):
    """The right secret only."""
    with app_of(
        oidc_server,
        tmp_path,
        client_id="local-client",
        client_secret="local-secret",  # noqa: S106
    ) as app:
        token = log_in(app, stdout=io.StringIO())
        with client_of(oidc_server, token) as client:
            assert client.get("/workspaces").status_code == 200
    other = tmp_path / "other"
    other.mkdir()
    with (
        app_of(
            oidc_server,
            other,
            client_id="local-client",
            client_secret="guess",  # noqa: S106
        ) as app,
        pytest.raises(AuthenticationError),
    ):
        log_in(app, stdout=io.StringIO())


def test_refresh(oidc_server, tmp_path):
    """A refresh token gives a new access token, once."""
    with app_of(oidc_server, tmp_path) as app:
        first, refresh = app.oidc_service.authenticate_device(out=io.StringIO())
        (tmp_path / "refresh_token").write_text(refresh)
        second = get_access_token(app)
        assert second != first
        assert (tmp_path / "refresh_token").read_text() != refresh
        with client_of(oidc_server, second) as client:
            assert client.get("/workspaces").status_code == 200
        with pytest.raises(AuthenticationError, match="refresh token"):
            app.oidc_service.authenticate_with_refresh_token(refresh)


def test_login_refusals(oidc_server):
    """Errors have the shape that OAuth prescribes."""
    with client_of(oidc_server) as client:
        for fields, status, error in (
            (
                {"grant_type": "password", "client_id": "aqt-fast-device"},
                403,
                "unsupported_grant_type",
            ),
            ({"grant_type": "refresh_token", "client_id": "x"}, 403, "unauthorized_client"),
            ({"grant_type": "client_credentials"}, 401, "access_denied"),
            ({}, 403, "unauthorized_client"),
        ):
            response = client.post(f"{oidc_server.url}/oauth/token", data=fields)
            assert (response.status_code, response.json()["error"]) == (status, error)
        response = client.post(f"{oidc_server.url}/oauth/device/code", data={"client_id": "x"})
        assert response.status_code == 403


# -- the command ----------------------------------------------------------------------------------

SERVE = [sys.executable, "-c", "from aqt_fast.server.command import serve_command; serve_command()"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve(number, tmp_path):
    """First line: the URL. It serves until a signal, writes the record and exits with 0."""
    path = tmp_path / "record.json"
    options = ["--port", "0", "--no-simulate", "--token", "tok-7", "--record", str(path)]
    with subprocess.Popen(  # noqa: S603
        [*SERVE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer tok-7"}
        address = f"{url}/api/v1/submit/default/simulator_ideal"
        response = httpx.post(address, headers=headers, json=job(flips(1)), trust_env=False)
        assert response.status_code == 200
        assert httpx.get(address, headers={"Authorization": "Bearer secret-9"}).status_code == 405
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out == ""
    assert f"export AQT_PORTAL_URL={url}\nexport AQT_TOKEN=tok-7\n" in err
    assert "secret-9" not in err
    (accepted,) = json.loads(path.read_bytes())["jobs"]
    assert accepted["job_id"] == response.json()["job"]["job_id"]


def test_serve_refuses(server):
    """A port in use, kinds that do not exist, a record that cannot be written."""
    for options, code, message in (
        (["--port", str(server.port)], 1, f"cannot listen on 127.0.0.1:{server.port}"),
        (["--fault-kinds", "fire"], 2, "unknown kinds of faults: fire"),
        (["--record", "/nowhere/record.json"], 1, "cannot write /nowhere/record.json"),
    ):
        run = subprocess.run(  # noqa: S603
            [*SERVE, "--no-simulate", *options], check=False, capture_output=True, text=True
        )
        assert run.returncode == code
        assert message in run.stderr
        assert "Traceback" not in run.stderr
        assert run.stdout == ""


def test_help_needs_no_server_packages():
    """It is quick, and works without the extra."""
    script = (
        "import sys; from aqt_fast.server.command import serve_command\n"
        "try: serve_command(['--help'])\n"
        "except SystemExit: print([name for name in ('uvicorn', 'qiskit') if name in sys.modules])"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert "--fault-rate" in run.stdout
    assert run.stdout.endswith("[]\n")
