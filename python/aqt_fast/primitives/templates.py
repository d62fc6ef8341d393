"""Circuits with parameters, compiled once for any number of parameter sets."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.compiling import compiled
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot


class Template:
    """A circuit with parameters for a backend."""

    def __init__(self, circuit: QuantumCircuit, backend: AQTResource, level: int) -> None:
        """Compile a circuit.

        Args:
            circuit: any gates, with final measurements.
            backend: where it will run.
            level: that of :func:`aqt_fast.compile`.

        Raises:
            InvalidCircuitError: lists why the circuit cannot run.
        """
        self.circuit = circuit
        self.backend = backend
        self.level = level

    def circuits(self, values: NDArray[np.float64]) -> list[QuantumCircuit]:
        """Return the compiled circuit of each parameter set.

        Args:
            values: shape (number of sets, number of parameters), columns as in
                ``circuit.parameters``.
        """
        bound = [self.circuit.assign_parameters(row) for row in values]
        return compiled(bound, self.backend, self.backend.limits, self.level) if bound else []


def snapshot_of(
    sweeps: Iterable[tuple[Template, NDArray[np.float64]]], limits: Limits
) -> Snapshot:
    """Return the circuits of all parameter sets, template by template.

    Args:
        sweeps: each template with its parameter sets, see :meth:`Template.circuits`.
        limits: limits that each circuit must meet.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run.
    """
    circuits = [item for template, values in sweeps for item in template.circuits(values)]
    return Snapshot(circuits, limits)
