"""qiskit-nature: the ground state of H2."""

from __future__ import annotations

import numpy as np
import pytest
from aqt_fast.primitives import AQTEstimator
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_algorithms import VQE, NumPyMinimumEigensolver
from qiskit_algorithms.optimizers import COBYLA
from qiskit_algorithms.utils import algorithm_globals
from qiskit_nature.second_q.algorithms import GroundStateEigensolver
from qiskit_nature.second_q.circuit.library import UCCSD, HartreeFock
from qiskit_nature.second_q.hamiltonians import ElectronicEnergy
from qiskit_nature.second_q.mappers import ParityMapper
from qiskit_nature.second_q.problems import ElectronicStructureProblem

GROUND_STATE = -1.857275
"""Electronic energy of H2 at 0.735 Å in the basis STO-3G, in Hartree."""


def _hydrogen() -> ElectronicStructureProblem:
    """The molecule's integrals, as published, so that no chemistry program is needed."""
    one = np.diag([-1.25633907, -0.47189601])
    two = np.zeros((2, 2, 2, 2))
    two[0, 0, 0, 0], two[1, 1, 1, 1] = 0.67571015, 0.69857372
    two[0, 0, 1, 1] = two[1, 1, 0, 0] = 0.66458173
    two[0, 1, 0, 1] = two[1, 0, 1, 0] = two[0, 1, 1, 0] = two[1, 0, 0, 1] = 0.18093120
    problem = ElectronicStructureProblem(ElectronicEnergy.from_raw_integrals(one, two))
    problem.num_particles = (1, 1)
    return problem


@pytest.mark.parametrize("transpiled", [False, True])
def test_hydrogen(ideal, transpiled):
    """Variational, with unitary coupled clusters on two qubits."""
    algorithm_globals.random_seed = 7
    problem = _hydrogen()
    mapper = ParityMapper(num_particles=problem.num_particles)
    exact = GroundStateEigensolver(mapper, NumPyMinimumEigensolver()).solve(problem)
    assert exact.electronic_energies[0] == pytest.approx(GROUND_STATE, abs=1e-5)

    start = HartreeFock(problem.num_spatial_orbitals, problem.num_particles, mapper)
    ansatz = UCCSD(problem.num_spatial_orbitals, problem.num_particles, mapper, initial_state=start)
    solver = VQE(
        AQTEstimator(ideal, options={"default_precision": 0.01}),
        ansatz,
        COBYLA(maxiter=30, rhobeg=0.3),
        initial_point=np.zeros(ansatz.num_parameters),
        transpiler=generate_preset_pass_manager(1, backend=ideal) if transpiled else None,
    )
    found = GroundStateEigensolver(mapper, solver).solve(problem)
    assert found.electronic_energies[0] == pytest.approx(GROUND_STATE, abs=0.03)
