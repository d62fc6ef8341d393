"""The workloads that every measurement uses; the names are those of RESULTS.md."""

from __future__ import annotations

import json
import math

import numpy as np
import qiskit
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Measure, Parameter
from qiskit.circuit.library import RGate, RXXGate, RZGate, get_standard_gate_name_mapping
from qiskit.transpiler import Target

NUM_CIRCUITS = 50
NUM_SHOTS = 2000


def brickwork(rng: np.random.Generator, num_qubits: int, num_layers: int) -> QuantumCircuit:
    """RX(u) and RZ(u) on each qubit, then CX on every other pair, layer by layer."""
    circuit = QuantumCircuit(num_qubits)
    for layer in range(num_layers):
        for qubit in range(num_qubits):
            circuit.rx(rng.uniform(0, 6), qubit)
            circuit.rz(rng.uniform(0, 6), qubit)
        for qubit in range(layer % 2, num_qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def target(num_qubits: int) -> Target:
    """What both parties' backends ask the transpiler for."""
    gates = Target(num_qubits=num_qubits)
    theta, phi = Parameter("θ"), Parameter("φ")
    for gate in (RZGate(theta), RGate(theta, phi), RXXGate(theta), Measure()):
        gates.add_instruction(gate)
    return gates


def transpiled(circuits: list[QuantumCircuit]) -> list[QuantumCircuit]:
    """Circuits as either party's backends want them: level 1, with our scheduling stage."""
    most = max(circuit.num_qubits for circuit in circuits)
    return qiskit.transpile(
        circuits, target=target(most), scheduling_method="aqt_fast", optimization_level=1
    )


def brickwork_50() -> list[QuantumCircuit]:
    """``brickwork-50``: 50 circuits of 12 layers on 10 qubits, transpiled."""
    rng = np.random.default_rng(1)
    return transpiled([brickwork(rng, 10, 12) for _ in range(NUM_CIRCUITS)])


def uniform(num_qubits: int) -> np.ndarray:
    """Uniform random bits: circuits × shots × qubits."""
    rng = np.random.default_rng(2)
    return rng.integers(0, 2, (NUM_CIRCUITS, NUM_SHOTS, num_qubits), dtype=np.uint8)


def peaked(num_qubits: int) -> np.ndarray:
    """A GHZ state whose bits flip with a probability of 2 %."""
    rng = np.random.default_rng(3)
    ghz = rng.integers(0, 2, (NUM_CIRCUITS, NUM_SHOTS, 1), dtype=np.uint8)
    return ghz ^ (rng.random((NUM_CIRCUITS, NUM_SHOTS, num_qubits)) < 0.02)


def response(bits: np.ndarray) -> bytes:
    """The compact body of a finished response with these samples."""
    body = {
        "job": {
            "job_id": "8c3f4d5e-9a58-4b1c-8d0d-0f1f6d1d2a3b",
            "job_type": "quantum_circuit",
            "label": "qiskit",
            "resource_id": "ibex",
            "workspace_id": "default",
        },
        "response": {
            "status": "finished",
            "result": {str(index): shots.tolist() for index, shots in enumerate(bits)},
        },
    }
    return json.dumps(body, separators=(",", ":")).encode()


def measured(num_qubits: int) -> list[QuantumCircuit]:
    """The circuits of ``samples-50``: nothing but the measurement of all qubits."""
    circuits = []
    for _ in range(NUM_CIRCUITS):
        circuit = QuantumCircuit(num_qubits)
        circuit.measure_all()
        circuits.append(circuit)
    return circuits


def fresh_circuits(number: int) -> list[QuantumCircuit]:
    """Small transpiled circuits, each an object of its own: 4 qubits, 3 layers."""
    rng = np.random.default_rng(4)
    models = transpiled([brickwork(rng, 4, 3) for _ in range(NUM_CIRCUITS)])
    return [models[index % NUM_CIRCUITS].copy() for index in range(number)]


def marker(pattern: str) -> QuantumCircuit:
    """A circuit in AQT's gates whose every shot is ``pattern``, the last qubit first."""
    circuit = QuantumCircuit(len(pattern), name=f"marker {pattern}")
    for qubit, bit in enumerate(reversed(pattern)):
        if bit == "1":
            circuit.r(math.pi, 0, qubit)
    circuit.measure_all()
    return circuit


def standard_gates() -> dict[str, Gate]:
    """All gates of Qiskit's library that have no size of their own, by name."""
    gates = get_standard_gate_name_mapping()
    return {name: gate for name, gate in gates.items() if isinstance(gate, Gate)}


def mixed(rng: np.random.Generator, num_qubits: int, num_gates: int) -> QuantumCircuit:
    """Random gates of Qiskit's whole library and, rarely, barriers; special angles often."""
    circuit = QuantumCircuit(num_qubits, global_phase=rng.uniform(0, 6))
    gates = [gate for gate in standard_gates().values() if gate.num_qubits <= num_qubits]
    for _ in range(num_gates):
        gate = gates[rng.integers(len(gates))]
        params = [
            np.pi / 4 * rng.integers(-9, 10) if rng.random() < 0.4 else rng.uniform(-7, 7)
            for _ in gate.params
        ]
        qubits = [int(qubit) for qubit in rng.permutation(num_qubits)]
        circuit.append(type(gate)(*params) if params else gate, qubits[: gate.num_qubits])
        if rng.random() < 0.05:
            circuit.barrier(qubits[: rng.integers(1, num_qubits + 1)])
    return circuit
