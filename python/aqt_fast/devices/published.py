"""The characterisation of a device as AQT's portal publishes it: per cent and microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from aqt_fast.devices.measured import (
    DURATION,
    LIFETIME,
    UNCERTAINTY,
    Bounds,
    Measured,
    moment,
    shown,
)

T = TypeVar("T")


class _Unit(NamedTuple):
    """What the portal's numbers of one kind mean."""

    of_si: float
    """How many of it are 1 in SI units."""
    bounds: Bounds


def _per_cent(lowest: float) -> _Unit:
    """Per cent from what is left of a qubit or a pair after complete depolarisation.

    Less than that is no fidelity, but a number in another unit.
    """
    return _Unit(100, Bounds(lowest, 100, f"{lowest} to 100 per cent"))


_OF_QUBIT, _OF_PAIR = _per_cent(50), _per_cent(25)
_SECONDS = _Unit(1, LIFETIME)
_MICROSECONDS = _Unit(1e6, DURATION)


def read_published(published: Mapping[str, Any], num_qubits: int) -> dict[str, Any]:
    """Read what the portal publishes. What is missing or malformed stays unknown.

    A value may come with its uncertainty (``{"value": …, "uncertainty": …}``) or as a number. The
    fidelities of two-qubit gates are a list with one entry for each pair, only a mean, or both.

    Args:
        published: ``characterisation`` of a resource.
        num_qubits: number of the resource's qubits.

    Returns:
        The fields of a characterisation in SI units; ``problems`` names what is malformed.
    """
    reader = _Reader(published)
    return {
        "r_fidelity": reader.of_qubits("single_qubit_gate_fidelity", num_qubits),
        "rxx_fidelity": reader.of_pairs("two_qubit_gate_fidelity", num_qubits),
        "mean_rxx_fidelity": reader.measured("mean_two_qubit_gate_fidelity", _OF_PAIR),
        "spam_fidelity": reader.bare("spam_fidelity_lower_bound", _OF_QUBIT),
        "t1": reader.measured("t1_s", _SECONDS),
        "t2": reader.measured("t2_coherence_time_s", _SECONDS),
        "r_duration": reader.bare("single_qubit_gate_duration_micros", _MICROSECONDS),
        "rxx_duration": reader.bare("two_qubit_gate_duration_micros", _MICROSECONDS),
        "readout_duration": reader.bare("readout_time_micros", _MICROSECONDS),
        "updated_at": reader.moment("updated_at"),
        "problems": tuple(reader.problems),
    }


class _Reader:
    """Reads entries, and notes what is wrong with them."""

    def __init__(self, published: Mapping[str, Any]) -> None:
        self._published = published
        self.problems: list[str] = []

    def measured(self, name: str, unit: _Unit) -> Measured | None:
        """Read a value that may have an uncertainty."""
        return self._measured(name, self._published.get(name), unit)

    def bare(self, name: str, unit: _Unit) -> float | None:
        """Read a value, of which an uncertainty does not matter."""
        found = self.measured(name, unit)
        return None if found is None else found.value

    def moment(self, name: str) -> datetime | None:
        """Read a time stamp."""
        return self._noted(name, moment, self._published.get(name))

    def of_qubits(self, name: str, num_qubits: int) -> dict[int, Measured]:
        """Read a fidelity for each qubit, by the decimal text of its index."""
        entries = self._published.get(name)
        if entries is None:
            return {}
        if not isinstance(entries, Mapping):
            self.problems.append(f"{name} must have an entry for each qubit, not {shown(entries)}")
            return {}
        indices = {str(qubit): qubit for qubit in range(num_qubits)}
        found: dict[int, Measured] = {}
        for key, entry in entries.items():
            if key not in indices:
                self.problems.append(f"{name}: {shown(key)} is none of {num_qubits} qubits")
            elif (fidelity := self._measured(f"{name}[{key}]", entry, _OF_QUBIT)) is not None:
                found[indices[key]] = fidelity
        return dict(sorted(found.items()))

    def of_pairs(self, name: str, num_qubits: int) -> dict[tuple[int, int], Measured]:
        """Read a list with a fidelity for each pair; the order of its qubits means nothing."""
        entries = self._published.get(name)
        if entries is None:
            return {}
        if not isinstance(entries, list):
            self.problems.append(f"{name} must be a list, not {shown(entries)}")
            return {}
        found: dict[tuple[int, int], Measured] = {}
        for index, entry in enumerate(entries):
            place = f"{name}[{index}]"
            pair = _pair(entry, num_qubits)
            if pair is None:
                self.problems.append(
                    f"{place} must name two of {num_qubits} qubits: {shown(entry)}"
                )
                continue
            fidelity = self._measured(place, entry, _OF_PAIR)
            if fidelity is not None and found.setdefault(pair, fidelity) != fidelity:
                self.problems.append(f"{place} is a second value for the pair {pair}")
        return dict(sorted(found.items()))

    def _measured(self, name: str, entry: Any, unit: _Unit) -> Measured | None:
        """Read a number with an uncertainty or without, in SI units."""
        value, uncertainty = entry, None
        if isinstance(entry, Mapping):
            value, uncertainty = entry.get("value"), entry.get("uncertainty")
            if value is None:
                self.problems.append(f"{name} has no value: {shown(entry)}")
        found = self._noted(name, unit.bounds.check, value)
        if found is None:
            return None
        bounds = UNCERTAINTY._replace(highest=unit.bounds.highest)
        spread = self._noted(f"{name}: uncertainty", bounds.check, uncertainty)
        return Measured(found / unit.of_si, None if spread is None else spread / unit.of_si)

    def _noted(self, name: str, read: Callable[[Any], T], entry: Any) -> T | None:
        """Read an entry; None if it is missing or malformed."""
        if entry is None:
            return None
        try:
            return read(entry)
        except ValueError as error:
            self.problems.append(f"{name} {error}")
            return None


def _pair(entry: Any, num_qubits: int) -> tuple[int, int] | None:
    """Read the qubits of a pair, the lower one first; None if they are no pair of the device."""
    qubits = entry.get("qubits") if isinstance(entry, Mapping) else None
    if not isinstance(qubits, list | tuple) or len(qubits) != 2:
        return None
    if not all(type(qubit) is int and 0 <= qubit < num_qubits for qubit in qubits):
        return None
    low, high = sorted(qubits)
    return (low, high) if low < high else None
