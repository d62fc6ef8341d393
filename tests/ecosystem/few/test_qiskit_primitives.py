"""Qiskit's own primitives for backends: ``BackendSamplerV2`` and ``BackendEstimatorV2``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp

LEVELS = pytest.mark.parametrize("level", range(4))


@LEVELS
def test_sampler(ideal, level):
    """A parametrised circuit over a sweep: the outcome's probability is sin²(θ/2)."""
    theta = Parameter("θ")
    circuit = QuantumCircuit(2)
    circuit.ry(theta, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    values = np.linspace(-7, 7, 9)
    transpiled = transpile(circuit, ideal, optimization_level=level)
    sampler = BackendSamplerV2(backend=ideal)
    data = sampler.run([(transpiled, values[:, None])], shots=2000).result()[0].data.meas
    for index, value in enumerate(values):
        counts = data[index].get_counts()
        assert set(counts) <= {"00", "11"}
        assert counts.get("11", 0) / 2000 == pytest.approx(math.sin(value / 2) ** 2, abs=0.05)


def _problem() -> tuple[QuantumCircuit, SparsePauliOp, np.ndarray]:
    circuit = efficient_su2(3, reps=1, entanglement="linear").decompose()
    observable = SparsePauliOp(["ZZI", "IXX", "YIY", "IIZ"], [1.0, -0.5, 0.25, 2.0])
    values = np.random.default_rng(3).uniform(-9, 9, (3, circuit.num_parameters))
    return circuit, observable, values


def _exact() -> np.ndarray:
    circuit, observable, values = _problem()
    return StatevectorEstimator().run([(circuit, observable, values)]).result()[0].data.evs


@LEVELS
def test_estimator_binds_after_transpiling(ideal, level):
    """The circuit is transpiled with parameters; values of any sign are bound by the estimator."""
    circuit, observable, values = _problem()
    transpiled = transpile(circuit, ideal, optimization_level=level, seed_transpiler=1)
    observable = observable.apply_layout(transpiled.layout)
    estimator = BackendEstimatorV2(backend=ideal)
    result = estimator.run([(transpiled, observable, values)], precision=0.02).result()
    assert result[0].data.evs == pytest.approx(_exact(), abs=0.12)


@LEVELS
def test_estimator_binds_before_transpiling(ideal, level):
    """The circuits are bound first, then transpiled."""
    circuit, observable, values = _problem()
    bound = [circuit.assign_parameters(row) for row in values]
    transpiled = transpile(bound, ideal, optimization_level=level, seed_transpiler=1)
    estimator = BackendEstimatorV2(backend=ideal)
    pubs = [(one, observable.apply_layout(one.layout)) for one in transpiled]
    evs = [float(pub.data.evs) for pub in estimator.run(pubs, precision=0.02).result()]
    assert evs == pytest.approx(_exact(), abs=0.12)
