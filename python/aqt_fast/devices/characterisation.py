"""What AQT's portal publishes of a device, in SI units, with uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Measured:
    """A measured value."""

    value: float
    """The value."""
    uncertainty: float | None = None
    """Its uncertainty, in the same unit; None if unknown."""


@dataclass(frozen=True)
class Characterisation:
    """Figures of a device, as far as they are known.

    Fidelities are probabilities from 0 to 1, times are in seconds.
    """

    resource_id: str
    """The device's identifier."""
    workspace_id: str
    """The workspace through which it was asked."""
    num_qubits: int
    """Number of its qubits."""
    r_fidelity: Mapping[int, Measured] = field(default_factory=dict)
    """Fidelity of r, by qubit."""
    rxx_fidelity: Mapping[tuple[int, int], Measured] = field(default_factory=dict)
    """Fidelity of rxx, by pair, the lower qubit first; empty if only the mean is published."""
    mean_rxx_fidelity: Measured | None = None
    """Mean fidelity of rxx over all pairs."""
    spam_fidelity: float | None = None
    """Lower bound of the fidelity of preparation and measurement of a qubit."""
    t1: Measured | None = None
    """Lifetime of a qubit."""
    t2: Measured | None = None
    """Coherence time of a qubit, without spin echo."""
    r_duration: float | None = None
    """Duration of r."""
    rxx_duration: float | None = None
    """Duration of rxx."""
    readout_duration: float | None = None
    """Duration of the measurement."""
    updated_at: datetime | None = None
    """When the figures were measured, as the portal tells."""
    fetched_at: datetime | None = None
    """When the portal was asked."""

    def rxx_fidelity_of(self, a: int, b: int) -> Measured | None:
        """Return the fidelity of rxx on a pair in either order, or the mean if it has none."""
        return self.rxx_fidelity.get((min(a, b), max(a, b)), self.mean_rxx_fidelity)
