"""Durations, and the time that circuits take."""

from __future__ import annotations

import math

import numpy as np
import pytest
from aqt_fast.devices import Characterisation, DeviceTimes, Interval
from aqt_fast.devices.device_time import (
    CIRCUIT_OVERHEAD,
    R_DURATION,
    READOUT_DURATION,
    RXX_DURATION,
    SHOT_OVERHEAD,
    DeviceWork,
)
from aqt_fast.exceptions import InvalidOptionError


class TestInterval:
    """A number, or three."""

    def test_values(self):
        """A number is exact; three keep their order."""
        assert Interval.of(2) == (2.0, 2.0, 2.0)
        assert Interval.of([1, 1, 3]).high == 3
        assert Interval.of(Interval(0, 0, 0)) == (0, 0, 0)

    @pytest.mark.parametrize(
        "value",
        [
            -1,
            math.nan,
            math.inf,
            True,
            "1",
            "123",
            b"123",
            None,
            [1, 2],
            [3, 2, 1],
            [0, 1, math.inf],
            1j,
        ],
    )
    def test_others(self, value):
        """Refused by name."""
        with pytest.raises(InvalidOptionError, match=r"^shot_overhead must be a number of 0 or"):
            Interval.of(value, "shot_overhead")


class TestTimes:
    """What is published, and what is not."""

    def test_published(self):
        """Published durations are exact; what is missing is as uncertain as it is anywhere."""
        known = Characterisation("ibex", "lab", 2, r_duration=1e-5, readout_duration=0.0)
        times = DeviceTimes.of(known)
        assert (times.r, times.readout) == (Interval.of(1e-5), Interval.of(0))
        assert times.rxx == RXX_DURATION
        assert (times.shot_overhead, times.circuit_overhead) == (SHOT_OVERHEAD, CIRCUIT_OVERHEAD)
        assert DeviceTimes.of(None) == DeviceTimes()
        assert DeviceTimes() == DeviceTimes(R_DURATION, RXX_DURATION, READOUT_DURATION)

    def test_own_values(self):
        """Numbers become intervals, and are checked."""
        times = DeviceTimes.of(None, shot_overhead=0.1, circuit_overhead=(0, 1, 2))
        assert times.shot_overhead == (0.1, 0.1, 0.1)
        assert times.replaced(r=1).r == (1, 1, 1)
        assert times.to_dict()["circuit_overhead"] == [0, 1, 2]
        with pytest.raises(InvalidOptionError, match=r"^rxx must be"):
            DeviceTimes(rxx=-1)
        with pytest.raises(TypeError, match="shot"):
            times.replaced(shot=1)
        with pytest.raises(AttributeError):
            times.r = 7

    def test_what_is_known_of_ibex(self):
        """About five hours for an API job of 50 circuits with 2000 shots each."""
        work = DeviceWork.of(np.full((50, 2), 20, np.uint32), 2000, 50)
        seconds = DeviceTimes().seconds(work)
        assert seconds.low < 5 * 3600 < seconds.high
        assert seconds.likely == pytest.approx(5 * 3600, rel=0.2)


class TestFormula:
    """One circuit after the other."""

    def test_by_hand(self):
        """Each shot has its gates, a readout and an overhead; each run an overhead."""
        times = DeviceTimes(
            r=(1, 2, 3), rxx=(10, 20, 30), readout=100, shot_overhead=(0, 1000, 2000),
            circuit_overhead=(0, 0.5, 7),
        )  # fmt: skip
        work = DeviceWork.of(np.array([[1, 2], [3, 0]], np.uint32), (5, 7), 4)
        assert work == (4, 12, 5 * 1 + 7 * 3, 5 * 2)
        assert times.seconds(work) == (
            26 + 10 * 10 + 12 * 100,
            26 * 2 + 10 * 20 + 12 * 1100 + 4 * 0.5,
            26 * 3 + 10 * 30 + 12 * 2100 + 4 * 7,
        )

    def test_one_number_for_all(self):
        """The same shots for all circuits, or one number for each."""
        counts = np.array([[1, 2], [3, 0], [0, 1]], np.uint32)
        assert DeviceWork.of(counts, 9, 3) == DeviceWork.of(counts, (9, 9, 9), 3)
        assert DeviceWork.of(np.zeros((0, 2), np.uint32), 9, 0) == (0, 0, 0, 0)

    def test_large_numbers(self):
        """No overflow: 2000 operations in 2³¹ − 1 shots."""
        work = DeviceWork.of(np.full((1000, 2), 2000, np.uint32), 2**31 - 1, 1000)
        assert work.r == pytest.approx(1000 * 2000 * (2**31 - 1))
