"""Fixtures for tests of every subject.

======================  ==========================================================
``provider``            without a token
``backend``             its ideal offline simulator
``server``              a local server of the test's own
``shared_server``       one for all tests that do not change it
``environment``         lets new providers and ``restore`` find the server
``portal``              a provider on the server's portal
``device``              a backend of that portal
``machine``             the server's machine, by direct access
``bell``, ``circuit``   circuits in AQT's gates
``registers``           one with several registers, not transpiled
``in_india``            local time is five and a half hours ahead of UTC
======================  ==========================================================

Modules beside this one: ``waiting`` (``wait_until``), ``markers`` (circuits with known outcomes),
``clients`` (more connections to a server), ``executors`` (under a test's control), ``forking`` and
``pool_tasks`` (other processes), ``strategies`` (for Hypothesis), ``hostile`` (texts that a
terminal would obey), ``oracle`` (the slow codec).
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator

import pytest
from aqt_fast import AQTProvider
from aqt_fast.aqt_resource import AQTDirectAccessResource, AQTResource
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of, machine_of
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister


def pytest_configure() -> None:
    """Let processes of tests take Ctrl-C: a shell has its background jobs ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def provider() -> AQTProvider:
    """A provider without a token."""
    return AQTProvider("", load_dotenv=False)


@pytest.fixture
def backend(provider: AQTProvider) -> AQTResource:
    """The ideal offline simulator, without a progress bar."""
    backend = provider.get_backend("offline_simulator_no_noise")
    backend.set_options(with_progress_bar=False)
    return backend


@pytest.fixture
def server() -> Iterator[ArnicaServer]:
    """A server of the test's own: portal and machine, which do not simulate."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[ArnicaServer]:
    """A server for all tests that do not change it."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture
def environment(server: ArnicaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the server's portal and its token, but not its machine."""
    monkeypatch.setenv("AQT_PORTAL_URL", server.url)
    monkeypatch.setenv("AQT_TOKEN", server.token)


@pytest.fixture
def portal(server: ArnicaServer) -> Iterator[AQTProvider]:
    """A provider on the server's portal."""
    with connect(server) as provider:
        yield provider


@pytest.fixture
def device(portal: AQTProvider) -> AQTResource:
    """The portal's ideal simulator, with the shortest period and without a progress bar."""
    return device_of(portal)


@pytest.fixture
def machine(portal: AQTProvider, server: ArnicaServer) -> AQTDirectAccessResource:
    """The server's machine: five shots, the shortest period, no progress bar."""
    return machine_of(portal, server, shots=5)


@pytest.fixture
def bell() -> QuantumCircuit:
    """A circuit in AQT's gates with two equally likely outcomes."""
    circuit = QuantumCircuit(2)
    circuit.rxx(math.pi / 2, 0, 1)
    circuit.measure_all()
    return circuit


@pytest.fixture
def circuit() -> QuantumCircuit:
    """A circuit of one qubit that is always 0."""
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    return circuit


@pytest.fixture
def registers() -> QuantumCircuit:
    """Permuted, partial and repeated measurements into two registers and 70 bits."""
    circuit = QuantumCircuit(
        QuantumRegister(4, "q"), ClassicalRegister(3, "a"), ClassicalRegister(67, "b")
    )
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(1.0, 2)
    circuit.cx(2, 3)
    circuit.measure([0, 1, 3, 2], [69, 0, 1, 1])
    return circuit


@pytest.fixture
def in_india() -> Iterator[None]:
    """Local time is five and a half hours ahead of UTC, here and in new processes."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", "IST-5:30")
        time.tzset()
        yield
    time.tzset()
