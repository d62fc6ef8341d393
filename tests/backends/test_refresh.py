"""What a backend knows of its device: asked for when it is needed, and replaced as a whole."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from aqt_fast import AQTJob
from aqt_fast.api_client import portal as portal_module
from aqt_fast.api_client.retry_timing import Patience
from aqt_fast.exceptions import APIConnectionError, APIError, AQTCredentialsError
from aqt_fast.testing import ArnicaServer, Resource, Workspace
from clients import device_of
from qiskit import QuantumCircuit, transpile


@pytest.fixture
def _impatient(monkeypatch):
    """One attempt for each request."""
    monkeypatch.setattr(portal_module, "_DISCOVERY", Patience(seconds=0, obeys_orders=False))


@pytest.fixture
def resource():
    """The server's own description of a device, which tests change."""
    return Resource("ibex", "IBEX", "device", 12, characterisation="pairs")


@pytest.fixture
def server(resource):
    """A server with this device and a simulator."""
    simulator = Resource("simulator_ideal", "A simulator", "simulator", 20)
    workspaces = [Workspace("default", [simulator]), Workspace("lab", [resource, simulator])]
    with ArnicaServer(simulate=False, workspaces=workspaces) as server:
        yield server


@pytest.fixture
def ibex(portal):
    """A device with the fidelity of each pair."""
    return device_of(portal, "ibex")


def errors_of(target):
    """The error of rxx on each ordered pair."""
    return {pair: properties.error for pair, properties in target["rxx"].items()}


def test_figures(ibex, server):
    """They came with the details: no further request, however often they are read."""
    server.stop()
    known = ibex.characterisation
    assert known is ibex.characterisation
    assert (known.resource_id, known.workspace_id, known.num_qubits) == ("ibex", "lab", 12)
    assert known.problems == ()
    assert len(known.r_fidelity) == 12
    assert len(known.rxx_fidelity) == 66
    assert known.updated_at <= known.fetched_at
    assert known.fetched_at == ibex.resource_id.fetched_at


def test_refresh(ibex, server):
    """Status, figures and target are new; who has the old target keeps it."""
    before, target, coupling = ibex.characterisation, ibex.target, ibex.coupling_map
    errors = errors_of(target)
    server.advance(60)
    server.drift("ibex")
    server.set_status("ibex", "maintenance")
    assert ibex.characterisation is before
    assert ibex.status().operational
    assert ibex.refresh() is None
    known = ibex.characterisation
    assert known.rxx_fidelity != before.rxx_fidelity
    assert known.updated_at > before.updated_at
    assert known.fetched_at > before.fetched_at
    assert ibex.status().status_msg == ibex.resource_id.status == "maintenance"
    assert ibex.target is not target
    assert ibex.target["rxx"][(3, 1)].error == 1 - known.rxx_fidelity[1, 3].value
    assert ibex.properties().gate_error("rxx", [1, 3]) == ibex.target["rxx"][(1, 3)].error
    assert ibex.properties().last_update_date == known.updated_at
    assert errors_of(target) == errors
    assert list(ibex.coupling_map) == list(coupling)


def test_other_size(ibex, resource):
    """A device may grow."""
    resource.available_qubits = 13
    ibex.refresh()
    assert ibex.num_qubits == ibex.target.num_qubits == ibex.coupling_map.size() == 13
    assert ibex.limits.qubits == 13
    assert ibex.characterisation.num_qubits == 13


def test_nothing_published_any_more(ibex, resource):
    """Then nothing is known."""
    resource.characterisation = "none"
    ibex.refresh()
    assert ibex.characterisation is None
    assert ibex.properties() is None
    assert ibex.target["rxx"] == {None: None}


def test_malformed(ibex, resource):
    """What is not understood is named; the rest is used."""
    resource.characterisation = {"t1_s": "long", "t2_coherence_time_s": 2}
    ibex.refresh()
    assert ibex.characterisation.problems == ("t1_s must be a finite number, not 'long'",)
    assert ibex.characterisation.t2.value == 2
    assert ibex.qubit_properties(0).t2 == 2


@pytest.mark.usefixtures("_impatient")
def test_failure(ibex, server, portal):
    """A typed error, and everything stays as it was."""
    known, target = ibex.characterisation, ibex.target

    def fails(kind):
        with pytest.raises(kind):
            ibex.refresh()
        return ibex.characterisation is known and ibex.target is target

    server.accept("other", workspaces=["default"])
    portal.access_token = "other"  # noqa: S105 - of the local server
    assert fails(APIError)
    portal.access_token = ""
    assert fails(AQTCredentialsError)
    portal.access_token = "unknown"  # noqa: S105 - it opens nothing
    assert fails(AQTCredentialsError)
    portal.access_token = server.token
    server.stop()
    assert fails(APIConnectionError)
    server.start()
    ibex.refresh()
    assert ibex.target is not target


@pytest.mark.usefixtures("environment", "_impatient")
def test_restored(ibex, server, circuit):
    """A backend of a restored job asks on first use, once; its target asks nobody."""
    job = ibex.run(circuit, shots=1)
    job.result()
    server.stop()
    backend = AQTJob.restore(job.job_id(), access_token=server.token).backend()
    assert backend.resource_id.fetched_at is None
    assert backend.target.qubit_properties is None
    assert backend.properties() is None
    with pytest.raises(APIConnectionError):
        backend.characterisation  # noqa: B018 - reading it is the test
    server.start()
    known = backend.characterisation
    assert known.rxx_fidelity == ibex.characterisation.rxx_fidelity
    assert backend.target.qubit_properties[0].t1 == known.t1.value
    server.stop()
    assert backend.characterisation is known


@pytest.mark.usefixtures("_impatient")
def test_simulator_asks_once(server, portal):
    """That it has no figures is known, too."""
    simulator = portal.get_backend("simulator_ideal", workspace="lab")
    server.stop()
    assert simulator.characterisation is None


@pytest.mark.usefixtures("environment")
def test_pickled(ibex, server, monkeypatch):
    """Copies and pickles have the figures, and can ask for new ones where there is a token."""
    known = ibex.characterisation
    copies = [
        copy.copy(ibex),
        copy.deepcopy(ibex),
        pickle.loads(pickle.dumps(ibex)),  # noqa: S301 - our own
    ]
    server.drift("ibex")
    for backend in copies:
        assert backend.characterisation == known
        assert errors_of(backend.target) == errors_of(ibex.target)
        backend.refresh()
        assert backend.characterisation != known
    assert ibex.characterisation is known
    monkeypatch.delenv("AQT_TOKEN")
    without = pickle.loads(pickle.dumps(ibex))  # noqa: S301 - our own
    assert without.characterisation == known
    with pytest.raises(AQTCredentialsError):
        without.refresh()


def test_elsewhere(backend, machine):
    """Offline and in the same network, nobody has figures."""
    for each in (backend, machine):
        target = each.target
        each.refresh()
        assert each.characterisation is None
        assert each.target is target


def test_under_way(ibex, server):
    """Transpilations in other threads get what they got before, whatever is refreshed meanwhile."""
    circuit = QuantumCircuit(6)
    for low in range(5):
        circuit.h(low)
        circuit.cx(low, low + 1)
    circuit.measure_all()
    target = ibex.target
    expected = transpile(circuit, ibex, seed_transpiler=1)
    errors = errors_of(target)
    ended = threading.Event()

    def work(_):
        seen = []
        while not ended.is_set() or not seen:
            seen.append(transpile(circuit, ibex, seed_transpiler=1) == expected)
            held = errors_of(ibex.target)
            seen.append(held[0, 1] == held[1, 0])
        return all(seen)

    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(work, index) for index in range(2)]
        try:
            for _ in range(10):
                server.drift("ibex")
                ibex.refresh()
        finally:
            ended.set()
        assert all(future.result() for future in running)
    assert errors_of(target) == errors
    assert target is not ibex.target


def test_workspace_stays(portal):
    """The same resource is in two workspaces: a refresh stays in the backend's own."""
    for workspace in ("default", "lab"):
        backend = portal.get_backend("simulator_ideal", workspace=workspace)
        backend.refresh()
        assert backend.resource_id.workspace_id == workspace
