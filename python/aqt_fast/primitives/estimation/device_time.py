"""What a device does for a circuit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.compiling import compiled
from aqt_fast.wire.circuits import count_gates


def gates_of_shot(
    circuit: QuantumCircuit, values: NDArray[np.float64], backend: AQTResource, level: int
) -> tuple[int, int]:
    """Return how many r and how many rxx a device gets of a circuit.

    Args:
        circuit: a circuit with measurements.
        values: one value for each of ``circuit.parameters``.
        backend: where it would run.
        level: that of :func:`aqt_fast.compile`.

    Raises:
        InvalidCircuitError: the circuit cannot run.
    """
    ran = compiled([circuit.assign_parameters(values)], backend, backend.limits, level)
    ((r, rxx),) = count_gates(ran, backend.limits).tolist()
    return r, rxx
