"""The result of a sampler: the bits of each classical register."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult

from aqt_fast._native import Samples
from aqt_fast.primitives.evaluation import (
    Evaluation,
    metadata_to_json,
    numbers_from_json,
    shape_from_json,
)
from aqt_fast.store.checksummed_json import entry
from aqt_fast.wire.snapshot import Snapshot

Layout = dict[str, tuple[int, ...]]
"""The indices of each register's bits in the circuit, by the register's name."""


def layout_of(circuit: QuantumCircuit) -> Layout:
    """Return where the bits of a circuit's classical registers are."""
    places = {bit: index for index, bit in enumerate(circuit.clbits)}
    return {register.name: tuple(places[bit] for bit in register) for register in circuit.cregs}


@dataclass(frozen=True)
class SampledPub:
    """What the result of a PUB needs besides outcomes."""

    layout: Layout
    """Its registers."""
    shape: tuple[int, ...]
    """Shape of its parameter sets."""
    shots: int
    """Repetitions of each parameter set."""
    metadata: Any
    """Metadata of its circuit."""
    measured: bool = True
    """Whether its circuits run; otherwise all bits are 0."""

    @property
    def num_circuits(self) -> int:
        """Number of its circuits in the job."""
        return math.prod(self.shape) if self.measured else 0

    def result(self, snapshot: Snapshot, samples: Sequence[Samples], start: int) -> Any:
        """Make its result.

        Args:
            snapshot: the circuits of the job.
            samples: the outcomes of its own circuits.
            start: index of its first circuit in the job.
        """
        registers = {
            name: BitArray(self._bits(snapshot, samples, start, clbits), len(clbits))
            for name, clbits in self.layout.items()
        }
        return SamplerPubResult(
            DataBin(**registers, shape=self.shape),
            metadata={"shots": self.shots, "circuit_metadata": self.metadata},
        )

    def _bits(
        self, snapshot: Snapshot, samples: Sequence[Samples], start: int, clbits: tuple[int, ...]
    ) -> Any:
        shape = (*self.shape, self.shots, -(-len(clbits) // 8))
        if not samples:
            return np.zeros(shape, np.uint8)
        return snapshot.bits(samples, start, start + self.num_circuits, clbits).reshape(shape)


class SamplerEvaluation(Evaluation):
    """Reads the registers of each PUB."""

    kind: ClassVar[str] = "sampler"

    def __init__(self, pubs: Sequence[SampledPub]) -> None:
        """Keep what is needed of ``pubs``, whose circuits follow one another in the job."""
        self._pubs = tuple(pubs)

    @property
    def num_circuits(self) -> int:
        """Number of circuits of all PUBs."""
        return sum(pub.num_circuits for pub in self._pubs)

    def result(
        self, snapshot: Snapshot, samples: Sequence[Samples]
    ) -> PrimitiveResult[SamplerPubResult]:
        """Make a :class:`~qiskit.primitives.BitArray` of each register of each PUB."""
        results = []
        start = 0
        for pub in self._pubs:
            results.append(pub.result(snapshot, samples[start : start + pub.num_circuits], start))
            start += pub.num_circuits
        return PrimitiveResult(results, metadata={"version": 2})

    def check(self, num_clbits: Sequence[int]) -> None:
        """Check that the circuits have the bits of all registers.

        Raises:
            ValueError: a circuit lacks bits.
        """
        start = 0
        for pub in self._pubs:
            own = num_clbits[start : start + pub.num_circuits]
            last = max((bit for bits in pub.layout.values() for bit in bits), default=-1)
            if any(number <= last for number in own):
                raise ValueError("a register has bits that its circuit lacks")
            start += pub.num_circuits

    def to_json(self) -> dict[str, Any]:
        """Return everything in JSON's types; registers once for all PUBs with the same ones."""
        layouts: dict[tuple[Any, ...], int] = {}
        pubs = []
        for pub in self._pubs:
            number = layouts.setdefault(tuple(pub.layout.items()), len(layouts))
            metadata = metadata_to_json(pub.metadata)
            pubs.append([number, list(pub.shape), pub.shots, metadata, pub.measured])
        return {
            "layouts": [[[name, list(bits)] for name, bits in items] for items in layouts],
            "pubs": pubs,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> SamplerEvaluation:
        """Parse the output of :meth:`to_json`.

        Raises:
            LookupError: something is missing.
            TypeError: something has another type.
            ValueError: something has another form, or is out of its range.
        """
        layouts = [_layout(items) for items in entry(content, "layouts", list)]
        return cls([_sampled(pub, layouts) for pub in entry(content, "pubs", list)])


def _layout(items: Any) -> Layout:
    layout = {name: numbers_from_json(bits) for name, bits in items}
    if any(not isinstance(name, str) for name in layout):
        raise TypeError("the name of a register must be a text")
    return layout


def _sampled(pub: Any, layouts: Sequence[Layout]) -> SampledPub:
    number, shape, shots, metadata, measured = pub
    if {type(number), type(shots)} != {int} or not 0 <= number < len(layouts) or shots < 1:
        raise ValueError(f"{pub!r} is no PUB")
    if type(measured) is not bool:
        raise TypeError(f"{pub!r} is no PUB")
    return SampledPub(layouts[number], shape_from_json(shape), shots, metadata, measured)
