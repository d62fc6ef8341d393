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
from qiskit.quantum_info import (
    DensityMatrix,
    Operator,
    Statevector,
    process_fidelity,
    state_fidelity,
)
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
    """The error of r is that of the simulator's noise: half of 0.003.

    The package knows no ratio of errors for r, so it is told.
    """
    experiment = StandardRB([0], [1, 100, 300, 600], noisy, num_samples=3, seed=5)
    experiment.analysis.set_options(gate_error_ratio={"r": 1.0, "rz": 0.0})
    data = finished(experiment, noisy, way, shots=400)
    assert value(data, "EPG_r") == pytest.approx(0.0015, abs=0.0004)


@WAYS
def test_standard_rb_without_noise(ideal, way):
    """Sequences end where they began: no outcome but zeros."""
    experiment = StandardRB([0, 1], [1, 10, 20], ideal, num_samples=2, seed=5)
    experiment.analysis.set_options(plot=False, gate_error_ratio=None)
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
    assert state_fidelity(DensityMatrix(row.value), Statevector(circuit)) > 0.97


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
    """Heavy outputs are as frequent as the exact probabilities say, and rarer with noise.

    The number of qubits is even: the package misreads circuits that leave a qubit out.
    """
    means = []
    for backend in (ideal, noisy):
        experiment = QuantumVolume([0, 1, 2, 3], trials=10, seed=3)
        data = finished(experiment, backend, way, shots=500)
        means.append(value(data, "mean_HOP"))
    bare = [circuit.remove_final_measurements(inplace=False) for circuit in experiment.circuits()]
    probabilities = [Statevector(circuit).probabilities() for circuit in bare]
    heavy = [exact[exact > np.median(exact)].sum() for exact in probabilities]
    assert means[0] == pytest.approx(np.mean(heavy), abs=0.02)
    assert means[0] - 0.15 < means[1] < means[0]


@WAYS
@pytest.mark.parametrize("kind", [LocalReadoutError, CorrelatedReadoutError])
def test_readout(ideal, way, kind):
    """The simulator reads without errors, so the mitigator does nothing."""
    data = finished(kind([0, 1]), ideal, way, shots=200)
    (row,) = data.analysis_results(dataframe=True).itertuples()
    assert row.value.assignment_matrix() == pytest.approx(np.eye(4), abs=1e-9)
