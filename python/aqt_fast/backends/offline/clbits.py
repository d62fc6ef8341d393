"""Outcomes of bare circuits → outcomes at the classical bits of the user's circuits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def at_clbits(counts: dict[str, int], moved_bits: Sequence[tuple[int, int]]) -> dict[str, int]:
    """Move bits of counts to where the user's circuit has measured them.

    Args:
        counts: those of a bare circuit, in hexadecimal.
        moved_bits: see :meth:`~aqt_fast.wire.snapshot.Snapshot.moved_bits`.
    """
    added: Counter[str] = Counter()
    for text, count in counts.items():
        added[hex(_moved(int(text, 16), moved_bits))] += count
    return dict(added)


def _moved(outcome: int, moved_bits: Sequence[tuple[int, int]]) -> int:
    return sum((outcome >> source & 1) << target for source, target in moved_bits)
