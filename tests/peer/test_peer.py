"""Another client, ``qiskit-aqt-provider`` 1.15 on Qiskit 1.x, works against the local server."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import qiskit
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_fast import AQTProvider, wire
from aqt_fast.api_client import PortalClient
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Statevector
from waiting import wait_until

ROOT = Path(__file__).parents[2]
SHOTS = 500
ANGLE = 1.1


def x_on_first() -> QuantumCircuit:
    """One qubit of three is flipped."""
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.measure_all()
    return circuit


def ghz() -> QuantumCircuit:
    """The outcomes are all ones or all zeros."""
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def rotated() -> QuantumCircuit:
    """A known probability on each qubit, with the classical bits swapped."""
    circuit = QuantumCircuit(2, 2)
    circuit.rx(ANGLE, 0)
    circuit.rx(2 * ANGLE, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


def interference() -> QuantumCircuit:
    """Each outcome's probability depends on the signs and order of gates."""
    circuit = QuantumCircuit(3)
    circuit.rx(0.7, 0)
    circuit.cx(0, 2)
    circuit.ry(1.9, 1)
    circuit.rzz(0.8, 1, 2)
    circuit.rz(0.4, 2)
    circuit.ry(-0.6, 2)
    circuit.cx(2, 1)
    circuit.measure_all()
    return circuit


CIRCUITS = [x_on_first(), ghz(), rotated(), interference()]


def probabilities(circuit: QuantumCircuit) -> dict[str, float]:
    """What an ideal machine gives, by the words that Qiskit's counts have."""
    exact = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities_dict()
    places = {
        circuit.find_bit(item.clbits[0]).index: circuit.find_bit(item.qubits[0]).index
        for item in circuit.data
        if item.operation.name == "measure"
    }
    outcomes: dict[str, float] = {}
    for word, probability in exact.items():
        bits = word[::-1]
        key = "".join(bits[places[place]] for place in sorted(places, reverse=True))
        outcomes[key] = outcomes.get(key, 0.0) + probability
    return outcomes


def assert_sampled(counts: dict[str, int], circuit: QuantumCircuit, shots: int = SHOTS) -> None:
    """Check that each count is within five standard deviations of its expectation."""
    exact = probabilities(circuit)
    assert sum(counts.values()) == shots
    for word in counts.keys() | exact.keys():
        probability = exact.get(word, 0.0)
        bound = 5 * math.sqrt(shots * probability * (1 - probability)) + 1e-6
        assert abs(counts.get(word, 0) - shots * probability) <= bound, (word, counts, exact)


def test_probabilities_follow_the_classical_bits():
    """Check the reference: qubit 1, with the larger angle, is the last letter."""
    exact = probabilities(rotated())
    first, second = math.sin(ANGLE / 2) ** 2, math.sin(ANGLE) ** 2
    assert exact["01"] == pytest.approx((1 - first) * second)
    assert exact["10"] == pytest.approx(first * (1 - second))
    with pytest.raises(AssertionError):
        assert_sampled({"100": SHOTS}, x_on_first())


@dataclass
class Peer:
    """The other client's process."""

    process: subprocess.Popen[str]

    def ask(self, name: str, **arguments: Any) -> Any:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the peer has ended with {self.process.wait()}"
        return json.loads(answer)

    def submit(self, backend: str, workspace: str, **options: Any) -> str:
        """Submit the circuits of this file."""
        texts = [qasm2.dumps(circuit) for circuit in CIRCUITS]
        return self.ask("submit", backend=backend, workspace=workspace, circuits=texts, **options)


def interpreter() -> Path:
    """The Python that has the peer installed; without it these tests mean nothing, so they fail."""
    path = Path(os.environ.get("AQT_PEER_PYTHON") or ROOT / ".venv-peer" / "bin" / "python")
    if not path.exists():
        pytest.fail(
            f"no {path}: run 'make .venv-peer/.ready', or set AQT_PEER_PYTHON to a Python with "
            f"qiskit-aqt-provider 1.15",
            pytrace=False,
        )
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[ArnicaServer]:
    """One server for all tests; each looks at its own jobs."""
    with ArnicaServer(seed=7) as server:
        yield server


@pytest.fixture(scope="module")
def peer(server: ArnicaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The peer, which knows of the server by the environment alone."""
    home = tmp_path_factory.mktemp("home")
    folders = {f"XDG_{kind}_HOME": str(home) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        **folders,
        "AQT_PORTAL_URL": server.url,
        "AQT_TOKEN": server.token,
        "AQT_DIRECT_URL": server.direct_url,
    }
    command = [str(interpreter()), str(Path(__file__).with_name("client.py"))]
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=home,
    ) as process:
        yield Peer(process)


@pytest.fixture
def ours(server: ArnicaServer) -> Iterator[AQTProvider]:
    """Our provider on the same server."""
    with connect(server) as provider:
        yield provider


def test_versions(peer: Peer):
    """The peer uses other versions of Qiskit, the client and AQT's models."""
    versions = peer.ask("versions")
    assert versions["qiskit"].startswith("1.")
    assert versions["qiskit-aqt-provider"].startswith("1.15.")


def test_discovery(peer: Peer, ours: AQTProvider):
    """The peer lists what we list: the server's resources, offline simulators and the machine."""
    listed = peer.ask("backends")
    cloud = [
        ["default", "simulator_ideal", "Simulator without noise", "simulator", 20],
        ["default", "simulator_noise", "Simulator with noise", "simulator", 20],
        ["lab", "ibex", "IBEX", "device", 12],
        ["lab", "pine", "PINE", "device", 20],
        ["lab", "rowan", "ROWAN", "device", 12],
        ["lab", "simulator_noise", "Simulator with noise", "simulator", 20],
    ]
    assert [entry for entry in listed if entry[3] in ("device", "simulator")] == cloud
    assert ["default", "IBEX", "Local resource", "direct_access", 12] in listed
    mine = {
        (item.workspace_id, item.resource_id) for item in (b.resource_id for b in ours.backends())
    }
    assert mine == {(entry[0], entry[1]) for entry in listed if entry[3] != "direct_access"}


def test_counts(peer: Peer, server: ArnicaServer):
    """Right counts and shots, and a record with exactly this job."""
    before = len(server.jobs)
    job_id = peer.submit("simulator_ideal", "default", shots=SHOTS, memory=True)
    result = peer.ask("result", job_id=job_id)
    assert (result["success"], result["status"], result["error"]) == (True, "DONE", None)
    assert result["progress"] == [4, 4]
    for circuit, counts, memory in zip(CIRCUITS, result["counts"], result["memory"], strict=True):
        assert_sampled(counts, circuit)
        assert {word: memory.count(word) for word in memory} == counts
    (accepted,) = server.jobs[before:]
    assert (accepted.job_id, accepted.label) == (job_id, "qiskit")
    assert (accepted.workspace_id, accepted.resource_id) == ("default", "simulator_ideal")
    assert accepted.repetitions == (SHOTS,) * 4
    assert accepted.runs == (1,) * 4
    assert accepted.status == "finished"


def test_ours_agrees(peer: Peer, server: ArnicaServer, ours: AQTProvider):
    """The same circuits through our client have the same distributions."""
    before = len(server.jobs)
    theirs = peer.ask("result", job_id=peer.submit("simulator_ideal", "default", shots=SHOTS))
    device = device_of(ours)
    job = device.run(qiskit.transpile(CIRCUITS, device), shots=SHOTS, label="ours")
    result = job.result()
    assert [accepted.label for accepted in server.jobs[before:]] == ["qiskit", "ours"]
    for place, circuit in enumerate(CIRCUITS):
        mine, other = result.get_counts(place), theirs["counts"][place]
        assert_sampled(mine, circuit)
        for word in mine.keys() | other.keys():
            a, b = mine.get(word, 0), other.get(word, 0)
            # The difference of two samples of equal size has the sum of both variances.
            assert abs(a - b) <= 5 * math.sqrt(a + b), (word, mine, other)


def test_queue_and_cancel(peer: Peer, server: ArnicaServer):
    """The peer sees its job wait, run, and end when its user cancels it elsewhere."""
    server.hold()
    try:
        running = peer.submit("pine", "lab", shots=10)
        waiting = peer.submit("pine", "lab", shots=10)
        queued = {"status": "QUEUED", "progress": [0, 4]}
        assert peer.ask("status", job_id=waiting) == queued
        server.release(2)
        wait_until(lambda: peer.ask("status", job_id=running)["progress"][0] == 2)
        assert peer.ask("status", job_id=running) == {"status": "RUNNING", "progress": [2, 4]}
        assert _cancel(server, waiting)
        cancelled = peer.ask("result", job_id=waiting)
        assert (cancelled["success"], cancelled["status"]) == (False, "CANCELLED")
        assert cancelled["counts"] == []
    finally:
        server.release()
    assert peer.ask("result", job_id=running)["success"]
    by_id = {job.job_id: job for job in server.jobs}
    assert by_id[running].runs == (1,) * 4
    assert (by_id[waiting].runs, by_id[waiting].status) == ((0,) * 4, "cancelled")


def test_error(peer: Peer, server: ArnicaServer):
    """A job that fails on the machine tells the peer why."""
    server.fail_jobs("the laser is off")
    result = peer.ask("result", job_id=peer.submit("simulator_ideal", "default", shots=10))
    assert (result["success"], result["status"]) == (False, "ERROR")
    assert result["error"] == "the laser is off"


def test_direct_access(peer: Peer, server: ArnicaServer):
    """The peer's other interface: one circuit after the other, with the noise of a device."""
    before = len(server.jobs)
    circuit = x_on_first()
    result = peer.ask("direct", circuits=[qasm2.dumps(circuit)] * 2, shots=200, memory=True)
    assert (result["success"], result["name"], result["qubits"]) == (True, "IBEX", 12)
    for counts in result["counts"]:
        assert sum(counts.values()) == 200
        assert counts["001"] > 190
    assert [job.runs for job in server.jobs[before:]] == [(1,), (1,)]


def test_official_models_take_our_requests(server: ArnicaServer, ours: AQTProvider):
    """AQT's own model reads the request, operation by operation."""
    device = device_of(ours)
    circuits = qiskit.transpile(CIRCUITS, device)
    job = device.run(circuits, shots=17, label="a label, ünd more")
    assert job.result().success
    (accepted,) = [item for item in server.jobs if item.job_id == job.job_id()]
    body = wire.encode_job(circuits, 17, label=job.label)
    assert accepted.sha256 == hashlib.sha256(body).hexdigest()
    request = SubmitJobRequest.model_validate_json(body)
    assert request.label == "a label, ünd more"
    assert [circuit.repetitions for circuit in request.payload.circuits] == [17] * 4
    for circuit, sent in zip(circuits, request.payload.circuits, strict=True):
        assert sent.number_of_qubits == circuit.num_qubits
        gates = [item for item in circuit.data if item.operation.name in ("rz", "r", "rxx")]
        names = [item.operation.name.upper() for item in gates]
        assert [gate.operation for gate in sent.quantum_circuit.gates()] == names


def _cancel(server: ArnicaServer, job_id: str) -> bool:
    """Cancel a job that another client has submitted."""
    with closing(PortalClient(server.token, portal_url=server.url)) as client:
        return client.cancel(job_id)
