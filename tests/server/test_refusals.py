"""Requests that the cloud interface refuses."""

import json
import uuid

import orjson
import pytest
from server.cloud_client import FLIP, HALF, MEASURE, SUBMIT, circuit, flips, job


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
    """Each response has a status and a detail."""
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
    """The workspace must have the resource."""
    assert client.post(f"/submit/{place}", json=job(flips(1))).status_code == status
    assert client.delete(f"/jobs/{uuid.uuid4()}").status_code == 404
    assert client.delete("/jobs/12").status_code == 422
    assert server.jobs == []


INVALID_JOBS = {
    "no circuits": job(),
    "51 circuits": job(*[flips(1)] * 51),
    "0 shots": job(flips(1, shots=0)),
    "2001 shots": job(flips(1, shots=2001)),
    "theta above 1": job(circuit([{**FLIP, "theta": 1.1}])),
    "phi below 0": job(circuit([{**FLIP, "phi": -0.1}])),
    "unknown key": job(circuit([{**FLIP, "more": 1}])),
    "same qubit twice": job(circuit([{**HALF, "qubits": [1, 1]}])),
    "theta above 0.5": job(circuit([{**HALF, "theta": 0.6}])),
    "qubit out of range": job(circuit([{**FLIP, "qubit": 2}])),
    "two measurements": job(circuit([MEASURE])),
    "2001 operations": job(circuit([FLIP] * 2000)),
    "32 qubits": job(flips(1, qubits=32)),
    "21 qubits": job(flips(1, qubits=21)),
    "label of a number": {**job(flips(1)), "label": 7},
    "unknown job type": {**job(flips(1)), "job_type": "other"},
}
NAN = job(circuit([{"operation": "RZ", "qubit": 0, "phi": float("nan")}]))
INVALID_BODIES = {
    "empty": b"",
    "half an object": b"{",
    "array": b"[]",
    "not UTF-8": b"\xff",
    "NaN": json.dumps(NAN).encode(),
    **{name: orjson.dumps(body) for name, body in INVALID_JOBS.items()},
}


@pytest.mark.parametrize("body", INVALID_BODIES.values(), ids=INVALID_BODIES.keys())
def test_refused_bodies(server, client, body):
    """The response is a 422 with a list of problems; nothing is accepted."""
    response = client.post(SUBMIT, content=body)
    assert response.status_code == 422, response.text
    detail = response.json()["detail"]
    assert detail
    for problem in detail:
        assert set(problem) == {"loc", "msg", "type"}
        assert problem["loc"][0] == "body"
    assert server.jobs == []
