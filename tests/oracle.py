"""The codec once more, slow and obvious: the version that the fast one is compared with."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence

from qiskit import QuantumCircuit


def job(
    circuits: Sequence[QuantumCircuit], shots: int | Sequence[int], label: str | None = "qiskit"
) -> dict:
    """The request body of one API job, as Python objects."""
    numbers = [shots] * len(circuits) if isinstance(shots, int) else shots
    objects = [
        circuit_payload(circuit, number) for circuit, number in zip(circuits, numbers, strict=True)
    ]
    return {"job_type": "quantum_circuit", "label": label, "payload": {"circuits": objects}}


def circuit_payload(circuit: QuantumCircuit, shots: int) -> dict:
    """One circuit object; the circuit must be valid."""
    operations = []
    for instruction in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        angles = [float(param) / math.pi for param in instruction.operation.params]
        name = instruction.operation.name
        if name == "rz":
            operations.append({"operation": "RZ", "qubit": qubits[0], "phi": angles[0]})
        elif name == "r":
            operations.append(
                {"operation": "R", "qubit": qubits[0], "phi": angles[1], "theta": angles[0]}
            )
        elif name == "rxx":
            operations.append({"operation": "RXX", "qubits": qubits, "theta": angles[0]})
        else:
            assert name in ("measure", "barrier")
    operations.append({"operation": "MEASURE"})
    return {
        "repetitions": shots,
        "quantum_circuit": operations,
        "number_of_qubits": circuit.num_qubits,
    }


def samples(body: bytes) -> list[list[list[int]]]:
    """The samples of a finished response: circuits, shots, qubits."""
    result = json.loads(body)["response"]["result"]
    return [result[str(index)] for index in range(len(result))]


def classical_bits(circuit: QuantumCircuit, shot: list[int]) -> list[int]:
    """All classical bits after a shot, lowest first."""
    bits = [0] * circuit.num_clbits
    for instruction in circuit.data:
        if instruction.operation.name == "measure":
            qubit = circuit.find_bit(instruction.qubits[0]).index
            bits[circuit.find_bit(instruction.clbits[0]).index] = shot[qubit]
    return bits


def memory(circuit: QuantumCircuit, shots: list[list[int]]) -> list[str]:
    """The outcome of each shot in hexadecimal."""
    values = (
        sum(bit << place for place, bit in enumerate(classical_bits(circuit, shot)))
        for shot in shots
    )
    return [hex(value) for value in values]


def counts(circuit: QuantumCircuit, shots: list[list[int]]) -> dict[str, int]:
    """How often each outcome came, in hexadecimal."""
    return dict(Counter(memory(circuit, shots)))
