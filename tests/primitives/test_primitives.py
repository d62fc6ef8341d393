"""Sampler and estimator: right bits, shots, registers, parameters."""

import numpy as np
import pytest
from aqt_fast.exceptions import JobFailedError
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2, StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp


def test_interfaces(backend):
    """By position and by keyword, as Qiskit's V2 primitives."""
    for sampler in (AQTSampler(backend), AQTSampler(backend=backend, options={"default_shots": 5})):
        assert isinstance(sampler, BaseSamplerV2)
    for estimator in (AQTEstimator(backend), AQTEstimator(backend=backend, options=None)):
        assert isinstance(estimator, BaseEstimatorV2)


def test_bits_and_registers(backend):
    """Each register has its own bits, in order; the peer read them in base 16."""
    circuit = QuantumCircuit(
        QuantumRegister(5), ClassicalRegister(3, "low"), ClassicalRegister(9, "high")
    )
    circuit.x([0, 3])
    circuit.measure([0, 1, 2, 3, 4], [2, 1, 0, 11, 3])
    result = AQTSampler(backend).run([circuit], shots=17).result()
    data = result[0].data
    assert data.low.get_counts() == {"100": 17}
    assert data.high.get_counts() == {"100000000": 17}
    assert (data.low.num_shots, data.low.num_bits, data.high.num_bits) == (17, 3, 9)


def test_parameters_and_shots(backend):
    """Arrays of parameters keep their shape; each pub has its own shots."""
    theta = Parameter("theta")
    circuit = QuantumCircuit(2)
    circuit.rx(theta, 0)
    circuit.rxx(theta, 0, 1)
    circuit.measure_all()
    values = np.array([[0.0, np.pi], [2 * np.pi, -np.pi]])
    sampler = AQTSampler(backend, {"default_shots": 30, "seed_simulator": 2})
    first, second = sampler.run([(circuit, values), (circuit, [0.0], 7)]).result()
    assert first.data.meas.shape == (2, 2)
    assert first.data.meas.num_shots == 30
    # rx(π) flips qubit 0, rxx(π) flips both.
    assert first.data.meas.get_counts((0, 0)) == {"00": 30}
    assert first.data.meas.get_counts((0, 1)) == {"10": 30}
    assert first.data.meas.get_counts((1, 0)) == {"00": 30}
    assert first.data.meas.get_counts((1, 1)) == {"10": 30}
    assert second.data.meas.num_shots == 7


def test_seed(backend):
    """The option makes runs repeat."""
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.measure_all()
    arrays = [
        AQTSampler(backend, {"seed_simulator": seed}).run([circuit]).result()[0].data.meas.array
        for seed in (5, 5, 6)
    ]
    assert np.array_equal(arrays[0], arrays[1])
    assert not np.array_equal(arrays[0], arrays[2])


def test_estimator(backend):
    """Values within five standard errors of the exact ones."""
    circuit = efficient_su2(3, reps=1)
    rng = np.random.default_rng(8)
    values = rng.uniform(-9, 9, (4, circuit.num_parameters))
    observables = [
        [SparsePauliOp("XXI")],
        [SparsePauliOp(["ZZZ", "IYX"], [1.0, -0.5])],
    ]
    pub = (circuit, observables, values)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    estimator = AQTEstimator(backend, options={"seed_simulator": 3, "default_precision": 0.02})
    found = estimator.run([pub]).result()[0].data
    assert found.evs.shape == exact.shape == (2, 4)
    assert np.all(np.abs(found.evs - exact) < 5 * 0.02 * 1.5)


def test_a_failed_job_makes_up_nothing(backend):
    """Qiskit's sampler would fill in zeros for circuits without outcomes."""
    backend.simulator.set_options(max_memory_mb=1)
    small, large = QuantumCircuit(1), QuantumCircuit(20)
    small.x(0)
    large.h(range(20))
    for circuit in (small, large):
        circuit.measure_all()
    with pytest.raises(JobFailedError, match="circuit 1"):
        AQTSampler(backend).run([small, large, small], shots=30).result()
    with pytest.raises(JobFailedError, match="circuit 0"):
        AQTEstimator(backend).run(
            [(large.remove_final_measurements(inplace=False), "Z" * 20)]
        ).result()


def test_bad_circuit(backend):
    """A circuit wider than the register raises."""
    circuit = QuantumCircuit(21)
    circuit.measure_all()
    with pytest.raises(Exception, match="21"):
        AQTSampler(backend).run([circuit]).result()
