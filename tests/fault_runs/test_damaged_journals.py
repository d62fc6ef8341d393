"""Damaged journals and many jobs, as the benches try them, with fewer cases."""

from __future__ import annotations

import damaged_journals
import many_jobs
import pytest
from aqt_fast.store.event_lines import EventFile


def test_by_rule(figures):
    """Whatever a journal has lost: what may have been accepted is not sent."""
    total = damaged_journals.judged_by_rule(6).total
    assert total.twice == 0
    assert total.uncertain > total.cases
    figures("damaged journals, by the rule", tried=total.cases, uncertain=total.uncertain, twice=0)


@pytest.mark.parametrize("ignored", ["doubt", "gap"])
def test_the_judge_can_fail(monkeypatch, ignored):
    """Without doubt, or where a reader goes on as if nothing were missing."""
    every = damaged_journals.damages
    monkeypatch.setattr(
        damaged_journals,
        "damages",
        lambda *files: (found for found in every(*files) if found[0] == "line removed"),
    )
    if ignored == "doubt":
        monkeypatch.setattr(damaged_journals.JournalState, "_doubt", lambda *_: None)
    else:
        read = damaged_journals.read_events

        def trusting(data: bytes, job_id: str):
            file = read(data, job_id)
            return EventFile(file.events, 0, None, file.end)

        monkeypatch.setattr(damaged_journals, "read_events", trusting)
    assert damaged_journals.judged_by_rule(6).total.twice > 0


def test_on_a_server(figures):
    """Restored, submitted again, compared with what the server has accepted."""
    total = damaged_journals.judged_by_server(1, most=3).total
    assert (total.twice, total.lost) == (0, 0)
    assert total.uncertain > 0
    figures("damaged journals, restored", tried=total.cases, uncertain=total.uncertain, twice=0)


def test_many_jobs(figures):
    """More jobs under way than files may be open; each has its journal."""
    report = many_jobs.run(120, 80)
    assert report["under way"] == report["journalled"] == report["done"] == 120
    assert report["warnings"] == 0
    figures("120 jobs under way, at most 80 open files", journalled=120, open=report["open files"])
