"""Fixtures that several files need."""

from __future__ import annotations

import math

import pytest
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit


@pytest.fixture
def provider() -> AQTProvider:
    """A provider without a token."""
    return AQTProvider("", load_dotenv=False)


@pytest.fixture
def backend(provider):
    """The ideal offline simulator, without a progress bar."""
    backend = provider.get_backend("offline_simulator_no_noise")
    backend.set_options(with_progress_bar=False)
    return backend


@pytest.fixture
def bell() -> QuantumCircuit:
    """A circuit in AQT's gates with two equally likely outcomes."""
    circuit = QuantumCircuit(2)
    circuit.rxx(math.pi / 2, 0, 1)
    circuit.measure_all()
    return circuit
