"""A job's result as a table, as JSON, as CSV, or as arrays of numpy."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from aqt_fast._texts import one_line
from aqt_fast.cli.terminal import with_escapes
from aqt_fast.provider.fitting import tabulated
from aqt_fast.visualization.outcomes import most_frequent
from aqt_fast.visualization.quantities import share

if TYPE_CHECKING:
    from qiskit.result import Result

_FORMATS = ("table", "json", "csv", "npz")

ENDINGS = {".txt": "table", ".json": "json", ".csv": "csv", ".npz": "npz"}
"""Formats of files by their names."""

_MOST_OUTCOMES = 12
"""Most outcomes of a circuit that a table shows."""


class _Counted(NamedTuple):
    """The counts of one circuit, the most frequent outcome first; none if it has no result."""

    name: str
    """As it is, with any characters."""
    shots: int
    counts: list[tuple[str, int]]
    problem: str | None


def format_option(default: str) -> Callable[[Any], Any]:
    """Make the option for the format of a result, which a command gets as ``style``, or None."""
    return click.option(
        "--format",
        "style",
        default=None,
        type=click.Choice(_FORMATS),
        help="table and csv: counts of each circuit; npz: the same as arrays for numpy.load; json: "
        f"Qiskit's Result.to_dict().  [default: by the ending of --output, or {default}]",
    )


def result_as(style: str, result: Result) -> bytes:
    """Write a result in one of the formats of :func:`format_option`."""
    writers = {"table": _table, "json": _json, "csv": _csv, "npz": _npz}
    return writers[style](result)


def _json(result: Result) -> bytes:
    import orjson

    # Circuits carry arbitrary metadata: convert anything that JSON cannot express.
    text = orjson.dumps(
        result.to_dict(),
        default=str,
        option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE,
    )
    return with_escapes(text.decode()).encode()


def _counted(result: Result) -> Iterator[_Counted]:
    for index, part in enumerate(result.results):
        name = str(getattr(part.header, "get", lambda *_: "")("name") or "")
        if not part.success:
            yield _Counted(name, 0, [], one_line(str(part.status)))
            continue
        counts = result.get_counts(index)
        ranking = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        yield _Counted(name, sum(counts.values()), ranking, None)


def _table(result: Result) -> bytes:
    rows: list[tuple[object, ...]] = []
    for index, (name, shots, counts, problem) in enumerate(_counted(result)):
        if problem is not None:
            rows.append((index, name, f"none: {problem}", None, ""))
        shown, num_others, number = most_frequent(dict(counts), _MOST_OUTCOMES)
        rows += [(index, name, outcome, count, share(count, shots)) for outcome, count in shown]
        if num_others:
            rows.append((index, name, f"{num_others} others", number, share(number, shots)))
    headers = ("Circuit", "Name", "Outcome", "Shots", "Share")
    return f"{tabulated(rows, headers, 'simple')}\n".encode()


def _csv(result: Result) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("circuit", "name", "outcome", "count"))
    for index, (name, _, counts, _) in enumerate(_counted(result)):
        writer.writerows((index, name, outcome, number) for outcome, number in counts)
    return text.getvalue().encode()


def _npz(result: Result) -> bytes:
    """One entry per circuit and outcome, and of each circuit its name and its shots."""
    import numpy as np

    circuits = list(_counted(result))
    rows = [
        (index, outcome, number)
        for index, circuit in enumerate(circuits)
        for outcome, number in circuit.counts
    ]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        circuit=np.array([row[0] for row in rows], dtype=np.int64),
        outcome=np.array([row[1] for row in rows], dtype=np.str_),
        count=np.array([row[2] for row in rows], dtype=np.int64),
        name=np.array([circuit.name for circuit in circuits], dtype=np.str_),
        shots=np.array([circuit.shots for circuit in circuits], dtype=np.int64),
    )
    return file.getvalue()
