"""Requests of the cloud interface, by httpx; AQT's own models read every response."""

import httpx
from aqt_connector.models.arnica.response_bodies.jobs import ResultResponse, SubmitJobResponse
from waiting import wait_until

HALF = {"operation": "RXX", "qubits": [0, 1], "theta": 0.5}
FLIP = {"operation": "R", "qubit": 0, "phi": 0.0, "theta": 1.0}
MEASURE = {"operation": "MEASURE"}

SUBMIT = "/submit/default/simulator_ideal"


def circuit(gates=(), *, shots=10, qubits=2):
    """A circuit of a request."""
    return {
        "repetitions": shots,
        "quantum_circuit": [*gates, MEASURE],
        "number_of_qubits": qubits,
    }


def flips(value, *, shots=10, qubits=4):
    """A circuit with one possible outcome: the bits of ``value``, qubit 0 first."""
    gates = [{**FLIP, "qubit": qubit} for qubit in range(qubits) if value >> qubit & 1]
    return circuit(gates, shots=shots, qubits=qubits)


def job(*circuits, label=None):
    """The body of a submission."""
    payload = {"circuits": list(circuits)}
    return {"job_type": "quantum_circuit", "label": label, "payload": payload}


def client_of(server, token=None):
    """A client with a token, by default the server's own."""
    headers = {"Authorization": f"Bearer {server.token if token is None else token}"}
    base = f"{server.url}/api/v1"
    return httpx.Client(base_url=base, headers=headers, timeout=60, trust_env=False)


def submit(client, body, place="default/simulator_ideal"):
    """Submit a job that is accepted; return its identifier."""
    response = client.post(f"/submit/{place}", json=body)
    assert response.status_code == 200, response.text
    return str(SubmitJobResponse.model_validate_json(response.content).job.job_id)


def state(client, job_id, **params):
    """Fetch the job's state."""
    response = client.get(f"/result/{job_id}", params=params)
    assert response.status_code == 200, response.text
    body = ResultResponse.model_validate_json(response.content)
    assert str(body.job.job_id) == job_id
    return body.response


def wait_for_status(client, job_id, status):
    """Wait until the job has a status."""
    wait_until(lambda: state(client, job_id).status == status)


def final_state(client, job_id, **params):
    """Wait for the job's end; return its last state."""
    states = []

    def has_ended():
        states.append(state(client, job_id, **params))
        return states[-1].is_finished()

    wait_until(has_ended)
    return states[-1]


def reachable(client):
    """Whether the server responds."""
    try:
        return client.get("/workspaces").status_code == 200
    except httpx.ConnectError:
        return False
