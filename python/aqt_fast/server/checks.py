"""Checks of arguments: each raises InvalidOptionError, which names the argument."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import orjson

from aqt_fast.exceptions import InvalidOptionError

CENTURY = 100 * 366 * 86_400
"""In seconds."""

Check = Callable[[str, Any], None]
"""Takes the argument's name and value."""


class Checked:
    """Checks what is assigned to its attributes."""

    _checks: ClassVar[Mapping[str, Check]] = {}

    def __setattr__(self, name: str, value: object) -> None:
        check = self._checks.get(name)
        if check is not None:
            check(name, value)
        super().__setattr__(name, value)


def number(low: float, high: float, *, above: bool = False) -> Check:
    """Make the check of a finite number from ``low``, or above it, to ``high``."""

    def check(name: str, value: Any) -> None:
        within = _is_a(Real, value) and low <= value <= high and math.isfinite(value)
        if not within or (above and value == low):
            raise InvalidOptionError(name, value, f"a number {_range(low, high, above=above)}")

    return check


def integer(low: float, high: float = math.inf) -> Check:
    """Make the check of an integer from ``low`` to ``high``."""

    def check(name: str, value: Any) -> None:
        if not (_is_a(Integral, value) and low <= value <= high):
            raise InvalidOptionError(name, value, f"an integer {_range(low, high)}")

    return check


def choice(values: Collection[str]) -> Check:
    """Make the check of one of several texts."""

    def check(name: str, value: object) -> None:
        if not (isinstance(value, str) and value in values):
            raise InvalidOptionError(name, value, f"one of {', '.join(values)}")

    return check


def optional(check: Check) -> Check:
    """Accept None, too."""

    def either(name: str, value: object) -> None:
        if value is not None:
            check(name, value)

    return either


def flag(name: str, value: object) -> None:
    """Check True or False."""
    if not isinstance(value, bool):
        raise InvalidOptionError(name, value, "True or False")


def text(name: str, value: object) -> None:
    """Check a text."""
    if not isinstance(value, str):
        raise InvalidOptionError(name, value, "a text")


def identifier(name: str, value: object) -> None:
    """Check an identifier, which is a part of a path."""
    if not (
        isinstance(value, str)
        and value.isprintable()
        and value not in ("", ".", "..")
        and not set(value) & set("/\\?#% ")
    ):
        raise InvalidOptionError(name, value, "a text without blanks and without any of / \\ ? # %")


def token(name: str, value: object) -> None:
    """Check a bearer token, which is a part of a header; do not show it."""
    visible = isinstance(value, str) and value.isascii() and value.isprintable()
    if not visible or not value or " " in str(value):
        raise InvalidOptionError(name, "***", "visible ASCII characters, at least one")


def function(name: str, value: object) -> None:
    """Check something that can be called."""
    if not callable(value):
        raise InvalidOptionError(name, value, "a function")


def instance(kind: type) -> Check:
    """Make the check of an object of a class."""

    def check(name: str, value: object) -> None:
        if not isinstance(value, kind):
            raise InvalidOptionError(name, value, kind.__name__)

    return check


def items(kind: type, what: str) -> Check:
    """Make the check of a sequence of objects of a class; ``what`` names them in the plural."""

    def check(name: str, value: Any) -> None:
        sequence = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        if not sequence or not all(isinstance(item, kind) for item in value):
            raise InvalidOptionError(name, value, f"a sequence of {what}")

    return check


def texts(name: str, value: object) -> None:
    """Check a mapping from texts to texts; do not show it, as it may hold secrets."""
    parts = [part for item in value.items() for part in item] if isinstance(value, Mapping) else [0]
    if not all(isinstance(part, str) for part in parts):
        raise InvalidOptionError(name, "***", "a mapping from texts to texts")


def json_object(name: str, value: object) -> None:
    """Check a mapping that can be written as JSON."""
    if isinstance(value, Mapping):
        try:
            orjson.dumps(dict(value))
        except TypeError:
            pass
        else:
            return
    raise InvalidOptionError(name, value, "a mapping of what JSON has")


def _is_a(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _range(low: float, high: float, *, above: bool = False) -> str:
    if above:
        return f"above {low:g}" if high == math.inf else f"above {low:g} and up to {high:g}"
    return f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
