"""Figures of a device for people: as a table of text, and as HTML for notebooks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone

from aqt_fast._texts import one_line
from aqt_fast.devices.figures import Figures
from aqt_fast.devices.measured import Measured
from aqt_fast.visualization import html

_MOST_PROBLEMS = 5
"""Number of problems that are shown."""
_MOST_PRECISE, _LEAST_PRECISE = 1e-7, 1e6
"""Bounds of an uncertainty, in the unit that is shown, for figures without an exponent."""
_WEAKEST = 3
"""Number of pairs that are named as the weakest."""
_STRONGEST_SHADE = 0.5
"""Opacity behind the lowest fidelity of a matrix: dark and light text stay readable on it."""


def as_text(known: Figures) -> str:
    """Write a table: what holds for the device, then the qubits."""
    rows = _of_device(known)
    if known.r_fidelity:
        rows += [("", ""), *_of_qubits(known)]
    width = max((len(label) for label, _ in rows), default=0)
    lines = [title(known), _ages(known), ""]
    lines += [f"{label:{width}}  {text}".rstrip() for label, text in rows]
    lines += _problems(known)
    return "\n".join(lines).rstrip()


def as_html(known: Figures) -> str:
    """Write tables for notebooks."""
    return html.block(html.heading(title(known)), figures_as_html(known))


def figures_as_html(known: Figures) -> str:
    """Write tables as a part of a page: neither the device's name nor the stylesheet."""
    parts = [html.line(_ages(known)), html.facts(_of_device(known))]
    if known.r_fidelity:
        parts.append(html.details("Qubits", html.facts(_of_qubits(known))))
    if known.rxx_fidelity:
        matrix = _matrix(known.num_qubits, known.rxx_fidelity)
        parts.append(html.details("Fidelity of rxx, %", matrix))
    parts += [html.line(problem) for problem in _problems(known) if problem]
    return "".join(parts)


def title(known: Figures) -> str:
    """Name the device: its identifier, workspace and size."""
    qubits = "1 qubit" if known.num_qubits == 1 else f"{known.num_qubits} qubits"
    return f"{one_line(known.resource_id)} ({one_line(known.workspace_id)}), {qubits}"


def day_and_time(moment: datetime) -> str:
    """Write a time in UTC, to the minute."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def per_cent(fidelity: Measured) -> str:
    """Write a fidelity in per cent, with its uncertainty."""
    return f"{_digits(fidelity, 100)} %"


def _ages(known: Figures) -> str:
    times = {"updated": known.updated_at, "fetched": known.fetched_at}
    return ", ".join(f"{word} {day_and_time(it)}" for word, it in times.items() if it) or "no date"


def facts(known: Figures) -> list[tuple[str, str]]:
    """List what holds for all qubits: label and value."""
    spam = known.spam_fidelity
    rows = [
        ("preparation and readout", None if spam is None else _at_least(spam)),
        ("T1", known.t1 and f"{_digits(known.t1)} s"),
        ("T2 without echo", known.t2 and f"{_digits(known.t2)} s"),
        ("duration of r", _duration(known.r_duration)),
        ("duration of rxx", _duration(known.rxx_duration)),
        ("duration of readout", _duration(known.readout_duration)),
    ]
    return [(label, text or "unknown") for label, text in rows]


def _of_device(known: Figures) -> list[tuple[str, str]]:
    rows = [
        ("fidelity of r", _range(known.r_fidelity.values(), known.mean_r_fidelity)),
        ("fidelity of rxx", _range(known.rxx_fidelity.values(), known.mean_rxx_fidelity)),
    ]
    weakest = _weakest(known.rxx_fidelity)
    return [
        *((label, text or "unknown") for label, text in rows),
        *([("weakest pairs", weakest)] if weakest else []),
        *facts(known),
    ]


def _at_least(fidelity: float) -> str:
    return f"at least {per_cent(Measured(fidelity))}"


def _of_qubits(known: Figures) -> list[tuple[str, str]]:
    return [(f"r on qubit {q}", per_cent(found)) for q, found in known.r_fidelity.items()]


def _range(fidelities: Iterable[Measured], mean: Measured | None) -> str | None:
    """Write the lowest and the highest of the values, and their mean."""
    values = sorted(found.value for found in fidelities)
    texts = [] if mean is None else [f"mean {per_cent(mean)}"]
    if values and values[0] < values[-1]:
        ends = [f"{100 * value:.5g}" for value in (values[0], values[-1])]
        decimals = max(len(end.partition(".")[2]) for end in ends)
        texts.insert(0, " to ".join(f"{float(end):.{decimals}f}" for end in ends) + " %")
    elif values and mean is None:
        texts = [per_cent(Measured(values[0]))]
    return ", ".join(texts) or None


def _weakest(pairs: Mapping[tuple[int, int], Measured]) -> str | None:
    ordered = sorted(pairs.items(), key=lambda item: item[1].value)[:_WEAKEST]
    if len(pairs) <= _WEAKEST or ordered[0][1].value == ordered[-1][1].value:
        return None
    return ", ".join(f"{low}–{high} {100 * found.value:.5g} %" for (low, high), found in ordered)


def _digits(measured: Measured, factor: float = 1) -> str:
    """Write a value with as many digits as its uncertainty leaves, or six."""
    value, spread = measured.value * factor, (measured.uncertainty or 0) * factor
    if not spread:
        return f"{value:.6g}"
    if not _MOST_PRECISE < spread < _LEAST_PRECISE or value >= _LEAST_PRECISE:
        return f"{value:.6g} ± {spread:.2g}"
    decimals = max(0, -math.floor(math.log10(spread)))
    if f"{spread:.1e}"[0] == "1":
        decimals += 1
    return f"{value:.{decimals}f} ± {spread:.{decimals}f}"


def _duration(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or not seconds:
            return f"{seconds / size:.6g} {unit}"
    return f"{seconds * 1e9:.6g} ns"


def _problems(known: Figures) -> list[str]:
    if not known.problems:
        return []
    shown = [one_line(problem) for problem in known.problems[:_MOST_PROBLEMS]]
    more = len(known.problems) - len(shown)
    return ["", "not understood:", *shown, *([f"and {more} more"] if more else [])]


def _matrix(num_qubits: int, pairs: Mapping[tuple[int, int], Measured]) -> str:
    """Write the fidelities of the pairs in per cent, with a shade for the lower ones."""
    values = [found.value for found in pairs.values()]
    lowest, highest = min(values), max(values)

    def cell(row: int, column: int) -> str:
        found = pairs.get((column, row))
        if found is None:
            return "<td></td>"
        shade = (highest - found.value) / (highest - lowest) if highest > lowest else 0
        style = f"background:rgba(214,96,40,{_STRONGEST_SHADE * shade:.2f})"
        return (
            f'<td style="{style}" title="{html.text(per_cent(found))}">{found.value * 100:.2f}</td>'
        )

    def rows() -> Iterator[str]:
        yield "".join(f"<th>{qubit}</th>" for qubit in ("", *range(num_qubits - 1)))
        for row in range(1, num_qubits):
            yield f"<th>{row}</th>" + "".join(cell(row, column) for column in range(row))

    cells = "".join(f"<tr>{row}</tr>" for row in rows())
    return f'<table class="aqt-table aqt-matrix">{cells}</table>'
