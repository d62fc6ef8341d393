"""What a device measures of itself: errors that differ by qubit and by pair, and drift on request.

Their means fit the noise model at first: a depolarising channel of strength p on d levels has the
average gate fidelity 1 − p (1 − 1/d).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import combinations

from aqt_fast.server.workspaces import Resource

_SINGLE_QUBIT_ERROR = 0.0015
_TWO_QUBIT_ERROR = 0.0075
_SPREAD = 0.2
"""Standard deviation of the logarithm of errors, over the qubits and over the pairs."""
_MOST = 0.5
"""Errors drift up to here."""


@dataclass(frozen=True)
class Figures:
    """Figures of a device: probabilities and seconds."""

    single: tuple[float, ...]
    """Error of single-qubit gates, by qubit."""
    double: dict[tuple[int, int], float]
    """Error of two-qubit gates, by pair, the lower qubit first."""
    spam: float
    """Upper bound of the error of preparation and readout."""
    t2: float
    """Coherence time."""
    updated_at: float
    """When they were measured, in seconds since the epoch."""
    drifts: int = 0
    """How often they have drifted."""

    @classmethod
    def of(cls, resource: Resource, seed: int, now: float) -> Figures:
        """Choose the figures of a device by its identifier and a seed."""
        chosen = random.Random(f"{seed}:{resource.id}")  # noqa: S311 - they must repeat
        qubits = range(resource.available_qubits)
        pairs = list(combinations(qubits, 2))
        double = _spread(chosen, len(pairs), _TWO_QUBIT_ERROR)
        return cls(
            single=tuple(_spread(chosen, len(qubits), _SINGLE_QUBIT_ERROR)),
            double=dict(zip(pairs, double, strict=True)),
            spam=0.003,
            t2=0.45,
            updated_at=now,
        )

    def drifted(self, resource: Resource, seed: int, amount: float, now: float) -> Figures:
        """Return the figures of another day: each error and T2 by another factor.

        Args:
            resource: the device.
            seed: fixes the factors, together with the number of drifts so far.
            amount: standard deviation of their logarithms.
            now: in seconds since the epoch.
        """
        name = f"{seed}:{resource.id}:{self.drifts + 1}"
        chosen = random.Random(name)  # noqa: S311 - they must repeat

        def factor() -> float:
            return math.exp(chosen.gauss(0, amount))

        return Figures(
            single=tuple(min(_MOST, error * factor()) for error in self.single),
            double={pair: min(_MOST, error * factor()) for pair, error in self.double.items()},
            spam=min(_MOST, self.spam * factor()),
            t2=self.t2 * factor(),
            updated_at=now,
            drifts=self.drifts + 1,
        )


def _spread(chosen: random.Random, number: int, mean: float) -> list[float]:
    """Choose errors with this mean."""
    weights = [math.exp(chosen.gauss(0, _SPREAD)) for _ in range(number)]
    total = math.fsum(weights)
    return [mean * number * weight / total for weight in weights]
