"""The directory of all jobs: private, atomic, strict about what it reads."""

from __future__ import annotations

import os
import stat
import uuid

import pytest
from aqt_fast.exceptions import AQTError, DamagedJobError, JournalError
from aqt_fast.persistence import JobNotFoundError, JobStore, get_store_path
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.job_directory import EVENTS
from aqt_fast.store.journal import Journal
from store.samples import CIRCUITS, HEADERS, files_in, new_journal, rewritten, saved_job

ACCEPTED = [
    {"job": 1, "event": "intent", "label": "two [2/2]", "payload_hash": "ab"},
    {"job": 1, "event": "accepted", "job_id": "7f6f3f43-6a6d-4a4c-8a3e-0d6c3d0a9f11"},
]


@pytest.fixture
def store(tmp_path):
    """A store that is not there yet."""
    return JobStore(tmp_path / "a" / "b")


class TestPlace:
    """Where the store is."""

    def test_default(self, monkeypatch, tmp_path):
        """A directory of the platform, whatever the version."""
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert get_store_path() == JobStore().path
        assert get_store_path("x").name == "x"
        if os.name == "posix" and not str(get_store_path()).startswith("/Users"):
            assert get_store_path() == tmp_path / "aqt-fast" / "jobs"

    def test_environment(self, monkeypatch, tmp_path):
        """What the user says; a tilde is the home directory."""
        monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path))
        assert JobStore().path == tmp_path
        assert JobStore("x").path.name == "x"
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AQT_STORE_PATH", "~/jobs")
        assert JobStore().path == tmp_path / "jobs"


class TestCopies:
    """What `persist()` writes of a job without a journal."""

    @pytest.mark.parametrize("offline", [True, False])
    def test_round_trip(self, store, offline):
        """Everything comes back, by any way of writing the identifier."""
        job = saved_job(offline=offline)
        path = store.save(job)
        job_id = job.description.job_id
        assert path == store.path / job_id
        for name in (job_id, job_id.upper(), job_id.replace("-", "")):
            found = store.find(name)
            assert found.description == job.description
            assert found.circuits() == CIRCUITS
        assert (path / EVENTS).exists() == (not offline)
        store.remove(job_id)
        store.remove(job_id)
        assert files_in(store.path) == []
        with pytest.raises(JobNotFoundError):
            store.find(job_id)

    def test_private(self, store):
        """Nobody else can read what is saved."""
        path = store.save(saved_job())
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o700
        for file in path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_by_api_job(self, store):
        """Any API job leads to the job."""
        job = saved_job(*ACCEPTED)
        store.save(saved_job())
        store.save(job)
        assert store.find(ACCEPTED[1]["job_id"]).description == job.description
        with pytest.raises(JobNotFoundError):
            store.find(str(uuid.uuid4()))

    def test_again(self, store):
        """The newer copy counts."""
        first = saved_job()
        store.save(first)
        second = saved_job(*ACCEPTED, job_id=first.description.job_id, ended=True)
        path = store.save(second)
        assert store.find(path.name).description.ended
        record = Journal.load(store.path, path.name).replay().record(1)
        assert record.job_id == ACCEPTED[1]["job_id"]
        assert len(files_in(store.path)) == 1

    def test_a_failed_save_leaves_the_older_one(self, store, monkeypatch):
        """And no temporary file."""
        job = saved_job()
        path = store.save(job)
        files = sorted(path.iterdir())

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            store.save(saved_job(*ACCEPTED, job_id=path.name, ended=True))
        assert store.find(path.name).description == job.description
        assert store.find(path.name).circuits() == CIRCUITS
        assert sorted(path.iterdir()) == files

    def test_damaged(self, store):
        """A copy that cannot be read is written again."""
        job = saved_job()
        path = store.save(job)
        (path / "job.json").write_text("{}")
        with pytest.raises(DamagedJobError) as caught:
            store.find(path.name)
        assert caught.value.path == path / "job.json"
        store.save(job)
        assert store.find(path.name).description == job.description


class TestBesideJournals:
    """What `persist()` writes of a job that has its journal here."""

    @pytest.fixture
    def journal(self, store):
        """A journal that this process writes."""
        journal = new_journal(store.path)
        journal.note(1, "intent", label="two [2/2]", payload_hash="ab")
        yield journal
        journal.close()

    def test_only_circuits(self, store, journal):
        """The journal knows the rest, and goes on."""
        before = {file.name: file.read_bytes() for file in journal.path.iterdir()}
        job = saved_job(job_id=journal.path.name)
        assert store.save(job) == journal.path
        after = {file.name: file.read_bytes() for file in journal.path.iterdir()}
        assert after.pop("circuits.qpy.zst")
        assert after == before
        journal.note(1, "accepted", job_id="id")
        found = Journal.load(store.path, journal.path.name)
        assert found.replay().record(1) == ApiJobRecord("two [2/2]", "ab", "id")
        assert not found.directory.description.is_copy
        assert found.directory.circuits() == CIRCUITS
        assert found.directory.snapshot() == (b"snapshot", HEADERS)

    def test_full_disk(self, store, journal, monkeypatch):
        """The journal does not suffer."""

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        before = sorted(journal.path.iterdir())
        with pytest.raises(OSError, match="No space left"):
            store.save(saved_job(job_id=journal.path.name))
        assert sorted(journal.path.iterdir()) == before

    @pytest.mark.parametrize("content", ["{}", ""])
    def test_damaged(self, store, journal, content):
        """It is left alone: its events may be all that is known of submissions."""
        (journal.path / "job.json").write_text(content)
        before = {file.name: file.read_bytes() for file in journal.path.iterdir()}
        with pytest.raises(DamagedJobError):
            store.save(saved_job(job_id=journal.path.name))
        assert {file.name: file.read_bytes() for file in journal.path.iterdir()} == before

    def test_removed(self, store, journal):
        """A job whose journal was removed is saved as a whole."""
        journal.close()
        store.remove(journal.path.name)
        store.save(saved_job(*ACCEPTED, job_id=journal.path.name))
        assert store.find(ACCEPTED[1]["job_id"]).description.is_copy


class TestRemoval:
    """Everything, or nothing if a process works on it."""

    def test_at_work(self, store):
        """Nothing is touched, not even what an older version has left."""
        journal = new_journal(store.path)
        older = store.path / f"{journal.path.name}.json"
        older.write_text("{}")
        before = sorted(store.path.rglob("*"))
        with pytest.raises(JournalError, match="is being worked on"):
            store.remove(journal.path.name)
        assert sorted(store.path.rglob("*")) == before
        journal.close()
        store.remove(journal.path.name)
        assert files_in(store.path) == []

    @pytest.mark.parametrize(
        "name", ["{}.json", "{}/batch.json", "{}/job.json", "{}/.x.tmp", "{}/events"]
    )
    def test_whatever_it_is(self, store, name):
        """Of older versions, damaged, or half made."""
        job_id = str(uuid.uuid4())
        file = store.path / name.format(job_id)
        file.parent.mkdir(parents=True)
        file.write_text("rubbish")
        assert list(store.job_ids()) == [job_id]
        store.remove(job_id)
        assert files_in(store.path) == []

    @pytest.mark.parametrize("job_id", ["", "x", "../a", None, "\0"])
    def test_an_id_is_no_path(self, store, job_id):
        """Only a UUID can name a job."""
        path = store.save(saved_job())
        for step in (store.remove, store.find):
            with pytest.raises(JobNotFoundError) as caught:
                step(job_id)
            assert isinstance(caught.value, AQTError)
            assert caught.value.store_path == store.path
        assert path.exists()


def test_job_ids(store):
    """What may be a job, each once; nothing if there is no store."""
    assert list(store.job_ids()) == []
    path = store.save(saved_job())
    (store.path / f"{path.name}.json").write_text("{}")
    (store.path / "notes.json").write_text("{}")
    (store.path / ".x.tmp").write_text("{}")
    (store.path / str(uuid.uuid4()).upper()).mkdir()
    assert list(store.job_ids()) == [path.name]
    with pytest.raises(OSError, match="directory"):
        list(JobStore(path / "job.json").job_ids())


def test_older(store):
    """What versions before 0.2 wrote says so, and stays."""
    store.path.mkdir(parents=True)
    job_id = str(uuid.uuid4())
    (store.path / f"{job_id}.json").write_text('{"format": 1}')
    with pytest.raises(DamagedJobError, match=r"written by an aqt-fast before 0.2"):
        store.find(job_id)
    assert (store.path / f"{job_id}.json").exists()


def test_unreadable_neighbours(store):
    """They keep nobody from finding another job."""
    job = saved_job(*ACCEPTED)
    store.save(job)
    for number in range(9):
        rewritten(store.save(saved_job(*ACCEPTED)) / "job.json", options=number)
    assert store.find(ACCEPTED[1]["job_id"]).description == job.description


class TestTidying:
    """What interrupted processes have left."""

    @staticmethod
    def older(path) -> None:
        """Nobody has written anything for hours."""
        for item in (path, *path.iterdir()):
            os.utime(item, (0, 0))

    def test_jobs(self, tmp_path):
        """Jobs that were not written to their ends go, an hour later; all others stay."""
        kept, begun, sent, recent, mine = (new_journal(tmp_path) for _ in range(5))
        sent.note(0, "intent", label="x", payload_hash="ab")
        for journal in (begun, sent, recent):
            journal.close()
            (journal.path / "job.json").unlink()
        for journal in (kept, begun, sent):
            (journal.path / ".x.tmp").write_bytes(b"")
            self.older(journal.path)
        (mine.path / "job.json").unlink()  # its process is just about to write it
        self.older(mine.path)
        JobStore(tmp_path).tidy()
        left = {path.name for path in files_in(tmp_path)}
        assert left == {item.path.name for item in (kept, sent, recent, mine)}
        assert not list(tmp_path.rglob(".*.tmp"))
        JobStore(tmp_path / "none").tidy()

    def test_other_files(self, tmp_path):
        """A directory with a file of somebody else stays."""
        path = tmp_path / str(uuid.uuid4())
        path.mkdir()
        (path / "thesis.tex").write_bytes(b"")
        self.older(path)
        JobStore(tmp_path).tidy()
        assert path.exists()

    def test_when_a_job_is_continued(self, tmp_path):
        """Its own files, by the process that takes it over."""
        journal = new_journal(tmp_path)
        journal.close()
        (journal.path / ".x.tmp").write_bytes(b"")
        self.older(journal.path)
        assert journal.own()
        assert not (journal.path / ".x.tmp").exists()
        journal.close()
