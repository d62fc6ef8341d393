"""A characterisation in JSON's types, as it is saved: SI units, and a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aqt_fast.devices.figures import MEASURED, NUMBERS, TIMES, Figures
from aqt_fast.devices.measured import Measured, moment, number, shown
from aqt_fast.exceptions import InvalidCharacterisationError

FORMAT = 1
"""Version of the content."""

_REQUIRED = {"format", "resource_id", "workspace_id", "num_qubits"}
_ALL = {*_REQUIRED, "r_fidelity", "rxx_fidelity", *MEASURED, *NUMBERS, *TIMES, "problems"}


def to_json(known: Figures) -> dict[str, Any]:
    """Convert figures to JSON's types, in SI units; times in ISO 8601."""
    content: dict[str, Any] = {"format": FORMAT, **vars(known)}
    content["r_fidelity"] = [
        {"qubit": qubit, **_entry(found)} for qubit, found in known.r_fidelity.items()
    ]
    content["rxx_fidelity"] = [
        {"qubits": list(pair), **_entry(found)} for pair, found in known.rxx_fidelity.items()
    ]
    for name in MEASURED:
        content[name] = None if content[name] is None else _entry(content[name])
    for name in TIMES:
        content[name] = None if content[name] is None else content[name].isoformat()
    content["problems"] = list(known.problems)
    return content


def from_json(content: Any) -> dict[str, Any]:
    """Read the fields of figures from what :func:`to_json` has returned.

    Raises:
        InvalidCharacterisationError: a field is missing, damaged or unknown; names it.
    """
    given = _typed("content", content, Mapping, "an object")
    for name in sorted(_REQUIRED - given.keys()):
        raise InvalidCharacterisationError(name, "is missing")
    if given["format"] != FORMAT or isinstance(given["format"], bool):
        reason = f"must be {FORMAT}, not {shown(given['format'])}: another version has written it"
        raise InvalidCharacterisationError("format", reason)
    for name in sorted(map(str, given.keys() - _ALL)):
        raise InvalidCharacterisationError(shown(name), "is no field of a characterisation")
    values: dict[str, Any] = {
        name: _typed(name, given[name], str, "text") for name in ("resource_id", "workspace_id")
    }
    values["num_qubits"] = _typed("num_qubits", given["num_qubits"], int, "an integer")
    present = {name: entry for name, entry in given.items() if entry is not None}
    values["r_fidelity"] = _by_place(present, "r_fidelity", "qubit", _qubit)
    values["rxx_fidelity"] = _by_place(present, "rxx_fidelity", "qubits", _pair)
    for names, read in ((MEASURED, _measured), (NUMBERS, _number), (TIMES, _moment)):
        values |= {name: read(name, present[name]) for name in names if name in present}
    problems = _typed("problems", present.get("problems", []), list, "a list")
    values["problems"] = tuple(
        _typed(f"problems[{index}]", entry, str, "text") for index, entry in enumerate(problems)
    )
    return values


def _entry(found: Measured) -> dict[str, float | None]:
    return {"value": found.value, "uncertainty": found.uncertainty}


def _by_place(
    present: Mapping[str, Any], name: str, key: str, read: Callable[[str, Any], Any]
) -> dict[Any, Measured]:
    """Read a list of values, each with the qubits that it is for."""
    found: dict[Any, Measured] = {}
    for index, entry in enumerate(_typed(name, present.get(name, []), list, "a list")):
        place = f"{name}[{index}]"
        qubits = read(f"{place}.{key}", _typed(place, entry, Mapping, "an object").get(key))
        _refuse_others(place, entry, {key, "value", "uncertainty"})
        if qubits in found:
            raise InvalidCharacterisationError(place, f"is a second value for {qubits}")
        found[qubits] = _value(place, entry)
    return found


def _typed(name: str, value: Any, kind: Any, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidCharacterisationError(name, f"must be {what}, not {shown(value)}")
    return value


def _said(name: str, read: Callable[[Any], Any], value: Any) -> Any:
    """Read a value; the error names the field."""
    try:
        return read(value)
    except ValueError as error:
        raise InvalidCharacterisationError(name, str(error)) from None


def _number(name: str, value: Any) -> float:
    found: float = _said(name, number, value)
    return found


def _moment(name: str, value: Any) -> Any:
    return _said(name, moment, value)


def _measured(name: str, value: Any) -> Measured:
    entry = _typed(name, value, Mapping, "an object")
    _refuse_others(name, entry, {"value", "uncertainty"})
    return _value(name, entry)


def _refuse_others(name: str, entry: Mapping[str, Any], known: set[str]) -> None:
    for key in sorted(map(str, entry.keys() - known)):
        raise InvalidCharacterisationError(f"{name}.{key}", "is no part of a value")


def _value(name: str, entry: Mapping[str, Any]) -> Measured:
    spread = entry.get("uncertainty")
    return Measured(
        _number(f"{name}.value", entry.get("value")),
        None if spread is None else _number(f"{name}.uncertainty", spread),
    )


def _qubit(name: str, value: Any) -> int:
    qubit: int = _typed(name, value, int, "an integer")
    return qubit


def _pair(name: str, value: Any) -> tuple[int, int]:
    qubits = _typed(name, value, list | tuple, "a list")
    if len(qubits) != 2 or not all(type(qubit) is int for qubit in qubits):
        raise InvalidCharacterisationError(name, f"must be two qubits, not {shown(value)}")
    return qubits[0], qubits[1]
