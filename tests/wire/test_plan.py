"""A batch, cut into API jobs."""

from __future__ import annotations

import math

from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import Part, cut
from hypothesis import given, settings
from hypothesis import strategies as st


class TestCut:
    """From a batch to API jobs."""

    @settings(deadline=None)
    @given(st.integers(1, 400), st.integers(1, 9000), st.integers(1, 60), st.integers(50, 3000))
    def test_everything_once(self, circuits, shots, width, most):
        """In order, within the limits, and no more API jobs than it takes."""
        chunks = cut(circuits, shots, Limits(circuits=width, shots=most))
        taken = dict.fromkeys(range(circuits), 0)
        for chunk in chunks:
            assert 1 <= len(chunk.circuits) <= width
            assert 1 <= chunk.shots <= most
            for circuit in chunk.circuits:
                taken[circuit] += chunk.shots
        assert set(taken.values()) == {shots}
        assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
        assert len(chunks) == math.ceil(circuits / width) * math.ceil(shots / most)

    def test_no_limits(self):
        """Without limits there is one part."""
        assert cut(7, 9, Limits(circuits=None, shots=None)) == [Part(0, 7, 9)]
