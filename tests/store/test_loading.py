"""Which of copy and journal counts."""

from __future__ import annotations

import pytest
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError
from aqt_fast.store.job_store import JobStore, get_store_path
from aqt_fast.store.loading import load_job
from store.samples import new_journal, rewritten, saved_job

JOB_ID = "7f6f3f43-6a6d-4a4c-8a3e-0d6c3d0a9f11"

INTENT = {"job": 0, "event": "intent", "label": "two [1/2]", "payload_hash": "ab"}
ACCEPTED = {"job": 0, "event": "accepted", "job_id": JOB_ID}


@pytest.fixture
def elsewhere(tmp_path):
    """A store that is not the default one."""
    return JobStore(tmp_path / "elsewhere")


@pytest.fixture
def journal():
    """A journal in the default store that knows more than the copy below."""
    journal = new_journal(get_store_path())
    for event in (INTENT, ACCEPTED):
        journal.note(**event)
    journal.close()
    return journal


def test_offline(elsewhere):
    """Nothing is known but what it is."""
    job = saved_job(offline=True)
    elsewhere.save(job)
    found = load_job(elsewhere, job.description.job_id)
    assert (found.description, found.journal, found.records) == (job.description, None, None)


def test_journal(journal):
    """By its own identifier, or that of an API job."""
    for job_id in (journal.path.name, JOB_ID):
        found = load_job(JobStore(), job_id)
        assert found.directory.path == journal.path == found.journal.path
        assert found.records is found.journal
        assert found.records.replay().record(0).job_id == JOB_ID


def test_copy_with_a_journal_elsewhere(journal, elsewhere):
    """The journal of the default store counts: it goes on being written."""
    elsewhere.save(saved_job(INTENT, job_id=journal.path.name))
    found = load_job(elsewhere, journal.path.name)
    assert found.directory.path.parent == elsewhere.path
    assert found.description.is_copy
    assert found.journal.path == journal.path
    assert found.records.replay().record(0).job_id == JOB_ID


@pytest.mark.parametrize("left", ["nothing", "copy", "half"])
def test_copy_without_a_journal(journal, elsewhere, left):
    """The copy knows what it knows, and nobody works on it."""
    job_id = journal.path.name
    elsewhere.save(saved_job(INTENT, ACCEPTED, job_id=job_id))
    if left == "half":
        (journal.path / "job.json").unlink()
    else:
        JobStore().remove(job_id)
    if left == "copy":
        JobStore().save(saved_job(job_id=job_id))
    for name in (job_id, JOB_ID):
        found = load_job(elsewhere, name)
        assert found.journal is None
        assert found.records.own()
        assert found.records.replay().record(0).job_id == JOB_ID


def test_copy_in_the_default_store():
    """It does not take itself for its journal."""
    job = saved_job(INTENT)
    JobStore().save(job)
    found = load_job(JobStore(), job.description.job_id)
    assert found.journal is None
    assert found.records.replay().record(0).uncertain


def test_damaged_journal_elsewhere(journal, elsewhere):
    """It may know of more submissions: the copy does not stand in for it."""
    elsewhere.save(saved_job(INTENT, job_id=journal.path.name))
    rewritten(journal.path / "job.json", parts=7)
    with pytest.raises(DamagedJobError) as caught:
        load_job(elsewhere, journal.path.name)
    assert caught.value.path == journal.path / "job.json"


def test_damaged_copy(elsewhere):
    """A copy without its events is damaged: it must not say that nothing was sent."""
    path = elsewhere.save(saved_job(INTENT))
    (path / "events").unlink()
    with pytest.raises(DamagedJobError, match=r"events: .*No such file"):
        load_job(elsewhere, path.name)


def test_nothing(elsewhere, journal):
    """Only the store that is asked counts."""
    for store in (elsewhere, JobStore()):
        with pytest.raises(JobNotFoundError):
            load_job(store, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(JobNotFoundError):
        load_job(elsewhere, journal.path.name)
