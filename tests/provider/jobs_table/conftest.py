"""A store with jobs of a server of its own."""

from __future__ import annotations

import pytest
from clients import connect


@pytest.fixture(autouse=True)
def _environment(environment) -> None:
    """What a new process finds."""


@pytest.fixture
def portal(server):
    """A provider of its portal."""
    with connect(server, read_timeout=10) as provider:
        yield provider


@pytest.fixture
def cloud(device):
    """Its ideal simulator."""
    return device
