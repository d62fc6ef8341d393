"""From the portal's status changes to durations."""

from __future__ import annotations

import pytest
from aqt_fast.jobs.timing import JobTiming, job_timing


class TestTiming:
    """From status changes to durations."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ([], (None, None, None)),
            ([("queued", "2026-11-22T10:00:00Z")], (None, None, None)),
            (
                [("queued", "2026-11-22T10:00:00Z"), ("ongoing", "2026-11-22T10:00:02.5+00:00")],
                (2.5, None, None),
            ),
            (
                [
                    ("finished", "2026-11-22T10:01:02Z"),
                    ("queued", "2026-11-22T11:00:00+01:00"),
                    ("ongoing", "2026-11-22T10:00:02Z"),
                ],
                (2, 60, 62),
            ),
            (
                [("queued", "2026-11-22T10:00:00Z"), ("cancelled", "2026-11-22T10:00:09Z")],
                (9, None, 9),
            ),
            ([("queued", "yesterday"), ("finished", "2026-11-22T10:00:09Z")], (None, None, None)),
            (
                [("queued", "2026-11-22T10:00:00"), ("finished", "2026-11-22T10:00:09Z")],
                (None, None, None),
            ),
        ],
    )
    def test_durations(self, changes, expected):
        """Status changes may come in any order; unknown durations are None."""
        assert job_timing(changes) == JobTiming(*expected)
