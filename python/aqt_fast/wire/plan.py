"""Plan a batch as API jobs: their parts of the circuits and shots, and their labels."""

from __future__ import annotations

import re
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from aqt_fast._ids import LONGEST_LABEL
from aqt_fast._shots import SHOTS_PER_API_JOB, Shots, total
from aqt_fast.exceptions import InvalidJobError

if TYPE_CHECKING:
    from aqt_fast.wire.circuits import Limits  # loads Qiskit

MOST_API_JOBS = 100_000
"""Maximum number of API jobs of a batch: each takes memory, a request and a line of the journal."""

_SUFFIX = re.compile(r"((?:, circuit \d+)?(?: \[\d+/\d+\])?)(?: \(again (\d+)\))?$")
"""Suffix of a label: the API job's number in its batch, and how often it was resubmitted."""


Repetitions: TypeAlias = int | tuple[tuple[int, ...], ...]
"""Repetitions in an API job: of each circuit, which is one run; or of the runs of each circuit."""

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """What one API job has of a batch.

    A run is an entry of the API job: a circuit with its repetitions. A circuit with more shots than
    a run can have is several runs, one after the other.
    """

    start: int
    """Index of the first circuit."""
    stop: int
    """Index after the last circuit."""
    repetitions: Repetitions
    """One number if each circuit is one run with as many; else those of the runs of each circuit.
    They are all shots of a circuit, or some."""

    @classmethod
    def of(cls, start: int, runs: Sequence[tuple[int, ...]]) -> Part:
        """Make a part in its normal form: one number where each circuit is one run with as many.

        Args:
            start: index of the first circuit.
            runs: repetitions of the runs of each circuit, at least one.
        """
        alike = len(runs[0]) == 1 and len(set(runs)) == 1
        return cls(start, start + len(runs), runs[0][0] if alike else tuple(runs))

    @property
    def circuits(self) -> range:
        """Indices of the circuits."""
        return range(self.start, self.stop)

    @property
    def num_runs(self) -> int:
        """Number of runs."""
        if isinstance(self.repetitions, int):
            return len(self.circuits)
        return sum(map(len, self.repetitions))

    @property
    def shots(self) -> Shots:
        """Shots of each circuit in this API job: one number for all, or one for each."""
        if isinstance(self.repetitions, int):
            return self.repetitions
        return tuple(map(sum, self.repetitions))

    def by_circuit(self, items: Sequence[T]) -> list[Sequence[T]]:
        """Divide what there is for each run, in order, among the circuits."""
        if isinstance(self.repetitions, int):
            return [[item] for item in items]
        divided, start = [], 0
        for runs in self.repetitions:
            divided.append(items[start : start + len(runs)])
            start += len(runs)
        return divided

    def num_finished(self, runs: int) -> int:
        """Return the number of circuits that are finished with the first ``runs`` runs."""
        if isinstance(self.repetitions, int):
            return min(runs, len(self.circuits))
        for finished, of_circuit in enumerate(self.repetitions):
            runs -= len(of_circuit)
            if runs < 0:
                return finished
        return len(self.repetitions)


class BatchSize(NamedTuple):
    """How many requests a batch takes."""

    api_jobs: int
    """Number of API jobs."""
    runs: int
    """Number of runs in all of them."""


def size(num_circuits: int, shots: Shots, limits: Limits) -> BatchSize:
    """Return the numbers of API jobs and runs into which :func:`cut` cuts a batch.

    Args:
        num_circuits: number of circuits in the batch.
        shots: repetitions of each circuit.
        limits: limits of one API job.

    Raises:
        InvalidJobError: there would be more than 100 000 API jobs.
    """
    if isinstance(shots, int):
        width = limits.circuits or num_circuits
        of_each = -(-shots // (limits.shots or shots))
        found = BatchSize(-(-num_circuits // width) * of_each, num_circuits * of_each)
    else:
        numbers = _numbers_of_runs(shots, limits)
        width = limits.circuits or sum(numbers)
        starts = [start for start, _ in _bounds(numbers, width)]
        # 1 if there are several circuits
        found = BatchSize(sum(-(-numbers[start] // width) for start in starts), sum(numbers))
    if found.api_jobs > MOST_API_JOBS:
        of_all = f"{shots} shots" if isinstance(shots, int) else f"{total(shots, 0)} shots in all"
        raise InvalidJobError(
            f"{num_circuits} circuits with {of_all} would be {found.api_jobs} API jobs, and a job "
            f"has at most {MOST_API_JOBS}; split it"
        )
    return found


def cut(num_circuits: int, shots: Shots, limits: Limits) -> list[Part]:
    """Cut a batch into API jobs.

    With the same shots for all circuits: first by circuits, then by shots. With shots for each
    circuit: each circuit is cut into runs, and an API job takes the runs of neighbouring circuits;
    a circuit with more runs than that has API jobs of its own. There are as few as that allows.

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
    size(num_circuits, shots, limits)
    if not isinstance(shots, int):
        return _packed(shots, limits)
    width = limits.circuits or num_circuits
    most = limits.shots or shots
    return [
        Part(start, min(start + width, num_circuits), min(most, shots - done))
        for start in range(0, num_circuits, width)
        for done in range(0, shots, most)
    ]


def parts_of(shots: tuple[int, ...], limits: Limits | None) -> list[Part]:
    """Return the API jobs of circuits of which some may have no shots.

    Args:
        shots: repetitions of each circuit, from 0.
        limits: limits of one API job, None where there are none.
    """
    if limits is None:
        return [Part.of(0, [(number,) for number in shots])]
    return [part for part in cut(len(shots), shots, limits) if part.num_runs]


def whole(num_circuits: int, shots: Shots) -> Part:
    """Return the part of an API job that has all circuits, as it was sent.

    Args:
        num_circuits: number of circuits.
        shots: repetitions of each circuit. Of different numbers, those above the maximum of the API
            stand for several runs.
    """
    if isinstance(shots, int):
        return Part(0, num_circuits, shots)
    return Part.of(0, [_runs(number, SHOTS_PER_API_JOB) for number in shots])


def _packed(shots: tuple[int, ...], limits: Limits) -> list[Part]:
    """Pack the runs of neighbouring circuits into API jobs."""
    most = limits.shots or max(shots)
    numbers = _numbers_of_runs(shots, limits)
    width = limits.circuits or sum(numbers)
    parts = []
    for start, stop in _bounds(numbers, width):
        runs = [_runs(number, most) for number in shots[start:stop]]
        if len(runs) > 1:
            parts.append(Part.of(start, runs))
        else:
            parts += [
                Part.of(start, [runs[0][first : first + width]])
                for first in range(0, len(runs[0]), width)
            ]
    return parts


def _numbers_of_runs(shots: tuple[int, ...], limits: Limits) -> list[int]:
    """Return the number of runs of each circuit."""
    most = limits.shots or max(shots)
    return [-(-number // most) for number in shots]


def _bounds(numbers: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Divide circuits, in order, among as few ranges of at most ``width`` runs as possible.

    Args:
        numbers: number of runs of each circuit.
        width: maximum number of runs of a range. A circuit with more has a range of its own.

    Returns:
        The first circuit of each range, and the one after its last.
    """
    starts, taken = [0], 0
    for index, number in enumerate(numbers):
        if taken and taken + number > width:
            starts.append(index)
            taken = 0
        taken += number
    return list(zip(starts, [*starts[1:], len(numbers)], strict=True))


def _runs(shots: int, most: int) -> tuple[int, ...]:
    """Cut the shots of a circuit into as few runs as possible."""
    return tuple(min(most, shots - done) for done in range(0, shots, most))


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
        shots: Shots,
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
        first = bisect_left(self.parts, circuit, key=lambda part: part.start)
        runs = bisect_right(self.parts, circuit, first, key=lambda part: part.start) - first
        return f"{circuit}" if runs == 1 else f"{circuit} [{index - first + 1}/{runs}]"


def default_label(batch_id: str) -> str:
    """Return the label of a job that the user has given none."""
    return f"aqt-fast {batch_id}"


def again_label(label: str) -> str:
    """Return the label for another submission of an API job, different from all earlier ones."""
    suffix = _SUFFIX.search(label)
    assert suffix is not None  # noqa: S101 - the pattern matches the empty string
    number = int(suffix[2] or 0) + 1
    return _with_suffix(label[: suffix.start()], f"{suffix[1]} (again {number})")


def differ_in_attempt(label: str, other: str) -> bool:
    """Return whether two labels are those of different submissions of the same API job."""
    suffix, suffix_of_other = _SUFFIX.search(label), _SUFFIX.search(other)
    assert suffix is not None  # noqa: S101 - the pattern matches the empty string
    assert suffix_of_other is not None  # noqa: S101
    name, name_of_other = label[: suffix.start()], other[: suffix_of_other.start()]
    if LONGEST_LABEL in (len(label), len(other)):  # shortened for its suffix
        length = min(len(name), len(name_of_other))
        name, name_of_other = name[:length], name_of_other[:length]
    same = (name, suffix[1]) == (name_of_other, suffix_of_other[1])
    return same and label != other


def _with_suffix(label: str, suffix: str) -> str:
    return label[: LONGEST_LABEL - len(suffix)] + suffix
