"""Circuits' metadata as JSON: NumPy's scalars and arrays are written by value."""

from __future__ import annotations

import json
from typing import Any

import orjson

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def to_json(content: Any) -> bytes:
    """Write JSON.

    Raises:
        TypeError: JSON cannot express something in it.
    """
    return orjson.dumps(content, default=_plain, option=_OPTIONS)


class MetadataEncoder(json.JSONEncoder):
    """Writes the metadata of a circuit for QPY: everything that :func:`to_json` writes."""

    def encode(self, o: Any) -> str:
        """Write JSON as Python does, or as :func:`to_json` does if Python cannot."""
        try:
            return super().encode(o)
        except TypeError:
            return to_json(o).decode()


def _plain(value: Any) -> Any:
    """Return the value of a NumPy scalar or array that orjson does not write itself."""
    import numpy as np  # the list of jobs writes nothing, and should not wait for it

    if isinstance(value, np.generic | np.ndarray):
        plain = value.tolist()
        if plain is not value:
            return plain
    raise TypeError(f"JSON cannot express an object of type '{type(value).__name__}'")
