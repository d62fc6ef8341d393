"""Circuits with parameters, compiled for any number of parameter sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.compiling import compiled
from aqt_fast.compiler import read_template
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError
from aqt_fast.primitives.angles import AngleExpressions
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot


class Template:
    """A circuit with parameters for a backend.

    It is read once; native code compiles it for each parameter set, when the circuit is needed. The
    circuits are those that :func:`aqt_fast.compile` makes of the bound circuits. A circuit with
    operations that only Python can take apart once its parameters have values is bound and compiled
    set by set.

    Args:
        circuit: any gates, with final measurements.
        backend: where it will run.
        level: that of :func:`aqt_fast.compile`.

    Raises:
        InvalidCircuitError: why the circuit cannot run.
    """

    def __init__(self, circuit: QuantumCircuit, backend: AQTResource, level: int) -> None:
        """Read the circuit."""
        self.circuit = circuit
        self.backend = backend
        self.level = level
        self._native = None
        # A definition that needs numbers may be left half made.
        found = read_template(circuit.copy(), backend.limits.qubits, level)
        if isinstance(found, CircuitProblem):
            # Some operations have a definition for numbers only.
            compiled([self._bound(self._generic_set())], backend, backend.limits, level)
        else:
            self._native, expressions = found
            self._angles = AngleExpressions(expressions, circuit.parameters)

    @property
    def is_native(self) -> bool:
        """Whether no Python code runs for a parameter set."""
        return self._native is not None

    def snapshot(self, values: NDArray[np.float64], limits: Limits) -> Snapshot:
        """Return the circuit of each parameter set.

        Args:
            values: shape (number of sets, number of parameters), columns as in
                ``circuit.parameters``.
            limits: limits that each circuit must meet.

        Raises:
            InvalidCircuitError: lists every circuit that cannot run, by the index of its set.
        """
        if self._native is None:
            bound = [self._bound(row) for row in values]
            circuits = compiled(bound, self.backend, limits, self.level) if bound else []
            return Snapshot(circuits, limits)
        angles = self._angles.values(np.asarray(values, dtype=float))
        sweep = self._native.sweep(
            angles.astype("<f8", copy=False).tobytes(),
            len(angles),
            max_qubits=limits.qubits,
            max_operations=limits.operations,
        )
        return Snapshot.of_sweep(sweep, self.circuit, limits)

    def _bound(self, row: NDArray[np.float64]) -> QuantumCircuit:
        return self.circuit.assign_parameters(row.tolist())

    def _generic_set(self) -> NDArray[np.float64]:
        """Return values at which no gate is a special one."""
        return np.sqrt(np.arange(2.0, 2.0 + self.circuit.num_parameters))


def snapshot_of(sweeps: Iterable[tuple[Template, NDArray[np.float64]]], limits: Limits) -> Snapshot:
    """Return the circuits of all parameter sets, template by template.

    Args:
        sweeps: each template with its parameter sets, see :meth:`Template.snapshot`.
        limits: limits that each circuit must meet.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run, by its index in the snapshot.
    """
    snapshots = []
    problems: list[CircuitProblem] = []
    start = 0
    for template, values in sweeps:
        try:
            snapshots.append(template.snapshot(values, limits))
        except InvalidCircuitError as error:
            problems += [
                replace(problem, circuit=start + (problem.circuit or 0))
                for problem in error.problems
            ]
        start += len(values)
    if problems:
        raise InvalidCircuitError(problems)
    return Snapshot.joined(snapshots, limits)
