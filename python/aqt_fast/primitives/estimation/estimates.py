"""The result of an estimator: expectation values and standard errors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import DataBin, PrimitiveResult, PubResult

from aqt_fast._native import Samples
from aqt_fast.primitives.estimation.broadcasting import Blocks, blocks_of
from aqt_fast.primitives.estimation.measurement import Measurement
from aqt_fast.primitives.estimation.planner import expectations
from aqt_fast.primitives.evaluation import (
    Evaluation,
    array_from_json,
    array_to_json,
    metadata_to_json,
    shape_from_json,
)
from aqt_fast.store.checksummed_json import entry
from aqt_fast.wire.snapshot import Snapshot

_BYTES_AT_ONCE = 2**26
"""Size of the outcomes that are evaluated in one step, unless one circuit has more."""


class Shots(NamedTuple):
    """Statistics of the shots of a group, for each parameter set and observable."""

    number: int
    """Number of shots for each parameter set."""
    means: NDArray[np.float64]
    """Mean of a shot's value; shape (sets, observables)."""
    variances: NDArray[np.float64]
    """Unbiased variance of a shot's value, 0 for a single shot; shape (sets, observables)."""

    def joined(self, other: Shots) -> Shots:
        """Return the statistics of all shots together."""
        number = self.number + other.number
        means = (self.number * self.means + other.number * other.means) / number
        squares = (self.number - 1) * self.variances + (other.number - 1) * other.variances
        squares += self.number * other.number / number * (self.means - other.means) ** 2
        return Shots(number, means, squares / (number - 1))


@dataclass(frozen=True)
class MeasuredGroup:
    """How the outcomes of a circuit are read."""

    masks: NDArray[np.uint64]
    """For each term, the qubits whose parity counts; shape (terms, words)."""
    signs: NDArray[np.int8]
    """Sign of each term."""
    parts: tuple[tuple[NDArray[np.intp], NDArray[np.float64]], ...]
    """Terms and coefficients of each observable."""
    half_spreads: NDArray[np.float64]
    """Half the difference of the extreme values of a shot, for each observable."""
    shots: int
    """Repetitions for each parameter set; 0 if an earlier job was enough."""
    earlier: Shots | None = None
    """What an earlier job has measured."""

    def shots_of(self, rows: NDArray[np.uint8]) -> Shots:
        """Return what outcomes say of each parameter set.

        Args:
            rows: outcomes; shape (sets, shots, bytes).
        """
        found = expectations(rows, self.masks, self.signs, self.parts)
        return Shots(rows.shape[1], found.values, found.variances)

    def squared_errors(self, measured: Shots) -> NDArray[np.float64]:
        """Return the squared standard error of each mean; shape (sets, observables)."""
        number = measured.number
        unseen = (2 * self.half_spreads) ** 2 * (number + 1) / (number + 2) ** 2
        return np.maximum(measured.variances, unseen) / number


@dataclass(frozen=True)
class MeasuredBlocks:
    """Blocks of a PUB whose observables are the same, and are measured alike."""

    blocks: NDArray[np.intp]
    """Their numbers."""
    constants: NDArray[np.float64]
    """What needs no measurement; shape (observables of a block,)."""
    groups: tuple[MeasuredGroup, ...]
    """What is measured. In the job, the first group comes first, for all parameter sets."""

    @classmethod
    def of(cls, blocks: NDArray[np.intp], measurement: Measurement) -> MeasuredBlocks:
        """Take what the result needs of a measurement."""
        groups = [
            MeasuredGroup(
                group.basis.masks, group.basis.signs, group.parts, group.half_spreads, group.shots
            )
            for group in measurement.groups
        ]
        return cls(blocks, measurement.terms.constants, tuple(groups))

    def to_json(self) -> dict[str, Any]:
        """Return everything in JSON's types, each kind of number as one array."""
        groups = self.groups
        parts = [part for group in groups for part in group.parts]
        arrays = {
            "blocks": self.blocks,
            "constants": self.constants,
            "masks": _joined([group.masks for group in groups], np.uint64),
            "signs": _joined([group.signs for group in groups], np.int8),
            "sizes": np.array([len(group.signs) for group in groups], np.int64),
            "shots": np.array([group.shots for group in groups], np.int64),
            "half_spreads": _joined([group.half_spreads for group in groups], np.float64),
            "lengths": np.array([len(terms) for terms, _ in parts], np.int64),
            "terms": _joined([terms for terms, _ in parts], np.intp).astype(np.uint32),
            "coefficients": _joined([values for _, values in parts], np.float64),
        }
        earlier = [group.earlier for group in groups if group.earlier is not None]
        if earlier:
            arrays["earlier_shots"] = np.array([shots.number for shots in earlier], np.int64)
            arrays["earlier_means"] = np.array([shots.means for shots in earlier])
            arrays["earlier_variances"] = np.array([shots.variances for shots in earlier])
        return {name: array_to_json(array) for name, array in arrays.items()}

    @classmethod
    def from_json(cls, content: Any) -> MeasuredBlocks:
        """Parse the output of :meth:`to_json`.

        Raises:
            LookupError: something is missing.
            TypeError: something has another type.
            ValueError: sizes do not fit each other.
        """
        kinds = _KINDS | (_EARLIER if "earlier_shots" in content else {})
        arrays = {name: array_from_json(entry(content, name, dict)) for name in kinds}
        for name, kind in kinds.items():
            if arrays[name].dtype.kind not in kind:
                raise TypeError(f"'{name}' has entries of another kind")
        count = len(arrays["constants"])
        sizes, shots = arrays["sizes"], arrays["shots"]
        terms = _split(arrays["terms"].astype(np.intp), arrays["lengths"])
        coefficients = _split(arrays["coefficients"], arrays["lengths"])
        every_part = list(zip(terms, coefficients, strict=True))
        masks, signs = _split(arrays["masks"], sizes), _split(arrays["signs"], sizes)
        spreads = arrays["half_spreads"].reshape(len(sizes), count)
        earlier = _earlier(arrays, len(sizes), count)
        lowest = 1 if earlier[:1] == [None] else 0
        if len(every_part) != len(sizes) * count or len(shots) != len(sizes) or any(shots < lowest):
            raise ValueError("the numbers of groups, observables and shots do not fit")
        groups = []
        for index, size in enumerate(sizes.tolist()):
            parts = tuple(every_part[index * count : (index + 1) * count])
            if any(of_part.size and of_part.max() >= size for of_part, _ in parts):
                raise ValueError("an observable has terms that are not measured")
            groups.append(
                MeasuredGroup(
                    masks[index],
                    signs[index],
                    parts,
                    spreads[index],
                    int(shots[index]),
                    earlier[index],
                )
            )
        return cls(arrays["blocks"].astype(np.intp), arrays["constants"], tuple(groups))


_KINDS = {
    "blocks": "iu",
    "constants": "f",
    "masks": "u",
    "signs": "i",
    "sizes": "iu",
    "shots": "iu",
    "half_spreads": "f",
    "lengths": "iu",
    "terms": "iu",
    "coefficients": "f",
}
"""The arrays of a file, and the kinds of numbers in them."""


_EARLIER = {"earlier_shots": "iu", "earlier_means": "f", "earlier_variances": "f"}
"""Those of a job that continues an earlier one."""


def _earlier(arrays: dict[str, NDArray[Any]], groups: int, observables: int) -> list[Shots | None]:
    """Return what an earlier job has measured in each group.

    Raises:
        ValueError: the arrays do not fit.
    """
    if "earlier_shots" not in arrays:
        return [None] * groups
    numbers, means, variances = (arrays[name] for name in _EARLIER)
    shape = means.shape
    fits = len(numbers) == groups and shape == variances.shape and len(shape) == 3
    if not fits or shape[::2] != (groups, observables) or (numbers < 1).any():
        raise ValueError("what was measured earlier does not fit")
    return [Shots(*item) for item in zip(numbers.tolist(), means, variances, strict=True)]


def _joined(arrays: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


def _split(array: NDArray[Any], lengths: NDArray[Any]) -> list[NDArray[Any]]:
    if (lengths < 0).any() or lengths.sum() != len(array):
        raise ValueError("the parts of an array do not fit it")
    ends = np.cumsum(lengths, dtype=np.intp)
    return [array[end - length : end] for end, length in zip(ends, lengths, strict=True)]


@dataclass(frozen=True)
class MeasuredPub:
    """What the result of a PUB needs besides outcomes."""

    sets: tuple[int, ...]
    """Shape of its parameter sets."""
    observables: tuple[int, ...]
    """Shape of its observables."""
    num_qubits: int
    """Number of qubits of its circuit, and of bits that are measured."""
    first_bit: int
    """Classical bit of qubit 0; the others follow."""
    precision: float
    """Target standard error."""
    metadata: Any
    """Metadata of its circuit."""
    parts: tuple[MeasuredBlocks, ...]
    """What is measured, in the order of the job."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of its result."""
        return np.broadcast_shapes(self.sets, self.observables)

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks of parameter sets and observables."""
        return blocks_of(self.sets, self.observables)

    def _sizes(self) -> Iterator[tuple[int, MeasuredGroup]]:
        """Yield the number of parameter sets, and each group."""
        for part in self.parts:
            circuits = len(part.blocks) * self.blocks.sets.shape[1]
            for group in part.groups:
                yield circuits, group

    @property
    def num_circuits(self) -> int:
        """Number of its circuits in the job."""
        return sum(circuits for circuits, group in self._sizes() if group.shots)

    def _metadata(self) -> dict[str, Any]:
        """Return the metadata of its result."""
        circuits = shots = 0
        for number, group in self._sizes():
            of_groups = [group.shots, 0 if group.earlier is None else group.earlier.number]
            circuits += number * sum(1 for one in of_groups if one)
            shots += number * sum(of_groups)
        return {
            "target_precision": self.precision,
            "shots": shots,
            "circuits": circuits,
            "circuit_metadata": self.metadata,
        }

    def result(self, snapshot: Snapshot, samples: Sequence[Samples], start: int) -> PubResult:
        """Make its result.

        Args:
            snapshot: the circuits of the job.
            samples: the outcomes of all circuits of the job.
            start: index of its first circuit in the job.
        """
        shape = self.shape
        evs, stds = np.zeros(math.prod(shape)), np.zeros(math.prod(shape))
        for part in self.parts:
            places = self.blocks.places[part.blocks].reshape(-1, len(part.constants))
            values = np.broadcast_to(part.constants, places.shape).copy()
            variances = np.zeros(places.shape)
            for group in part.groups:
                measured = group.earlier
                if group.shots:
                    found = self.shots_of(group, snapshot, samples, start, len(places))
                    measured = found if measured is None else measured.joined(found)
                    start += len(places)
                if measured is not None:
                    values += measured.means
                    variances += group.squared_errors(measured)
            evs[places], stds[places] = values, np.sqrt(variances)
        return PubResult(
            DataBin(evs=evs.reshape(shape), stds=stds.reshape(shape), shape=shape),
            metadata=self._metadata(),
        )

    def shots_of(
        self,
        group: MeasuredGroup,
        snapshot: Snapshot,
        samples: Sequence[Samples],
        start: int,
        number: int,
    ) -> Shots:
        """Evaluate the outcomes of a group.

        Args:
            group: one with shots.
            snapshot: the circuits of the job.
            samples: the outcomes of all circuits of the job.
            start: index of its first circuit in the job.
            number: number of its circuits, one for each parameter set.
        """
        step = max(1, _BYTES_AT_ONCE // (group.shots * -(-self.num_qubits // 8)))
        clbits = range(self.first_bit, self.first_bit + self.num_qubits)
        found = []
        for first in range(start, start + number, step):
            last = min(first + step, start + number)
            rows = snapshot.bits(samples[first:last], first, last, clbits)
            found.append(group.shots_of(rows))
        return Shots(
            group.shots,
            np.concatenate([some.means for some in found]),
            np.concatenate([some.variances for some in found]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        return {
            "sets": list(self.sets),
            "observables": list(self.observables),
            "num_qubits": self.num_qubits,
            "first_bit": self.first_bit,
            "precision": self.precision,
            "metadata": metadata_to_json(self.metadata),
            "parts": [part.to_json() for part in self.parts],
        }

    @classmethod
    def from_json(cls, content: Any) -> MeasuredPub:
        """Parse the output of :meth:`to_json`.

        Raises:
            LookupError: something is missing.
            TypeError: something has another type.
            ValueError: sizes do not fit each other.
        """
        pub = cls(
            shape_from_json(entry(content, "sets", list)),
            shape_from_json(entry(content, "observables", list)),
            entry(content, "num_qubits", int),
            entry(content, "first_bit", int),
            entry(content, "precision", float),
            content["metadata"],
            tuple(MeasuredBlocks.from_json(part) for part in entry(content, "parts", list)),
        )
        if min(pub.num_qubits, pub.first_bit) < 0:
            raise ValueError("a number of qubits is negative")
        if 0 in pub.shape:
            if pub.parts:
                raise ValueError("a PUB without values has measurements")
            return pub
        count, size = pub.blocks.observables.shape
        numbers = _joined([part.blocks for part in pub.parts], np.intp)
        if not np.array_equal(np.sort(numbers), np.arange(count)):
            raise ValueError("the parameter sets of a PUB are not complete")
        if any(len(part.constants) != size for part in pub.parts):
            raise ValueError("the observables of a PUB are not complete")
        return pub


class EstimatorEvaluation(Evaluation):
    """Computes expectation values and standard errors of PUBs.

    The standard error of an observable is the root of the sum of ``s² / N`` over its groups, with
    the N shots of a group, and the variance ``s²`` of the value that the group's terms have
    together in a shot: terms that are measured in the same shots count with their covariances.

    A sample may vary less than its source: if all of N shots agree, ``s`` is 0, but the source may
    still have a rare outcome. ``s²`` is therefore never taken to be less than the variance that one
    more outcome would cause, with Laplace's probability of 1/(N + 2), and with a value at the other
    end of what the group can give.
    """

    kind: ClassVar[str] = "estimator"

    def __init__(self, pubs: Sequence[MeasuredPub], *, pilot: bool = False) -> None:
        """Keep what is needed of ``pubs``, whose circuits follow one another in the job.

        Args:
            pubs: what is measured.
            pilot: whether the job is a pilot. Then the metadata of each PUB say so.
        """
        self._pubs = tuple(pubs)
        self._pilot = pilot

    @property
    def num_circuits(self) -> int:
        """Number of circuits of all PUBs."""
        return sum(pub.num_circuits for pub in self._pubs)

    def result(self, snapshot: Snapshot, samples: Sequence[Samples]) -> PrimitiveResult[PubResult]:
        """Compute the result of each PUB."""
        results = []
        start = 0
        for pub in self._pubs:
            results.append(pub.result(snapshot, samples, start))
            if self._pilot:
                results[-1].metadata["pilot"] = True
            start += pub.num_circuits
        return PrimitiveResult(results, metadata={"version": 2})

    def check(self, num_clbits: Sequence[int]) -> None:
        """Check that the circuits have the bits that are measured.

        Raises:
            ValueError: a circuit lacks bits.
        """
        start = 0
        for pub in self._pubs:
            own = num_clbits[start : start + pub.num_circuits]
            if any(number < pub.first_bit + pub.num_qubits for number in own):
                raise ValueError("an observable has qubits that its circuit lacks")
            start += pub.num_circuits

    def to_json(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        pubs = {"pubs": [pub.to_json() for pub in self._pubs]}
        return {**pubs, "pilot": True} if self._pilot else pubs

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> EstimatorEvaluation:
        """Parse the output of :meth:`to_json`.

        Raises:
            LookupError: something is missing.
            TypeError: something has another type.
            ValueError: something has another form, or is out of its range.
        """
        pubs = [MeasuredPub.from_json(pub) for pub in entry(content, "pubs", list)]
        return cls(pubs, pilot="pilot" in content and entry(content, "pilot", bool))
