"""Jobs are found by what is wanted of them."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from aqt_fast.exceptions import (
    InvalidOptionError,
    JobNotFoundError,
)
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.store.job_store import SavedJob
from aqt_fast.store.loading import load_job


class TestFilters:
    """Those of `backends`, and times."""

    @pytest.fixture(autouse=True)
    def jobs(self, cloud, backend, circuit):
        """Three of one backend, one of another."""
        for label in ("scan 1", "scan 2", "probe"):
            cloud.run(circuit, label=label).result()
        backend.run(circuit).persist()

    def test_number(self, portal):
        """So many fit."""
        cases = [
            ({}, 4),
            ({"backend": "simulator_ideal"}, 3),
            ({"backend": "simulator"}, 0),
            ({"backend": re.compile("simulator")}, 3),
            ({"backend": re.compile("offline")}, 1),
            ({"label": "scan 1"}, 1),
            ({"label": re.compile("scan")}, 2),
            ({"label": re.compile("")}, 3),
            ({"state": "done", "label": "probe"}, 1),
            ({"state": "saved"}, 1),
            ({"state": "cancelled"}, 0),
            ({"state": re.compile("done|saved")}, 4),
            ({"since": datetime.now() - timedelta(hours=1)}, 4),  # noqa: DTZ005 - local time
            ({"since": datetime.now(timezone.utc) + timedelta(hours=1)}, 0),
            ({"before": datetime.now(timezone(timedelta(hours=5))) + timedelta(hours=1)}, 4),
            ({"before": datetime.now(timezone.utc) - timedelta(hours=1)}, 0),
            ({"limit": 3}, 3),
        ]
        for wanted, number in cases:
            assert len(portal.jobs(**wanted)) == number, wanted

    def test_order(self, portal):
        """The newest first; limits take these, and times exclude the later end."""
        jobs = portal.jobs()
        assert [job.label for job in jobs] == [None, "probe", "scan 2", "scan 1"]
        assert [job.created for job in jobs] == sorted([j.created for j in jobs], reverse=True)
        assert [job.label for job in portal.jobs(limit=2)] == [None, "probe"]
        assert portal.jobs(since=jobs[1].created)[-1].label == "probe"
        assert portal.jobs(before=jobs[1].created)[0].label == "scan 2"

    def test_bad(self, portal):
        """The option is named."""
        for name, value in [
            ("state", "gone"), ("since", "2026"), ("before", 5), ("limit", 0), ("limit", "3"),
        ]:  # fmt: skip
            with pytest.raises(InvalidOptionError, match=f"{name} must be"):
                portal.jobs(**{name: value})

    def test_table(self, portal, monkeypatch):
        """For reading, and for working with."""
        monkeypatch.setenv("COLUMNS", "200")
        jobs = portal.jobs(label=re.compile("scan"))
        assert repr(jobs) == "<JobsTable of 2 jobs>"
        lines = str(jobs).splitlines()
        assert len(lines) == 6
        for text in (jobs[0].job_id, "simulator_ideal", "done", "1/1", "scan 2", "100"):
            assert text in lines[3]
        assert jobs._repr_html_().count("<tr>") == 3
        assert str(jobs[:0]).count("\n") == 3
        assert [job.label for job in jobs[1:]] == ["scan 1"]

    def test_find(self, portal):
        """By any identifier, or the beginning of the one that is shown."""
        jobs = portal.jobs()
        for job in jobs:
            names = [job.job_id, job.batch_id, *(part.job_id for part in job.api_jobs)]
            assert {jobs.find(name) for name in names if name} == {job}
            assert jobs.find(job.job_id[:35]) == job
        with pytest.raises(JobNotFoundError, match=str(get_store_path())):
            jobs.find("z")
        with pytest.raises(JobNotFoundError):
            jobs.find("")


def test_ambiguous(portal, backend, circuit):
    """All that are meant are named."""
    job = backend.run(circuit)
    job.persist()
    found = load_job(JobStore(), job.job_id())
    saved = SavedJob(found.description, found.directory.circuits())
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in (0x10, 0x1F)]
    for job_id in ids:
        description = replace(saved.description, job_id=job_id)
        JobStore().save(replace(saved, description=description))
    with pytest.raises(InvalidOptionError, match=f"{ids[0]}, {ids[1]}"):
        portal.jobs().find("0000001")
    assert portal.jobs().find("0000001f").job_id == ids[1]


def test_nothing(portal, tmp_path):
    """Stores that are not there, and things that are no jobs."""
    assert len(portal.jobs(store_path=tmp_path / "none")) == 0
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / str(uuid.uuid4())).mkdir()
    (tmp_path / "sub").mkdir()
    assert len(portal.jobs(store_path=tmp_path)) == 0
