"""The store: private, atomic, strict about what it reads."""

from __future__ import annotations

import os
import stat
import uuid

import orjson
import pytest
from aqt_fast.exceptions import AQTError, DamagedJobError
from aqt_fast.persistence import JobNotFoundError, JobStore, get_store_path
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.journal import Journal
from aqt_fast.store.loading import load_job
from store.samples import CIRCUITS, described, new_journal, saved_job

ACCEPTED = {"job": 1, "event": "accepted", "job_id": str(uuid.UUID(int=5)), "adopted": False}


@pytest.fixture
def store(tmp_path):
    """A store that is not there yet."""
    return JobStore(tmp_path / "a" / "b")


@pytest.mark.parametrize("offline", [True, False])
def test_round_trip(store, offline):
    """Everything comes back."""
    job = saved_job(*([] if offline else [ACCEPTED]), offline=offline)
    job_id = job.description.job_id
    path = store.save(job)
    assert path == store.path / job_id
    for name in (job_id, job_id.upper()):
        found = load_job(store, name)
        assert found.description == job.description
        assert found.directory.circuits() == CIRCUITS
    if not offline:
        assert load_job(store, ACCEPTED["job_id"]).directory.path == path
        assert found.records.replay().records == {1: ApiJobRecord(job_id=ACCEPTED["job_id"])}
    store.remove(job_id)
    store.remove(job_id)
    with pytest.raises(JobNotFoundError):
        store.find(job_id)


def test_private(store):
    """Nobody else can read what is saved."""
    path = store.save(saved_job())
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_default_place(monkeypatch, tmp_path):
    """A directory of the platform, whatever the version."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert get_store_path() == JobStore().path
    assert get_store_path("x").name == "x"
    if os.name == "posix" and not str(get_store_path()).startswith("/Users"):
        assert get_store_path() == tmp_path / "aqt-fast" / "jobs"


@pytest.mark.parametrize("job_id", ["", "x", "../../etc/passwd", "a" * 5000, None, 7, b"x", "\0"])
def test_an_id_is_no_path(job_id, tmp_path):
    """Only a UUID can name a job."""
    for step in (JobStore(tmp_path).find, JobStore(tmp_path).remove):
        with pytest.raises(JobNotFoundError) as caught:
            step(job_id)
        assert isinstance(caught.value, AQTError)
        assert caught.value.store_path == tmp_path


def test_a_failed_save_leaves_the_older_one(tmp_path, monkeypatch):
    """And no temporary file."""
    store = JobStore(tmp_path)
    job = saved_job()
    path = store.save(job)
    before = sorted(path.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(job)
    assert load_job(store, job.description.job_id).description == job.description
    assert sorted(path.iterdir()) == before
    with pytest.raises(OSError, match="No space left"):
        store.save(saved_job())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"", "empty document"),
        (lambda text: text[: len(text) // 2], "byte|string|end"),
        (lambda _: b"[1, 2]", "no saved job"),
        (lambda _: b'{"format": "1"}', "no saved job"),
        (lambda text: text.replace(b'"format":2', b'"format":3'), "newer aqt-fast"),
        (lambda text: text.replace(b'"format":2', b'"format":1'), "before 0.2"),
        (lambda text: text.replace(b'"format":2', b'"format":true'), "no saved job"),
        (lambda text: text.replace(b'"shots":10', b'"shots":11'), "checksum"),
        (lambda text: text.replace(b'"sha256"', b'"sha"'), "checksum"),
    ],
)
def test_damage(store, damage, reason):
    """The error says which file and why, and the file is left alone."""
    file = store.save(saved_job()) / "job.json"
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    with pytest.raises(DamagedJobError, match=reason) as caught:
        store.find(file.parent.name)
    assert caught.value.path == file
    assert file.read_bytes() == damaged


def test_damaged_circuits(store):
    """They are compressed with a checksum."""
    file = store.save(saved_job()) / "circuits.qpy.zst"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    directory = store.find(file.parent.name)
    with pytest.raises(DamagedJobError) as caught:
        directory.circuits()
    assert caught.value.path == file
    assert file.read_bytes() == data


def test_unknown_keys_are_ignored(store):
    """A later version may add some outside of what the checksum covers."""
    job = saved_job()
    file = store.save(job) / "job.json"
    file.write_bytes(orjson.dumps({**orjson.loads(file.read_bytes()), "note": "later"}))
    assert store.find(job.description.job_id).description == job.description


def test_older_versions(store):
    """What they wrote is refused with a message, and can be removed."""
    job_id, batch_id = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    (store.path / batch_id).mkdir(parents=True)
    old = [store.path / f"{job_id}.json", store.path / batch_id / "batch.json"]
    for name, file in zip((job_id, batch_id), old, strict=True):
        file.write_text('{"format":1}')
        with pytest.raises(DamagedJobError, match=r"before 0\.2") as caught:
            store.find(name)
        assert caught.value.path == file
        assert file.exists()
        store.remove(name)
    assert list(store.path.iterdir()) == []


class TestJournals:
    """A job that has one is saved beside it."""

    def test_in_the_same_store(self, store):
        """Only the circuits are added; the journal goes on."""
        journal = new_journal(store.path)
        job = saved_job(ACCEPTED, job_id=journal.path.name)
        assert store.save(job) == journal.path
        journal.note(0, "intent", label="x", payload_hash="ab")
        found = load_job(store, journal.path.name)
        assert found.directory.circuits() == CIRCUITS
        assert not found.description.is_copy
        assert found.journal.replay().records == {0: ApiJobRecord("x", "ab")}
        journal.close()

    def test_in_another_store(self, store, monkeypatch, tmp_path):
        """The copy defers to the journal of the default store, and does without."""
        monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "default"))
        journal = new_journal(get_store_path())
        journal.close()
        store.save(saved_job(ACCEPTED, job_id=journal.path.name))
        found = load_job(store, journal.path.name)
        assert found.journal.path == journal.path
        assert found.records.replay().records == {}
        JobStore().remove(journal.path.name)
        found = load_job(store, journal.path.name)
        assert found.journal is None
        assert found.records.replay().record(1).job_id == ACCEPTED["job_id"]

    def test_a_damaged_one_stays(self, store):
        """Nothing is written over what may be a journal."""
        journal = new_journal(store.path)
        journal.close()
        (journal.path / "job.json").write_bytes(b"{}")
        with pytest.raises(DamagedJobError):
            store.save(saved_job(job_id=journal.path.name))
        assert (journal.path / "job.json").read_bytes() == b"{}"

    def test_offline_jobs_have_none(self, store):
        """What has no API jobs is found by its own identifier only."""
        store.save(saved_job(offline=True))
        (job_id,) = store.job_ids()
        with pytest.raises(JobNotFoundError):
            Journal.load(store.path, job_id)
        assert described(offline=True).plan is None
