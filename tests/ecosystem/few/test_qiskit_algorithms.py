"""qiskit-algorithms: VQE, QAOA and three kinds of amplitude estimation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_algorithms import (
    QAOA,
    VQE,
    AmplitudeEstimation,
    EstimationProblem,
    IterativeAmplitudeEstimation,
    MaximumLikelihoodAmplitudeEstimation,
    NumPyMinimumEigensolver,
)
from qiskit_algorithms.optimizers import COBYLA
from qiskit_algorithms.utils import algorithm_globals

PROBABILITY = 0.2
"""Probability of the good state that the amplitude estimations look for."""


@pytest.fixture(autouse=True)
def _seeded() -> None:
    algorithm_globals.random_seed = 11


@pytest.fixture(params=["ours", "qiskit"])
def estimator(request, ideal):
    """Our estimator, and Qiskit's for backends."""
    if request.param == "ours":
        return AQTEstimator(backend=ideal)
    return BackendEstimatorV2(backend=ideal, options={"default_precision": 0.02})


@pytest.fixture(params=["ours", "qiskit"])
def sampler(request, ideal):
    """Our sampler, and Qiskit's for backends."""
    if request.param == "ours":
        return AQTSampler(backend=ideal)
    return BackendSamplerV2(backend=ideal, options={"default_shots": 2000})


def test_vqe(estimator, ideal):
    """The ground state of a small Ising chain; the ansatz is transpiled before it is bound."""
    hamiltonian = SparsePauliOp(["ZZ", "XI", "IX"], [-1.0, -0.5, -0.5])
    exact = NumPyMinimumEigensolver().compute_minimum_eigenvalue(hamiltonian).eigenvalue.real
    ansatz = efficient_su2(2, reps=1).decompose()
    start = np.random.default_rng(2).uniform(-4, 4, ansatz.num_parameters)
    vqe = VQE(
        estimator,
        ansatz,
        COBYLA(maxiter=60),
        initial_point=start,
        transpiler=generate_preset_pass_manager(1, backend=ideal),
    )
    found = vqe.compute_minimum_eigenvalue(hamiltonian)
    assert found.eigenvalue.real == pytest.approx(exact, abs=0.25)


def test_qaoa(sampler, ideal):
    """The largest cut of a square."""
    edges = ["IIZZ", "IZZI", "ZZII", "ZIIZ"]
    hamiltonian = SparsePauliOp(edges, [1.0] * 4)
    manager = generate_preset_pass_manager(1, backend=ideal)
    qaoa = QAOA(sampler, COBYLA(maxiter=25), reps=2, transpiler=manager)
    found = qaoa.compute_minimum_eigenvalue(hamiltonian)
    assert found.best_measurement["bitstring"] in ("0101", "1010")
    assert found.best_measurement["value"] == pytest.approx(-4)


def _problem() -> EstimationProblem:
    angle = 2 * math.asin(math.sqrt(PROBABILITY))
    state = QuantumCircuit(1)
    state.ry(angle, 0)
    grover = QuantumCircuit(1)
    grover.ry(2 * angle, 0)
    return EstimationProblem(state, objective_qubits=[0], grover_operator=grover)


def test_amplitude_estimation(sampler, ideal):
    """Phase estimation with four qubits, refined by maximum likelihood."""
    manager = generate_preset_pass_manager(1, backend=ideal)
    estimation = AmplitudeEstimation(4, sampler=sampler, transpiler=manager)
    found = estimation.estimate(_problem())
    assert found.mle == pytest.approx(PROBABILITY, abs=0.02)


def test_iterative_amplitude_estimation(sampler, ideal):
    """Within the precision that was asked for."""
    manager = generate_preset_pass_manager(1, backend=ideal)
    estimation = IterativeAmplitudeEstimation(0.01, 0.05, sampler=sampler, transpiler=manager)
    assert estimation.estimate(_problem()).estimation == pytest.approx(PROBABILITY, abs=0.02)


def test_maximum_likelihood_amplitude_estimation(ideal):
    """Powers 0, 1, 2, 4 and 8 of the Grover operator, by our sampler.

    qiskit-algorithms 0.4.0 fails here with any ``transpiler``, and with Qiskit's sampler for
    backends, which has no ``default_shots``.
    """
    sampler = AQTSampler(ideal, options={"default_shots": 2000})
    found = MaximumLikelihoodAmplitudeEstimation(4, sampler=sampler).estimate(_problem())
    assert found.estimation == pytest.approx(PROBABILITY, abs=0.02)


def test_transpiled_before(ideal):
    """An ansatz that Qiskit has transpiled already is bound as it is."""
    ansatz = transpile(efficient_su2(2, reps=1).decompose(), ideal)
    vqe = VQE(
        BackendEstimatorV2(backend=ideal),
        ansatz,
        COBYLA(maxiter=60),
        initial_point=np.full(ansatz.num_parameters, 2.0),
    )
    found = vqe.compute_minimum_eigenvalue(SparsePauliOp(["ZZ", "ZI"], [1.0, 1.0]))
    assert found.eigenvalue.real == pytest.approx(-2, abs=0.3)
