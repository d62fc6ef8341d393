"""Headers of results as JSON: those of neighbours that share one are written once."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from aqt_fast.wire.metadata import to_json


def in_runs(headers: list[dict[str, Any]]) -> list[Any]:
    """Return headers for JSON: each, or a pair of header and number where neighbours share one."""
    runs = [list(run) for _, run in groupby(headers, id)]
    return [_in_json(run[0]) if len(run) == 1 else [_in_json(run[0]), len(run)] for run in runs]


def one_by_one(runs: list[Any], number: int) -> list[dict[str, Any]]:
    """Return the headers that :func:`in_runs` was given.

    Args:
        runs: its output.
        number: how many headers there must be.

    Raises:
        ValueError: they have another form, or are not as many.
        TypeError: they have another form.
    """
    pairs = [run if isinstance(run, list) else (run, 1) for run in runs]
    if any(type(times) is not int or times < 1 for _, times in pairs):
        raise TypeError("a number of equal headers is none")
    if sum(times for _, times in pairs) != number:
        raise ValueError(f"it has not the headers of {number} circuits")
    return [header for header, times in pairs for _ in range(times)]


def _in_json(header: dict[str, Any]) -> dict[str, Any]:
    """Return a header without metadata that JSON cannot express."""
    try:
        to_json(header["metadata"])
    except TypeError:
        return {**header, "metadata": dict(filter(_is_in_json, header["metadata"].items()))}
    return header


def _is_in_json(item: tuple[Any, Any]) -> bool:
    try:
        to_json(dict([item]))
    except TypeError:
        return False
    return True
