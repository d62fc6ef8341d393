"""Ways to copy an object through a pickle."""

from __future__ import annotations

import pickle

import cloudpickle
import pytest

WAYS = {
    **{
        f"protocol {number}": lambda value, number=number: pickle.dumps(value, number)
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "cloudpickle": cloudpickle.dumps,
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def dumps(request):
    """Each way to pickle."""
    return request.param


@pytest.fixture
def through(dumps):
    """Pickle and unpickle, each way."""
    return lambda value: pickle.loads(dumps(value))  # noqa: S301
