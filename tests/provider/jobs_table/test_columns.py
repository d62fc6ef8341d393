"""What the table of jobs shows: labels, times, and as much as fits the terminal."""

from __future__ import annotations

from datetime import datetime

import pytest
from aqt_fast.exceptions import InvalidOptionError, JobNotFoundError

LABEL = "H2, distance 0.74, angle 17 of 40, second try"


@pytest.fixture
def jobs(cloud, circuit, portal, backend):
    """A job with a label, one without, and one of a simulator."""
    cloud.run(circuit, label=LABEL).result()
    cloud.run(circuit).result()
    backend.run(circuit).persist()
    return portal.jobs()


def row_of(jobs, **wanted) -> dict[str, object]:
    """The row of the only such job."""
    (index,) = [
        index
        for index, job in enumerate(jobs)
        if all(getattr(job, name) == value for name, value in wanted.items())
    ]
    return dict(zip(jobs.HEADERS, jobs.rows()[index], strict=True))


def test_labels(jobs):
    """Those that somebody has given. The portal's page shows all of them, and so does the job."""
    assert row_of(jobs, label=LABEL)["Label"] == LABEL
    assert row_of(jobs, label=None)["Label"] == ""
    (default,) = (job.label for job in jobs if job.label not in (LABEL, None))
    assert default.startswith("aqt-fast ")
    assert row_of(jobs, label=default)["Label"] == ""


def test_find_by_label(jobs, cloud, circuit, portal):
    """As people know them: all of the label, and only if it is one job's."""
    name = row_of(jobs, label=LABEL)["ID"]
    assert jobs.find(LABEL).job_id == name
    with pytest.raises(JobNotFoundError):
        jobs.find(LABEL[:-1])
    cloud.run(circuit, label=LABEL).result()
    with pytest.raises(InvalidOptionError, match=name):
        portal.jobs().find(LABEL)
    # An identifier is looked for first.
    cloud.run(circuit, label=name).result()
    assert portal.jobs().find(name).label == LABEL
    assert portal.jobs().find(name[:8]).label == LABEL


@pytest.mark.parametrize("columns", [50, 70, 80, 100, 120, 165, 200])
def test_fits(jobs, monkeypatch, columns):
    """All other columns go before the label, in Python as on the command line."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for table in (str(jobs), jobs.fitted()):
        assert max(map(len, table.splitlines())) <= columns
        assert (LABEL in table) == (columns > 65)
        assert LABEL[:5] in table
        assert (jobs[0].job_id in table) <= (LABEL in table)
        assert ("Created" in table) == (columns >= 120)
        assert ("Backend" in table) == (columns >= 100)
        assert "State" in table
        assert all(job.job_id[:8] in table for job in jobs)
    assert all(job.job_id in jobs._repr_html_() for job in jobs)


@pytest.mark.usefixtures("in_india")
def test_times(jobs):
    """Local, with the offset."""
    for job, row in zip(jobs, jobs.rows(), strict=True):
        text = row[jobs.HEADERS.index("Created")]
        assert text.endswith("+05:30")
        assert datetime.fromisoformat(text) == job.created.replace(second=0, microsecond=0)


def test_long_label(cloud, circuit, portal, monkeypatch):
    """It is shortened before it takes the place of everything else."""
    cloud.run(circuit, label="x" * 200).result()
    monkeypatch.setenv("COLUMNS", "120")
    table = portal.jobs().fitted()
    assert "x" * 59 in table
    assert "…" in table
    assert "simulator_ideal" in table
