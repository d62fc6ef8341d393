"""PUBs without parameter sets or observables, and no PUBs."""

import numpy as np
import pytest
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler


@pytest.fixture
def turned() -> QuantumCircuit:
    """One parameter, two registers."""
    circuit = QuantumCircuit(
        QuantumRegister(2), ClassicalRegister(1, "a"), ClassicalRegister(9, "b")
    )
    circuit.rx(Parameter("θ"), 0)
    circuit.x(1)
    circuit.measure([0, 1], [0, 9])
    return circuit


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_sampler(backend, turned, shape):
    """Arrays without entries, as from Qiskit's own sampler, beside others."""
    none, some = (turned, np.zeros((*shape, 1))), (turned, [[np.pi]], 4)
    for pubs in ([none], [none, some], [some, none, none]):
        job = AQTSampler(backend).run(pubs, shots=7)
        found, exact = job.result(), StatevectorSampler().run(pubs, shots=7).result()
        assert found.metadata == exact.metadata
        assert len(job.jobs) == any(pub is some for pub in pubs)
        for item, other in zip(found, exact, strict=True):
            assert item.metadata == other.metadata
            assert item.data.shape == other.data.shape
            assert dict(item.data.items()) == dict(other.data.items())


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_estimator(backend, turned, shape):
    """Arrays without entries, as from Qiskit's own estimator, beside others."""
    circuit = turned.remove_final_measurements(inplace=False)
    none, some = (circuit, "ZZ", np.zeros((*shape, 1))), (circuit, "ZZ", [[np.pi]])
    nothing = (circuit, [], [0.5])
    for pubs in ([none], [nothing], [none, some], [some, nothing, none]):
        job = AQTEstimator(backend).run(pubs, precision=0.1)
        found, exact = job.result(), StatevectorEstimator().run(pubs).result()
        assert len(job.jobs) == any(pub is some for pub in pubs)
        for item, other in zip(found, exact, strict=True):
            assert item.data.evs.shape == item.data.stds.shape == other.data.evs.shape
            assert item.data.shape == other.data.shape
            assert np.allclose(item.data.evs, other.data.evs)
            assert item.metadata["target_precision"] == 0.1
            sets = item.data.evs.size
            assert item.metadata["shots"] == 100 * sets
            assert item.metadata["circuits"] == sets


def test_no_pubs(backend):
    """An empty result."""
    for primitive in (AQTSampler(backend), AQTEstimator(backend)):
        job = primitive.run([])
        assert len(job.result()) == 0
        assert job.done()
        assert len(job.job_id()) == 36
        assert job.cancel() is False


def test_precision(backend, turned):
    """It must be positive, whatever there is to estimate."""
    circuit = turned.remove_final_measurements(inplace=False)
    for values in ([[1.0]], np.zeros((0, 1))):
        with pytest.raises(InvalidOptionError, match="precision"):
            AQTEstimator(backend).run([(circuit, "ZZ", values)], precision=0.0)
