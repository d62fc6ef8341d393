"""A batch as API jobs: what each of them has of the circuits and shots, and what it is called."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from aqt_fast.aqt_options import LONGEST_LABEL
from aqt_fast.wire.circuits import Limits

_SUFFIX = re.compile(r"(, circuit \d+| \[\d+/\d+\])?(?: \(again (\d+)\))?$")
"""The number of an API job in its batch, and how often it was submitted again."""


@dataclass(frozen=True)
class Part:
    """What one API job has of a batch."""

    start: int
    """The first circuit."""
    stop: int
    """The circuit after the last."""
    shots: int
    """Repetitions of each, all of them or a part."""

    @property
    def circuits(self) -> range:
        """Indices of the circuits."""
        return range(self.start, self.stop)


def cut(num_circuits: int, shots: int, limits: Limits) -> list[Part]:
    """Cut a batch into API jobs: first by circuits, then by shots.

    Args:
        num_circuits: circuits of the batch.
        shots: repetitions of each.
        limits: what one API job takes.

    Returns:
        The parts in the order of the circuits; those with the same circuits follow each other, and
        their shots add up.
    """
    width = limits.circuits or num_circuits
    most = limits.shots or shots
    return [
        Part(start, min(start + width, num_circuits), min(most, shots - done))
        for start in range(0, num_circuits, width)
        for done in range(0, shots, most)
    ]


@dataclass(frozen=True)
class BatchPlan:
    """The API jobs of a batch, fixed before the first of them is sent."""

    batch_id: str
    """The batch's own identifier, a UUID."""
    label: str
    """What the portal shows with the job; those of several API jobs have numbers added."""
    parts: list[Part]
    """What each API job has, in the order of submission."""

    by_circuit: bool = False
    """Whether each API job is one circuit, and is called by its number."""

    @classmethod
    def new(
        cls,
        num_circuits: int,
        shots: int,
        limits: Limits,
        label: str | None,
        *,
        by_circuit: bool = False,
    ) -> BatchPlan:
        """Plan a batch.

        Args:
            num_circuits: as for :func:`cut`.
            shots: as for :func:`cut`.
            limits: as for :func:`cut`.
            label: the user's, None for one of our own.
            by_circuit: whether each API job is one circuit.
        """
        batch_id = str(uuid.uuid4())
        parts = cut(num_circuits, shots, limits)
        return cls(batch_id, label or f"aqt-fast {batch_id}", parts, by_circuit)

    def part_label(self, index: int) -> str:
        """What the portal shows with an API job, or messages call it."""
        if self.by_circuit:
            return _with_suffix(self.label, f", circuit {index}")
        if len(self.parts) == 1:
            return self.label
        return _with_suffix(self.label, f" [{index + 1}/{len(self.parts)}]")


def again_label(label: str) -> str:
    """The label of an API job that is submitted once more; it differs from all others', too."""
    suffix = _SUFFIX.search(label)
    assert suffix is not None  # noqa: S101 - it may be empty
    number = int(suffix[2] or 0) + 1
    return _with_suffix(label[: suffix.start()], f"{suffix[1] or ''} (again {number})")


def _with_suffix(label: str, suffix: str) -> str:
    return label[: LONGEST_LABEL - len(suffix)] + suffix
