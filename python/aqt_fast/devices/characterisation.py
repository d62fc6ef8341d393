"""What AQT's portal publishes of a device, in SI units, with uncertainties."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aqt_fast._files import write_file
from aqt_fast.devices.measured import (
    DURATION,
    LIFETIME,
    PROBABILITY,
    UNCERTAINTY,
    Bounds,
    Measured,
    shown,
)
from aqt_fast.devices.published import read_published
from aqt_fast.devices.saved import MEASURED, NUMBERS, from_json, to_json
from aqt_fast.exceptions import InvalidCharacterisationError

__all__ = ["Characterisation", "Measured"]


@dataclass(frozen=True)
class Characterisation:
    """Figures of a device, as far as they are known.

    Fidelities are average gate fidelities, as randomised benchmarking measures them, and
    probabilities from 0 to 1. Times are in seconds.

    Raises:
        InvalidCharacterisationError: a value is impossible; names the field.
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
    problems: tuple[str, ...] = field(default=(), compare=False)
    """What the portal published in a form that cannot be used: each names the portal's key."""

    def __post_init__(self) -> None:
        """Check all values."""
        qubits = self.num_qubits
        if type(qubits) is not int or qubits < 1:
            raise InvalidCharacterisationError("num_qubits", f"must be 1 or more, not {qubits!r}")
        for qubit, fidelity in self.r_fidelity.items():
            place = f"r_fidelity[{shown(qubit)}]"
            if type(qubit) is not int or not 0 <= qubit < qubits:
                raise InvalidCharacterisationError(place, f"is none of {qubits} qubits")
            _check(place, fidelity, PROBABILITY)
        for pair, fidelity in self.rxx_fidelity.items():
            place = f"rxx_fidelity[{shown(pair)}]"
            if not (all(type(each) is int for each in pair) and 0 <= pair[0] < pair[1] < qubits):
                reason = f"is no pair of {qubits} qubits, the lower one first"
                raise InvalidCharacterisationError(place, reason)
            _check(place, fidelity, PROBABILITY)
        _check("mean_rxx_fidelity", self.mean_rxx_fidelity, PROBABILITY)
        _check("spam_fidelity", self.spam_fidelity, PROBABILITY)
        for name in ("t1", "t2"):
            _check(name, getattr(self, name), LIFETIME)
        for name in ("r_duration", "rxx_duration", "readout_duration"):
            _check(name, getattr(self, name), DURATION)
        for name in ("updated_at", "fetched_at"):
            time = getattr(self, name)
            if time is not None and time.tzinfo is None:
                raise InvalidCharacterisationError(name, "must have a time zone")

    @classmethod
    def from_published(
        cls,
        published: Mapping[str, Any],
        *,
        resource_id: str,
        workspace_id: str,
        num_qubits: int,
        fetched_at: datetime | None = None,
    ) -> Characterisation:
        """Read what the portal publishes. What is missing or malformed stays unknown.

        A value may come with its uncertainty or as a number. The fidelities of two-qubit gates are
        a list with one entry for each pair, only a mean, or both. :attr:`problems` names what is
        malformed.

        Args:
            published: ``characterisation`` of a resource: per cent, seconds and microseconds.
            resource_id: the device's identifier.
            workspace_id: the workspace through which it was asked.
            num_qubits: number of its qubits.
            fetched_at: when the portal was asked.
        """
        return cls(
            resource_id,
            workspace_id,
            num_qubits,
            fetched_at=fetched_at,
            **read_published(published, num_qubits),
        )

    @property
    def is_known(self) -> bool:
        """Whether any figure is known."""
        figures = (self.r_fidelity, self.rxx_fidelity)
        return any(figures) or any(
            getattr(self, name) is not None for name in (*MEASURED, *NUMBERS)
        )

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
        """Return the fidelity of rxx on a pair in either order, or the mean if it has none."""
        return self.rxx_fidelity.get((min(a, b), max(a, b)), self.mean_rxx_fidelity)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's types, in SI units; times in ISO 8601."""
        return to_json(vars(self))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Characterisation:
        """Make a characterisation of what :meth:`to_dict` has returned.

        Only ``format``, ``resource_id``, ``workspace_id`` and ``num_qubits`` must be there.

        Raises:
            InvalidCharacterisationError: a field is missing, damaged or unknown; names it.
        """
        return cls(**from_json(content))

    def save(self, path: str | Path) -> None:
        """Write everything to a file, in JSON, readable by its owner only.

        Raises:
            OSError: the file cannot be written; an existing file stays as it was.
        """
        import orjson

        write_file(Path(path), orjson.dumps(self.to_dict(), option=orjson.OPT_INDENT_2))

    @classmethod
    def load(cls, path: str | Path) -> Characterisation:
        """Read a file that :meth:`save` has written.

        Raises:
            InvalidCharacterisationError: it is damaged, or holds something else.
            OSError: it cannot be read.
        """
        import orjson

        file = Path(path)
        try:
            return cls.from_dict(orjson.loads(file.read_bytes()))
        except orjson.JSONDecodeError as error:
            raise InvalidCharacterisationError("content", f"is no JSON: {error}", file) from error
        except InvalidCharacterisationError as error:
            raise InvalidCharacterisationError(error.field, error.reason, file) from None


def _check(name: str, entry: Measured | float | None, bounds: Bounds) -> None:
    """Check a value against its bounds, and that its uncertainty is not negative.

    Raises:
        InvalidCharacterisationError: it is not.
    """
    if entry is None:
        return
    value, uncertainty = entry, None
    if isinstance(entry, Measured):
        value, uncertainty = entry.value, entry.uncertainty
    try:
        bounds.check(value)
        if uncertainty is not None:
            UNCERTAINTY.check(uncertainty)
    except ValueError as error:
        raise InvalidCharacterisationError(name, str(error)) from None
