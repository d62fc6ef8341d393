"""Small circuits and response bodies."""

import json
import math

import pytest
from qiskit import QuantumCircuit

pytestmark = pytest.mark.all_qiskits


def small_circuit() -> QuantumCircuit:
    """Every kind of operation once."""
    circuit = QuantumCircuit(2, 2)
    circuit.r(math.pi / 2, math.pi / 4, 0)
    circuit.barrier()
    circuit.rxx(math.pi / 2, 0, 1)
    circuit.rz(-3 * math.pi, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


def finished(*circuits: list[list[int]]) -> bytes:
    """A compact finished response."""
    result = {str(index): shots for index, shots in enumerate(circuits)}
    body = {"job": {}, "response": {"status": "finished", "result": result}}
    return json.dumps(body, separators=(",", ":")).encode()


def direct(payload: dict) -> bytes:
    """A compact response of direct access."""
    body = {"job_id": "8c3f4d5e-9a58-4b1c-8d0d-0f1f6d1d2a3b", "payload": payload}
    return json.dumps(body, separators=(",", ":")).encode()


def with_gate(append) -> QuantumCircuit:
    """rz, then what ``append`` adds, then a measurement."""
    circuit = QuantumCircuit(3, 1)
    circuit.rz(1, 0)
    append(circuit)
    circuit.measure(0, 0)
    return circuit
