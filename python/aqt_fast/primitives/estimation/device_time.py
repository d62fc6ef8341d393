"""How long a device takes for a circuit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.compiling import compiled

_NEEDED = ("r", "rxx", "measure")


def seconds_of_shot(
    circuit: QuantumCircuit, values: NDArray[np.float64], backend: AQTResource, level: int
) -> float | None:
    """Return the time of a circuit's operations, one after the other, and of one readout.

    Args:
        circuit: a circuit with measurements.
        values: one value for each of ``circuit.parameters``.
        backend: where it would run.
        level: that of :func:`aqt_fast.compile`.

    Returns:
        None if the backend does not tell the durations of its operations, or has none.

    Raises:
        InvalidCircuitError: the circuit cannot run.
    """
    calibration = getattr(backend.target, "calibration", None)
    if calibration is None or any(not calibration.durations.get(name) for name in _NEEDED):
        return None
    durations: Mapping[str, float] = calibration.durations
    (ran,) = compiled([circuit.assign_parameters(values)], backend, backend.limits, level)
    counts: Mapping[str, int] = ran.count_ops()
    gates = sum(durations[name] * counts.get(name, 0) for name in ("r", "rxx"))
    return durations["measure"] + gates
