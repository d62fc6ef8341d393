"""Tables that fit the terminal."""

from datetime import datetime, timezone

import pytest
from aqt_fast.provider.fitting import fitted
from aqt_fast.visualization.quantities import local_time
from hypothesis import given
from hypothesis import strategies as st

HEADERS = ("ID", "Where", "Number", "Label", "When")
ROWS = [
    ("c13d4291-c168-49f3-bd46-a9e692e4793a", "ibex", 150, "a scan of the phase", "2026-11-22"),
    ("f33630a7-ca1c-4887-8e67-26931836a177", "", 7, "12e3", "2026-11-22"),
]
SHORT = [(row[0][:8], *row[1:]) for row in ROWS]


def text(columns: int, monkeypatch, rows=ROWS, short=SHORT, style: str = "rounded_outline") -> str:
    """The table on a terminal of this width."""
    monkeypatch.setenv("COLUMNS", str(columns))
    return fitted(
        rows, HEADERS, drop=["When", "Number"], shorten="Label", short_rows=short, style=style
    )


@pytest.mark.parametrize(
    ("columns", "shown", "hidden"),
    [
        (200, ["╭", *ROWS[0][:2], "150", "a scan of the phase", "12e3", "2026-11-22"], []),
        (90, ["--", ROWS[0][0], "a scan of the phase", "2026-11-22"], ["╭"]),
        (76, ["╭", "c13d4291", "a scan of the phase", "2026-11-22"], [ROWS[0][0]]),
        (60, ["--", "a scan of the phase", "Number", "2026-11-22"], ["╭"]),
        (50, ["--", "a scan of the phase", "Number"], ["When", "2026-11-22"]),
        (40, ["--", "a scan of the phase"], ["Number", "When"]),
        (36, ["--", "ibex", "a scan of the ph…", "12e3"], ["phase"]),
        (20, ["c13d4291", "ibex"], ["Label", "scan", "12e3"]),
        (2, ["c13d4291", "ibex"], ["--", "Label"]),
    ],
)
def test_means(monkeypatch, columns, shown, hidden):
    """The outline goes first, then the ends of identifiers, then column by column."""
    table = text(columns, monkeypatch)
    assert all(part in table for part in shown), table
    assert not any(part in table for part in hidden), table
    assert columns < 20 or max(map(len, table.splitlines())) <= columns


def test_empty_columns_go_before_others(monkeypatch):
    """Nothing is lost with them."""
    rows = [(name, "", number, label, when) for name, _, number, label, when in ROWS]
    short = [(row[0][:8], *row[1:]) for row in rows]
    assert "Where" in text(60, monkeypatch, rows, short)
    table = text(54, monkeypatch, rows, short)
    assert "Where" not in table
    assert "When" in table
    # Without items there is nothing but the names.
    assert text(200, monkeypatch, [], []).count("\n") == 3


def test_cells_with_space(monkeypatch):
    """Space around a text, which is not shown, and lines in it."""
    rows = [(" " * 30, "ibex", 1, "a b", "now"), ("c", "d\ne", None, " " * 90 + "f", "then")]
    table = text(60, monkeypatch, rows, None)
    assert "╭" in table
    assert all(part in table for part in ("ibex", "a b", "f", "then", "e"))


words = st.text("ab 1é", max_size=40)


@given(st.lists(st.tuples(words, words, st.integers(0, 10**6), words, words), max_size=4))
def test_never_wider_than_need_be(rows):
    """A table that does not fit has nothing left that could go."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        least = text(1, monkeypatch, rows, None)
        width = max(map(len, least.splitlines()))
        for columns in (width, 60, 80, 100, 300):
            table = text(columns, monkeypatch, rows, None)
            assert max(map(len, table.splitlines())) <= max(columns, width)


@pytest.mark.usefixtures("in_india")
def test_local_time():
    """Local, with the offset: it cannot be mistaken for another zone's."""
    moment = datetime(2026, 11, 22, 23, 15, 42, 999, timezone.utc)
    assert local_time(moment) == "2026-11-23 04:45+05:30"
    assert local_time(moment, seconds=True) == "2026-11-23 04:45:42+05:30"
