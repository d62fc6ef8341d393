"""mitiq: extrapolation, probabilistic cancellation, readout mitigation, Clifford regression.

Circuits are transpiled without optimisation, so that what mitiq adds stays there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from mitiq import MeasurementResult, Observable, PauliString, cdr, pec, rem, zne
from mitiq.benchmarks import generate_rb_circuits
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Statevector
from qiskit_aer.noise import NoiseModel, ReadoutError

Executor = Callable[[QuantumCircuit], float]


def zeros(noisy, shots: int) -> Executor:
    """The probability that a circuit ends in zeros, on the noisy simulator."""

    def run(circuit: QuantumCircuit) -> float:
        measured = circuit.copy()
        if not measured.clbits:
            measured.measure_all()
        transpiled = transpile(measured, noisy, optimization_level=0)
        counts = noisy.run(transpiled, shots=shots).result().get_counts()
        return counts.get("0" * circuit.num_qubits, 0) / shots

    return run


@pytest.fixture
def executor(noisy) -> Executor:
    """With as many shots as suffice to see the noise."""
    return zeros(noisy, 4000)


@pytest.fixture
def identity() -> QuantumCircuit:
    """A circuit of two qubits that ends where it began: the exact probability is 1."""
    (circuit,) = generate_rb_circuits(2, 6, 1, return_type="qiskit", seed=3)
    return circuit


def test_zne(noisy, identity):
    """Extrapolation from folded circuits takes at least two thirds of the error away."""
    executor = zeros(noisy, 20_000)
    raw = executor(identity)
    assert raw < 0.85
    # Folding a part of the gates would be random, without a seed.
    factory, scale_noise = zne.RichardsonFactory([1, 3, 5]), zne.scaling.fold_global
    found = zne.execute_with_zne(identity, executor, factory=factory, scale_noise=scale_noise)
    assert abs(1 - found) < (1 - raw) / 3


def test_pec(executor):
    """Cancellation of the noise that a CX gets from its rxx and r."""
    circuit = QuantumCircuit(2)
    for _ in range(8):
        circuit.cx(0, 1)
    raw = executor(circuit)
    per_gate = 1 - raw ** (1 / 8)
    representations = pec.represent_operations_in_circuit_with_local_depolarizing_noise(
        circuit, per_gate * 0.75
    )
    found = pec.execute_with_pec(
        circuit, executor, representations=representations, num_samples=150, random_state=4
    )
    assert raw < 0.95
    assert abs(1 - found) < (1 - raw) / 2


def test_rem(ideal):
    """The inverse of the simulator's confusion matrix gives ⟨ZZ⟩ of a state back."""
    zero, one = 0.04, 0.1
    noise = NoiseModel()
    noise.add_all_qubit_readout_error(ReadoutError([[1 - zero, zero], [one, 1 - one]]))
    ideal.simulator.set_options(noise_model=noise)

    def run(circuit: QuantumCircuit) -> MeasurementResult:
        transpiled = transpile(circuit, ideal)
        memory = ideal.run(transpiled, shots=8000, memory=True).result().get_memory()
        return MeasurementResult([[int(bit) for bit in reversed(shot)] for shot in memory])

    circuit = QuantumCircuit(2)
    circuit.ry(1.0, 0)
    circuit.cx(0, 1)
    circuit.x(1)
    observable = Observable(PauliString("ZZ"))
    inverse = rem.generate_inverse_confusion_matrix(2, p0=zero, p1=one)
    raw = Observable(PauliString("ZZ")).expectation(circuit, run).real
    found = rem.execute_with_rem(circuit, run, observable, inverse_confusion_matrix=inverse)
    assert raw > -0.8
    assert found == pytest.approx(-1, abs=0.03)


def test_cdr(executor):
    """Regression over near-Clifford circuits, whose exact values a simulator gives."""
    circuit = QuantumCircuit(2)
    for angle in (0.3, 0.9, 1.4):
        circuit.rz(angle, 0)
        circuit.cx(0, 1)
        circuit.rx(math.pi / 2, 1)
        circuit.rz(angle, 1)
        circuit.rx(math.pi / 2, 0)
        circuit.cx(1, 0)

    def exact(candidate: QuantumCircuit) -> float:
        bare = candidate.remove_final_measurements(inplace=False)
        return float(Statevector(bare).probabilities()[0])

    raw, wanted = executor(circuit), exact(circuit)
    found = cdr.execute_with_cdr(
        circuit,
        executor,
        simulator=exact,
        num_training_circuits=12,
        fraction_non_clifford=0.3,
        random_state=5,
    )
    assert abs(raw - wanted) > 0.02
    assert abs(found - wanted) < abs(raw - wanted) / 2 + 0.01
    assert np.isfinite(found)
