"""How long machines take."""

from __future__ import annotations

from aqt_fast.server.workspaces import Resource

SECONDS_PER_CIRCUIT = 0.1
"""Time to load a circuit."""
SECONDS_BETWEEN_SHOTS = 0.2
"""Time that a device takes for a shot besides its gates and its read-out, mostly for cooling."""
SECONDS_PER_SIMULATED_SHOT = 0.01
"""Time of a shot on a simulator, whatever its gates."""


def run_seconds(resource: Resource, shots: int, gates: tuple[int, int]) -> float:
    """Return how long a machine takes for a circuit with all of its shots.

    Args:
        resource: the machine.
        shots: repetitions.
        gates: numbers of R and RXX of the circuit. An RZ takes no time.
    """
    if resource.type == "simulator":
        return SECONDS_PER_CIRCUIT + shots * SECONDS_PER_SIMULATED_SHOT
    durations = resource.durations
    r, rxx = gates
    micros = durations.readout + r * durations.single_qubit_gate + rxx * durations.two_qubit_gate
    return SECONDS_PER_CIRCUIT + shots * (SECONDS_BETWEEN_SHOTS + 1e-6 * micros)
