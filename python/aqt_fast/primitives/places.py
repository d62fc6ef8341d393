"""Where a circuit of a primitive's job comes from: the PUB, and its parameter set.

It is looked up only for messages about circuits that cannot run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BackendEstimatorV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target


class PubPlace(NamedTuple):
    """A parameter set of a PUB."""

    pub: int
    """Index of the PUB, from 0."""
    parameter_set: tuple[int, ...]
    """Index of the parameter set in the PUB's array; empty if there is no array."""


def num_shots(pub: EstimatorPub) -> int:
    """Return with how many shots Qiskit's estimator runs a PUB."""
    precision: float = pub.precision
    return math.ceil(1 / precision**2)


def places_in_sampler(pubs: Sequence[SamplerPub], shots: int) -> list[PubPlace]:
    """Return the place of each circuit in the sampler's job with this number of shots."""
    return [
        PubPlace(index, parameter_set)
        for index, pub in enumerate(pubs)
        if pub.shots == shots
        for parameter_set in np.ndindex(pub.parameter_values.shape)
    ]


def places_in_estimator(
    pubs: Sequence[EstimatorPub], shots: int, options: Mapping[str, Any]
) -> list[PubPlace]:
    """Return the place of each circuit in the estimator's job with this number of shots.

    Args:
        pubs: all PUBs.
        shots: the number of shots.
        options: those of Qiskit's estimator, which say how it groups observables.
    """
    return [
        PubPlace(index, parameter_set)
        for index, pub in enumerate(pubs)
        if num_shots(pub) == shots and 0 not in pub.shape
        for parameter_set, alone in _by_parameter_set(pub)
        for _ in range(_num_circuits(alone, options))
    ]


def _by_parameter_set(pub: EstimatorPub) -> Iterator[tuple[tuple[int, ...], EstimatorPub]]:
    """Yield each parameter set with a PUB of it and its observables, in the estimator's order."""
    shape = pub.parameter_values.shape
    if not shape:
        yield (), pub
        return
    numbers, observables = np.broadcast_arrays(
        np.arange(math.prod(shape)).reshape(shape), np.asarray(pub.observables)
    )
    wanted: dict[int, list[Any]] = {}
    for number, observable in zip(numbers.ravel(), observables.ravel(), strict=True):
        wanted.setdefault(int(number), []).append(observable)
    for number, of_set in wanted.items():
        parameter_set = tuple(int(place) for place in np.unravel_index(number, shape))
        bound = pub.parameter_values.bind(pub.circuit, parameter_set)
        yield parameter_set, EstimatorPub.coerce((bound, of_set), pub.precision)


def _num_circuits(pub: EstimatorPub, options: Mapping[str, Any]) -> int:
    """Return how many circuits Qiskit's estimator makes of a PUB."""
    counter = _Counter()
    with suppress(_CountedError):
        BackendEstimatorV2(backend=counter, options=dict(options)).run([pub]).result()
    return counter.count


class _CountedError(Exception):
    """The circuits were counted, and are not run."""


class _Counter(BackendV2):
    """A backend that counts circuits instead of running them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @property
    def target(self) -> Target:
        return Target()

    @property
    def max_circuits(self) -> None:
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, circuits: Sequence[QuantumCircuit], **_: Any) -> None:
        self.count = len(circuits)
        raise _CountedError
