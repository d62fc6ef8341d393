"""PennyLane's device ``qiskit.remote`` on a backend."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as differentiable

ANGLE = 0.7


@pytest.fixture
def device(ideal):
    """Two wires on the offline simulator."""
    return qml.device("qiskit.remote", wires=2, backend=ideal)


def _entangle(angle: float) -> None:
    qml.RY(angle, 0)
    qml.CNOT([0, 1])


def test_expectation_values(device):
    """⟨Z⟩ = cos θ, ⟨XX⟩ = sin θ."""

    @qml.set_shots(4000)
    @qml.qnode(device)
    def values(angle):
        _entangle(angle)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0) @ qml.X(1))

    for angle in (ANGLE, -4.0):
        exact = (math.cos(angle), math.sin(angle))
        assert values(angle) == pytest.approx(exact, abs=0.06)


def test_probabilities_and_counts(device):
    """Outcomes of the same state."""

    @qml.set_shots(4000)
    @qml.qnode(device)
    def probabilities(angle):
        _entangle(angle)
        return qml.probs(wires=[0, 1])

    @qml.set_shots(200)
    @qml.qnode(device)
    def counts(angle):
        _entangle(angle)
        return qml.counts()

    one = math.sin(ANGLE / 2) ** 2
    assert probabilities(ANGLE) == pytest.approx([1 - one, 0, 0, one], abs=0.04)
    assert dict(counts(math.pi)) == {"11": 200}


def test_gradient(device):
    """By the parameter-shift rule, against PennyLane's own simulator."""

    def circuit(angles):
        qml.RX(angles[0], 0)
        qml.IsingXX(angles[1], [0, 1])
        qml.RY(angles[2], 1)
        return qml.expval(qml.Z(0) @ qml.Z(1))

    angles = differentiable.array([0.4, -1.1, 2.0], requires_grad=True)
    sampled = qml.set_shots(8000)(qml.QNode(circuit, device, diff_method="parameter-shift"))
    exact = qml.QNode(circuit, qml.device("default.qubit", wires=2))
    assert qml.grad(sampled)(angles) == pytest.approx(qml.grad(exact)(angles), abs=0.06)


def test_optimisation(device):
    """A few steps down the gradient reach the lowest value."""

    @qml.set_shots(1000)
    @qml.qnode(device, diff_method="parameter-shift")
    def cost(angle):
        qml.RX(angle, 0)
        return qml.expval(qml.Z(0))

    optimizer = qml.GradientDescentOptimizer(0.8)
    angle = differentiable.array(1.0, requires_grad=True)
    for _ in range(8):
        angle = optimizer.step(cost, angle)
    assert np.cos(angle) < -0.95
