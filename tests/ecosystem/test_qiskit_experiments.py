"""qiskit-experiments: randomised benchmarking, tomography, quantum volume, readout errors.

Each runs by ``run(backend)`` (a sampler around the backend), ``backend_run=True`` (``backend.run``)
and ``sampler=``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from aqt_fast.primitives import AQTSampler
from qiskit import QuantumCircuit
from qiskit.circuit.library import RXXGate, SXGate
from qiskit.quantum_info import DensityMatrix, Operator, process_fidelity, state_fidelity
from qiskit_experiments.framework import BaseExperiment, ExperimentData
from qiskit_experiments.library import (
    CorrelatedReadoutError,
    InterleavedRB,
    LocalReadoutError,
    ProcessTomography,
    QuantumVolume,
    StandardRB,
    StateTomography,
)

WAYS = pytest.mark.parametrize("way", ["backend", "backend_run", "sampler"])


def finished(experiment: BaseExperiment, backend: Any, way: str, **options: Any) -> ExperimentData:
    """Run an experiment and its analysis in one of three ways."""
    keywords: dict[str, Any] = {
        "backend": {},
        "backend_run": {"backend_run": True},
        "sampler": {"sampler": AQTSampler(backend)},
    }[way]
    data = experiment.run(backend, **keywords, **options).block_for_results()
    assert not data.errors(), data.errors()
    return data


def value(data: ExperimentData, name: str) -> float:
    """A number that the analysis has found."""
    (row,) = data.analysis_results(name, dataframe=True).itertuples()
    return getattr(row.value, "nominal_value", row.value)


@WAYS
def test_standard_rb(noisy, way):
    """Decay of the simulator's own noise, 0.003 on each r: one r or none for each Clifford."""
    experiment = StandardRB([0], [1, 50, 150, 300], noisy, num_samples=3, seed=5)
    data = finished(experiment, noisy, way, shots=400)
    assert value(data, "EPC") == pytest.approx(0.0015, abs=0.0015)
    assert value(data, "alpha") == pytest.approx(0.997, abs=0.003)


@WAYS
def test_standard_rb_without_noise(ideal, way):
    """Sequences end where they began: no outcome but zeros."""
    experiment = StandardRB([0, 1], [1, 10, 20], ideal, num_samples=2, seed=5)
    experiment.analysis.set_options(plot=False)
    data = finished(experiment, ideal, way, shots=50)
    assert {key for entry in data.data() for key in entry["counts"]} == {"00"}


@WAYS
def test_interleaved_rb(noisy, way):
    """RXX(π/2) has depolarising noise of 0.01, so an error of 0.0075 with its corrections."""
    experiment = InterleavedRB(
        RXXGate(math.pi / 2), [0, 1], [1, 6, 14, 24], noisy, num_samples=3, seed=9
    )
    data = finished(experiment, noisy, way, shots=400)
    assert value(data, "EPC") == pytest.approx(0.0075, abs=0.01)
    assert value(data, "alpha_c") == pytest.approx(0.99, abs=0.015)


@WAYS
def test_state_tomography(ideal, way):
    """A Bell state with a phase."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.p(0.7, 1)
    data = finished(StateTomography(circuit), ideal, way, shots=1000)
    (row,) = data.analysis_results("state", dataframe=True).itertuples()
    assert state_fidelity(DensityMatrix(row.value), circuit_state(circuit)) > 0.97


def circuit_state(circuit: QuantumCircuit) -> DensityMatrix:
    """The state that a circuit prepares."""
    return DensityMatrix(circuit)


@WAYS
def test_process_tomography(ideal, way):
    """A gate that is not symmetric."""
    circuit = QuantumCircuit(1)
    circuit.append(SXGate(), [0])
    circuit.rz(0.4, 0)
    data = finished(ProcessTomography(circuit), ideal, way, shots=1000)
    (row,) = data.analysis_results("state", dataframe=True).itertuples()
    assert process_fidelity(row.value, Operator(circuit)) > 0.97


@WAYS
def test_quantum_volume(noisy, ideal, way):
    """Heavy outputs of ideal circuits: (1 + ln 2) / 2; of noisy ones below that."""
    means = []
    for backend in (ideal, noisy):
        experiment = QuantumVolume([0, 1, 2], trials=20, seed=3)
        data = finished(experiment, backend, way, shots=200)
        means.append(value(data, "mean_HOP"))
    assert means[0] == pytest.approx((1 + math.log(2)) / 2, abs=0.06)
    assert 0.6 < means[1] < means[0]


@WAYS
@pytest.mark.parametrize("kind", [LocalReadoutError, CorrelatedReadoutError])
def test_readout(ideal, way, kind):
    """The simulator reads without errors, so the mitigator does nothing."""
    data = finished(kind([0, 1]), ideal, way, shots=200)
    (row,) = data.analysis_results(dataframe=True).itertuples()
    assert row.value.assignment_matrix() == pytest.approx(np.eye(4), abs=1e-9)
