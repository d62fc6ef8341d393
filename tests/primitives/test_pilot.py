"""Adaptive shots: as few as the measured variances allow, and in all as exact as asked for."""

import numpy as np
import pytest
from aqt_fast.exceptions import InvalidOptionError, JobFailedError
from aqt_fast.primitives import AQTEstimator, AQTPrimitiveJob
from aqt_fast.testing import ArnicaServer
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp

CHAIN = SparsePauliOp.from_sparse_list(
    [(2 * letter, [site, site + 1], 1.0) for site in range(3) for letter in "XYZ"], 4
)


@pytest.fixture
def server():
    """One that simulates."""
    with ArnicaServer(simulate=True) as server:
        yield server


def prepared() -> QuantumCircuit:
    """A state of four qubits near |0101⟩, with a parameter."""
    circuit = QuantumCircuit(4)
    circuit.x([0, 2])
    circuit.ry(Parameter("a"), range(4))
    return circuit


def run(backend, pubs, **options):
    """Run with a precision of 0.05."""
    return AQTEstimator(backend, {"seed_simulator": 8, **options}).run(pubs, precision=0.05)


@pytest.mark.parametrize(("grouping", "saved"), [("qubit_wise", 3), ("general", 1.5)])
def test_fewer_shots(backend, grouping, saved):
    """Far fewer than the bound asks for, with the precision, for each parameter set."""
    pub = (prepared(), [[CHAIN], [2 * CHAIN + SparsePauliOp("IIII")]], [[0.1], [0.15]])
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    (fixed,) = run(backend, [pub], grouping=grouping).result()
    (found,) = run(backend, [pub], grouping=grouping, adaptive=True).result()
    assert found.metadata["shots"] < fixed.metadata["shots"] / saved
    assert np.all(found.data.stds < 0.05 * 1.1)
    assert np.all(np.abs(found.data.evs - exact) < 5 * found.data.stds)
    assert found.data.stds.max() > 0.03


def test_random_numbers_of_the_second_job(backend):
    """Are not those of the pilot: errors would be too small."""
    circuit = QuantumCircuit(1)
    circuit.ry(1.3, 0)
    found = run(backend, [(circuit, "Z")] * 300, adaptive=True).result()
    values = np.array([float(item.data.evs) for item in found])
    stated = np.array([float(item.data.stds) for item in found])
    assert 0.87 < values.std(ddof=1) / np.sqrt(np.mean(stated**2)) < 1.13


def test_one_term_never_needs_more(backend):
    """Than without a pilot."""
    circuit = QuantumCircuit(1)
    circuit.ry(np.pi / 2, 0)
    (found,) = run(backend, [(circuit, "Z")], adaptive=True).result()
    assert found.metadata["shots"] <= 400
    assert found.metadata["circuits"] == 2


def test_nothing_is_missing(backend):
    """In a basis state the pilot is enough."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    job = run(backend, [(circuit, "Z"), (circuit, "I")], adaptive=True)
    first, second = job.result()
    assert first.data.evs == -1
    assert 0 < first.metadata["shots"] < 400
    assert first.metadata["circuits"] == 1
    assert first.metadata["pilot"] is True
    assert second.metadata["shots"] == 0
    assert len(job.jobs) == 1


def test_constants_need_no_pilot(backend):
    """Nothing runs."""
    (item,) = run(backend, [(prepared(), "IIII", [0.1])], adaptive=True).result()
    assert item.data.evs == 1
    assert item.metadata["circuits"] == 0


@pytest.mark.usefixtures("environment")
def test_restoring(server, device):
    """The second job knows what the pilot has measured."""
    circuit = QuantumCircuit(2)
    circuit.x(0)
    pubs = [(circuit, SparsePauliOp(["ZZ", "XI", "YY"], [1, 2, 3]), np.zeros((3, 0)))]
    job = AQTEstimator(device, {"adaptive": True}).run(pubs, precision=0.2)
    job.result()
    restored = AQTPrimitiveJob.restore(job.job_id(), access_token=server.token)
    first, second = job.result()[0], restored.result()[0]
    assert len(server.jobs) == 2
    assert np.array_equal(first.data.evs, second.data.evs)
    assert np.array_equal(first.data.stds, second.data.stds)
    assert first.metadata == second.metadata


def test_a_pilot_that_fails(backend):
    """Nothing else runs."""
    backend.simulator.set_options(max_memory_mb=1)
    large = QuantumCircuit(20)
    large.h(range(20))
    large.rz(0.1, range(20))
    large.h(range(20))
    large.rxx(0.1, 0, 1)
    for qubit in range(19):
        large.rxx(0.3, qubit, qubit + 1)
    job = run(backend, [(large, "Z" * 20)], adaptive=True)
    with pytest.raises(JobFailedError):
        job.result()
    assert len(job.jobs) == 1


def test_bad_option(backend):
    """Only True or False."""
    with pytest.raises(InvalidOptionError, match=r"^adaptive must be True or False"):
        AQTEstimator(backend, {"adaptive": "yes"})
