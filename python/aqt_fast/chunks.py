"""A batch as API jobs: what each of them has of the circuits and shots, and what it is called."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from aqt_fast import wire
from aqt_fast.aqt_options import LONGEST_LABEL

_SUFFIX = re.compile(r"(, circuit \d+| \[\d+/\d+\])?(?: \(again (\d+)\))?$")
"""The number of an API job in its batch, and how often it was submitted again."""


@dataclass(frozen=True)
class Chunk:
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


def cut(num_circuits: int, shots: int, limits: wire.Limits) -> list[Chunk]:
    """Cut a batch into API jobs: first by circuits, then by shots.

    Args:
        num_circuits: circuits of the batch.
        shots: repetitions of each.
        limits: what one API job takes.

    Returns:
        The chunks in the order of the circuits; those with the same circuits follow each other, and
        their shots add up.
    """
    width = limits.circuits or num_circuits
    most = limits.shots or shots
    return [
        Chunk(start, min(start + width, num_circuits), min(most, shots - done))
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
    chunks: list[Chunk]
    """What each API job has, in the order of submission."""

    @classmethod
    def new(
        cls, num_circuits: int, shots: int, limits: wire.Limits, label: str | None
    ) -> BatchPlan:
        """Plan a batch; the arguments are those of :func:`cut`, and the user's label."""
        batch_id = str(uuid.uuid4())
        return cls(batch_id, label or f"aqt-fast {batch_id}", cut(num_circuits, shots, limits))

    @classmethod
    def saved(cls, settings: dict[str, Any]) -> BatchPlan:
        """Read what :meth:`settings` has written."""
        chunks = [Chunk(*entry["chunk"]) for entry in settings["jobs"]]
        return cls(settings["batch_id"], settings["label"], chunks)

    def settings(self) -> dict[str, Any]:
        """Write down the plan in JSON's types."""
        jobs = [{"chunk": [chunk.start, chunk.stop, chunk.shots]} for chunk in self.chunks]
        return {"batch_id": self.batch_id, "label": self.label, "jobs": jobs}

    def chunk_label(self, index: int) -> str:
        """What the portal shows with an API job."""
        if len(self.chunks) == 1:
            return self.label
        return _with_suffix(self.label, f" [{index + 1}/{len(self.chunks)}]")

    def circuit_label(self, index: int) -> str:
        """What messages call an API job of a single circuit."""
        return _with_suffix(self.label, f", circuit {index}")


def again_label(label: str) -> str:
    """The label of an API job that is submitted once more; it differs from all others', too."""
    suffix = _SUFFIX.search(label)
    assert suffix is not None  # noqa: S101 - it may be empty
    number = int(suffix[2] or 0) + 1
    return _with_suffix(label[: suffix.start()], f"{suffix[1] or ''} (again {number})")


def _with_suffix(label: str, suffix: str) -> str:
    return label[: LONGEST_LABEL - len(suffix)] + suffix
