"""Estimates a fidelity kernel with the sampler, and classifies points by it.

The entry for two points is |⟨φ(a)|φ(b)⟩|², the probability of all zeros after preparing one and
undoing the other (Havlíček et al., Nature 567, 209 (2019)). One circuit serves all pairs: they are
the parameter sets of one PUB.
"""

from __future__ import annotations

import numpy as np
from aqt_fast.primitives import AQTSampler
from backends import chosen_backend
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Statevector

SHOTS = 500


def feature_map(point: ParameterVector | NDArray[np.float64]) -> QuantumCircuit:
    """The state of a point: angles from its coordinates, entangled."""
    circuit = QuantumCircuit(2)
    for _ in range(2):
        circuit.ry(point[0], 0)
        circuit.ry(point[1], 1)
        circuit.rxx(0.5 * (point[0] + point[1]), 0, 1)
        circuit.rz(point[0], 0)
        circuit.rz(point[1], 1)
    return circuit


def overlap() -> QuantumCircuit:
    """Prepare point a and undo point b."""
    circuit = feature_map(ParameterVector("a", 2))
    circuit.compose(feature_map(ParameterVector("b", 2)).inverse(), inplace=True)
    circuit.measure_all()
    return circuit


def points(rng: np.random.Generator, number: int) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Points around two centres, and to which of them each belongs: -1 or 1."""
    labels = np.where(np.arange(number) % 2, 1, -1)
    return labels[:, None] * [0.8, 0.2] + rng.normal(0, 0.2, (number, 2)), labels


def exact(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel from statevectors."""
    states = [
        np.array([Statevector(feature_map(point)).data for point in some])
        for some in (first, second)
    ]
    return np.abs(states[0].conj() @ states[1].T) ** 2


def main() -> None:
    """Estimate the kernel of known and new points, and classify the new ones."""
    rng = np.random.default_rng(1)
    known, labels = points(rng, 8)
    new, answers = points(rng, 6)
    both = np.concatenate([known, new])
    # Every known point with every point: shape (8, 14, 4).
    pairs = np.concatenate(np.broadcast_arrays(known[:, None, :], both[None, :, :]), axis=-1)
    with chosen_backend(__doc__) as backend:
        sampler = AQTSampler(backend, {"seed_simulator": 1})
        bits = sampler.run([(overlap(), pairs)], shots=SHOTS).result()[0].data.meas
    kernel = (bits.bitcount() == 0).mean(axis=-1)
    # Ridge regression with the kernel: weights of the known points.
    weights = np.linalg.solve(kernel[:, :8] + 0.1 * np.eye(8), labels)
    guesses = np.sign(weights @ kernel[:, 8:])
    print(f"{kernel.size} entries, {SHOTS} shots each")
    print(f"largest deviation {np.abs(kernel - exact(known, both)).max():.3f}")
    print(f"{np.count_nonzero(guesses == answers)} of {len(answers)} new points are right")


if __name__ == "__main__":
    main()
