"""A batch, cut into API jobs."""

from __future__ import annotations

import math

import pytest
from aqt_fast.exceptions import InvalidJobError
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import BatchPlan, Part, again_label, cut
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

    def test_too_many(self):
        """A batch has at most 100 000 API jobs; nothing is made of a larger one."""
        assert len(cut(1, 2000 * 100_000, Limits())) == 100_000
        with pytest.raises(InvalidJobError, match=r"500001 API jobs.*at most 100000"):
            cut(1, 10**9 + 1, Limits())
        with pytest.raises(InvalidJobError, match="100002 API jobs"):
            cut(50 * 50_000 + 1, 2001, Limits())


class TestLabels:
    """Names of API jobs, for portals and messages."""

    def test_runs_of_a_machine(self):
        """The circuit, and which of its runs it is if there are several."""
        single = BatchPlan.new(2, 2000, Limits(circuits=1), "mine", by_circuit=True)
        assert [single.part_label(index) for index in range(2)] == [
            "mine, circuit 0",
            "mine, circuit 1",
        ]
        several = BatchPlan.new(2, 2001, Limits(circuits=1), "mine", by_circuit=True)
        assert [several.part_label(index) for index in range(4)] == [
            "mine, circuit 0 [1/2]",
            "mine, circuit 0 [2/2]",
            "mine, circuit 1 [1/2]",
            "mine, circuit 1 [2/2]",
        ]

    @pytest.mark.parametrize("end", ["", ", circuit 7", ", circuit 7 [2/3]", " [4/9]"])
    def test_again(self, end):
        """A long label loses its own end, never the numbers."""
        label = "x" * (255 - len(end)) + end
        again = again_label(again_label(label))
        assert again.endswith(f"x{end} (again 2)")
        assert len(again) == 255
