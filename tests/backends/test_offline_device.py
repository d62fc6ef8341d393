"""Offline simulators simulate the operations that a device would get, and nothing else."""

import math

import numpy as np
import orjson
import pytest
from aqt_fast import wire
from aqt_fast.exceptions import InvalidCircuitError
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import RXXGate
from qiskit_aer import AerSimulator

SHOTS = 300


def decorated(rng: np.random.Generator, size: int = 3) -> QuantumCircuit:
    """Random gates with labels, names, metadata and phases, into odd registers."""
    shared = ClassicalRegister(size, "shared")
    circuit = QuantumCircuit(QuantumRegister(size, "q"), shared, ClassicalRegister(2, "more"))
    circuit.name = rng.choice(["", "a b", "näme", "x" * 300, "circuit"])
    circuit.metadata = {"key": [1, {"nested": None}]} if rng.integers(2) else {}
    circuit.global_phase = rng.choice([0.0, 1.5, -7.0])
    for _ in range(rng.integers(1, 15)):
        first, second = map(int, rng.choice(size, 2, replace=False))
        label = rng.choice([None, "label", "x", "measure"])
        kind = rng.integers(4)
        if kind == 0:
            circuit.r(rng.uniform(-9, 9), rng.uniform(-9, 9), first)
        elif kind == 1:
            circuit.rz(rng.uniform(-9, 9), first)
        elif kind == 2:
            circuit.append(RXXGate(rng.uniform(-9, 9), label=label), [first, second])
        else:
            circuit.barrier(first, label=label)
        if label and kind < 2:
            gate = circuit.data[-1].operation.to_mutable()
            gate.label = label
            circuit.data[-1] = circuit.data[-1].replace(operation=gate)
    for _ in range(rng.integers(1, 5)):
        circuit.measure(int(rng.integers(size)), int(rng.integers(size + 2)))
    return circuit


def of_the_device(simulator: AerSimulator, device, seed: int) -> dict[str, int]:
    """Counts of a circuit's device form, mapped to its classical bits by hand."""
    circuit, sources = device
    result = simulator.run(circuit, shots=SHOTS, memory=True, seed_simulator=seed).result()
    counts: dict[str, int] = {}
    for shot in result.get_memory():
        outcome = shot[::-1]
        bits = ["0" if source is None else outcome[source] for source in sources]
        key = "".join(reversed(bits))
        counts[key] = counts.get(key, 0) + 1
    return counts


class TestDecorations:
    """Whatever is no operation of the device has no effect."""

    @pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
    def test_payload(self, provider, name):
        """Counts equal those of the payload: read back, all active qubits measured, mapped."""
        backend = provider.get_backend(name, available_qubits=3)
        backend.simulator.set_options(max_parallel_threads=1)  # has Aer simulate noise, too
        rng = np.random.default_rng(5)
        batch = [decorated(rng) for _ in range(60)]
        result = backend.run(batch, shots=SHOTS, seed_simulator=3, with_progress_bar=False).result()
        for index, circuit in enumerate(batch):
            payload = orjson.loads(wire.encode_job(circuit, SHOTS))
            *gates, _ = payload["payload"]["circuits"][0]["quantum_circuit"]
            device = _read_back(gates, circuit)
            found = result.results[index].data.counts
            width = circuit.num_clbits
            mine = {format(int(text, 16), f"0{width}b"): count for text, count in found.items()}
            assert mine == of_the_device(backend.simulator, device, 3 + 2113 * index)

    def test_labels_keep_the_noise(self, provider):
        """Twenty labelled RXX are as noisy as plain ones."""
        backend = provider.get_backend("offline_simulator_noise", available_qubits=2)
        backend.set_options(shots=2000, seed_simulator=1, with_progress_bar=False)
        counts = []
        for label in (None, "my gate"):
            circuit = QuantumCircuit(2)
            for _ in range(20):
                circuit.append(RXXGate(math.pi / 2, label=label), [0, 1])
            circuit.measure_all()
            counts.append(backend.run(circuit).result().get_counts())
        assert counts[0] == counts[1]
        assert counts[0]["00"] < 1900

    @pytest.mark.parametrize("phase", [Parameter("unbound"), math.nan, 1e300])
    def test_global_phase(self, backend, bell, phase):
        """One that no simulator can take does not reach it."""
        odd = bell.copy()
        odd.global_phase = phase
        result = backend.run([bell, odd] * 5, seed_simulator=1, shots=50).result()
        assert result.success
        assert sum(result.get_counts(1).values()) == 50

    def test_classical_variable(self, backend, bell):
        """An unused variable ends nothing."""
        odd = bell.copy()
        odd.add_uninitialized_var(expr.Var.new("unused", types.Bool()))
        result = backend.run([bell, odd], shots=50).result()
        assert result.success

    def test_refusals_come_first(self, backend, bell):
        """What cannot run is refused by ``run``, with its index, before anything runs."""
        bad = bell.copy_empty_like()
        bad.h(0)
        bad.measure_all(add_bits=False)
        with pytest.raises(InvalidCircuitError) as caught:
            backend.run([bell, bad, bell, bad])
        assert [problem.circuit for problem in caught.value.problems] == [1, 3]

    def test_changed_later(self, backend, bell):
        """A circuit that is changed after ``run`` runs as it was."""
        expected = backend.run([bell] * 50, shots=50, seed_simulator=1).result().get_counts()
        batch = [bell.copy() for _ in range(50)]
        job = backend.run(batch, shots=50, seed_simulator=1)
        for circuit in batch:
            circuit.data.clear()
        assert job.result().get_counts() == expected


class TestAlone:
    """A circuit that Aer cannot simulate fails alone."""

    def test_too_large(self, provider):
        """One needs more memory than there is."""
        backend = provider.get_backend("offline_simulator_no_noise", available_qubits=40)
        backend.simulator.set_options(method="statevector")
        backend.set_options(shots=20, with_progress_bar=False)
        small, large = (_ghz_like(size) for size in (2, 40))
        result = backend.run([small, large, small]).result()
        assert [entry.success for entry in result.results] == [True, False, True]
        assert not result.success


def _ghz_like(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    for qubit in range(size):
        circuit.r(1.0, 0.5, qubit)
    for qubit in range(1, size):
        circuit.rxx(1.0, 0, qubit)
    circuit.measure_all()
    return circuit


def _read_back(gates, source: QuantumCircuit) -> tuple[QuantumCircuit, list[int | None]]:
    """The device's circuit on its active qubits, and which of them each classical bit holds."""
    active = sorted({qubit for gate in gates for qubit in gate.get("qubits", [gate.get("qubit")])})
    active = active or [0]
    circuit = QuantumCircuit(len(active), len(active))
    for gate in gates:
        if gate["operation"] == "RZ":
            circuit.rz(gate["phi"] * math.pi, active.index(gate["qubit"]))
        elif gate["operation"] == "R":
            angles = gate["theta"] * math.pi, gate["phi"] * math.pi
            circuit.r(*angles, active.index(gate["qubit"]))
        else:
            places = [active.index(qubit) for qubit in gate["qubits"]]
            circuit.rxx(gate["theta"] * math.pi, *places)
    circuit.measure(range(len(active)), range(len(active)))
    sources: list[int | None] = [None] * source.num_clbits
    for item in source.data:
        if item.operation.name == "measure":
            qubit = source.find_bit(item.qubits[0]).index
            clbit = source.find_bit(item.clbits[0]).index
            sources[clbit] = active.index(qubit) if qubit in active else None
    return circuit, sources
