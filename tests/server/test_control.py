"""What other processes, and the server's page, see and do by ``/control``."""

import httpx
import orjson
import pytest
from aqt_fast.testing import ArnicaServer, Limits, ServerControl
from server.cloud_client import (
    SUBMIT,
    circuit,
    client_of,
    final_state,
    flips,
    job,
    state,
    submit,
    wait_for_status,
)
from waiting import wait_until


@pytest.fixture
def server():
    """A server that makes outcomes up."""
    with ArnicaServer(simulate=False, seed=3) as server:
        yield server


@pytest.fixture
def control(server):
    """Requests of ``/control`` with the server's token."""
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=f"{server.url}/control", headers=headers, trust_env=False) as client:
        yield client


def get(control, path, **query):
    """What a request returns."""
    response = control.get(path, params=query)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def call(control, name, **arguments):
    """The status of a call."""
    return control.post(f"/{name}", json=arguments).status_code


def test_own_token_only(server, control):
    """Neither a token of the login, nor one for some workspaces, nor none opens it."""
    server.accept("other")
    server.revoke(server.token)
    for header in (
        "",
        "Bearer",
        "Bearer other",
        f"Basic {server.token}",
        f"Bearer {server.token}x",
    ):
        for method, path in (("GET", "/state"), ("GET", "/jobs"), ("POST", "/hold")):
            response = control.request(method, path, headers={"Authorization": header})
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert get(control, "/state")["permits"] is None


def test_state(server, client, control):
    """It follows machines, workspaces, holds, failures, faults and jobs."""
    server.hold()
    for label in ("a", "b"):
        submit(client, job(flips(1), flips(2), label=label))
    wait_until(lambda: get(control, "/state")["jobs"]["ongoing"] == 1)
    server.fail_jobs("no", 3)
    server.faults.next("500", 2, path="/result")
    server.faults.set(rate=0, kinds=["429"])
    shown = get(control, "/state")
    assert shown["jobs"] == {"queued": 1, "ongoing": 1, "finished": 0, "error": 0, "cancelled": 0}
    assert (shown["permits"], shown["failing"], shown["accepted"]) == (0, 3, 2)
    ideal = next(entry for entry in shown["resources"] if entry["id"] == "simulator_ideal")
    assert (ideal["queued"], ideal["running"]) == (1, server.jobs[0].job_id)
    scripted = {"kind": "500", "count": 2, "method": None, "path": "/result"}
    assert (shown["faults"]["scripted"], shown["faults"]["kinds"]) == ([scripted], ["429"])


def test_jobs(client, control):
    """The newest come first, page by page, chosen by status, machine, label and identifier."""
    ids = [submit(client, job(flips(1), label=f"Scan {number}")) for number in range(12)]
    ids.append(submit(client, job(flips(1)), "default/simulator_noise"))
    for job_id in ids:
        wait_for_status(client, job_id, "finished")
    newest = ids[::-1]

    def listed(**query):
        found = get(control, "/jobs", **query)
        return [entry["job_id"] for entry in found["jobs"]], found["total"]

    assert listed() == (newest, 13)
    assert listed(offset=2, limit=3) == (newest[2:5], 13)
    assert listed(limit=0, status="finished") == ([], 13)
    assert listed(status="error") == ([], 0)
    assert listed(resource="simulator_noise") == (ids[-1:], 1)
    assert listed(text="scan 1") == ([ids[11], ids[10], ids[1]], 3)
    assert listed(text=ids[4].upper()) == ([ids[4]], 1)
    for query in ({"limit": 201}, {"limit": -1}, {"offset": "²"}, {"offset": "1e3"}):
        assert control.get("/jobs", params=query).status_code == 422


def test_job(server, client, control):
    """It has the changes of status; a long label is cut."""
    job_id = submit(client, job(flips(1, shots=7), flips(2, shots=3), label="é" * 5000))
    assert final_state(client, job_id).status == "finished"
    shown = get(control, f"/jobs/{job_id}")
    assert (shown["shots"], shown["qubits"], shown["circuits"]) == (10, 4, 2)
    assert (len(shown["label"]), shown["label"][-1]) == (500, "…")
    assert [status for status, _ in shown["changes"]] == ["queued", "ongoing", "finished"]
    assert (shown["sha256"], shown["runs"]) == (server.jobs[0].sha256, [1, 1])
    assert control.get("/jobs/x").status_code == 422
    assert control.get(f"/jobs/{'0' * 8}{job_id[8:]}").status_code == 404


def test_circuits(server, client, control):
    """A circuit is shown as it came, and counted as Qiskit counts; that is no fetch."""
    body = job(*(flips(value, shots=5) for value in range(12)))
    job_id = submit(client, body)
    wait_until(lambda: server.jobs[0].status == "finished")
    for index, sent in enumerate(body["payload"]["circuits"]):
        shown = get(control, f"/jobs/{job_id}/circuits/{index}")
        assert shown["circuit"]["operations"] == sent["quantum_circuit"]
        outcome = [[f"{index:04b}", 5]]
        assert shown["counts"] == {"outcomes": outcome, "num_outcomes": 1, "shots": 5}
    assert server.jobs[0].fetches == 0
    for index in ("12", "-1", "x", "01", "²", 5000 * "1"):
        assert control.get(f"/jobs/{job_id}/circuits/{index}").status_code == 404


def test_large_circuits(client, control):
    """What is shown of a circuit is limited, and says how much there is."""
    long = circuit([{"operation": "RZ", "qubit": 0, "phi": 0.5}] * 1500)
    half = {"operation": "R", "theta": 0.5, "phi": 0.0}
    wide = circuit([{**half, "qubit": qubit} for qubit in range(12)], shots=2000, qubits=12)
    job_id = submit(client, job(long, wide))
    wait_for_status(client, job_id, "finished")
    shown = get(control, f"/jobs/{job_id}/circuits/0")["circuit"]
    assert (len(shown["operations"]), shown["num_operations"]) == (500, 1501)
    counts = get(control, f"/jobs/{job_id}/circuits/1")["counts"]
    assert (len(counts["outcomes"]), counts["shots"]) == (64, 2000)
    assert counts["num_outcomes"] > 1000


def test_direct_access(server, control):
    """A circuit that came alone is shown, too."""
    headers = {"Authorization": f"Bearer {server.token}"}
    sent = flips(5, shots=9)
    response = httpx.put(f"{server.direct_url}/circuit", headers=headers, json=sent)
    job_id = response.json()
    wait_until(lambda: server.jobs[0].status == "finished")
    shown = get(control, f"/jobs/{job_id}/circuits/0")
    assert shown["circuit"]["operations"] == sent["quantum_circuit"]
    assert shown["counts"]["shots"] == 9


@pytest.mark.parametrize("simulate", [True, False])
def test_bodies_are_limited_in_all(simulate):
    """The circuits of the oldest jobs are forgotten, also of those that wait."""
    limits = Limits(kept_body_bytes=2500)
    with ArnicaServer(simulate=simulate, limits=limits) as server, client_of(server) as client:
        server.hold()
        body = orjson.dumps(job(flips(1)))
        most = 2500 // len(body)
        ids = [client.post(SUBMIT, content=body).json()["job"]["job_id"] for _ in range(most + 3)]
        client.base_url, sizes = f"{server.url}/control", []
        for job_id in ids:
            shown = client.get(f"/jobs/{job_id}").json()
            circuit = client.get(f"/jobs/{job_id}/circuits/0").json()["circuit"]
            assert shown["has_circuits"] == (circuit is not None)
            sizes.append(shown["has_circuits"])
        assert sizes == [False] * 3 + [True] * most
        server.release()
        wait_until(lambda: {entry.status for entry in server.jobs} == {"finished"})


def test_calls(server, client, control):
    """Each method of the server that steers it, and what it refuses."""
    assert call(control, "hold") == 204
    first, second = (submit(client, job(flips(1), flips(2))) for _ in range(2))
    assert call(control, "release", circuits=1) == 204
    wait_until(lambda: state(client, first).finished_count == 1)
    assert call(control, "cancel", job_id=second) == 204
    assert state(client, second).status == "cancelled"
    assert call(control, "fail_jobs", message="ion lost", count=1) == 204
    assert call(control, "release") == 204
    wait_for_status(client, first, "finished")
    assert final_state(client, submit(client, job(flips(1)))).message == "ion lost"
    assert call(control, "set_status", resource_id="ibex", status="offline") == 204
    assert client.get("/resources/ibex").json()["status"] == "offline"
    workspace = {"workspace_id": "default", "accepting_job_submissions": False}
    assert call(control, "set_workspace", **workspace) == 204
    assert client.post(SUBMIT, json=job(flips(1))).status_code == 403
    before = client.get("/resources/pine").json()["characterisation"]
    assert call(control, "drift", resource_id="pine") == 204
    assert client.get("/resources/pine").json()["characterisation"] != before
    now = get(control, "/state")["now"]
    assert call(control, "advance", seconds=1e6) == 204
    assert get(control, "/state")["now"] > now + 1e6 - 1
    assert call(control, "faults/next", kind="500") == 204
    assert client.get("/workspaces").status_code == 500
    assert call(control, "faults/set", rate=1, kinds=["429"], seed=2) == 204
    assert client.get("/workspaces").status_code == 429
    assert call(control, "faults/clear") == 204
    assert client.get("/workspaces").status_code == 200
    assert [fault.kind for fault in server.faults.log] == ["500", "429"]


@pytest.mark.parametrize(
    ("name", "arguments", "status", "named"),
    [
        ("hold", {"x": 1}, 422, "unexpected keyword argument"),
        ("set_status", {}, 422, "missing a required argument: 'resource_id'"),
        ("set_status", {"resource_id": "ibex", "status": "lost"}, 422, "status"),
        ("set_status", {"resource_id": "x", "status": "online"}, 404, "there is no resource 'x'"),
        ("set_workspace", {"workspace_id": "x"}, 404, "there is no workspace 'x'"),
        ("release", {"circuits": -1}, 422, "circuits"),
        ("release", {"circuits": 1.5}, 422, "circuits"),
        ("cancel", {"job_id": "x"}, 404, "no job under way is 'x'"),
        ("drift", {"resource_id": "simulator_ideal"}, 404, "there is no device"),
        ("fail_jobs", {"message": 1}, 422, "message"),
        ("advance", {"seconds": "1"}, 422, "seconds"),
        ("refuse", {"seconds": -1}, 422, "seconds"),
        ("faults/set", {"rate": 2}, 422, "rate"),
        ("faults/next", {"kind": "fire"}, 422, "kind"),
        ("fail_jobs", {"message": "no", "count": 1_000_001}, 422, "count"),
    ],
)
def test_refused_calls(control, name, arguments, status, named):
    """They name the culprit, and change nothing."""
    before = get(control, "/state")
    response = control.post(f"/{name}", json=arguments)
    assert response.status_code == status
    assert named in response.text
    assert {**get(control, "/state"), "now": before["now"]} == before


def test_malformed_calls(control):
    """A body that is no JSON object, is too long, or goes to what is no call."""
    for body, status in ((b"[1]", 422), (b"{", 422), (b"\xff", 422), (b"", 204)):
        assert control.post("/hold", content=body).status_code == status
    assert control.post("/hold", content=b" " * 70_000).status_code == 413
    for path in ("/start", "/close", "/accept", "/__init__", "/faults/decide", "/token"):
        assert control.post(path, json={}).status_code == 404
    assert control.get("/hold").status_code == 405


def test_reset(server, client, control):
    """Everything is as at first; jobs under way are cancelled and forgotten."""
    first = get(control, "/state")
    figures = client.get("/resources/ibex").json()["characterisation"]
    fetched = submit(client, job(flips(1)))
    assert final_state(client, fetched).result
    server.hold()
    running, waiting = (submit(client, job(flips(1), flips(2))) for _ in range(2))
    wait_for_status(client, running, "ongoing")
    server.set_status("ibex", "offline")
    server.set_workspace("lab", accepting_job_submissions=False, jobs_being_processed=False)
    server.drift()
    server.fail_jobs("no", 5)
    server.faults.set(rate=1)
    assert call(control, "reset") == 204
    wait_until(lambda: all(it["running"] is None for it in get(control, "/state")["resources"]))
    wait_until(lambda: all(it["running"] is None for it in get(control, "/state")["resources"]))
    shown = get(control, "/state")
    accepted = {"accepted": 3, "now": first["now"]}
    latest = {"faults": first["faults"]}
    assert {**shown, **accepted, **latest} == {**first, **accepted}
    assert (shown["faults"]["rate"], server.jobs) == (0, [])
    assert client.get("/resources/ibex").json()["characterisation"] == figures
    for job_id in (fetched, running, waiting):
        assert client.get(f"/result/{job_id}").status_code == 410
    server.advance(86_400)
    again = submit(client, job(flips(1)))
    assert final_state(client, again).result
    assert [entry.job_id for entry in server.jobs] == [again]


def test_reset_of_a_busy_machine():
    """A machine is shown as busy until its circuit has ended, though its job is forgotten."""
    with ArnicaServer(simulate=False, speed=1e-3) as slow, client_of(slow) as client:
        running = submit(client, job(flips(1)))
        wait_for_status(client, running, "ongoing")
        slow.reset()
        waiting = submit(client, job(flips(1)))
        with ServerControl(slow.url, slow.token) as control:
            shown = control.state()
        ideal = next(entry for entry in shown["resources"] if entry["id"] == "simulator_ideal")
        assert (ideal["running"], ideal["queued"], ideal["circuits"]) == (running, 1, 1)
        assert [entry.job_id for entry in slow.jobs] == [waiting]
