"""Blocks of parameter sets and observables, against NumPy's broadcasting."""

import math

import numpy as np
import pytest
from aqt_fast.primitives.estimation.broadcasting import blocks_of

SHAPES = [
    ((), ()), ((), (3,)), ((3,), ()), ((3,), (3,)), ((3,), (1,)), ((1,), (3,)), ((4,), (3, 1)),
    ((4, 1), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (2, 1)), ((2, 1, 4), (3, 1)),
    ((5, 1, 2), (1, 3, 2)), ((0,), (3, 1)), ((3, 1), (0,)), ((0,), (0,)), ((2, 0), (1,)),
]  # fmt: skip


@pytest.mark.parametrize(("sets", "observables"), SHAPES)
def test_every_pair_once(sets, observables):
    """Each place of the result gets the pair that belongs there, and only once."""
    shape = np.broadcast_shapes(sets, observables)
    numbers = [np.arange(math.prod(one)).reshape(one) for one in (sets, observables)]
    expected = [np.broadcast_to(one, shape).ravel() for one in numbers]
    blocks = blocks_of(sets, observables)
    found = np.full((2, math.prod(shape)), -1)
    for of_sets, of_observables, places in zip(*blocks, strict=True):
        assert places.shape == (len(of_sets), len(of_observables))
        assert (found[:, places] == -1).all()
        found[0, places] = of_sets[:, None]
        found[1, places] = of_observables[None, :]
    assert found.tolist() == [one.tolist() for one in expected]
    # A parameter set is in one block only: its circuits run once.
    assert len(np.unique(blocks.sets)) == blocks.sets.size


def test_shapes_that_do_not_fit():
    """As NumPy says."""
    with pytest.raises(ValueError, match="shape"):
        blocks_of((2,), (3,))
