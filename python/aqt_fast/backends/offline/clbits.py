"""Outcomes of bare circuits → outcomes at the classical bits of the user's circuits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def at_clbits(
    outcome: tuple[dict[str, int], list[str] | None], measured_bits: Sequence[tuple[int, int]]
) -> tuple[dict[str, int], list[str] | None]:
    """Move bits of counts and memory to where the user's circuit has measured them.

    Args:
        outcome: counts and, if requested, memory of a bare circuit, in hexadecimal.
        measured_bits: see :meth:`~aqt_fast.wire.snapshot.Snapshot.measured_bits`.
    """
    counts, memory = outcome
    if all(source == target for source, target in measured_bits):
        kept = sum(1 << source for source, _ in measured_bits)
        moved = {text: hex(int(text, 16) & kept) for text in counts}
    else:
        moved = {text: hex(_moved(int(text, 16), measured_bits)) for text in counts}
    added: Counter[str] = Counter()
    for text, count in counts.items():
        added[moved[text]] += count
    return dict(added), None if memory is None else [moved[text] for text in memory]


def _moved(outcome: int, measured_bits: Sequence[tuple[int, int]]) -> int:
    return sum((outcome >> source & 1) << target for source, target in measured_bits)
