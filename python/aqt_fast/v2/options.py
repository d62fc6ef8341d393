"""The options of ``run``, for those who annotate them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class ResourceRunOptions(TypedDict, total=False):
    """Options of ``run``; ``run`` takes all options of :class:`~aqt_fast.AQTOptions`, too."""

    shots: int | Sequence[int]
    """Repetitions of each circuit, from 1; or one number for each circuit."""
    seed_simulator: int
    """Seed of a simulation in this process; devices ignore it."""
    memory: bool
    """Whether to return the outcome of each shot, in order."""
