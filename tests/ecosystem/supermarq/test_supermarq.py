"""supermarq: scores of its benchmarks on the simulators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit import transpile
from qiskit_aer import AerSimulator
from supermarq.benchmarks import (
    ghz,
    hamiltonian_simulation,
    mermin_bell,
    qaoa_fermionic_swap_proxy,
    qaoa_vanilla_proxy,
    vqe_proxy,
)


def _score(benchmark: Any, backend: Any) -> float:
    circuits = benchmark.qiskit_circuit()
    several = isinstance(circuits, list)
    transpiled = transpile(circuits if several else [circuits], backend)
    result = backend.run(transpiled, shots=2000).result()
    counts = [result.get_counts(index) for index in range(len(transpiled))]
    return float(benchmark.score(counts if several else counts[0]))


BENCHMARKS = {
    "ghz": lambda: ghz.GHZ(4),
    "hamiltonian": lambda: hamiltonian_simulation.HamiltonianSimulation(4, 1 / 3, 1.0),
    "vqe": lambda: vqe_proxy.VQEProxy(4, 1),
    "qaoa": lambda: qaoa_vanilla_proxy.QAOAVanillaProxy(4),
    "fermionic swap": lambda: qaoa_fermionic_swap_proxy.QAOAFermionicSwapProxy(4),
    "mermin bell": lambda: mermin_bell.MerminBell(3),
}
BEST = ("ghz", "hamiltonian", "vqe")
"""The others have scores below 1 with Aer, too: supermarq 0.5.70 reads bits in its own order."""


@pytest.mark.parametrize("name", BENCHMARKS)
def test_scores(ideal, noisy, name):
    """The ideal simulator's score is Aer's, the noisy one's is a little lower for GHZ."""
    np.random.seed(7)  # noqa: NPY002 - supermarq draws from it
    benchmark = BENCHMARKS[name]()
    found, exact = _score(benchmark, ideal), _score(benchmark, AerSimulator(seed_simulator=3))
    assert found == pytest.approx(exact, abs=0.04)
    if name in BEST:
        assert found == pytest.approx(1, abs=0.03)
        assert 0.88 < _score(benchmark, noisy) <= 1
    if name == "ghz":
        assert _score(benchmark, noisy) < found
