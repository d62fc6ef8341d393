"""The systems of ``make bench-shots`` are what they are called."""

from __future__ import annotations

import numpy as np
import pytest
from hamiltonians import states, systems
from qiskit.quantum_info import Statevector
from scipy.sparse.linalg import eigsh

GROUND = {
    # Full configuration interaction in STO-3G, of Qiskit Nature's documentation and tests.
    "H2": -1.137306035753,
    "LiH": -7.882324378883,
    # Four times the energy of the open chain of S·S, as tests of DMRG have it.
    "Heisenberg-12": 4 * -5.142090632841,
    "QAOA-12": -14.0,
}
HARTREE_FOCK = {"H2": -1.116998996754, "LiH": -7.861864769809}


@pytest.mark.parametrize("name", GROUND)
def test_ground_energies(name: str) -> None:
    """The least eigenvalues are those of the literature."""
    system = systems()[name]
    matrix = system.hamiltonian.to_matrix(sparse=True)
    least = eigsh(matrix, k=1, which="SA", v0=np.ones(matrix.shape[0]))[0][0]
    assert least == pytest.approx(GROUND[name], abs=1e-7)
    assert system.ground_energy == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("name", HARTREE_FOCK)
def test_reference_states_have_the_energy_of_hartree_and_fock(name: str) -> None:
    """Bits and terms have the same order of qubits."""
    system = systems()[name]
    state = Statevector(states(system)["reference"])
    energy = state.expectation_value(system.hamiltonian)
    assert energy == pytest.approx(HARTREE_FOCK[name], abs=1e-7)


def test_the_weight_of_the_largest_cut() -> None:
    """All cuts are tried."""
    system = systems()["QAOA-12"]
    sides = np.arange(2**12)[:, None] >> np.arange(12) & 1
    weights = sum(w * (sides[:, a] ^ sides[:, b]) for a, b, w in system.more["edges"])
    assert system.more["largest_cut"] == weights.max() == 30


@pytest.mark.parametrize("name", GROUND)
def test_states_near_the_ground_are_low(name: str) -> None:
    """They are nearer to the ground than to a random state."""
    system = systems()[name]
    prepared = states(system)
    energies = {
        state: Statevector(circuit).expectation_value(system.hamiltonian).real
        for state, circuit in prepared.items()
    }
    assert energies["near ground"] < energies["random"]
    spread = energies["random"] - system.ground_energy
    assert energies["near ground"] - system.ground_energy < spread / 2
