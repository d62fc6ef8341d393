"""A store with jobs of a server of its own."""

from __future__ import annotations

import pytest
from aqt_fast import AQTProvider
from aqt_fast.testing import ArnicaServer
from qiskit import QuantumCircuit


@pytest.fixture(autouse=True)
def _environment(server, monkeypatch) -> None:
    """What a new process finds."""
    monkeypatch.setenv("AQT_PORTAL_URL", server.url)
    monkeypatch.setenv("AQT_TOKEN", server.token)


@pytest.fixture
def server():
    """A server of one's own."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture
def portal(server):
    """A provider of its portal."""
    with AQTProvider(
        server.token, portal_url=server.url, load_dotenv=False, read_timeout=10
    ) as provider:
        yield provider


@pytest.fixture
def cloud(portal):
    """Its ideal simulator."""
    backend = portal.get_backend("simulator_ideal")
    backend.set_options(query_period_seconds=0.1, with_progress_bar=False)
    return backend


@pytest.fixture
def circuit() -> QuantumCircuit:
    """One that is always 0."""
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    return circuit
