"""Waiting for what happens in other threads and processes."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 30
"""So long, on a machine that has much else to do."""


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so, or fail."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)
