"""Workspaces and resources."""

import json

from aqt_connector.models.arnica.jobs import JobStatus
from aqt_connector.models.arnica.response_bodies.resources import (
    CharacterisationResponse,
    ResourceDetails,
)
from aqt_connector.models.arnica.response_bodies.workspaces import Workspace as WorkspaceModel
from aqt_fast.testing import ArnicaServer, Resource, Workspace
from pydantic import TypeAdapter
from server.cloud_client import client_of, final_state, flips, job, state, submit


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


def test_own_workspaces():
    """A resource has limits; a workspace can refuse jobs."""
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


def test_offline_resource(server, client):
    """Its jobs wait until it is online."""
    waiting = submit(client, job(flips(1)), "lab/rowan")
    final_state(client, submit(client, job(flips(1)), "lab/ibex"))
    assert state(client, waiting).status == JobStatus.QUEUED
    server.set_status("rowan", "online")
    assert client.get("/resources/rowan").json()["status"] == "online"
    assert final_state(client, waiting).status == JobStatus.FINISHED
