"""Which objects of the package the reference has, by what they are instead of by their name."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from typing import Any


def found(name: str) -> Any:
    """Return what a full name stands for, None if nothing does."""
    try:
        value = pkgutil.resolve_name(name)
    except (AttributeError, ImportError, ValueError):
        return None
    return getattr(value, "__func__", value)  # class methods are made anew each time


class Documented:
    """The places in the reference, for any name of what is there.

    Args:
        names: full names of everything in the reference.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self._places: dict[tuple[str, int], str] = {}
        self._values = []  # kept, as their addresses are used
        for name in sorted(self.names, key=lambda name: (name.count("."), name)):
            value = found(name)
            if value is not None:
                self._values.append(value)
                self._places.setdefault(_key(name, value), name)

    def place(self, name: str) -> str | None:
        """Return under which name the reference has something, None if it has not."""
        if name in self.names:
            return name
        value = found(name)
        return None if value is None else self._places.get(_key(name, value))


def _key(name: str, value: Any) -> tuple[str, int]:
    return name.rpartition(".")[2], id(value)
