"""Gates by their meaning: what stands for an operation that is no standard gate of Qiskit's.

Qiskit's transpiler and Aer go by names. A gate of another class that is called ``rz`` passes for
Qiskit's RZ there, whatever its definition says. OpenQASM makes such gates: it has no R, so every
file defines one. Here, only definition and matrix count.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeAlias

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    CONTROL_FLOW_OP_NAMES,
    AnnotatedOperation,
    Barrier,
    CircuitInstruction,
    Clbit,
    ControlledGate,
    Gate,
    Instruction,
    Operation,
    ParameterExpression,
    Qubit,
    Store,
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

_CLASSES: dict[str, type[Operation]] = {
    name: getattr(standard, "base_class", type(standard))
    for name, standard in get_standard_gate_name_mapping().items()
} | {"barrier": Barrier}
"""Qiskit's classes of standard operations by their names."""

_GENERAL = (Gate, Instruction, ControlledGate)
"""Qiskit's classes of gates whose meaning is their definition."""

_NAMES = {
    "break_loop", "c4x", "continue_loop", "diagonal", "initialize", "isometry", "kraus", "mcp",
    "mcphase", "mcrx", "mcry", "mcrz", "mcx_gray", "mcx_recursive", "mcx_vchain", "ms",
    "multiplexer", "nop", "pauli", "snapshot", "state_preparation", "store", "superop", "ucrx",
    "ucry", "ucrz", "unitary",
}  # fmt: skip
"""Names of other operations of Qiskit's that no plugin and no list of Qiskit's gives."""

NO_MEANING = "'{}' has neither a definition nor a matrix"
"""What is wrong with an operation without a meaning, with a place for its name."""

GIVE_A_DEFINITION = "give it a definition"
"""What to do about it."""

_MAX_DEPTH = 200
"""Deepest nesting of definitions. A definition that is deeper contains itself."""

_EQUAL = 1e-10
"""Tolerance of matrices that are equal."""


class _EndlessDefinitionError(Exception):
    """A definition contains itself."""


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
    """Return whether an operation bears the name of a standard one and is not of its class."""
    kind = _CLASSES.get(operation.name)
    return kind is not None and not (isinstance(operation, kind) and _is_qiskits(operation))


def obstacle(operation: Operation) -> tuple[str, str] | None:
    """Return what keeps an operation from being transpiled; the native reader calls this.

    Returns:
        ``variable`` for a value of a classical variable, ``opaque`` for a gate with neither a
        definition nor a matrix, ``instruction`` for any other operation without a definition; and
        the name of that operation. None if there is nothing of this kind.
    """
    try:
        return _obstacle(operation, 0)
    except (_EndlessDefinitionError, RecursionError):
        return None


def _obstacle(operation: Operation, depth: int) -> tuple[str, str] | None:
    if isinstance(operation, Store):
        return "variable", operation.name
    if not isinstance(operation, Instruction) or _is_qiskits(operation):
        return None
    try:
        definition = operation.definition
    except Exception:  # noqa: BLE001 - a class of any library
        return None
    if depth > _MAX_DEPTH:
        raise _EndlessDefinitionError
    if definition is not None:
        others = (item.operation for item in definition.data if not item.is_standard_gate())
        return next(filter(None, (_obstacle(it, depth + 1) for it in others)), None)
    if not isinstance(operation, Gate):
        return "instruction", operation.name
    with suppress(Exception):  # a class of any library
        operation.to_matrix()
        return None
    return "opaque", operation.name


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
    """Return a circuit in which no operation passes for Qiskit's operation of its name.

    The passes of ``qiskit.transpile`` and its plugins for synthesis go by names, some of them
    before any stage of a backend. Operations that are not of Qiskit's class of their name are
    replaced by their definitions here, or by their matrices, with all that contain them. A circuit
    without any is returned as it is.
    """
    source = plain(circuit)
    if not isinstance(source, QuantumCircuit):
        return source
    apart: dict[int, list[_Part]] = {}
    for index, item in enumerate(source.data):
        if not item.is_standard_gate():
            with suppress(_EndlessDefinitionError, RecursionError):  # transpiling it tells
                parts = _apart(item.operation, item.qubits, item.clbits, 0)
                if parts is not None:
                    apart[index] = parts
    if not apart:
        return circuit
    target = source.copy_empty_like()
    for index, item in enumerate(source.data):
        _extend(target, apart.get(index, [item]))
    return target


_Part: TypeAlias = CircuitInstruction | float | ParameterExpression
"""An instruction or a global phase."""


def _apart(
    operation: Operation, qubits: Sequence[Qubit], clbits: Sequence[Clbit], depth: int
) -> list[_Part] | None:
    """Return the parts of an operation that is, or contains, a namesake; None for any other."""
    if isinstance(operation, AnnotatedOperation):
        renamed = with_neutral_base(operation)
        return None if renamed is operation else [CircuitInstruction(renamed, qubits, clbits)]
    if not isinstance(operation, Instruction):
        return None
    if depth > _MAX_DEPTH:
        raise _EndlessDefinitionError
    misleading = _misleads(operation)
    if not misleading and _is_qiskits(operation):
        return None
    found = equal_native(operation) if misleading else None
    if found is not None:
        return [CircuitInstruction(found[0], qubits), found[1]]
    definition = _definition(operation)
    if definition is None:
        return _without_definition(operation, qubits, clbits) if misleading else None
    if (definition.num_qubits, definition.num_clbits) != (len(qubits), len(clbits)):
        return None
    places = dict(zip(definition.qubits, qubits, strict=True))
    bits = dict(zip(definition.clbits, clbits, strict=True))
    parts: list[_Part] = [definition.global_phase]
    changed = misleading
    for item in definition.data:
        acts_on = [places[qubit] for qubit in item.qubits]
        writes = [bits[clbit] for clbit in item.clbits]
        inner = None
        if not item.is_standard_gate():
            inner = _apart(item.operation, acts_on, writes, depth + 1)
        changed = changed or inner is not None
        parts += inner or [CircuitInstruction(item.operation, acts_on, writes)]
    return parts if changed else None


def with_neutral_base(operation: AnnotatedOperation) -> AnnotatedOperation:
    """Return the same operation on a gate whose name means nothing to Qiskit.

    If nothing in its base passes for Qiskit's operation of its name, it is returned as it is.
    """
    base = operation.base_op
    definition = QuantumCircuit(base.num_qubits, base.num_clbits)
    parts = _apart(base, definition.qubits, definition.clbits, 0)
    if parts is None:
        return operation
    _extend(definition, parts)
    gate = Gate(f"own_{base.name}", base.num_qubits, [])
    gate.definition = definition
    return AnnotatedOperation(gate, operation.modifiers)


def _extend(circuit: QuantumCircuit, parts: Sequence[_Part]) -> None:
    for part in parts:
        if isinstance(part, CircuitInstruction):
            circuit.append(part)
        else:
            circuit.global_phase += part


def _without_definition(
    operation: Instruction, qubits: Sequence[Qubit], clbits: Sequence[Clbit]
) -> list[_Part]:
    """Return a matrix, or an operation of a name that means nothing to Qiskit."""
    if isinstance(operation, Gate):
        with suppress(Exception):  # a class of any library
            return [CircuitInstruction(UnitaryGate(operation.to_matrix()), qubits)]
    sizes = len(qubits), len(clbits)
    return [CircuitInstruction(Instruction(f"own_{operation.name}", *sizes, []), qubits, clbits)]


def _misleads(operation: Instruction) -> bool:
    """Return whether Qiskit has an operation of the same name, which this one is not."""
    if operation.name in _CLASSES:
        return is_namesake(operation)
    return operation.name in _names_of_qiskit() and not _is_qiskits(operation)


def _is_qiskits(operation: Operation) -> bool:
    """Return whether the class is one of Qiskit's, and not one for gates of any meaning."""
    kind = getattr(operation, "base_class", type(operation))
    return kind not in _GENERAL and str(kind.__module__).startswith("qiskit.")


@cache
def _names_of_qiskit() -> frozenset[str]:
    """Return the names of other operations that Qiskit's passes and plugins go by."""
    plugins = {
        point.name.partition(".")[0]
        for point in entry_points(group="qiskit.synthesis")
        if point.value.startswith("qiskit.")
    }
    return frozenset(_NAMES | plugins | CONTROL_FLOW_OP_NAMES)
