"""Dask: backends and circuits in tasks of a ``LocalCluster`` of processes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import dask
import pytest
from distributed import Client, LocalCluster
from pool_tasks import counts_of
from qiskit import QuantumCircuit


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A cluster of two processes."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _circuit(angle: float) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rxx(angle, 0, 1)
    circuit.measure_all()
    return circuit


def test_backend_in_tasks(client, noisy):
    """Each task runs a circuit on its copy of the backend, as it runs here."""
    circuits = [_circuit(0.2 * number) for number in range(6)]
    found = client.gather(client.map(partial(counts_of, noisy, shots=400), circuits, pure=False))
    assert found == [counts_of(noisy, circuit, shots=400) for circuit in circuits]
    assert found[5].get("11", 0) / 400 == pytest.approx(math.sin(0.5) ** 2, abs=0.08)


@pytest.mark.usefixtures("client")
def test_delayed(ideal):
    """``dask.delayed`` gets the backend as an argument."""
    circuits = [_circuit(0.5), _circuit(1.0)]
    found = dask.compute(*(dask.delayed(counts_of)(ideal, circuit) for circuit in circuits))
    assert list(found) == [counts_of(ideal, circuit) for circuit in circuits]


def test_executor(client, noisy):
    """The cluster simulates a batch in chunks; the seed gives the same counts."""
    circuits = [_circuit(0.1 * number) for number in range(10)]
    there = noisy.run(circuits, executor=client.get_executor()).result().get_counts()
    assert there == noisy.run(circuits).result().get_counts()
