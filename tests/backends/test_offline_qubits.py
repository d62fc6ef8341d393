"""Noise that belongs to a qubit stays with that qubit."""

import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from qiskit import QuantumCircuit
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

SHOTS = 2000


def flipped(qubit: int) -> QuantumCircuit:
    """One of four qubits is 1; three of them are measured, not in order."""
    circuit = QuantumCircuit(4, 3)
    circuit.r(math.pi, 0, qubit)
    circuit.measure([3, 0, 2], [0, 2, 1])
    return circuit


def readout() -> NoiseModel:
    """Other errors on each qubit, for both outcomes."""
    noise = NoiseModel()
    for qubit in range(4):
        zero, one = 0.02 + 0.03 * qubit, 0.3 - 0.05 * qubit
        noise.add_readout_error(ReadoutError([[1 - zero, zero], [one, 1 - one]]), [qubit])
    return noise


def uniform_readout() -> NoiseModel:
    """The same error on all qubits."""
    noise = NoiseModel()
    noise.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    return noise


def gate_of_a_qubit() -> NoiseModel:
    """Qubit 2 is noisy, the others are not."""
    noise = NoiseModel(basis_gates=["rz", "r", "rxx"])
    noise.add_quantum_error(depolarizing_error(0.5, 1), ["r"], [2])
    return noise


NOISE = pytest.mark.parametrize("noise", [readout, uniform_readout, gate_of_a_qubit])


@NOISE
def test_counts_are_aers(backend, noise):
    """Aer gives the same counts for the circuits themselves."""
    backend.simulator.set_options(noise_model=noise())
    circuits = [flipped(qubit) for qubit in range(4)]
    exact = backend.simulator.run(circuits, shots=SHOTS, seed_simulator=3).result().get_counts()
    found = backend.run(circuits, shots=SHOTS, seed_simulator=3).result().get_counts()
    for ours, theirs in zip(found, exact, strict=True):
        for outcome in {*ours, *theirs}:
            expected = theirs.get(outcome, 0)
            assert ours.get(outcome, 0) == pytest.approx(expected, abs=5 * math.sqrt(expected + 9))


@NOISE
def test_workers_agree(backend, noise):
    """Workers of an executor give the counts of this process."""
    backend.simulator.set_options(noise_model=noise())
    circuits = [flipped(qubit) for qubit in range(4)]
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        there = backend.run(circuits, shots=200, seed_simulator=3, executor=executor).result()
    here = backend.run(circuits, shots=200, seed_simulator=3).result()
    assert there.get_counts() == here.get_counts()
