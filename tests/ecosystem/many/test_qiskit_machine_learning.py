"""qiskit-machine-learning: a fidelity kernel, an estimator's and a sampler's neural network."""

from __future__ import annotations

import numpy as np
import pytest
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import zz_feature_map
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_machine_learning.gradients import ParamShiftEstimatorGradient
from qiskit_machine_learning.kernels import FidelityQuantumKernel, FidelityStatevectorKernel
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN
from qiskit_machine_learning.state_fidelities import ComputeUncompute

POINTS = np.array([[0.1, 0.9], [2.5, -1.2], [-3.0, 0.4]])


@pytest.mark.parametrize("transpiled", [False, True])
def test_kernel(ideal, transpiled):
    """Fidelities of feature states, by our sampler alone and with a pass manager."""
    features = zz_feature_map(2, reps=1)
    manager = generate_preset_pass_manager(1, backend=ideal) if transpiled else None
    sampler = AQTSampler(ideal, options={"default_shots": 4000})
    fidelity = ComputeUncompute(sampler=sampler, pass_manager=manager)
    kernel = FidelityQuantumKernel(feature_map=features, fidelity=fidelity)
    exact = FidelityStatevectorKernel(feature_map=features).evaluate(POINTS)
    assert kernel.evaluate(POINTS) == pytest.approx(exact, abs=0.04)


def _network() -> tuple[QuantumCircuit, list[Parameter], list[Parameter]]:
    inputs = [Parameter("x0"), Parameter("x1")]
    weights = [Parameter("w0"), Parameter("w1")]
    circuit = QuantumCircuit(2)
    circuit.ry(inputs[0], 0)
    circuit.ry(inputs[1], 1)
    circuit.cx(0, 1)
    circuit.ry(weights[0], 0)
    circuit.rz(weights[1], 1)
    circuit.h(1)
    return circuit, inputs, weights


def test_estimator_network(ideal):
    """Values and gradients, by the parameter-shift rule."""
    circuit, inputs, weights = _network()
    observable = SparsePauliOp(["ZI", "IZ", "XX"], [1.0, 0.5, 0.25])

    def outcome(estimator):
        network = EstimatorQNN(
            circuit=circuit,
            estimator=estimator,
            observables=observable,
            input_params=inputs,
            weight_params=weights,
            gradient=ParamShiftEstimatorGradient(estimator),
            default_precision=0.02,
        )
        values = network.forward(POINTS, [0.4, -1.3])
        return values, network.backward(POINTS, [0.4, -1.3])[1]

    estimator = AQTEstimator(ideal, options={"default_precision": 0.02})
    found, exact = outcome(estimator), outcome(StatevectorEstimator())
    assert found[0] == pytest.approx(exact[0], abs=0.12)
    assert found[1] == pytest.approx(exact[1], abs=0.12)


def test_sampler_network(ideal):
    """Probabilities of the four outcomes."""
    circuit, inputs, weights = _network()
    network = SamplerQNN(
        circuit=circuit,
        sampler=AQTSampler(ideal, options={"default_shots": 4000}),
        input_params=inputs,
        weight_params=weights,
    )
    found = network.forward(POINTS, [0.4, -1.3])
    for row, point in zip(found, POINTS, strict=True):
        values = dict(zip([*inputs, *weights], [*point, 0.4, -1.3], strict=True))
        exact = Statevector(circuit.assign_parameters(values)).probabilities()
        assert row == pytest.approx(exact, abs=0.04)
