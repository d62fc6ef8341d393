"""Outcomes of circuits, in HTML: the counts of one, and the most frequent outcome of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aqt_fast.visualization import html
from aqt_fast.visualization.quantities import plural, share

MOST_CIRCUITS = 8
"""Number of circuits whose results are shown."""
_MOST_OUTCOMES = 12
"""Number of outcomes of a circuit that have a bar of their own."""


@dataclass(frozen=True)
class CircuitOutcomes:
    """What was measured of a circuit."""

    index: int
    """Its index in the job."""
    name: str
    """Its name."""
    shots: int
    """Its number of shots."""
    counts: Mapping[str, int] | None
    """How often each outcome was measured; None if there is no result."""
    status: str = ""
    """Why there is no result."""


def most_frequent(counts: Mapping[str, int], most: int) -> tuple[list[tuple[str, int]], int, int]:
    """Return the most frequent outcomes, how many others there are, and their counts together.

    Args:
        counts: of each outcome.
        most: number of outcomes.
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    # Nobody needs a row that stands for one outcome.
    shown = ordered if len(ordered) == most + 1 else ordered[:most]
    rest = ordered[len(shown) :]
    return shown, len(rest), sum(number for _, number in rest)


def histogram(circuit: CircuitOutcomes) -> str:
    """Draw a bar for each outcome of a circuit, the most frequent first."""
    title = f"Circuit {circuit.index} ({circuit.name}): {plural(circuit.shots, 'shot')}"
    if circuit.counts is None:
        return html.details(title, html.line(circuit.status or "no result", 400))
    taken = sum(circuit.counts.values())
    shown, others, number = most_frequent(circuit.counts, _MOST_OUTCOMES)
    top = max((count for _, count in shown), default=1)
    drawn = [
        (
            html.text(outcome or "nothing was measured"),
            html.track(html.fill(0, count / top, "running")),
            f"{count:,} ({share(count, taken)})",
        )
        for outcome, count in shown
    ]
    rest = f"{others:,} other outcomes: {number:,} ({share(number, taken)})"
    return html.details(title, html.bars(drawn) + (html.faint(rest) if others else ""))


def results_table(circuits: Sequence[CircuitOutcomes], total: int) -> str:
    """Write the most frequent outcome of each circuit.

    Args:
        circuits: those that are shown.
        total: number of circuits of the job.
    """
    headers = ("Circuit", "Name", "Shots", "Outcomes", "Most frequent", "State")
    rows = [
        (
            circuit.index,
            circuit.name,
            circuit.shots,
            *_most_frequent_of(circuit.counts),
            "failed" if circuit.counts is None else "done",
        )
        for circuit in circuits
    ]
    title = f"Results of {len(circuits)} of {plural(total, 'circuit')}"
    return html.details(title, html.table(headers, rows, "State"), shown=False)


def _most_frequent_of(counts: Mapping[str, int] | None) -> tuple[int | None, str]:
    """Return the number of outcomes, and the most frequent one with its share."""
    if counts is None:
        return None, ""
    shown, *_ = most_frequent(counts, 1)
    taken = sum(counts.values())
    return len(counts), ", ".join(f"{outcome} ({share(it, taken)})" for outcome, it in shown[:1])
