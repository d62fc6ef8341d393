"""A noise model as JSON's types: its basis gates, and its errors as Aer writes them.

Aer's own reader is deprecated. It forgets basis gates, and reads neither Kraus operators nor
matrices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Reset
from qiskit.circuit.library import PauliGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError


def described(model: NoiseModel) -> dict[str, Any]:
    """Describe a noise model. What acts on delays is left out: AQT devices have none."""
    description: dict[str, Any] = model.to_dict(serializable=True)
    return {"basis_gates": list(model.basis_gates), **description}


def noise_model_of(description: Mapping[str, Any]) -> NoiseModel:
    """Make a noise model from its description, also from one without basis gates.

    Raises:
        LookupError: the description is incomplete.
        ValueError: an error is of an unknown kind, or has an unknown operation.
    """
    model = NoiseModel(description.get("basis_gates"))
    for error in description["errors"]:
        places = error.get("gate_qubits", [None])
        if error["type"] == "roerror":
            readout = ReadoutError(error["probabilities"])
            for qubits in places:
                _add_readout(model, readout, qubits)
        elif error["type"] == "qerror":
            found = _quantum_error(error)
            for qubits in places:
                _add_quantum(model, found, error["operations"], qubits)
        else:
            raise ValueError(f"an error of the unknown type {error['type']!r}")
    return model


def _add_readout(model: NoiseModel, error: ReadoutError, qubits: Sequence[int] | None) -> None:
    if qubits is None:
        model.add_all_qubit_readout_error(error, warnings=False)
    else:
        model.add_readout_error(error, qubits, warnings=False)


def _add_quantum(
    model: NoiseModel, error: QuantumError, operations: Sequence[str], qubits: Sequence[int] | None
) -> None:
    if qubits is None:
        model.add_all_qubit_quantum_error(error, operations, warnings=False)
    else:
        model.add_quantum_error(error, operations, qubits, warnings=False)


def _quantum_error(error: Mapping[str, Any]) -> QuantumError:
    size = _num_qubits(error)
    circuits = []
    for operations in error["instructions"]:
        circuit = QuantumCircuit(size)
        for operation in operations:
            circuit.append(instruction_of(operation), operation["qubits"])
        circuits.append(circuit)
    return QuantumError(list(zip(circuits, error["probabilities"], strict=True)))


def _num_qubits(error: Mapping[str, Any]) -> int:
    """Return the size of an error. Its operations need not act on all of its qubits."""
    gates = get_standard_gate_name_mapping()
    sizes: list[int] = [gates[name].num_qubits for name in error["operations"] if name in gates]
    sizes += [len(qubits) for qubits in error.get("gate_qubits", [])]
    sizes += [
        max(operation["qubits"]) + 1
        for operations in error["instructions"]
        for operation in operations
    ]
    return max(sizes)


def instruction_of(operation: Mapping[str, Any]) -> Instruction:
    """Make the instruction of a described operation.

    Raises:
        LookupError: the description is incomplete.
        ValueError: it depends on a condition, or is of an unknown kind.
    """
    name, params = operation["name"], operation.get("params", [])
    if "condition" in operation:
        raise ValueError("an error that depends on a condition")
    if name == "reset":
        return Reset()
    if name == "pauli":
        return PauliGate(*params)
    if name == "unitary":
        return UnitaryGate(_matrix(params[0]), label=operation.get("label"))
    if name == "kraus":
        size = len(operation["qubits"])
        return Instruction("kraus", size, 0, [_matrix(item) for item in params])
    gates = get_standard_gate_name_mapping()
    if name not in gates:
        raise ValueError(f"an error with the operation {name!r}")
    return gates[name].base_class(*params)


def _matrix(rows: Any) -> Any:
    """Read a matrix whose entries are pairs of real and imaginary part."""
    parts = np.asarray(rows, dtype=float)
    return parts[..., 0] + 1j * parts[..., 1]
