"""How many examples a test tries."""

from __future__ import annotations

import qiskit

NEWEST = (2, 6)
"""The Qiskit with which every test runs in full."""


def examples(number: int) -> int:
    """As many with the newest Qiskit; a fifth with an older one, whose interface is to be tried."""
    version = tuple(map(int, qiskit.__version__.split(".")[:2]))
    return number if version >= NEWEST else number // 5
