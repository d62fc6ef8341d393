"""A batch, cut into API jobs."""

from __future__ import annotations

import math
from itertools import groupby

import pytest
from aqt_fast.backends.estimating import shots_of_parts
from aqt_fast.exceptions import InvalidJobError
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import BatchPlan, Part, again_label, cut, parts_of, size
from hypothesis import given
from hypothesis import strategies as st


class TestCut:
    """From a batch to API jobs."""

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


def fewest(runs: list[int], width: int) -> int:
    """The fewest API jobs for circuits with these numbers of runs, by trying all divisions."""
    best = [0]
    for stop in range(1, len(runs) + 1):
        options = [best[stop - 1] + math.ceil(runs[stop - 1] / width)]
        options += [best[start] + 1 for start in range(stop - 1) if sum(runs[start:stop]) <= width]
        best.append(min(options))
    return best[-1]


class TestShotsForEach:
    """From a batch whose circuits have different shots to API jobs."""

    @given(
        st.lists(st.integers(1, 40), min_size=1, max_size=40).filter(lambda n: len(set(n)) > 1),
        st.integers(1, 6),
        st.integers(1, 12),
    )
    def test_everything_once(self, shots, width, most):
        """In order, within the limits, in the fewest runs and API jobs."""
        parts = cut(len(shots), tuple(shots), Limits(circuits=width, shots=most))
        runs = [[] for _ in shots]
        for part in parts:
            repetitions = part.repetitions
            if isinstance(repetitions, int):
                repetitions = ((repetitions,),) * len(part.circuits)
            assert 1 <= sum(map(len, repetitions)) <= width
            assert len(part.circuits) == len(repetitions)
            for circuit, of_circuit in zip(part.circuits, repetitions, strict=True):
                runs[circuit] += of_circuit
        for of_circuit, number in zip(runs, shots, strict=True):
            assert sum(of_circuit) == number
            assert of_circuit[:-1] == [most] * (len(of_circuit) - 1)
            assert 1 <= of_circuit[-1] <= most
        assert [part.start for part in parts] == sorted(part.start for part in parts)
        assert len(parts) == fewest([len(of_circuit) for of_circuit in runs], width)

    @given(
        st.lists(st.integers(1, 40), min_size=1, max_size=40).filter(lambda n: len(set(n)) > 1),
        st.integers(1, 6),
        st.integers(1, 12),
    )
    def test_groups(self, shots, width, most):
        """One API job with several circuits, or several API jobs of one circuit."""
        parts = cut(len(shots), tuple(shots), Limits(circuits=width, shots=most))
        end = 0
        for circuits, group in groupby(parts, lambda part: part.circuits):
            assert circuits.start == end
            assert len(circuits) == 1 or len(list(group)) == 1
            end = circuits.stop
        assert end == len(shots)

    def test_example(self):
        """Runs of the cloud's limits, whole in one API job as long as they fit."""
        assert cut(3, (100, 5000, 2000), Limits()) == [
            Part(0, 3, ((100,), (2000, 2000, 1000), (2000,)))
        ]
        assert cut(4, (1, 49 * 2000, 2000, 2), Limits()) == [
            Part(0, 2, ((1,), (2000,) * 49)),
            Part(2, 4, ((2000,), (2,))),
        ]

    def test_more_runs_than_an_api_job_takes(self):
        """API jobs of its own, even if the last one has room."""
        assert cut(3, (7, 51 * 2000, 8), Limits()) == [
            Part(0, 1, 7),
            Part(1, 2, ((2000,) * 50,)),
            Part(1, 2, 2000),
            Part(2, 3, 8),
        ]

    def test_neighbours_with_the_same_shots(self):
        """Where an API job's circuits have the same shots, it looks as it always did."""
        assert cut(4, (5, 5, 6, 6), Limits(circuits=2)) == [Part(0, 2, 5), Part(2, 4, 6)]

    def test_no_limits(self):
        """Without limits there is one part, and one run a circuit."""
        whole = Limits(circuits=None, shots=None)
        assert cut(3, (1, 10**9, 2), whole) == [Part(0, 3, ((1,), (10**9,), (2,)))]

    def test_too_many(self):
        """A batch has at most 100 000 API jobs; nothing is made of a larger one."""
        one = Limits(circuits=1, shots=1)
        assert len(cut(2, (99_999, 1), one)) == 100_000
        with pytest.raises(InvalidJobError, match=r"8 circuits with 17179869175 shots in all"):
            cut(8, (*(2**31 - 1,) * 7, 2**31 - 2), Limits())
        with pytest.raises(InvalidJobError, match="would be 100001 API jobs"):
            cut(2, (100_000, 1), one)

    @given(st.lists(st.integers(0, 9000), min_size=1, max_size=120))
    def test_parts_of(self, shots):
        """Circuits may have no shots; no API job has none."""
        parts = parts_of(tuple(shots), Limits())
        assert shots_of_parts(parts, len(shots)) == tuple(shots)
        assert all(part.num_runs for part in parts)
        assert shots_of_parts(parts_of(tuple(shots), None), len(shots)) == tuple(shots)

    def test_runs_and_circuits(self):
        """What there is for each run goes to its circuit."""
        part = Part(4, 7, ((1,), (2000, 2000, 5), (3,)))
        assert part.shots == (1, 4005, 3)
        assert part.by_circuit("abcde") == ["a", "bcd", "e"]
        assert [part.num_finished(runs) for runs in range(8)] == [0, 1, 1, 1, 2, 3, 3, 3]
        alike = Part(4, 7, 9)
        assert (alike.shots, alike.by_circuit("abc")) == (9, [["a"], ["b"], ["c"]])
        assert [alike.num_finished(runs) for runs in range(5)] == [0, 1, 2, 3, 3]


class TestSize:
    """How many requests a batch takes, without making them."""

    @given(
        st.one_of(
            st.tuples(st.integers(1, 300), st.integers(1, 9000)),
            st.lists(st.integers(1, 9000), min_size=1, max_size=40).map(
                lambda shots: (len(shots), tuple(shots))
            ),
        ),
        st.sampled_from([None, 1, 7, 50]),
        st.sampled_from([None, 50, 2000]),
    )
    def test_as_cut(self, batch, width, most):
        """Those of the parts."""
        limits = Limits(circuits=width, shots=most)
        parts = cut(*batch, limits)
        assert size(*batch, limits) == (len(parts), sum(part.num_runs for part in parts))

    @pytest.mark.parametrize("shots", [2000, (2000,) * 100_000 + (1,)])
    def test_too_many(self, shots):
        """Refused in the same words as by ``cut``."""
        limits = Limits(circuits=1)
        for count in (size, cut):
            with pytest.raises(InvalidJobError, match="would be 100001 API jobs"):
                count(100_001, shots, limits)


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

    def test_different_runs_of_a_machine(self):
        """Each circuit counts its own."""
        plan = BatchPlan.new(3, (1, 4001, 2001), Limits(circuits=1), "mine", by_circuit=True)
        assert [plan.part_label(index) for index in range(len(plan.parts))] == [
            "mine, circuit 0",
            "mine, circuit 1 [1/3]",
            "mine, circuit 1 [2/3]",
            "mine, circuit 1 [3/3]",
            "mine, circuit 2 [1/2]",
            "mine, circuit 2 [2/2]",
        ]

    @pytest.mark.parametrize("end", ["", ", circuit 7", ", circuit 7 [2/3]", " [4/9]"])
    def test_again(self, end):
        """A long label loses its own end, never the numbers."""
        label = "x" * (255 - len(end)) + end
        again = again_label(again_label(label))
        assert again.endswith(f"x{end} (again 2)")
        assert len(again) == 255
