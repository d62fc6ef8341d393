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
            errors = [properties.gate_error("rxx", pair) for pair in combinations(range(12), 2)]
            assert sum(errors) / len(errors) == pytest.approx(0.0075, abs=1e-6)
            assert (min(errors) < 0.007) == (max(errors) > 0.008) == (shape == "pairs")

    def test_resources(self):
        """A resource may have another shape than the server, or figures of its own."""
        own = {"t1_s": 2}
        devices = [
            Resource("a", "A", "device", 3),
            Resource("b", "B", "device", 3, characterisation="pairs"),
            Resource("c", "C", "device", 3, characterisation="none"),
            Resource("d", "D", "device", 3, characterisation=own),
        ]
        workspaces = [Workspace("w", devices)]
        with (
            ArnicaServer(simulate=False, workspaces=workspaces) as server,
            client_of(server) as client,
        ):
            a, b, c, d = (client.get(f"/resources/{device.id}").json() for device in devices)
        assert "two_qubit_gate_fidelity" not in a["characterisation"]
        assert len(b["characterisation"]["two_qubit_gate_fidelity"]) == 3
        assert "characterisation" not in c
        assert d["characterisation"] == own

    @pytest.mark.parametrize("wanted", ["some", [1, 2], 5])
    def test_other_shapes(self, wanted):
        """They are refused when the resource is made."""
        with pytest.raises(ValueError, match="characterisation must be one of mean, pairs, none"):
            Resource("a", "A", "device", 3, characterisation=wanted)

    def test_drift(self):
        """Other figures on request, the same for the same seed; the time stamp tells when."""

        def days(seed):
            with (
                ArnicaServer(simulate=False, seed=seed, clock=lambda: 1e9) as server,
                client_of(server) as client,
            ):

                def day():
                    server.advance(3600)
                    bodies = [client.get(f"/resources/{name}").json() for name in ("ibex", "pine")]
                    return [
                        ResourceDetails.model_validate(body).characterisation for body in bodies
                    ]

                found = [day()]
                server.drift("ibex")
                found.append(day())
                server.drift(amount=3)
                return [*found, day()]

        first, second, third = days(1)
        assert [day[0].updated_at.timestamp() - 1e9 for day in (first, second, third)] == [
            0,
            3600,
            7200,
        ]
        assert first[1] == second[1] != third[1]
        assert first[0] != second[0]
        assert days(1) == [first, second, third]
        assert days(2)[0] != first

    def test_drift_of_what_is_no_device(self):
        """There is nothing to drift."""
        server = ArnicaServer(simulate=False)
        for name in ("simulator_ideal", "nowhere"):
            with pytest.raises(LookupError):
                server.drift(name)
        for amount in (-1, 11, float("nan")):
            with pytest.raises(ValueError, match="amount must be a number from 0 to 10"):
                server.drift(amount=amount)
        server.close()


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
