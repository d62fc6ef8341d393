"""Wait for what happens in other threads and processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SECONDS = 30
"""How long a test waits before it fails, on a busy machine."""


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not hold within :data:`SECONDS`.
    """
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"nothing happened in {SECONDS} s"
        time.sleep(0.005)


def num_descriptors(directory: Path) -> int:
    """How many file descriptors of this process are of what is below a directory."""
    number = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            number += link.readlink().is_relative_to(directory.resolve())
    return number
