"""Compilation to AQT's gates without Qiskit's pass manager: :func:`compile`.

Standard gates are read, taken apart, merged and written natively. Python is asked only what an
operation is made of that the native code does not know: its definition, its matrix, or what
Qiskit's own synthesis makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import qiskit
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Operation, Store
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info.operators.predicates import is_unitary_matrix
from qiskit.transpiler import Layout, TranspileLayout
from qiskit.transpiler.passes import HighLevelSynthesis
from qiskit.transpiler.passes.synthesis.plugin import HighLevelSynthesisPluginManager

from aqt_fast import _native
from aqt_fast._warnings import warn_caller
from aqt_fast.aqt_options import checked_integer
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError, InvalidInputError
from aqt_fast.wire.circuits import listed

__all__ = ["FallbackWarning", "compile"]

DEFAULT_LEVEL = 2
"""As with ``qiskit.transpile``."""


class FallbackWarning(UserWarning):
    """A circuit was handed to ``qiskit.transpile``: :func:`compile` cannot take it apart."""


def compile(  # noqa: A001 - reads as `aqt_fast.compile`
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: AQTResource,
    *,
    optimization_level: int | None = None,
) -> QuantumCircuit | list[QuantumCircuit]:
    """Compile circuits to the operations that AQT's devices run.

    Args:
        circuits: one circuit or any number of them, of any gates.
        backend: where they shall run; they may have fewer qubits than it has.
        optimization_level: 0 takes each gate on its own; 1 merges gates, exchanges the names of
            qubits for SWAP and drops what no measurement sees; 2 also brings together what is on
            the same two qubits, and makes it anew where that needs fewer rxx; 3 also searches
            among several ways to make gates. None stands for 2.

    Returns:
        A circuit for a circuit, a list for anything else: registers, name and metadata are those
        of the source. ``layout`` tells where qubits end, if they do not end where they begin.

    Raises:
        InvalidInputError: ``backend`` is no AQT backend, or ``circuits`` are no circuits.
        InvalidOptionError: ``optimization_level`` is not 0 to 3.
        InvalidJobError: there are no circuits.
        InvalidCircuitError: lists every circuit that cannot run: control flow, reset, delay,
            unbound parameters, an operation after a measurement, too many qubits, a matrix that is
            not unitary, or an operation that nobody can take apart.

    Warns:
        FallbackWarning: a circuit has an operation that only the transpiler may know.
    """
    if not isinstance(backend, AQTResource):
        found = type(backend).__name__
        raise InvalidInputError(f"expected an AQT backend, not an object of type '{found}'")
    level = DEFAULT_LEVEL
    if optimization_level is not None:
        level = checked_integer("optimization_level", optimization_level, 0, 3)
    batch = list(listed(circuits))
    problems: list[CircuitProblem] = []
    for index, circuit in enumerate(batch):
        try:
            batch[index] = _plain(circuit)
        except Exception as error:  # noqa: BLE001, PERF203 - it is a class of any library
            reason = f"cannot be built: {error}"
            problems.append(CircuitProblem(index, None, None, None, reason))
            batch[index] = QuantumCircuit()
    outcomes, refused, found = _native.compile_circuits(
        batch, _expand, _synthesised, max_qubits=backend.num_qubits, level=level
    )
    problems += found
    compiled = {}
    for index, (result, wires) in outcomes:
        if wires is not None:
            result._layout = _layout(batch[index], wires)  # noqa: SLF001 - as the transpiler does
        compiled[index] = result
    for problem in refused:
        warn_caller(f"{problem}; transpiling it instead", FallbackWarning)
        index = problem.circuit
        try:
            compiled[index] = qiskit.transpile(batch[index], backend, optimization_level=level)
        except Exception as error:  # noqa: BLE001 - operations of any library take part
            reason = f"{problem.reason}, and qiskit.transpile fails with {type(error).__name__}"
            problems.append(replace(problem, reason=reason))
    if problems:
        raise InvalidCircuitError(sorted(problems, key=lambda problem: problem.circuit))
    results = [compiled[index] for index in range(len(batch))]
    return results[0] if isinstance(circuits, QuantumCircuit) else results


def _plain(circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit of Qiskit's own class; circuits of its library build themselves when asked."""
    if type(circuit) is QuantumCircuit or not isinstance(circuit, QuantumCircuit):
        return circuit  # the native code tells that something is no circuit
    return dag_to_circuit(circuit_to_dag(circuit))


def _layout(circuit: QuantumCircuit, wires: Sequence[int]) -> TranspileLayout:
    """Where each qubit begins and ends: on top of a layout that the circuit has already."""
    qubits = circuit.qubits
    before: TranspileLayout | None = circuit.layout
    if before is None:
        places = {qubit: index for index, qubit in enumerate(qubits)}
        final = Layout({qubit: wires[index] for index, qubit in enumerate(qubits)})
        return TranspileLayout(Layout(places), places, final, len(qubits), qubits)
    middle = before.final_layout
    ends = {
        qubit: wires[index if middle is None else middle[qubit]]
        for index, qubit in enumerate(qubits)
    }
    return TranspileLayout(
        before.initial_layout,
        before.input_qubit_mapping,
        Layout(ends),
        before._input_qubit_count,  # noqa: SLF001
        qubits,
    )


_SMALL = 2
"""Qubits of a unitary that is taken apart natively."""

_UNITARY = 1e-6
"""How far products of a unitary's columns may be from 0 or 1; the same natively."""

_INEXACT = frozenset({"Multiplier"})
"""Operations whose plugins make another unitary than their definition, so that these are taken: the
two agree where the product's qubits begin in |0⟩."""

Matrix = list[list[tuple[float, float]]]


def _expand(operation: Operation) -> tuple[QuantumCircuit, bool] | Matrix | str:
    """What an operation is made of. Called by the native code for what it does not know.

    Returns:
        A circuit, and whether :func:`_synthesised` may know a better one; the matrix of a gate on
        one or two qubits, or of a larger one that is not unitary; or why there is neither.

    Raises:
        Exception: any, which makes the operation a problem of its circuit.
    """
    if isinstance(operation, Store):
        raise CircuitError("AQT devices have no classical variables")
    if isinstance(operation, UnitaryGate):
        matrix = operation.to_matrix()
        if operation.num_qubits <= _SMALL or not is_unitary_matrix(matrix, 0.0, _UNITARY):
            return _pairs(matrix)
    definition = getattr(operation, "definition", None)
    if definition is not None:
        return _plain(definition), operation.name in _names_with_plugins()
    if isinstance(operation, Gate) and operation.num_qubits <= _SMALL:
        with suppress(CircuitError):
            return _pairs(operation.to_matrix())
    circuit = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    circuit.append(operation, circuit.qubits, circuit.clbits)
    circuit = _synthesised(circuit)
    if any(item.name == operation.name for item in circuit.data):
        return f"'{operation.name}' has neither a definition nor a matrix"
    return circuit, True


def _pairs(matrix: Any) -> Matrix:
    return [[(entry.real, entry.imag) for entry in row] for row in matrix.tolist()]


def _synthesised(circuit: QuantumCircuit) -> QuantumCircuit:
    """What Qiskit's synthesis plugins make of a circuit; they borrow qubits that are free.

    Only a circuit that is measured is certain to begin with all qubits in |0⟩. Of any other one,
    the whole unitary stays. Where Qiskit finds nothing, the circuit comes back as it is.
    """
    with suppress(QiskitError):
        circuit = _synthesis("measure" in circuit.count_ops())(circuit)
    return circuit


@cache
def _synthesis(begins_in_zero: bool) -> HighLevelSynthesis:
    # 'mcx' with three controls is a standard gate, but the name is also that of larger ones.
    names = get_standard_gate_name_mapping().keys() | {"barrier", "unitary"} | _INEXACT
    return HighLevelSynthesis(basis_gates=sorted(names), qubits_initially_zero=begins_in_zero)


@cache
def _names_with_plugins() -> frozenset[str]:
    return frozenset(HighLevelSynthesisPluginManager().plugins_by_op) - _INEXACT
