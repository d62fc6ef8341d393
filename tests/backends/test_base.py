"""Backends: target, options, run and execute."""

import math
from itertools import permutations

import numpy as np
import pytest
from aqt_fast import execute
from aqt_fast.aqt_resource import UnknownOptionWarning, make_transpiler_target
from aqt_fast.exceptions import (
    InvalidCircuitError,
    InvalidInputError,
    InvalidJobError,
    InvalidOptionError,
)
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import BackendEstimatorV2
from qiskit.providers import BackendV2, JobStatus
from qiskit.quantum_info import SparsePauliOp


def test_target(backend):
    """rz, r, rxx and measure, on all qubits and all pairs."""
    assert isinstance(backend, BackendV2)
    assert set(backend.operation_names) == {"rz", "r", "rxx", "measure"}
    assert backend.num_qubits == 20
    assert set(backend.coupling_map) == set(permutations(range(20), 2))
    assert backend.max_circuits == 10_000
    assert make_transpiler_target(3).num_qubits == 3
    assert repr(backend) == "<OfflineSimulatorResource('offline_simulator_no_noise'), 20 qubits>"


def test_one_circuit_or_any_sequence(backend, bell):
    """A circuit, a list, a tuple, a generator."""
    for circuits, total in ((bell, 1), ([bell] * 2, 2), ((bell,), 1), ((bell for _ in "abc"), 3)):
        assert len(backend.run(circuits).result().results) == total


def test_options_of_backend_and_run(backend, bell):
    """A run's options win, None stands for the backend's."""
    backend.set_options(shots=33, memory=True)
    job = backend.run(bell, shots=None, seed_simulator=5)
    assert (job.options.shots, job.options.memory, job.options.seed_simulator) == (33, True, 5)
    assert len(job.result().get_memory()) == 33
    assert sum(backend.run(bell, shots=7).result().get_counts().values()) == 7
    assert backend.options.shots == 33
    assert backend.options.seed_simulator is None


def test_unknown_option(backend, bell):
    """An unknown option warns and has no effect."""
    with pytest.warns(UnknownOptionWarning, match="option 'shot' is unknown") as caught:
        job = execute(bell, backend, shot=7)
    assert caught[0].filename == __file__
    assert job.options.shots == 100


def test_bad_options(backend, bell):
    """Refused before anything runs."""
    with pytest.raises(InvalidOptionError, match="shots must be"):
        backend.run(bell, shots=0)
    with pytest.raises(InvalidOptionError, match="memory must be"):
        backend.set_options(memory="all")
    with pytest.raises(AttributeError):
        backend.set_options(shot=7)


def test_bad_circuits(backend, bell):
    """The same checks as on a device, with the register's size."""
    backend = backend.provider.get_backend("offline_simulator_noise", available_qubits=2)
    wide, raw = QuantumCircuit(3), QuantumCircuit(1)
    wide.measure_all()
    raw.h(0)
    raw.measure_all()
    with pytest.raises(InvalidCircuitError) as caught:
        backend.run([bell, wide, raw])
    assert [problem.circuit for problem in caught.value.problems] == [1, 2]
    assert "3 qubits, but the resource has 2" in str(caught.value)
    with pytest.raises(InvalidJobError):
        backend.run([])
    with pytest.raises(InvalidCircuitError, match="of type 'int'"):
        backend.run([7])


def test_shots_are_free_offline(backend, bell):
    """Offline jobs take more than the 2000 shots of an API job."""
    assert sum(backend.run(bell, shots=5001).result().get_counts().values()) == 5001


def test_execute(backend):
    """Transpiles and runs; one circuit or several."""
    circuit = QuantumCircuit(1)
    circuit.rx(3.14159265, 0)
    circuit.measure_all()
    assert execute(circuit, backend, shots=100).result().get_counts() == {"1": 100}
    for pair in ([circuit] * 2, (circuit, circuit), (circuit for _ in range(2))):
        results = execute(pair, backend, shots=3).result()
        assert results.get_counts() == [{"1": 3}, {"1": 3}]
    circuit.barrier()
    circuit.measure_all()
    job = execute(circuit, backend, optimization_level=0)
    assert job.circuits[0].count_ops()["barrier"] == 3
    with pytest.raises(InvalidCircuitError, match="circuit 1: not a QuantumCircuit but of type"):
        execute([circuit, 3], backend)
    with pytest.raises(InvalidInputError, match="of type 'NoneType'"):
        execute(None, backend)
    with pytest.raises(InvalidInputError, match="of type 'NoneType'"):
        backend.run(None)
    with pytest.raises(InvalidInputError, match=r"expected an AQT backend, not .* 'str'"):
        execute(circuit, "offline_simulator_no_noise")
    with pytest.raises(InvalidOptionError, match="optimization_level must be"):
        execute(circuit, backend, optimization_level=4)


@pytest.mark.filterwarnings("ignore:Treating CircuitInstruction:DeprecationWarning")
def test_arrays(backend, bell):
    """One dimension is taken; more are what NumPy makes of a list of circuits."""
    row = np.empty(2, dtype=object)
    row[:] = [bell, bell]
    assert len(backend.run(row, shots=3).result().get_counts()) == 2
    table = np.array([bell, bell], dtype=object)
    assert table.ndim == 3
    for call in (backend.run, lambda given: execute(given, backend)):
        with pytest.raises(InvalidInputError, match=r"not an array of shape \(2, .*; pass a list"):
            call(table)


def test_noise(provider):
    """The noisy simulator is noisy, on rxx more than on r, on rz not at all."""
    backend = provider.get_backend("offline_simulator_noise", available_qubits=2)
    backend.set_options(with_progress_bar=False, shots=20_000, seed_simulator=1)
    rates = []
    for append in (lambda c: c.rz(1, 0), lambda c: c.r(0, 0, 0), lambda c: c.rxx(0, 0, 1)):
        circuit = QuantumCircuit(2)
        for _ in range(10):
            append(circuit)
        circuit.measure_all()
        rates.append(1 - backend.run(circuit).result().get_counts()["00"] / 20_000)
    assert rates[0] == 0
    # Depolarising by p on n qubits flips the outcome with p (1 − 2⁻ⁿ).
    assert rates[1] == pytest.approx(10 * 0.003 / 2, rel=0.15)
    assert rates[2] == pytest.approx(10 * 0.01 * 3 / 4, rel=0.15)


def test_large_registers(provider):
    """Registers may be larger than AQT's devices."""
    backend = provider.get_backend("offline_simulator_no_noise", available_qubits=40)
    backend.set_options(with_progress_bar=False)
    backend.simulator.set_options(method="matrix_product_state")
    circuit = QuantumCircuit(40)
    circuit.r(math.pi, 0, [0, 39])
    circuit.measure_all()
    assert backend.run(circuit).result().get_counts() == {"1" + 38 * "0" + "1": 100}


def test_transpiled_circuits_run(backend):
    """Circuits run after transpilation at every optimization level."""
    circuit = efficient_su2(4, reps=2).assign_parameters([0.1 * k for k in range(24)])
    circuit.measure_all()
    for level in range(4):
        job = backend.run(transpile(circuit, backend, optimization_level=level))
        assert job.result().success
        assert job.status() is JobStatus.DONE


def test_tools_do_not_cut_their_work(backend, monkeypatch):
    """Qiskit's estimator cuts its circuits into jobs of ``max_circuits``: one job for hundreds."""
    sizes = []
    run = type(backend).run

    def counted(self, circuits, **options):
        sizes.append(len(circuits))
        return run(self, circuits, **options)

    monkeypatch.setattr(type(backend), "run", counted)
    theta = Parameter("θ")
    circuit = QuantumCircuit(1)
    circuit.r(theta, 0.0, 0)
    estimator = BackendEstimatorV2(backend=backend, options={"default_precision": 0.2})
    pub = (circuit, SparsePauliOp("Z"), np.linspace(0, math.pi, 300))
    assert estimator.run([pub]).result()[0].data.evs.shape == (300,)
    assert sizes == [300]
    assert len([circuit] * 3 * backend.max_circuits) == 30_000  # as callers do who count with it
