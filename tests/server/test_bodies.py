"""Compressed response bodies, large request bodies."""

import gzip

import orjson
from aqt_fast.testing import ArnicaServer
from server.cloud_client import FLIP, SUBMIT, circuit, client_of, final_state, flips, job, submit


def test_compressed_responses():
    """The server compresses only for a client that accepts it."""
    body = job(flips(5, shots=500))
    with ArnicaServer(simulate=False, compress=True) as server, client_of(server) as client:
        job_id = submit(client, body)
        final_state(client, job_id)
        with client.stream("GET", f"/result/{job_id}") as response:
            assert response.headers["content-encoding"] == "gzip"
            raw = b"".join(response.iter_raw())
        plain = client.get(f"/result/{job_id}", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content) / 10


def test_large_body(client):
    """The server takes a full job of several megabytes."""
    gates = [FLIP, {"operation": "RZ", "qubit": 0, "phi": 0.123456789}] * 999
    body = orjson.dumps(job(*[circuit(gates, shots=2)] * 50))
    assert len(body) > 4e6
    response = client.post(SUBMIT, content=body)
    assert response.status_code == 200
    result = final_state(client, response.json()["job"]["job_id"]).result
    assert result == dict.fromkeys(range(50), [[1, 0]] * 2)
