"""Circuits of any gates, compiled on their way into a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from aqt_fast.compiler import compile as compile_circuits
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError
from aqt_fast.wire.circuits import Limits, check_circuits, listed


def compiled(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: BackendV2,
    limits: Limits,
    level: int,
) -> list[QuantumCircuit]:
    """Compile circuits for a job.

    Args:
        circuits: one circuit or any number of circuits, with any gates.
        backend: where they will run.
        limits: limits that each circuit must meet.
        level: that of :func:`aqt_fast.compile`.

    Raises:
        InvalidInputError: ``circuits`` are not circuits.
        InvalidJobError: there are no circuits.
        InvalidCircuitError: lists every circuit that cannot run.
    """
    batch = listed(circuits)

    def compile_all(part: Sequence[QuantumCircuit]) -> list[QuantumCircuit]:
        done = compile_circuits(part, backend, optimization_level=level)
        return [done] if isinstance(done, QuantumCircuit) else done

    try:
        return compile_all(batch)
    except InvalidCircuitError as error:
        found = problems_of_others(
            batch, error.problems, lambda part: check_all(compile_all(part), limits)
        )
        raise InvalidCircuitError(found) from None


def check_all(circuits: Sequence[QuantumCircuit], limits: Limits) -> None:
    """Check circuits of AQT's gates, however many they are.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run.
    """
    if circuits:
        check_circuits(circuits, replace(limits, circuits=None))


def problems_of_others(
    batch: Sequence[QuantumCircuit],
    problems: Sequence[CircuitProblem],
    check: Callable[[list[QuantumCircuit]], None],
) -> list[CircuitProblem]:
    """Add the problems that ``check`` finds in the circuits without problems, in input order."""
    known = {problem.circuit for problem in problems}
    others = [index for index in range(len(batch)) if index not in known]
    found = list(problems)
    if others:
        try:
            check([batch[index] for index in others])
        except InvalidCircuitError as error:
            for problem in error.problems:
                index = problem.circuit
                found.append(replace(problem, circuit=None if index is None else others[index]))
    return sorted(found, key=lambda problem: (problem.circuit is None, problem.circuit or 0))
