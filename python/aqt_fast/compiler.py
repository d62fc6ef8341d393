"""Compile circuits to AQT's gates without Qiskit's pass manager: :func:`compile`.

Native code reads, decomposes and merges standard gates and writes the result. It calls Python only
for an operation that it does not know: for its definition, its matrix, or what Qiskit's synthesis
makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, cast, overload

import qiskit
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    Gate,
    Instruction,
    Operation,
    ParameterExpression,
    Store,
)
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2
from qiskit.quantum_info.operators.predicates import is_unitary_matrix
from qiskit.transpiler import Layout, TranspileLayout
from qiskit.transpiler.passes import HighLevelSynthesis
from qiskit.transpiler.passes.synthesis.plugin import HighLevelSynthesisPluginManager

from aqt_fast import _native
from aqt_fast._places import on_qubits
from aqt_fast._reading import read_by
from aqt_fast._warnings import warn_caller
from aqt_fast.api_client import Resource
from aqt_fast.aqt_options import checked_integer
from aqt_fast.definitions import GIVE_A_DEFINITION, NO_MEANING, plain, with_neutral_base
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError, InvalidInputError
from aqt_fast.wire.circuits import listed

__all__ = ["FallbackWarning", "compile"]

DEFAULT_LEVEL = 2
"""The default of ``qiskit.transpile``, too."""


class FallbackWarning(UserWarning):
    """A circuit was handed to ``qiskit.transpile``: :func:`compile` cannot decompose it."""


@overload
def compile(  # noqa: A001
    circuits: Iterable[QuantumCircuit],
    backend: BackendV2,
    *,
    optimization_level: int | None = None,
) -> list[QuantumCircuit]: ...
@overload
def compile(  # noqa: A001
    circuits: QuantumCircuit, backend: BackendV2, *, optimization_level: int | None = None
) -> QuantumCircuit: ...
def compile(  # noqa: A001 - reads as `aqt_fast.compile`
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: BackendV2,
    *,
    optimization_level: int | None = None,
) -> QuantumCircuit | list[QuantumCircuit]:
    """Compile circuits to the operations that AQT's devices run.

    Args:
        circuits: one circuit or any number of circuits, with any gates.
        backend: where they will run; they may have fewer qubits than it has.
        optimization_level: 0 decomposes each gate on its own. 1 merges gates, replaces SWAP by a
            relabelling of qubits, and drops operations that affect no measurement. 2 also collects
            blocks on the same two qubits, and resynthesises those that then need fewer rxx. 3 also
            tries several decompositions. None stands for 2.

    Returns:
        A circuit for a circuit, a list for anything else. Registers, name and metadata are those of
        the source. ``layout`` gives the final qubit positions if they differ from the initial ones.

    Raises:
        InvalidInputError: ``backend`` is not an AQT backend, or ``circuits`` are not circuits.
        InvalidOptionError: ``optimization_level`` is not 0 to 3.
        InvalidJobError: there are no circuits.
        InvalidCircuitError: lists every circuit that cannot run: control flow, reset, delay,
            unbound parameters, an operation after a measurement, too many qubits, a matrix that is
            not unitary, or an operation without any decomposition.

    Warns:
        FallbackWarning: a circuit has an operation that only the transpiler may know.
    """
    if not isinstance(getattr(backend, "resource_id", None), Resource):
        kind = type(backend).__name__
        raise InvalidInputError(f"expected an AQT backend, not an object of type '{kind}'")
    level = DEFAULT_LEVEL
    if optimization_level is not None:
        level = checked_integer("optimization_level", optimization_level, 0, 3)
    batch = list(listed(circuits))
    problems: list[CircuitProblem] = []
    for index, circuit in enumerate(batch):
        try:
            batch[index] = plain(circuit)
        except Exception as error:  # noqa: BLE001, PERF203 - a class of any library
            reason = f"cannot be built: {error}"
            problems.append(CircuitProblem(index, None, None, None, reason))
            batch[index] = QuantumCircuit()
    outcomes, refused, found = read_by(
        _native.compile_circuits,
        batch,
        _expand,
        _synthesised,
        max_qubits=backend.num_qubits,
        level=level,
    )
    problems += found
    compiled = {}
    for index, (result, wires) in outcomes:
        if wires is not None:
            result._layout = _layout(batch[index], wires)  # noqa: SLF001 - as the transpiler does
        compiled[index] = result
    for problem in refused:
        final = _refusal(problem, batch)
        # Qiskit ends the process on a definition that contains itself, from Python 3.12 on.
        if final.mend != GIVE_A_DEFINITION or problem.reason.endswith("contains itself"):
            problems.append(final)
            continue
        warn_caller(f"{problem}; transpiling it instead", FallbackWarning)
        index = cast("int", problem.circuit)
        try:
            compiled[index] = qiskit.transpile(batch[index], backend, optimization_level=level)
        except InvalidCircuitError as error:
            known = error.problems[0]
            qubits, mend = known.qubits, known.mend
            problems.append(replace(problem, reason=known.reason, qubits=qubits, mend=mend))
        except Exception as error:  # noqa: BLE001 - operations of any library take part
            reason = f"{problem.reason}, and qiskit.transpile fails with {type(error).__name__}"
            problems.append(_refusal(replace(problem, reason=reason), batch))
    if problems:
        raise InvalidCircuitError(sorted(problems, key=lambda problem: problem.circuit or 0))
    results = [compiled[index] for index in range(len(batch))]
    return results[0] if isinstance(circuits, QuantumCircuit) else results


def problems_of(
    circuit: QuantumCircuit, index: int, backend: BackendV2, *, opaque: bool = False
) -> list[CircuitProblem]:
    """Return why no AQT device runs a circuit, with its index in its batch; empty if one may.

    Args:
        circuit: any circuit.
        index: the index that the problems give.
        backend: where it should run.
        opaque: whether an operation is a problem that only the transpiler may know.
    """
    try:
        batch = [plain(circuit)]
    except Exception as error:  # noqa: BLE001 - a class of any library
        return [CircuitProblem(index, None, None, None, f"cannot be built: {error}")]
    _, refused, found = read_by(
        _native.compile_circuits,
        batch,
        _expand,
        _synthesised,
        max_qubits=backend.num_qubits,
        level=0,
    )
    refusals = [_refusal(problem, batch) for problem in refused]
    found += [it for it in refusals if opaque or it.mend != GIVE_A_DEFINITION]
    return [replace(problem, circuit=index) for problem in found]


def read_template(
    circuit: QuantumCircuit, max_qubits: int, level: int
) -> tuple[_native.Template, list[ParameterExpression]] | CircuitProblem:
    """Read a circuit with parameters, to be compiled natively with many sets of them.

    Args:
        circuit: any gates, with final measurements.
        max_qubits: limit of the circuit.
        level: that of :func:`compile`.

    Returns:
        The template and the expression of each of its angles; or why there is none. A circuit
        without a template may have one for each set of parameters.
    """
    try:
        item = plain(circuit)
    except Exception as error:  # noqa: BLE001 - a class of any library
        return CircuitProblem(0, None, None, None, f"cannot be built: {error}")
    return read_by(
        _native.read_template, item, _expand, _synthesised, max_qubits=max_qubits, level=level
    )


_NO_SUCH = {
    "AQT devices have no such instruction": "remove it",
    "AQT devices have no classical variables": "remove the variable",
}
"""Reasons against operations that no transpiler knows, and what to do about them."""


def _refusal(problem: CircuitProblem, batch: Sequence[QuantumCircuit]) -> CircuitProblem:
    """Add the qubits of an operation without a meaning, and what to do about it."""
    circuit = batch[problem.circuit or 0]
    item = circuit.data[problem.instruction or 0]
    qubits = tuple(circuit.find_bit(qubit).index for qubit in item.qubits)
    return replace(
        problem,
        reason=problem.reason + on_qubits(qubits),
        qubits=qubits,
        mend=_NO_SUCH.get(problem.reason, GIVE_A_DEFINITION),
    )


def _layout(circuit: QuantumCircuit, wires: Sequence[int]) -> TranspileLayout:
    """Make the layout of initial and final qubit positions, on top of the circuit's own."""
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
"""Maximum number of qubits of a unitary that the native code decomposes."""

_UNITARY = 1e-6
"""Tolerance of a unitary's column products around 0 and 1; the same in the native code."""

_INEXACT = frozenset({"Multiplier"})
"""Operations whose plugins implement another unitary than their definition. The two agree only if
the product's qubits start in |0⟩, so the definition is used."""

Matrix = list[list[tuple[float, float]]]


def _expand(operation: Operation) -> tuple[QuantumCircuit, bool] | Matrix | str:
    """Decompose an operation that the native code does not know; the native code calls this.

    Returns:
        A circuit, and whether :func:`_synthesised` may know a better one; or the matrix of a gate
        on one or two qubits, or of a larger one that is not unitary; or why there is neither.

    Raises:
        Exception: any error, which is reported as the problem of the operation's circuit.
    """
    if isinstance(operation, Store):
        return "AQT devices have no classical variables"
    if isinstance(operation, UnitaryGate):
        matrix = operation.to_matrix()
        if operation.num_qubits <= _SMALL or not is_unitary_matrix(matrix, 0.0, _UNITARY):
            return _pairs(matrix)
    if isinstance(operation, AnnotatedOperation):
        operation = with_neutral_base(operation)
    definition = getattr(operation, "definition", None)
    if definition is not None:
        return plain(definition), operation.name in _names_with_plugins()
    if isinstance(operation, Gate) and operation.num_qubits <= _SMALL:
        with suppress(CircuitError):
            return _pairs(operation.to_matrix())
    if isinstance(operation, Instruction) and not isinstance(operation, Gate):
        return "AQT devices have no such instruction"
    circuit = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    circuit.append(operation, circuit.qubits, circuit.clbits)
    circuit = _synthesised(circuit)
    if any(item.name == operation.name for item in circuit.data):
        return NO_MEANING.format(operation.name)
    return circuit, True


def _pairs(matrix: Any) -> Matrix:
    return [[(entry.real, entry.imag) for entry in row] for row in matrix.tolist()]


def _synthesised(circuit: QuantumCircuit) -> QuantumCircuit:
    """Apply Qiskit's synthesis plugins to a circuit; they may borrow idle qubits.

    Only a circuit with measurements certainly starts with all qubits in |0⟩. For any other one,
    the whole unitary is preserved. If Qiskit has no synthesis, return the circuit unchanged.
    """
    with suppress(QiskitError):
        circuit = _synthesis("measure" in circuit.count_ops())(circuit)
    return circuit


@cache
def _synthesis(begins_in_zero: bool) -> HighLevelSynthesis:
    # 'mcx' with three controls is a standard gate, but larger ones have the same name.
    names = get_standard_gate_name_mapping().keys() | {"barrier", "unitary"} | _INEXACT
    return HighLevelSynthesis(basis_gates=sorted(names), qubits_initially_zero=begins_in_zero)


@cache
def _names_with_plugins() -> frozenset[str]:
    return frozenset(HighLevelSynthesisPluginManager().plugins_by_op) - _INEXACT
