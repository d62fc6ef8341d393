"""qiskit-ibm-runtime's local mode: its sampler and estimator with ``mode=backend``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import Batch, EstimatorV2, SamplerV2, Session


@pytest.fixture
def rotated(ideal) -> QuantumCircuit:
    """A transpiled circuit of two qubits with one angle."""
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("θ"), 0)
    circuit.cx(0, 1)
    return generate_preset_pass_manager(1, backend=ideal).run(circuit)


def test_sampler(ideal, rotated):
    """sin²(θ/2) for angles of both signs."""
    rotated.measure_all()
    angles = np.array([-5.0, -1.0, 0.5, 7.0])
    sampler = SamplerV2(mode=ideal)
    data = sampler.run([(rotated, angles[:, None])], shots=2000).result()[0].data.meas
    for index, angle in enumerate(angles):
        ones = data[index].get_counts().get("11", 0)
        assert ones / 2000 == pytest.approx(math.sin(angle / 2) ** 2, abs=0.05)


def test_estimator(ideal, rotated):
    """⟨ZI⟩ = cos θ, ⟨XX⟩ = sin θ."""
    angles = np.array([-4.0, 0.7, 6.0])
    estimator = EstimatorV2(mode=ideal)
    observables = [[SparsePauliOp("ZI")], [SparsePauliOp("XX")]]
    found = estimator.run([(rotated, observables, angles)], precision=0.02).result()
    assert found[0].data.evs == pytest.approx(np.array([np.cos(angles), np.sin(angles)]), abs=0.08)


@pytest.mark.parametrize("mode", [Session, Batch])
def test_session_and_batch(ideal, rotated, mode):
    """The same within a session and a batch."""
    rotated.measure_all()
    with mode(backend=ideal) as session:
        job = SamplerV2(mode=session).run([(rotated, [math.pi])], shots=100)
        assert job.result()[0].data.meas.get_counts() == {"11": 100}


def test_seed(noisy, rotated):
    """The seed of local mode's simulator options is the simulator's."""
    rotated.measure_all()
    counts = []
    for _ in range(2):
        sampler = SamplerV2(mode=noisy)
        sampler.options.simulator.seed_simulator = 42
        counts.append(sampler.run([(rotated, [1.0])], shots=500).result()[0].data.meas)
    assert counts[0] == counts[1]
