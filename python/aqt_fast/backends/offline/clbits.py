"""Outcomes of bare circuits → outcomes at the classical bits of the user's circuits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def at_clbits(
    counts: dict[str, int], memory: list[str] | None, moved_bits: Sequence[tuple[int, int]]
) -> tuple[dict[str, int], list[str] | None]:
    """Move bits of counts and memory to where the user's circuit has measured them.

    Args:
        counts: those of a bare circuit, in hexadecimal.
        memory: each shot's outcome, in hexadecimal, or None.
        moved_bits: see :meth:`~aqt_fast.wire.snapshot.Snapshot.moved_bits`.
    """
    moved = {text: hex(_moved(int(text, 16), moved_bits)) for text in counts}
    added: Counter[str] = Counter()
    for text, count in counts.items():
        added[moved[text]] += count
    return dict(added), None if memory is None else [moved[text] for text in memory]


def _moved(outcome: int, moved_bits: Sequence[tuple[int, int]]) -> int:
    return sum((outcome >> source & 1) << target for source, target in moved_bits)
