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


GATES = [FLIP, {"operation": "RZ", "qubit": 0, "phi": 0.123456789}] * 999


def test_full_job(faulty_client):
    """A job of several megabytes, with as many circuits and gates as one may have."""
    body = orjson.dumps(job(*[circuit(GATES, shots=2)] * 50))
    assert len(body) > 4e6
    assert _result(faulty_client, body) == dict.fromkeys(range(50), [[1, 0]] * 2)


def test_large_body(client):
    """The server takes several megabytes, whatever simulates; most are blanks, which is quick."""
    blanks = b" " * 4_000_000
    body = orjson.dumps(job(circuit(GATES, shots=2))).replace(b'"payload":', b'"payload":' + blanks)
    assert len(body) > 4e6
    assert _result(client, body) == {0: [[1, 0]] * 2}


def _result(client, body):
    response = client.post(SUBMIT, content=body)
    assert response.status_code == 200
    return final_state(client, response.json()["job"]["job_id"]).result
