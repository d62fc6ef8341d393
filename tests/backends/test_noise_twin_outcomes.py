"""Outcomes of a noise twin, compared with density matrices of a noise model made by another route.

That model has Kraus operators of textbooks, one after the other, and a strength of depolarising
that is found by trying. The twin has mixtures of Paulis and resets, and a formula.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from aqt_fast.devices import Characterisation, Measured
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Kraus, Pauli, SuperOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, QuantumError
from scipy.optimize import brentq
from scipy.stats import chisquare

SHOTS = 50_000
NUM_QUBITS = 4


def bad_device(t1: float, t2: float) -> Characterisation:
    """A device with so much noise that 50 000 shots tell small differences."""
    rng = np.random.default_rng(7)
    return Characterisation(
        "ibex",
        "lab",
        NUM_QUBITS,
        r_fidelity={qubit: Measured(rng.uniform(0.97, 0.99)) for qubit in range(NUM_QUBITS)},
        rxx_fidelity={
            pair: Measured(rng.uniform(0.9, 0.95)) for pair in combinations(range(NUM_QUBITS), 2)
        },
        spam_fidelity=0.97,
        t1=Measured(t1),
        t2=Measured(t2),
        r_duration=2e-4,
        rxx_duration=1e-3,
    )


def relaxation(device: Characterisation, duration: float) -> Kraus:
    """Amplitude damping, then phase damping."""
    t1, t2 = device.t1.value, device.t2.value
    decayed = 1 - math.exp(-duration / t1)
    dephased = 1 - math.exp(duration / t1 - 2 * duration / t2)
    damping = [np.diag([1, math.sqrt(1 - decayed)]), [[0, math.sqrt(decayed)], [0, 0]]]
    phases = [np.diag([1, math.sqrt(1 - dephased)]), np.diag([0, math.sqrt(dephased)])]
    return Kraus(damping).compose(Kraus(phases))


def depolarising(strength: float, num_qubits: int) -> Kraus:
    """All Paulis, with the same probability but for the identity."""
    labels = ["".join(letters) for letters in product("IXYZ", repeat=num_qubits)]
    weights = np.full(len(labels), strength / len(labels))
    weights[0] += 1 - strength
    return Kraus(
        [math.sqrt(w) * Pauli(label).to_matrix() for w, label in zip(weights, labels, strict=True)]
    )


def fidelity_of(channel: Kraus, num_qubits: int) -> float:
    """The average gate fidelity of a channel, from the traces of its Kraus operators."""
    size = 2**num_qubits
    process = sum(abs(np.trace(operator)) ** 2 for operator in channel.data) / size**2
    return (size * process + 1) / (size + 1)


def gate_error(device: Characterisation, fidelity: float, num_qubits: int) -> QuantumError:
    """The whole error of a gate as Kraus operators."""
    relaxed = relaxation(device, device.r_duration if num_qubits == 1 else device.rxx_duration)
    if num_qubits == 2:
        relaxed = relaxed.tensor(relaxed)

    def whole(strength: float) -> Kraus:
        return depolarising(strength, num_qubits).compose(relaxed)

    strength = brentq(lambda tried: fidelity_of(whole(tried), num_qubits) - fidelity, 0, 1)
    return QuantumError(Kraus(SuperOp(whole(strength))))  # at most 16 operators


def by_hand(device: Characterisation) -> NoiseModel:
    """The noise model of the device, without a readout error."""
    model = NoiseModel(basis_gates=["rz", "r", "rxx"])
    for qubit, found in device.r_fidelity.items():
        model.add_quantum_error(gate_error(device, found.value, 1), ["r"], [qubit])
    for pair, found in device.rxx_fidelity.items():
        error = gate_error(device, found.value, 2)
        model.add_quantum_error(error, ["rxx"], pair)
        model.add_quantum_error(error, ["rxx"], pair[::-1])
    return model


def probabilities(circuits: list[QuantumCircuit], device: Characterisation) -> list[np.ndarray]:
    """Of each outcome, as read: by density matrices, with wrong readings at the end."""
    bare = [circuit.remove_final_measurements(inplace=False) for circuit in circuits]
    for circuit in bare:
        circuit.save_probabilities()
    simulator = AerSimulator(method="density_matrix", noise_model=by_hand(device))
    result = simulator.run(bare).result()
    wrong = 1 - device.spam_fidelity
    found = []
    for index in range(len(bare)):
        true = result.data(index)["probabilities"].reshape((2,) * NUM_QUBITS)
        for axis in range(NUM_QUBITS):
            true = (1 - wrong) * true + wrong * np.flip(true, axis)
        found.append(true.reshape(-1))
    return found


def ghz() -> QuantumCircuit:
    """All qubits 0, or all 1."""
    circuit = QuantumCircuit(NUM_QUBITS)
    circuit.h(0)
    for qubit in range(1, NUM_QUBITS):
        circuit.cx(0, qubit)
    circuit.measure_all()
    return circuit


def mixed(seed: int) -> QuantumCircuit:
    """Random gates of the device."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(NUM_QUBITS)
    for _ in range(30):
        a, b = map(int, rng.choice(NUM_QUBITS, 2, replace=False))
        circuit.r(*rng.uniform(0, math.pi, 2), a)
        circuit.rz(rng.uniform(0, math.pi), b)
        circuit.rxx(rng.uniform(0, math.pi / 2), a, b)
    circuit.measure_all()
    return circuit


def found(twin, circuits: list[QuantumCircuit]) -> list[list[int]]:
    """How often each outcome was found."""
    result = twin.run(circuits, shots=SHOTS, seed_simulator=3, with_progress_bar=False).result()
    return [
        [result.get_counts(index).get(f"{key:0{NUM_QUBITS}b}", 0) for key in range(2**NUM_QUBITS)]
        for index in range(len(circuits))
    ]


@pytest.mark.parametrize(("t1", "t2"), [(0.3, 0.1), (0.1, 0.15)])
def test_against_density_matrices(provider, t1, t2):
    """A state of all qubits, and random circuits: outcomes as probable as they should be."""
    device = bad_device(t1, t2)
    twin = provider.get_noise_twin(device)
    circuits = [transpile(ghz(), twin), *map(mixed, range(3))]
    expected = probabilities(circuits, device)
    for chances, seen in zip(expected, found(twin, circuits), strict=True):
        assert chisquare(seen, chances * SHOTS).pvalue > 1e-3


def test_others_are_told_apart(provider):
    """The shots are enough to notice a device that has a fifth less errors."""
    device = bad_device(0.3, 0.1)
    twin = provider.get_noise_twin(device)
    circuits = [transpile(ghz(), twin)]
    (seen,) = found(twin, circuits)
    for other in (
        replace(device, rxx_fidelity=better(device.rxx_fidelity)),
        replace(device, spam_fidelity=1 - (1 - device.spam_fidelity) * 0.8),
    ):
        (expected,) = probabilities(circuits, other)
        assert chisquare(seen, expected * SHOTS).pvalue < 1e-4


def better(fidelities: dict[tuple[int, int], Measured]) -> dict[tuple[int, int], Measured]:
    """Fidelities with a fifth less errors."""
    return {pair: Measured(1 - (1 - found.value) * 0.8) for pair, found in fidelities.items()}
