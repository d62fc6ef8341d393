"""Plan a batch as API jobs: their parts of the circuits and shots, and their labels."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aqt_fast._ids import LONGEST_LABEL
from aqt_fast.exceptions import InvalidJobError

if TYPE_CHECKING:
    from aqt_fast.wire.circuits import Limits  # loads Qiskit

MOST_API_JOBS = 100_000
"""Maximum number of API jobs of a batch: each takes memory, a request and a line of the journal."""

_SUFFIX = re.compile(r"((?:, circuit \d+)?(?: \[\d+/\d+\])?)(?: \(again (\d+)\))?$")
"""Suffix of a label: the API job's number in its batch, and how often it was resubmitted."""


@dataclass(frozen=True)
class Part:
    """What one API job has of a batch."""

    start: int
    """Index of the first circuit."""
    stop: int
    """Index after the last circuit."""
    shots: int
    """Repetitions of each circuit: all of them, or some."""

    @property
    def circuits(self) -> range:
        """Indices of the circuits."""
        return range(self.start, self.stop)


def cut(num_circuits: int, shots: int, limits: Limits) -> list[Part]:
    """Cut a batch into API jobs: first by circuits, then by shots.

    Args:
        num_circuits: number of circuits in the batch.
        shots: repetitions of each circuit.
        limits: limits of one API job.

    Returns:
        The parts in the order of the circuits. Parts of the same circuits are adjacent, and their
        shots add up.

    Raises:
        InvalidJobError: there would be more than 100 000 parts.
    """
    width = limits.circuits or num_circuits
    most = limits.shots or shots
    number = -(-num_circuits // width) * -(-shots // most)
    if number > MOST_API_JOBS:
        raise InvalidJobError(
            f"{num_circuits} circuits with {shots} shots would be {number} API jobs, and a job has "
            f"at most {MOST_API_JOBS}; split it"
        )
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
    """The job's label on the portal; several API jobs append numbers to it."""
    parts: list[Part]
    """The part of each API job, in the order of submission."""

    by_circuit: bool = False
    """Whether each API job has one circuit, whose index its label names: with numbers of the runs
    that share the shots, if they are several."""

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
            label: the user's label, None for a unique one.
            by_circuit: whether each API job has one circuit.

        Raises:
            InvalidJobError: there would be more than 100 000 API jobs.
        """
        batch_id = str(uuid.uuid4())
        parts = cut(num_circuits, shots, limits)
        return cls(batch_id, label or default_label(batch_id), parts, by_circuit)

    def part_label(self, index: int) -> str:
        """Return the label of an API job, for the portal and for messages."""
        if self.by_circuit:
            return _with_suffix(self.label, f", circuit {self._run_of_circuit(index)}")
        if len(self.parts) == 1:
            return self.label
        return _with_suffix(self.label, f" [{index + 1}/{len(self.parts)}]")

    def _run_of_circuit(self, index: int) -> str:
        """Name the circuit of an API job, and which of its runs that is if it has several."""
        circuit = self.parts[index].start
        runs = len(self.parts) // self.parts[-1].stop  # as many for each circuit
        return f"{circuit}" if runs == 1 else f"{circuit} [{index % runs + 1}/{runs}]"


def default_label(batch_id: str) -> str:
    """Return the label of a job that the user has given none."""
    return f"aqt-fast {batch_id}"


def again_label(label: str) -> str:
    """Return the label for another submission of an API job, different from all earlier ones."""
    suffix = _SUFFIX.search(label)
    assert suffix is not None  # noqa: S101 - the pattern matches the empty string
    number = int(suffix[2] or 0) + 1
    return _with_suffix(label[: suffix.start()], f"{suffix[1]} (again {number})")


def _with_suffix(label: str, suffix: str) -> str:
    return label[: LONGEST_LABEL - len(suffix)] + suffix
