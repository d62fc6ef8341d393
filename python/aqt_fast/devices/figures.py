"""The figures of a device: fidelities, coherence times, durations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aqt_fast.devices.measured import (
    DURATION,
    LIFETIME,
    PROBABILITY,
    UNCERTAINTY,
    Bounds,
    Measured,
    shown,
)
from aqt_fast.exceptions import InvalidCharacterisationError, InvalidOptionError

MEASURED = ("mean_rxx_fidelity", "t1", "t2")
"""Fields with a value that may have an uncertainty."""
NUMBERS = ("spam_fidelity", "r_duration", "rxx_duration", "readout_duration")
"""Fields with a number."""
TIMES = ("updated_at", "fetched_at")
"""Fields with a moment."""


@dataclass(frozen=True)
class Figures:
    """The fields of a :class:`~aqt_fast.devices.Characterisation`, checked."""

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
    problems: tuple[str, ...] = field(default=(), compare=False)
    """What the portal published in a form that cannot be used: each names the portal's key."""

    def __post_init__(self) -> None:
        """Check all values, and keep mappings of our own."""
        qubits = self.num_qubits
        for name in ("resource_id", "workspace_id"):
            if not isinstance(getattr(self, name), str):
                reason = f"must be text, not {shown(getattr(self, name))}"
                raise InvalidCharacterisationError(name, reason)
        for name in ("r_fidelity", "rxx_fidelity"):
            if not isinstance(getattr(self, name), Mapping):
                reason = f"must be a mapping, not {shown(getattr(self, name))}"
                raise InvalidCharacterisationError(name, reason)
            object.__setattr__(self, name, dict(getattr(self, name)))
        if type(qubits) is not int or qubits < 1:
            raise InvalidCharacterisationError("num_qubits", f"must be 1 or more, not {qubits!r}")
        for qubit, fidelity in self.r_fidelity.items():
            place = f"r_fidelity[{shown(qubit)}]"
            if type(qubit) is not int or not 0 <= qubit < qubits:
                raise InvalidCharacterisationError(place, f"is none of {qubits} qubits")
            _check_measured(place, fidelity, PROBABILITY)
        for pair, fidelity in self.rxx_fidelity.items():
            place = f"rxx_fidelity[{shown(pair)}]"
            if not _is_pair(pair, qubits):
                reason = f"is no pair of {qubits} qubits, the lower one first"
                raise InvalidCharacterisationError(place, reason)
            _check_measured(place, fidelity, PROBABILITY)
        for name in MEASURED:
            bounds = LIFETIME if name in ("t1", "t2") else PROBABILITY
            if getattr(self, name) is not None:
                _check_measured(name, getattr(self, name), bounds)
        for name in NUMBERS:
            bounds = PROBABILITY if name == "spam_fidelity" else DURATION
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), bounds)
        for name in TIMES:
            time = getattr(self, name)
            if time is not None and not isinstance(time, datetime):
                raise InvalidCharacterisationError(name, f"must be a datetime, not {shown(time)}")
            if time is not None and time.tzinfo is None:
                raise InvalidCharacterisationError(name, "must have a time zone")

    @property
    def mean_r_fidelity(self) -> Measured | None:
        """Mean fidelity of r over the known qubits; None if there are none.

        Its uncertainty is that of a mean of independent values.
        """
        known = list(self.r_fidelity.values())
        if not known:
            return None
        spread = [entry.uncertainty for entry in known if entry.uncertainty is not None]
        return Measured(
            math.fsum(entry.value for entry in known) / len(known),
            math.hypot(*spread) / len(known) if len(spread) == len(known) else None,
        )

    def rxx_fidelity_of(self, a: int, b: int) -> Measured | None:
        """Return the fidelity of rxx on a pair in either order, or the mean if it has none.

        Raises:
            InvalidOptionError: these are not two qubits of the device.
        """
        pair = (b, a) if _is_pair((b, a), self.num_qubits) else (a, b)
        if not _is_pair(pair, self.num_qubits):
            raise InvalidOptionError("pair", (a, b), f"two of {self.num_qubits} qubits")
        return self.rxx_fidelity.get(pair, self.mean_rxx_fidelity)


def _is_pair(pair: object, num_qubits: int) -> bool:
    if not isinstance(pair, tuple) or len(pair) != 2:
        return False
    return all(type(qubit) is int for qubit in pair) and 0 <= pair[0] < pair[1] < num_qubits


def _check_measured(name: str, entry: Measured, bounds: Bounds) -> None:
    """Check a value and its uncertainty.

    Raises:
        InvalidCharacterisationError: one of them is impossible, or this is no measured value.
    """
    if not isinstance(entry, Measured):
        raise InvalidCharacterisationError(name, f"must be a Measured, not {shown(entry)}")
    _check(name, entry.value, bounds)
    if entry.uncertainty is not None:
        highest = bounds.highest  # of a probability, an uncertainty is one, too
        _check(f"{name}.uncertainty", entry.uncertainty, UNCERTAINTY._replace(highest=highest))


def _check(name: str, value: float, bounds: Bounds) -> None:
    """Check a number.

    Raises:
        InvalidCharacterisationError: it is out of bounds, or no number.
    """
    try:
        bounds.check(value)
    except ValueError as error:
        raise InvalidCharacterisationError(name, str(error)) from None
