"""Values and standard errors against exact values: random PUBs, and eigenstates."""

import numpy as np
import pytest
from aqt_fast.primitives import AQTEstimator
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.random import random_circuit
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, random_pauli_list
from scipy.stats import chi2


def random_pub(seed: int):
    """A circuit of 1 to 5 qubits, 0 to 3 parameter sets, 1 to 3 observables of 1 to 8 terms."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 6))
    circuit = random_circuit(size, 2, max_operands=min(size, 2), seed=seed)
    angles = ParameterVector("a", size)
    for qubit in range(size):
        circuit.ry(angles[qubit], qubit)
        if qubit:
            circuit.cx(qubit - 1, qubit)
    observables = [
        SparsePauliOp(
            random_pauli_list(size, number, phase=False, seed=seed * 10 + index),
            rng.normal(size=number),
        )
        for index, number in enumerate(rng.integers(1, 9, int(rng.integers(1, 4))).tolist())
    ]
    sets = rng.uniform(-4, 4, (int(rng.integers(1, 3)), 1, size))
    return circuit, observables, sets, float(rng.uniform(0.02, 0.1))


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (250, {}),
        (100, {"variances": "average"}),
        (100, {"grouping": "general", "variances": "average"}),
        (100, {"grouping": "none", "optimization_level": 0}),
        (100, {"adaptive": True}),
    ],
    ids=["default", "average", "general", "none", "adaptive"],
)
def test_random_pubs(backend, number, options):
    """The squared z-scores of values, one of each PUB, add up to what chi-squared allows.

    The bounds leave out 0.1 % on each side. Values of one PUB may share shots, so that only one of
    them counts; constants have no error.
    """
    pubs = [random_pub(seed) for seed in range(number)]
    estimator = AQTEstimator(backend, {"seed_simulator": 11, **options})
    found = estimator.run(pubs).result()
    exact = StatevectorEstimator().run([pub[:3] for pub in pubs]).result()
    rng = np.random.default_rng(0)
    scores, bounds = [], []
    for item, other, pub in zip(found, exact, pubs, strict=True):
        assert item.data.evs.shape == other.data.evs.shape
        errors = (item.data.evs - other.data.evs).ravel()
        stds = item.data.stds.ravel()
        assert np.abs(errors[stds == 0]).max(initial=0) < 1e-9
        uncertain = np.flatnonzero(stds)
        if len(uncertain):
            chosen = rng.choice(uncertain)
            scores.append(errors[chosen] / stds[chosen])
            bounds.append(errors[chosen] / pub[3])
    assert len(scores) > 0.95 * number
    total = float(np.sum(np.square(scores)))
    low, high = chi2.ppf([0.001, 0.999], len(scores))
    assert low < total < high
    assert abs(np.mean(scores)) < 3.3 / np.sqrt(len(scores))
    if options.get("variances") != "average":
        assert np.sum(np.square(bounds)) < high


def test_eigenstates(backend):
    """Nothing varies, but an error is told: it shrinks as 1/shots, not as its root."""
    circuit = QuantumCircuit(2)
    circuit.x(0)
    errors = []
    for precision in (0.1, 0.01):
        (item,) = AQTEstimator(backend).run([(circuit, "ZZ")], precision=precision).result()
        assert item.data.evs == -1
        errors.append(float(item.data.stds))
    assert errors[0] == pytest.approx(0.1**2 * 2, rel=0.05)
    assert errors[1] == pytest.approx(0.01**2 * 2, rel=0.05)


def test_measured_error(backend):
    """Of 200 runs with other seeds, the standard deviation is what each of them states."""
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.rx(1.2, 2)
    observable = SparsePauliOp(["ZZI", "IIZ", "XXI", "YII", "ZIZ"], [1, 0.5, -0.7, 0.4, 0.3])
    estimator = AQTEstimator(backend, {"seed_simulator": 5})
    found = estimator.run([(circuit, [observable])] * 200, precision=0.05).result()
    values = np.array([float(item.data.evs[0]) for item in found])
    stated = np.array([float(item.data.stds[0]) for item in found])
    low, high = np.sqrt(chi2.ppf([0.001, 0.999], 199) / 199)
    assert low < values.std(ddof=1) / np.sqrt(np.mean(stated**2)) < high
    assert stated.max() < 0.05
