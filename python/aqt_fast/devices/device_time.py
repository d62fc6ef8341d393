"""How long a device takes: one formula for estimates, plans and what is left of them afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aqt_fast._shots import Shots, total
from aqt_fast.devices.characterisation import Characterisation
from aqt_fast.devices.interval import Interval

SHOT_OVERHEAD = Interval(0.16, 0.2, 0.25)
"""Seconds of a shot besides its gates and its readout, for cooling and preparation.

AQT publishes no such time, and no public source was found. This project was told to reckon with
five shots a second, and that an API job of 50 circuits with 2000 shots each takes about five hours
on IBEX-Q1 (its issue 14), which are 0.18 s a shot. The bounds are four and six shots a second.
"""
CIRCUIT_OVERHEAD = Interval(0.0, 0.1, 1.0)
"""Seconds to load a circuit. AQT publishes no such time: the bounds are an assumption."""

R_DURATION = Interval(5e-6, 15e-6, 50e-6)
"""Seconds of r where none are published: what is usual for ions in a trap."""
RXX_DURATION = Interval(50e-6, 200e-6, 1e-3)
"""Seconds of rxx where none are published: what is usual for ions in a trap."""
READOUT_DURATION = Interval(0.3e-3, 2.5e-3, 10e-3)
"""Seconds of a measurement where none are published: what is usual for ions in a trap."""


class DeviceWork(NamedTuple):
    """What a device does for circuits."""

    runs: int
    """How often a circuit is loaded: once for each run of its shots."""
    shots: int
    """Number of shots of all circuits together."""
    r: float
    """Number of r in all shots."""
    rxx: float
    """Number of rxx in all shots."""

    @classmethod
    def of(cls, gate_counts: NDArray[np.uint32], shots: Shots, runs: int) -> DeviceWork:
        """Add up what circuits need.

        Args:
            gate_counts: numbers of r and rxx of each circuit; shape (circuits, 2).
            shots: repetitions of each circuit.
            runs: see :attr:`runs`.
        """
        repetitions = np.broadcast_to(np.array(shots, np.float64), len(gate_counts))
        r, rxx = repetitions @ gate_counts
        return cls(runs, total(shots, len(gate_counts)), float(r), float(rxx))


Duration: TypeAlias = float | Sequence[float]
"""Seconds: a number, which is exact, or ``(low, likely, high)``."""


@dataclass(frozen=True, init=False)
class DeviceTimes:
    """Durations on a device, as intervals in seconds."""

    r: Interval
    """Duration of r. An rz takes no time: it is a change of frame."""
    rxx: Interval
    """Duration of rxx."""
    readout: Interval
    """Duration of the measurement of all qubits."""
    shot_overhead: Interval
    """Time of a shot besides its gates and its measurement."""
    circuit_overhead: Interval
    """Time to load a circuit, for each run of at most 2000 shots."""

    def __init__(
        self,
        r: Duration = R_DURATION,
        rxx: Duration = RXX_DURATION,
        readout: Duration = READOUT_DURATION,
        shot_overhead: Duration = SHOT_OVERHEAD,
        circuit_overhead: Duration = CIRCUIT_OVERHEAD,
    ) -> None:
        """Take numbers, or ``(low, likely, high)``.

        Raises:
            InvalidOptionError: one is negative or not finite, or its bounds are out of order.
        """
        for name, value in (
            ("r", r),
            ("rxx", rxx),
            ("readout", readout),
            ("shot_overhead", shot_overhead),
            ("circuit_overhead", circuit_overhead),
        ):
            object.__setattr__(self, name, Interval.of(value, name))

    def replaced(self, **durations: Duration) -> DeviceTimes:
        """Return these durations with others in place of some, as ``shot_overhead=0.19``.

        Args:
            durations: arguments of the class.

        Raises:
            InvalidOptionError: as for the class.
        """
        return replace(self, **durations)  # type: ignore[arg-type]

    @classmethod
    def of(cls, characterisation: Characterisation | None, **overheads: Duration) -> DeviceTimes:
        """Take the durations that are published, and usual ones for those that are not.

        Args:
            characterisation: what the portal publishes of the device, None if nothing.
            overheads: ``shot_overhead`` and ``circuit_overhead``, if not the usual ones.
        """
        published: Mapping[str, float | None] = {}
        if characterisation is not None:
            published = {
                "r": characterisation.r_duration,
                "rxx": characterisation.rxx_duration,
                "readout": characterisation.readout_duration,
            }
        known = {name: value for name, value in published.items() if value is not None}
        return cls(**known).replaced(**overheads)

    def seconds(self, work: DeviceWork) -> Interval:
        """Return the time of circuits, one after the other.

        It is Σ over runs [circuit overhead + shots × (n_r t_r + n_rxx t_rxx + readout + shot
        overhead)], with the numbers n of gates that the device gets.
        """
        return Interval(*(self._seconds(work, bound) for bound in range(3)))

    def _seconds(self, work: DeviceWork, bound: int) -> float:
        each_shot = self.readout[bound] + self.shot_overhead[bound]
        gates = work.r * self.r[bound] + work.rxx * self.rxx[bound]
        return work.runs * self.circuit_overhead[bound] + work.shots * each_shot + gates

    def to_dict(self) -> dict[str, Sequence[float]]:
        """Return ``[low, likely, high]`` of each duration, in seconds."""
        return {field.name: list(getattr(self, field.name)) for field in fields(self)}
