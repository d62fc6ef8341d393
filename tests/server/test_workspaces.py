"""Workspaces and resources."""

import json
from itertools import combinations

import pytest
from aqt_connector.models.arnica.jobs import JobStatus
from aqt_connector.models.arnica.response_bodies.resources import (
    CharacterisationResponse,
    ResourceDetails,
)
from aqt_connector.models.arnica.response_bodies.workspaces import Workspace as WorkspaceModel
from aqt_connector.models.resources import Characterisation
from aqt_fast.testing import ArnicaServer, Resource, Workspace
from clients import connect
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
    assert json.loads(client.get("/resources/rowan").content)["status"] == "maintenance"


class TestCharacterisation:
    """What devices publish, in the shapes that AQT's models have."""

    @staticmethod
    def published(**settings):
        """The response about a device, from a server of its own."""
        with ArnicaServer(simulate=False, **settings) as server, client_of(server) as client:
            return client.get("/resources/ibex").json()

    @pytest.mark.parametrize("settings", [{}, {"characterisation": "mean"}])
    def test_mean(self, settings):
        """The default is what AQT's newest model of a resource holds, and nothing else."""
        body = self.published(**settings)
        details = ResourceDetails.model_validate(body)
        assert details.characterisation.mean_two_qubit_gate_fidelity.value == 99.25
        assert body["characterisation"].keys() == Characterisation.model_fields.keys()
        assert body.keys() == ResourceDetails.model_fields.keys()

    def test_pairs(self):
        """Each pair once, the lower qubit first, as in AQT's model of a characterisation alone."""
        body = self.published(characterisation="pairs")
        figures = body["characterisation"]
        assert figures.keys() == CharacterisationResponse.model_fields.keys()
        found = CharacterisationResponse.model_validate(figures).two_qubit_gate_fidelity
        assert sorted(each.qubits for each in found) == list(combinations(range(12), 2))
        without = {name: figures[name] for name in Characterisation.model_fields}
        Characterisation.model_validate(without)

    def test_none(self):
        """It is optional."""
        body = self.published(characterisation="none")
        assert "characterisation" not in body
        assert ResourceDetails.model_validate(body).characterisation is None

    @pytest.mark.parametrize(("shape", "known"), [("mean", True), ("pairs", True), ("none", False)])
    def test_backends(self, shape, known):
        """Our own provider reads all of them."""
        with (
            ArnicaServer(simulate=False, characterisation=shape) as server,
            connect(server) as provider,
        ):
            properties = provider.get_backend("ibex").properties()
        assert (properties is not None) == known
        if known:
            assert properties.gate_error("rxx", [7, 2]) == pytest.approx(0.0075)


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


def test_changing_a_workspace(server, client):
    """It refuses jobs, or lets them wait, until it is told otherwise."""
    server.set_workspace("lab", accepting_job_submissions=False)
    assert client.post("/submit/lab/ibex", json=job(flips(1))).status_code == 403
    server.set_workspace("lab", accepting_job_submissions=True, jobs_being_processed=False)
    waiting = submit(client, job(flips(1)), "lab/simulator_noise")
    final_state(client, submit(client, job(flips(1)), "default/simulator_noise"))
    assert state(client, waiting).status == JobStatus.QUEUED
    (_, lab) = client.get("/workspaces").json()
    assert (lab["accepting_job_submissions"], lab["jobs_being_processed"]) == (True, False)
    server.set_workspace("lab", jobs_being_processed=True)
    assert final_state(client, waiting).status == JobStatus.FINISHED
    with pytest.raises(LookupError, match="nowhere"):
        server.set_workspace("nowhere")


def test_offline_resource(server, client):
    """Its jobs wait until it is online."""
    waiting = submit(client, job(flips(1)), "lab/rowan")
    final_state(client, submit(client, job(flips(1)), "lab/ibex"))
    assert state(client, waiting).status == JobStatus.QUEUED
    server.set_status("rowan", "online")
    assert client.get("/resources/rowan").json()["status"] == "online"
    assert final_state(client, waiting).status == JobStatus.FINISHED
