"""joblib with its process pool, loky."""

from __future__ import annotations

import math
import multiprocessing

import pytest
from joblib import Parallel, delayed
from qiskit import QuantumCircuit


def _circuit(angle: float) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rxx(angle, 0, 1)
    circuit.measure_all()
    return circuit


def _counts(backend, angle: float) -> dict[str, int]:
    return dict(backend.run(_circuit(angle), shots=500).result().get_counts())


@pytest.mark.parametrize("name", ["ideal", "noisy"])
def test_backend_in_workers(name, request):
    """A backend is pickled with its options and runs in each worker as it does here."""
    backend = request.getfixturevalue(name)
    angles = [0.1 * number for number in range(1, 7)]
    parallel = Parallel(n_jobs=2, backend="loky")
    found = parallel(delayed(_counts)(backend, angle) for angle in angles)
    assert found == [_counts(backend, angle) for angle in angles]
    assert found[5].get("11", 0) / 500 == pytest.approx(math.sin(0.3) ** 2, abs=0.06)


def test_results_come_back(ideal):
    """Results of workers are pickled, too."""
    circuit = _circuit(math.pi / 2)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply(_result, (ideal, circuit))
    assert result.get_counts() == ideal.run(circuit, shots=100).result().get_counts()


def _result(backend, circuit: QuantumCircuit):
    return backend.run(circuit, shots=100).result()
