"""Times, durations and shares as people read them."""

import pytest
from aqt_fast.visualization.quantities import share


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "0.0 %"), (0, 3, "0.0 %"), (2, 3, "66.7 %"), (9_989, 10_000, "99.9 %"),
     (9_999, 10_000, "99.9 %"), (10**9 - 1, 10**9, "99.9 %"), (10_000, 10_000, "100.0 %")],
)  # fmt: skip
def test_share(part, whole, text):
    """What is not the whole is never 100 %."""
    assert share(part, whole) == text
