"""Which observables belong to which parameter sets of a PUB."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Blocks(NamedTuple):
    """A PUB as blocks, in each of which every observable meets every parameter set.

    All numbers are flat indices into arrays in the order of C.
    """

    sets: NDArray[np.intp]
    """Parameter sets; shape (blocks, sets of a block)."""
    observables: NDArray[np.intp]
    """Observables; shape (blocks, observables of a block)."""
    places: NDArray[np.intp]
    """Places in the result; shape (blocks, sets of a block, observables of a block)."""


def blocks_of(sets: tuple[int, ...], observables: tuple[int, ...]) -> Blocks:
    """Broadcast two arrays.

    Axes along which both arrays extend are counted by blocks; along the others, one of them does
    not extend.

    Args:
        sets: shape of the parameter sets.
        observables: shape of the observables.

    Raises:
        ValueError: the shapes cannot be broadcast.
    """
    shape = np.broadcast_shapes(sets, observables)
    padded = [(1,) * (len(shape) - len(one)) + one for one in (sets, observables)]
    extends = [[size != 1 for size in one] for one in padded]
    axes = range(len(shape))
    both = [axis for axis in axes if extends[0][axis] and extends[1][axis]]
    of_sets = [axis for axis in axes if not extends[1][axis]]
    of_observables = [axis for axis in axes if extends[1][axis] and not extends[0][axis]]
    order = [*both, *of_sets, *of_observables]
    sizes = [math.prod(shape[axis] for axis in part) for part in (both, of_sets, of_observables)]

    def ordered(one: tuple[int, ...], *parts: int) -> NDArray[np.intp]:
        numbers: NDArray[np.intp] = np.arange(math.prod(one), dtype=np.intp).reshape(one)
        return numbers.transpose(order).reshape([sizes[part] for part in parts])

    return Blocks(ordered(padded[0], 0, 1), ordered(padded[1], 0, 2), ordered(shape, 0, 1, 2))
