"""Gates by their meaning: what stands for an operation that is no standard gate of Qiskit's.

Qiskit's transpiler and Aer go by names. A gate of another class that is called ``rz`` passes for
Qiskit's RZ there, whatever its definition says. OpenQASM makes such gates: it has no R, so every
file defines one. Here, only definition and matrix count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    ControlFlowOp,
    Gate,
    Instruction,
    Operation,
    Qubit,
)
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import (
    RGate,
    RXXGate,
    RZGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

_NATIVE: dict[str, type[Gate]] = {"r": RGate, "rz": RZGate, "rxx": RXXGate}

_STANDARD = get_standard_gate_name_mapping()

_STANDARD_NAMES = frozenset(_STANDARD) | {"barrier"}

_LIBRARY = "qiskit.circuit.library."

_MAX_DEPTH = 200
"""Deepest nesting of definitions. A definition that is deeper contains itself."""

_LARGE = 3
"""Number of qubits from which on Qiskit's first stage goes by names."""

_SMALL_NAMES = {name for name, it in _STANDARD.items() if it.num_qubits < _LARGE} | {"barrier"}

_EQUAL = 1e-10
"""Tolerance of matrices that are equal."""


def inlined(circuit: QuantumCircuit) -> tuple[QuantumCircuit, list[int]]:
    """Replace operations that consist of rz, r, rxx and barriers, and those that equal one of them.

    Global phases are lost. The native reader calls this for a circuit that has operations it does
    not know.

    Returns:
        The circuit, and for each of its instructions the index of the one that it comes from.
        Operations that cannot be replaced stay.
    """
    target = plain(circuit).copy_empty_like()
    origins = []
    for index, item in enumerate(circuit.data):
        parts = None
        if not item.is_standard_gate():
            parts = _native_parts(item.operation, item.qubits)
        for part in [item] if parts is None else parts:
            target.append(part)
            origins.append(index)
    return target, origins


def _native_parts(
    operation: Operation, qubits: Sequence[Qubit], depth: int = 0
) -> list[CircuitInstruction] | None:
    """Express an operation in rz, r, rxx and barriers; None if that needs synthesis."""
    parts = _defined_parts(operation, qubits, depth)
    if parts is None and (found := equal_native(operation)) is not None:
        parts = [CircuitInstruction(found[0], qubits)]
    return parts


def _defined_parts(
    operation: Operation, qubits: Sequence[Qubit], depth: int
) -> list[CircuitInstruction] | None:
    definition = _definition(operation)
    if definition is None or depth > _MAX_DEPTH:
        return None
    if (definition.num_qubits, definition.num_clbits) != (len(qubits), 0):
        return None
    places = dict(zip(definition.qubits, qubits, strict=True))
    parts: list[CircuitInstruction] = []
    for item in definition.data:
        acts_on = [places[qubit] for qubit in item.qubits]
        if (item.name in _NATIVE and item.is_standard_gate()) or isinstance(
            item.operation, Barrier
        ):
            parts.append(CircuitInstruction(item.operation, acts_on))
        elif item.is_standard_gate():
            return None
        else:
            inner = _native_parts(item.operation, acts_on, depth + 1)
            if inner is None:
                return None
            parts += inner
    return parts


def _definition(operation: Operation) -> QuantumCircuit | None:
    """Return the definition of an operation that has one and can make it."""
    if isinstance(operation, UnitaryGate):
        return None
    try:
        return getattr(operation, "definition", None)
    except Exception:  # noqa: BLE001 - a class of any library
        return None


def equal_native(operation: Operation) -> tuple[Gate, float] | None:
    """Return the gate of AQT's set that an operation equals, name and parameters included.

    Returns:
        The standard gate and the global phase in radians by which the operation differs from it;
        None if the operation has another meaning than its name, or another name.
    """
    standard = _NATIVE.get(operation.name)
    if standard is None:
        return None
    try:
        gate = standard(*(float(param) for param in operation.params))
        if (gate.num_qubits, 0) != (operation.num_qubits, operation.num_clbits):
            return None
        found = _matrix(operation)
    except Exception:  # noqa: BLE001 - a class of any library
        return None
    expected = gate.to_matrix()
    overlap = np.vdot(expected, found)
    if abs(overlap) < _EQUAL:
        return None
    phase = float(np.angle(overlap))
    equal = np.allclose(found, np.exp(1j * phase) * expected, rtol=0, atol=_EQUAL)
    return (gate, phase) if equal else None


def _matrix(operation: Operation) -> Any:
    """Return the matrix of an operation on one or two qubits."""
    definition = operation.definition
    if definition is None or operation.num_qubits > 1:
        return Operator(operation).data
    product = np.exp(1j * float(definition.global_phase)) * np.eye(2)
    for item in definition.data:
        matrix = item.matrix if item.is_standard_gate() else Operator(item.operation).data
        product = matrix @ product
    return product


def is_namesake(operation: Operation) -> bool:
    """Return whether an operation that is no standard gate bears a standard operation's name."""
    return operation.name in _STANDARD_NAMES and not _is_of_library(operation)


def _is_of_library(operation: Operation) -> bool:
    """Return whether the class is of Qiskit's library; classes of singletons have no module."""
    kind = getattr(operation, "base_class", type(operation))
    return str(kind.__module__).startswith(_LIBRARY)


def meaning(operation: Operation) -> tuple[QuantumCircuit | Gate, float] | None:
    """Return what stands for an operation by its definition or its matrix.

    Returns:
        An equal gate of AQT's set, the definition, or a unitary gate; and the global phase that
        comes with it. None if the operation has neither definition nor matrix.
    """
    found = equal_native(operation)
    if found is not None:
        return found
    definition = getattr(operation, "definition", None)
    if definition is not None:
        return definition, 0.0
    if isinstance(operation, Gate):
        try:
            return UnitaryGate(operation.to_matrix()), 0.0
        except (CircuitError, QiskitError):
            return None
    return None


def plain(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a plain ``QuantumCircuit``; Qiskit's library circuits build themselves on access."""
    if type(circuit) is QuantumCircuit or not isinstance(circuit, QuantumCircuit):
        return circuit  # the native code reports what is not a circuit
    return dag_to_circuit(circuit_to_dag(circuit))


def without_namesakes(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit in which no large gate passes for the standard gate of its name.

    At levels 2 and 3, ``qiskit.transpile`` translates gates on three and more qubits by their names
    before any stage of a backend. Those are replaced by their definitions here, with all that
    contain them. A circuit without any is returned as it is.
    """
    if circuit.count_ops().keys() <= _SMALL_NAMES:
        return circuit
    source = plain(circuit)
    if not any(_is_large_unknown(it) and _has_namesake(it.operation, 0) for it in source.data):
        return circuit
    target = source.copy_empty_like()
    for item in source.data:
        _append_apart(target, item, 0)
    return target


def _is_large_unknown(item: CircuitInstruction) -> bool:
    return len(item.qubits) >= _LARGE and not item.is_standard_gate() and _is_open(item.operation)


def _is_open(operation: Operation) -> bool:
    """Return whether an operation may be, or contain, a namesake."""
    return (
        isinstance(operation, Instruction)
        and not isinstance(operation, ControlFlowOp | Barrier)
        and not _is_of_library(operation)
    )


def _append_apart(target: QuantumCircuit, item: CircuitInstruction, depth: int) -> None:
    """Append an instruction, or the parts of its definition if that has a large namesake."""
    if not (_is_large_unknown(item) and _has_namesake(item.operation, depth)):
        target.append(item)
        return
    definition = item.operation.definition
    target.global_phase += definition.global_phase
    qubits = dict(zip(definition.qubits, item.qubits, strict=True))
    clbits = dict(zip(definition.clbits, item.clbits, strict=True))
    for part in definition.data:
        acts_on = [qubits[qubit] for qubit in part.qubits]
        writes = [clbits[clbit] for clbit in part.clbits]
        _append_apart(target, CircuitInstruction(part.operation, acts_on, writes), depth + 1)


def _has_namesake(operation: Operation, depth: int) -> bool:
    definition = _definition(operation)
    if definition is None or depth > _MAX_DEPTH:
        return False
    return is_namesake(operation) or any(
        _is_large_unknown(item) and _has_namesake(item.operation, depth + 1)
        for item in definition.data
    )
