"""API jobs on a timeline."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from aqt_fast.visualization.quantities import duration
from aqt_fast.visualization.timeline import ApiJobTimes, bounds, spans, timeline
from visualization.pages import fills, words

START = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def at(seconds: float) -> datetime:
    """A moment after the start."""
    return START + timedelta(seconds=seconds)


def lengths(job: ApiJobTimes, now: float = 100) -> list[tuple[str, float]]:
    """The stages of an API job, with their seconds."""
    return [(it.state, (it.end - it.start).total_seconds()) for it in spans(job, START, at(now))]


@pytest.mark.parametrize(
    ("job", "stages"),
    [
        (ApiJobTimes("a", "unsent"), []),
        (ApiJobTimes("a", "queued"), [("queued", 100)]),
        (ApiJobTimes("a", "queued", at(10)), [("queued", 90)]),
        (ApiJobTimes("a", "running", at(10), at(30)), [("queued", 20), ("running", 70)]),
        (ApiJobTimes("a", "done", at(1), at(2), at(5)), [("queued", 1), ("done", 3)]),
        (ApiJobTimes("a", "cancelled", at(1), None, at(5)), [("queued", 4), ("cancelled", 0)]),
        (ApiJobTimes("a", "failed", None, None, at(5)), [("failed", 0)]),
        (ApiJobTimes("a", "running", at(150), at(160)), [("queued", 10), ("running", 0)]),
        (ApiJobTimes("a", "done", at(9), at(2), at(5)), [("done", 3)]),
    ],
)
def test_stages(job, stages):
    """Also where times are missing, in the future, or in the wrong order."""
    assert lengths(job) == stages


def test_places():
    """Parts of the track stand where their times are."""
    jobs = [ApiJobTimes("a", "done", at(0), at(50), at(100)), ApiJobTimes("b", "queued", at(50))]
    page = timeline(jobs, START, at(200))
    places = re.findall(r"left:([\d.]+)%;width:([\d.]+)%", page)
    assert [(float(left), float(width)) for left, width in places] == [(0, 25), (25, 25), (25, 75)]
    assert fills(page) == ["queued", "done", "queued"]
    assert "2 API jobs: 1 done, 1 queued" in words(page)
    assert "3.33 min from left to right" in words(page)


def test_no_times():
    """It is said."""
    page = timeline([ApiJobTimes("a", "unsent")], START, at(1))
    assert words(page).split() == [
        "1",
        "API",
        "job:",
        "1",
        "unsent",
        "no",
        "times",
        "are",
        "known",
        "yet",
    ]
    assert bounds([], START, at(1)) is None


def test_many():
    """Neighbours share a row, whose state is the one that asks for attention."""
    jobs = [ApiJobTimes(f"{i}", "done", at(0), at(i), at(i + 1)) for i in range(1000)]
    jobs[70] = ApiJobTimes("70", "failed", at(0), at(70), at(71))
    jobs[990:] = [ApiJobTimes("x", "queued", at(0))] * 10
    page = timeline(jobs, START, at(2000))
    assert len(page) < 10_000
    assert "1,000 API jobs: 989 done, 10 queued, 1 failed" in words(page)
    rows = re.findall(r'aqt-code">(\d+)–(\d+)<', page)
    assert len(rows) == 16
    assert rows[0][0] == "1"
    assert rows[-1][1] == "1000"
    assert all(int(one[1]) + 1 == int(next_[0]) for one, next_ in pairwise(rows))
    states = [state for state in fills(page) if state != "queued"]
    assert states == ["done", "failed", *["done"] * 13, "running"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.0123, "12 ms"), (1.5, "1.5 s"), (119, "119 s"), (150, "2.5 min"),
     (7199, "2 h"), (7200, "2 h"), (0.9994, "999 ms"), (0.9996, "1 s"), (119.6, "1.99 min"),
     (172_799, "2 d"), (86400 * 30, "30 d"), (86400 * 99.96, "100 d"), (86400 * 999.7, "1,000 d"),
     (86400 * 1500, "1,500 d")],
)  # fmt: skip
def test_durations(seconds, text):
    """In the unit that suits them."""
    assert duration(seconds) == duration(timedelta(seconds=seconds)) == text
