"""Transpiled circuits that went through OpenQASM 2 and 3: as ``benches/correctness/round_trip``."""

from __future__ import annotations

import pytest
from round_trip import differences


@pytest.mark.parametrize("first", [0, 50, 100, 150])
def test_the_same_counts(first):
    """For the same seed, with and without noise, as read and transpiled again."""
    assert differences(8, first, shots=100) == {}
