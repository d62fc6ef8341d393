"""Transpile circuits and run them; explain what Qiskit's transpiler refuses: :func:`execute`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

import qiskit
from qiskit import QuantumCircuit
from qiskit.transpiler import TranspilerError

from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import ExecuteOptions, checked_integer
from aqt_fast.backends.base import AQTResource
from aqt_fast.backends.compiling import check_all, problems_of_others
from aqt_fast.compiler import problems_of
from aqt_fast.definitions import without_namesakes
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError, InvalidInputError
from aqt_fast.wire.circuits import as_batch

if TYPE_CHECKING:
    from typing_extensions import Unpack


@overload
def execute(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: AQTResource,
    *,
    optimization_level: int | None = None,
    dry_run: Literal[False] | None = None,
    **options: Unpack[ExecuteOptions],
) -> AQTJob: ...
@overload
def execute(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: AQTResource,
    *,
    optimization_level: int | None = None,
    dry_run: Literal[True],
    **options: Unpack[ExecuteOptions],
) -> JobEstimate: ...
def execute(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: AQTResource,
    *,
    optimization_level: int | None = None,
    dry_run: bool | None = None,
    **options: Unpack[ExecuteOptions],
) -> AQTJob | JobEstimate:
    """Transpile circuits for a backend and run them: the short way from circuits to a job.

    AQT devices have no delay, control flow or gates after a measurement of their qubit, and reset
    qubits at the beginning only.

    Args:
        circuits: one circuit or any number of circuits.
        backend: where to run them.
        optimization_level: that of ``qiskit.transpile``, 0 to 3; None stands for its default.
        dry_run: return the job's estimate, and send nothing: see :meth:`AQTResource.run`.
        options: those of :class:`~aqt_fast.RunOptions`, for this job only.

    Raises:
        InvalidInputError: ``backend`` is not an AQT backend, or ``circuits`` are not circuits.
        InvalidOptionError: an option or ``optimization_level`` has an invalid value.
        InvalidJobError: there are no circuits.
        InvalidCircuitError: lists every circuit that cannot run. Nothing was started.
        SpendingLimitError: the job may cost or take more than is allowed. Nothing was started.
        DeviceNotOnlineError: as for :meth:`AQTResource.run`.
    """
    if not isinstance(backend, AQTResource):
        found = type(backend).__name__
        raise InvalidInputError(f"expected an AQT backend, not an object of type '{found}'")
    if optimization_level is not None:
        optimization_level = checked_integer("optimization_level", optimization_level, 0, 3)
    transpiling = {"optimization_level": optimization_level}
    batch = TranspiledBatch(circuits, backend, transpiling)
    done: AQTJob | JobEstimate = batch.run(dry_run=dry_run, **options)
    return done


class TranspiledBatch:
    """Circuits that were transpiled for a backend; problems are told of the sources."""

    def __init__(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        backend: AQTResource,
        options: Mapping[str, Any],
    ) -> None:
        """Transpile circuits with these arguments of ``qiskit.transpile``.

        Raises:
            InvalidInputError: ``circuits`` are not circuits.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot run.
        """
        self._sources = as_batch(circuits)
        self._backend = backend
        self._options = dict(options)
        prepared = [without_namesakes(circuit) for circuit in self._sources]
        try:
            self._transpiled: list[QuantumCircuit] = self._transpile(prepared)
        except Exception as error:  # noqa: BLE001 - operations of any library take part
            self._transpiled = self._one_by_one(prepared, error)

    def run(self, **options: Any) -> Any:
        """Run the circuits with options of the backend's ``run``, and return what it returns.

        Raises:
            InvalidOptionError: an option has an invalid value.
            InvalidCircuitError: lists every circuit that cannot run.
        """
        try:
            return self._backend.run(self._transpiled, **options)
        except InvalidCircuitError as error:
            problems = [self._explained(problem) for problem in error.problems]
            raise InvalidCircuitError(problems) from None

    def _transpile(self, circuits: Any) -> Any:
        try:
            return qiskit.transpile(circuits, self._backend, **self._options)
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # no Exception, and no class to import
                raise
            raise TranspilerError(f"Qiskit ended with an internal error: {error}") from error

    def _one_by_one(
        self, circuits: Sequence[QuantumCircuit], error: Exception
    ) -> list[QuantumCircuit]:
        """Find all circuits that cannot run, after transpiling them together raised an error."""
        problems = []
        done = []
        for index, circuit in enumerate(circuits):
            try:
                done.append(self._transpile(circuit))
            except Exception as reason:  # noqa: BLE001, PERF203 - as above
                problems.append(_reason(self._sources[index], index, self._backend, reason))
                done.append(circuit)
        if not problems:
            return done
        found = problems_of_others(
            done, problems, lambda part: check_all(part, self._backend.limits)
        )
        raise InvalidCircuitError([self._explained(problem) for problem in found]) from error

    def _explained(self, problem: CircuitProblem) -> CircuitProblem:
        """Place a problem of a transpiled circuit in its source."""
        if problem.circuit is None:
            return problem
        source = self._sources[problem.circuit]
        opaque = problem.operation is not None
        for found in problems_of(source, problem.circuit, self._backend, opaque=opaque):
            return found
        if problem.mend is not None and "transpile" in problem.mend:
            return replace(problem, mend=None)
        return problem


def _reason(
    circuit: QuantumCircuit, index: int, backend: AQTResource, error: Exception
) -> CircuitProblem:
    """Return why a circuit cannot be transpiled: in our words if we know, else in Qiskit's."""
    problems = problems_of(circuit, index, backend, opaque=True)
    if not problems and isinstance(error, InvalidCircuitError):
        problems = [replace(problem, circuit=index) for problem in error.problems]
    if not problems:
        reason = f"cannot be transpiled: {type(error).__name__}: {error}"
        problems = [CircuitProblem(index, None, None, None, reason)]
    return problems[0]
