"""Sampler and estimator of the 2.x face."""

from __future__ import annotations

import math

import pytest
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.exceptions import AQTValueError
from aqt_fast.v2.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.quantum_info import SparsePauliOp


@pytest.fixture
def resource():
    """The ideal simulator."""
    return AQTProvider().offline.ideal()


def test_sampler(resource, capsys):
    """Any circuit with parameters; the backend is the one that was given."""
    sampler = AQTSampler(backend=resource, options={"default_shots": 50})
    assert isinstance(sampler, BaseSamplerV2)
    assert sampler.backend is resource
    theta = Parameter("θ")
    circuit = QuantumCircuit(2)
    circuit.rx(theta, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    result = sampler.run([(circuit, [math.pi])]).result()
    assert result[0].data.meas.get_counts() == {"11": 50}
    assert capsys.readouterr().err == ""


def test_sampler_takes_more_circuits_than_an_api_job(resource):
    """One job runs all circuits of a sampler."""
    sampler = AQTSampler(backend=resource)
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    result = sampler.run([circuit] * 51, shots=3).result()
    assert [pub.data.meas.get_counts() for pub in result] == [{"1": 3}] * 51


def test_estimator(resource):
    """Expectation values of a state that is known."""
    estimator = AQTEstimator(backend=resource, options={"default_precision": 0.05})
    assert isinstance(estimator, BaseEstimatorV2)
    assert estimator.backend is resource
    theta = Parameter("θ")
    circuit = QuantumCircuit(1)
    circuit.rx(theta, 0)
    values = [[0.0], [math.pi]]
    evs = estimator.run([(circuit, SparsePauliOp("Z"), values)]).result()[0].data.evs
    assert evs == pytest.approx([1, -1])


@pytest.mark.parametrize("primitive", [AQTSampler, AQTEstimator])
def test_keywords_only(primitive, resource):
    """The signature is that of 2.0.1."""
    with pytest.raises(TypeError):
        primitive(resource)


@pytest.mark.parametrize("primitive", [AQTSampler, AQTEstimator])
def test_unknown_option(primitive, resource):
    """An option that does not exist is an error of the face."""
    with pytest.raises(AQTValueError, match=r"'shotz', .*; did you mean 'shots'"):
        primitive(backend=resource, options={"shotz": 5})


def test_run_options(resource):
    """Shots in ``run_options`` count, and the outcome of each shot is read anyway."""
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    options = {"run_options": {"shots": 50, "memory": True}}
    sampler = AQTSampler(backend=resource, options=options)
    assert sampler.run([circuit]).result()[0].data.meas.get_counts() == {"0": 50}
