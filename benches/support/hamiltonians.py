"""The systems whose shots are counted: observables, and circuits that prepare their states.

``hamiltonians.json`` has the observables; ``make_hamiltonians.py`` has made it.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit.library import StatePreparation, efficient_su2
from qiskit.quantum_info import SparsePauliOp
from scipy.sparse.linalg import eigsh

SEED = 7
"""For all random angles and amplitudes."""


class System(NamedTuple):
    """An observable and what is known about it."""

    name: str
    about: str
    hamiltonian: SparsePauliOp
    ground_energy: float
    reference: list[int]
    """Bits of a basis state of low energy, qubit 0 first: Hartree-Fock, Néel, the largest cut."""
    more: dict[str, Any]
    """What else the file has."""

    @property
    def num_qubits(self) -> int:
        """The number of qubits."""
        return self.hamiltonian.num_qubits


@cache
def systems() -> dict[str, System]:
    """All systems by name."""
    content = json.loads(Path(__file__).with_name("hamiltonians.json").read_text())
    return {name: _system(name, dict(entry)) for name, entry in content["systems"].items()}


def _system(name: str, entry: dict[str, Any]) -> System:
    terms = entry.pop("terms")
    return System(
        name,
        entry.pop("about"),
        SparsePauliOp(list(terms), list(terms.values())),
        entry.pop("ground_energy"),
        entry.pop("reference"),
        entry,
    )


def states(system: System) -> dict[str, QuantumCircuit]:
    """Circuits without parameters and measurements, by what they prepare.

    "random": an ansatz with uniformly random angles. "reference": a basis state. "near reference":
    the same with small rotations. "near ground": a state whose energy is near the least.
    """
    rng = np.random.default_rng(SEED)
    return {
        "random": _random(system, rng),
        "reference": _reference(system),
        "near reference": _rotated(system, rng),
        "near ground": _near_ground(system, rng),
    }


def _random(system: System, rng: np.random.Generator) -> QuantumCircuit:
    ansatz = efficient_su2(system.num_qubits, reps=2)
    return ansatz.assign_parameters(rng.uniform(-np.pi, np.pi, ansatz.num_parameters))


def _reference(system: System) -> QuantumCircuit:
    circuit = QuantumCircuit(system.num_qubits)
    for qubit, bit in enumerate(system.reference):
        if bit:
            circuit.x(qubit)
    return circuit


def _rotated(system: System, rng: np.random.Generator) -> QuantumCircuit:
    """Angles of 0.15 on average, as at the beginning of an optimisation."""
    circuit = _reference(system)
    for qubit in range(system.num_qubits):
        circuit.ry(rng.normal(0, 0.15), qubit)
    for pair in pairwise(range(system.num_qubits)):
        circuit.rxx(rng.normal(0, 0.15), *pair)
    return circuit


def _near_ground(system: System, rng: np.random.Generator) -> QuantumCircuit:
    if "edges" in system.more:
        return qaoa(system, *system.more["angles"])
    if "angles" in system.more:
        return bonds(system.num_qubits, system.more["angles"])
    circuit = QuantumCircuit(system.num_qubits)
    circuit.append(StatePreparation(_disturbed(ground_state(system), rng)), circuit.qubits)
    return circuit


def ground_state(system: System) -> NDArray[np.complex128]:
    """The amplitudes of the ground state."""
    matrix = system.hamiltonian.to_matrix(sparse=True)
    _, vectors = eigsh(matrix, k=1, which="SA", v0=np.ones(matrix.shape[0]))
    return vectors[:, 0].astype(complex)


def _disturbed(state: NDArray[np.complex128], rng: np.random.Generator) -> NDArray[np.complex128]:
    """Add a random state, with a fifth of the amplitude."""
    noise = rng.normal(size=state.size) + 1j * rng.normal(size=state.size)
    disturbed = state + 0.2 * noise / np.linalg.norm(noise)
    return disturbed / np.linalg.norm(disturbed)


def bonds(num_qubits: int, angles: list[list[float]]) -> QuantumCircuit:
    """Singlets on every other bond, then layers of exp(-i angle (XX + YY + ZZ)) on all bonds."""
    circuit = QuantumCircuit(num_qubits)
    for qubit in range(0, num_qubits, 2):
        circuit.x([qubit, qubit + 1])
        circuit.h(qubit)
        circuit.cx(qubit, qubit + 1)
    for layer in angles:
        for start, angle in zip((1, 0), layer, strict=True):
            for qubit in range(start, num_qubits - 1, 2):
                for gate in (circuit.rxx, circuit.ryy, circuit.rzz):
                    gate(2 * angle, qubit, qubit + 1)
    return circuit


def qaoa(system: System, phases: list[float], mixing: list[float]) -> QuantumCircuit:
    """QAOA for the edges of a system."""
    circuit = QuantumCircuit(system.num_qubits)
    circuit.h(range(system.num_qubits))
    for phase, mix in zip(phases, mixing, strict=True):
        for first, second, weight in system.more["edges"]:
            circuit.rzz(phase * weight, first, second)
        circuit.rx(2 * mix, range(system.num_qubits))
    return circuit
