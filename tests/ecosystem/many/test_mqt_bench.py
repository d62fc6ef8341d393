"""mqt.bench: benchmarks in a backend's gates and for its pairs, with ``target=backend.target``."""

from __future__ import annotations

import pytest
from aqt_fast import AQTProvider
from aqt_fast.testing import ArnicaServer
from mqt.bench import get_benchmark_mapped, get_benchmark_native_gates
from qiskit import QuantumCircuit

GENERATORS = pytest.mark.parametrize(
    "generate", [get_benchmark_native_gates, get_benchmark_mapped], ids=["native", "mapped"]
)


def _runnable(circuit: QuantumCircuit) -> QuantumCircuit:
    if "measure" not in circuit.count_ops():
        circuit.measure_all()
    return circuit


@GENERATORS
@pytest.mark.parametrize("level", range(4))
def test_ghz(ideal, generate, level):
    """Zeros or ones."""
    circuit = generate("ghz", 4, target=ideal.target, opt_level=level)
    counts = ideal.run(_runnable(circuit), shots=500).result().get_counts()
    assert len(counts) == 2
    assert sum(counts.values()) == 500
    assert set("".join(counts).replace(" ", "")) == {"0", "1"}
    assert abs(max(counts.values()) - 250) < 60


@GENERATORS
@pytest.mark.parametrize("name", ["dj", "qft", "qaoa", "graphstate", "wstate", "vqe_real_amp"])
def test_mirrored(ideal, generate, name):
    """A circuit and its inverse: zeros only."""
    circuit = generate(name, 4, target=ideal.target, opt_level=1, generate_mirror_circuit=True)
    counts = ideal.run(_runnable(circuit), shots=100).result().get_counts()
    assert set("".join(counts).replace(" ", "")) == {"0"}


@pytest.fixture(scope="module")
def devices():
    """A device whose pairs differ widely, and one as large of which nothing is known."""
    with ArnicaServer(simulate=False, characterisation="pairs") as server:
        with AQTProvider(server.token, portal_url=server.url) as provider:
            server.drift(amount=1.5)
            known = provider.get_backend("ibex")
        return known, AQTProvider("").get_backend(
            "offline_simulator_no_noise", available_qubits=known.num_qubits
        )


@GENERATORS
@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("name", ["ghz", "qft", "qaoa", "wstate"])
def test_calibrated_target(devices, generate, name, level):
    """The circuits are those of a target without figures: no pair is preferred or avoided."""
    known, unknown = (generate(name, 5, target=each.target, opt_level=level) for each in devices)
    assert known == unknown
    assert "swap" not in known.count_ops()
