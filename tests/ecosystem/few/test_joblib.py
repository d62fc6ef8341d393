"""joblib with its process pool, loky."""

from __future__ import annotations

import math

import pytest
from joblib import Parallel, delayed
from pool_tasks import counts_of
from qiskit import QuantumCircuit


def _circuit(angle: float) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rxx(angle, 0, 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("name", ["ideal", "noisy"])
def test_backend_in_workers(name, request):
    """A backend is pickled with its options and runs in each worker as it does here."""
    backend = request.getfixturevalue(name)
    angles = [0.1 * number for number in range(1, 7)]
    parallel = Parallel(n_jobs=2, backend="loky")
    found = parallel(delayed(counts_of)(backend, _circuit(angle), shots=500) for angle in angles)
    assert found == [counts_of(backend, _circuit(angle), shots=500) for angle in angles]
    assert found[5].get("11", 0) / 500 == pytest.approx(math.sin(0.3) ** 2, abs=0.06)
