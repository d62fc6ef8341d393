"""The direct-access interface."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import orjson
from server.cloud_client import flips, job
from waiting import wait_until


def test_direct_access(server, client):
    """The machine takes one circuit at a time; a request for the result waits for its end."""
    url = server.direct_url_of("pine")
    assert client.get(f"{url}/status/ions").json() == {"num_ions": 20}
    assert client.get(f"{url}/system/name").json() == "PINE"
    server.hold()
    job_id = client.put(f"{url}/circuit", json=flips(6)).json()
    assert str(uuid.UUID(job_id)) == job_id
    assert client.put(f"{url}/circuit", json=flips(7)).status_code == 409
    # The log of faults shows when the request arrives, and this fault does nothing else.
    server.faults.slow_seconds = 0
    server.faults.next("slow", path="/circuit/result/")
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(client.get, f"{url}/circuit/result/{job_id}")
        wait_until(lambda: server.faults.log)
        server.release()
        body = waiting.result().json()
    assert body["job_id"] == job_id
    if body["payload"] != {"status": "finished", "result": [[0, 1, 1, 0]] * 10}:
        # A simulated device has noise.
        assert body["payload"]["status"] == "finished"
        assert {tuple(map(len, body["payload"]["result"]))} == {(4,) * 10}
    assert client.get(f"{url}/circuit/result/{job_id}").json() == body
    assert client.get(f"/result/{job_id}").status_code == 404
    assert client.get(f"{server.direct_url}/circuit/result/{job_id}").status_code == 404
    assert [(entry.workspace_id, entry.runs) for entry in server.jobs] == [("direct-access", (1,))]


def test_direct_access_failures(server, client):
    """A failed measurement, invalid bodies, unknown circuits, no token."""
    url = server.direct_url
    assert url == server.direct_url_of("ibex")
    server.fail_jobs("lost an ion")
    job_id = client.put(f"{url}/circuit", json=flips(6)).json()
    body = client.get(f"{url}/circuit/result/{job_id}").json()
    assert body == {"job_id": job_id, "payload": {"status": "error"}}
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
