"""Shots of the circuits of a job: one number for all, or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

SHOTS_PER_API_JOB = 2000
"""Maximum number of repetitions of a circuit in an API job."""

Shots: TypeAlias = int | tuple[int, ...]
"""Repetitions of each circuit: as many for all, or one number for each, in order."""


def simplified(numbers: Sequence[int]) -> Shots:
    """Return one number if all are equal, and all of them otherwise.

    Args:
        numbers: one for each circuit, at least one.
    """
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)


def each(shots: Shots, num_circuits: int) -> tuple[int, ...]:
    """Return one number for each circuit."""
    return (shots,) * num_circuits if isinstance(shots, int) else shots


def shots_at(shots: Shots, index: int) -> int:
    """Return the shots of one circuit."""
    return shots if isinstance(shots, int) else shots[index]


def shots_of(shots: Shots, circuits: range) -> Shots:
    """Return the shots of neighbouring circuits.

    Args:
        shots: those of all circuits.
        circuits: indices of the circuits, in steps of 1.
    """
    return shots if isinstance(shots, int) else shots[circuits.start : circuits.stop]


def total(shots: Shots, num_circuits: int) -> int:
    """Return the number of shots of all circuits together."""
    return shots * num_circuits if isinstance(shots, int) else sum(shots)


def in_table(shots: Shots) -> int | str:
    """Return what a table shows: the number, or the smallest and the largest one."""
    return shots if isinstance(shots, int) else f"{min(shots)} to {max(shots)}"
