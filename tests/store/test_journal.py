"""Journals: what is on the disk after whatever has happened."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.store import byte_locks, locks
from aqt_fast.store.accepted_ids import AcceptedIds, Answers, Owner
from aqt_fast.store.event_lines import EventFile
from aqt_fast.store.event_log import EventLog
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.job_directory import EVENTS
from aqt_fast.store.job_store import JobStore
from aqt_fast.store.journal import ApiJobLog, Journal, remove_job
from store.samples import HEADERS, described, files_in, new_journal, rewritten, saved_job
from waiting import SECONDS


@pytest.fixture
def journal(tmp_path):
    """A journal that is owned."""
    journal = new_journal(tmp_path)
    yield journal
    journal.close()


def records(journal: Journal) -> dict[int, ApiJobRecord]:
    """What somebody else reads."""
    state = Journal.load(journal.path.parent, journal.path.name).replay()
    assert state.problem is None
    return state.records


class TestOlder:
    """A journal that may be older than the store's list of identifiers."""

    @pytest.mark.parametrize("shared", [True, False])
    def test_submitted_while_it_is_read(self, journal, tmp_path, monkeypatch, shared):
        """What is submitted between two reads does not make the journal look old."""
        owner = Owner(journal.path.name, 0, "x")
        read = EventLog.read
        submitted = []

        def and_then(log: EventLog) -> EventFile:
            content = read(log)
            if not submitted:
                submitted.append(owner)
                journal.note(0, "intent", label="x", payload_hash="00")
                AcceptedIds(tmp_path).claim(str(uuid.UUID(int=1)), owner, 0)
            return content

        monkeypatch.setattr(EventLog, "read", and_then)
        other = Journal.load(tmp_path, journal.path.name)
        state = other.replay(Answers(tmp_path) if shared else None)
        assert submitted
        assert state.record(0).doubt is None
        assert state.record(0).uncertain

    def test_older(self, journal, tmp_path):
        """What is there after all is in doubt: before, and in a log that has no line of it."""
        other, answers = Journal.load(tmp_path, journal.path.name), Answers(tmp_path)
        for known in (None, answers):
            assert other.replay(known).record(0).doubt is None
        AcceptedIds(tmp_path).claim(str(uuid.UUID(int=1)), Owner(journal.path.name, 0, "x"), 0)
        for known in (None, answers):
            assert "older than the store's list" in other.replay(known).record(0).doubt


class TestFiles:
    """What is where, and how it is found."""

    def test_private(self, journal, tmp_path):
        """Directories for their owner alone, and so are files."""
        journal.note(0, "intent", label="x", payload_hash="00")
        journal.keep(0, b"{}")
        assert stat.S_IMODE(journal.path.stat().st_mode) == 0o700
        files = sorted(path.name for path in journal.path.iterdir())
        assert files == ["events", "headers.zst", "job.json", "result-0.zst", "snapshot.bin"]
        for name in files:
            assert stat.S_IMODE((journal.path / name).stat().st_mode) == 0o600
        assert journal.path.parent == tmp_path

    def test_content(self, journal, tmp_path):
        """All that was given comes back."""
        again = Journal.load(tmp_path, journal.path.name)
        assert again.directory.description == journal.directory.description
        assert again.directory.description.num_circuits == 2
        assert again.directory.snapshot() == (b"snapshot", HEADERS)
        assert again.replay().records == {}
        assert (again.problem, again.owned) == (None, False)

    @pytest.mark.parametrize("batch_id", ["../x", "x", "", None, str(uuid.UUID(int=7))])
    def test_not_found(self, tmp_path, batch_id):
        """An id is never taken for a path."""
        new_journal(tmp_path).close()
        for find in (Journal.load, Journal.find):
            with pytest.raises(JobNotFoundError):
                find(tmp_path, batch_id)

    def test_by_api_job(self, journal, tmp_path):
        """Any API job of a batch leads to it, but not every id that its lines mention."""
        job_id, label = str(uuid.uuid4()), str(uuid.uuid4())
        journal.note(1, "intent", label=label, payload_hash="00")
        journal.note(1, "accepted", job_id=job_id)
        new_journal(tmp_path).close()
        assert Journal.find(tmp_path, job_id).path == journal.path
        assert Journal.find(tmp_path, journal.path.name).path == journal.path
        with pytest.raises(JobNotFoundError):
            Journal.find(tmp_path, label)

    def test_unreadable_neighbours(self, journal, tmp_path):
        """They keep nobody from finding another."""
        job_id = str(uuid.uuid4())
        journal.note(1, "accepted", job_id=job_id)
        for number in range(20):
            damaged = tmp_path / str(uuid.UUID(int=number))
            damaged.mkdir()
            (damaged / EVENTS).write_text(job_id)
            if number % 2:
                (damaged / "job.json").write_text("{}")
        (tmp_path / str(uuid.UUID(int=99)) / EVENTS).mkdir(parents=True)
        assert Journal.find(tmp_path, job_id).path == journal.path

    def test_offline(self, tmp_path):
        """A simulator's job has none."""
        job = saved_job(offline=True)
        JobStore(tmp_path).save(job)
        with pytest.raises(JobNotFoundError):
            Journal.load(tmp_path, job.description.job_id)

    def test_results(self, journal):
        """Kept by who writes; what is damaged is not there."""
        assert journal.result(3) is None
        journal.keep(3, b"[0, 1]")
        assert journal.result(3) == (b"[0, 1]", True)
        (journal.path / "result-3.zst").write_bytes(b"x")
        assert journal.result(3) is None

    def test_damaged(self, journal, tmp_path):
        """Named, and nothing is deleted."""
        rewritten(journal.path / "job.json", options=None)
        before = (journal.path / "job.json").read_bytes()
        with pytest.raises(DamagedJobError, match="'options' must be dict"):
            Journal.load(tmp_path, journal.path.name)
        assert (journal.path / "job.json").read_bytes() == before


class TestCreation:
    """Locked from the moment at which others can find it."""

    def test_twice(self, journal, tmp_path):
        """Nothing is written over another one."""
        with pytest.raises(FileExistsError, match="there is a job"):
            new_journal(tmp_path, job_id=journal.path.name)
        assert records(journal) == {}

    def test_locked_before_it_is_found(self, tmp_path, monkeypatch):
        """Whoever finds it sees that somebody works on it."""
        from aqt_fast.store import job_directory

        really, seen = job_directory.write_file, []

        def looking(path, data, **options) -> None:
            seen.append((path.name, locks.is_held(path.parent)))
            really(path, data, **options)

        monkeypatch.setattr(job_directory, "write_file", looking)
        new_journal(tmp_path).close()
        assert seen == [
            ("snapshot.bin", False), ("headers.zst", False), ("events", False), ("job.json", True),
        ]  # fmt: skip

    def test_no_locks(self, tmp_path, monkeypatch):
        """A failure leaves nothing: what cannot be locked is no journal."""

        def refuse(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr("fcntl.fcntl", refuse)
        with pytest.raises(OSError, match="not supported"):
            new_journal(tmp_path)
        assert files_in(tmp_path) == []

    def test_not_in_json(self, tmp_path):
        """A failure leaves nothing."""
        with pytest.raises(TypeError):
            new_journal(tmp_path, options={"shots": object()})
        assert files_in(tmp_path) == []

    def test_flushed_with_the_first_event(self, journal, monkeypatch):
        """The description is on the disk before anything that depends on it, and only once."""
        flushed = []
        monkeypatch.setattr(
            "aqt_fast.store.job_directory.flush", lambda path: flushed.append(path.name)
        )
        journal.note(0, "intent", label="x", payload_hash="00")
        assert set(flushed) == {
            "snapshot.bin", "headers.zst", "job.json", journal.path.name, journal.path.parent.name,
        }  # fmt: skip
        flushed.clear()
        journal.note(0, "accepted", job_id="id")
        assert flushed == []

    def test_not_flushed_again(self, journal, tmp_path, monkeypatch):
        """Who goes on with it finds it on the disk."""
        journal.close()
        flushed = []
        monkeypatch.setattr("aqt_fast.store.job_directory.flush", flushed.append)
        other = Journal.load(tmp_path, journal.path.name)
        assert other.own()
        other.note(0, "intent", label="x", payload_hash="00")
        other.close()
        assert flushed == []


class TestRemoval:
    """Not while somebody works on it."""

    def test_at_work(self, journal, tmp_path):
        """Only when it was given back."""
        with pytest.raises(JournalError, match="is being worked on"):
            remove_job(journal.path)
        journal.note(0, "intent", label="x", payload_hash="00")
        assert records(journal)[0].label == "x"
        journal.close()
        remove_job(journal.path)
        assert files_in(tmp_path) == []

    def test_failure(self, journal, monkeypatch):
        """Nobody holds the lock afterwards, and it can be tried again."""
        journal.close()

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError("not yours")

        with monkeypatch.context() as patch:
            patch.setattr("shutil.rmtree", refuse)
            with pytest.raises(PermissionError):
                remove_job(journal.path)
        assert locks.is_held(journal.path) is False
        with pytest.raises(JobNotFoundError):
            Journal.load(journal.path.parent, journal.path.name)
        remove_job(journal.path)
        assert not journal.path.exists()

    def test_without_events(self, journal):
        """Nobody can work on what has no lock."""
        journal.close()
        (journal.path / EVENTS).unlink()
        remove_job(journal.path)
        assert not journal.path.exists()
        remove_job(journal.path)

    def test_while_it_is_used(self, journal):
        """A process whose journal was deleted by hand notices at the latest with a result."""
        for path in journal.path.iterdir():
            path.unlink()
        journal.path.rmdir()
        journal.keep(0, b"{}")
        assert "a result cannot be stored" in journal.problem


class TestLines:
    """What an API job writes."""

    def test_life(self, journal):
        """From the intent to the end, and again."""
        log = ApiJobLog(journal, 1)
        log.intend("x [2/3]", "ab")
        assert records(journal)[1] == ApiJobRecord(label="x [2/3]", payload_hash="ab")
        assert records(journal)[1].uncertain
        log.uncertain("lost")
        assert records(journal)[1].uncertain
        log.refused("no")
        assert not records(journal)[1].uncertain
        log.intend("x [2/3] (again 1)", "cd")
        log.accepted("id")
        log.ended("ERROR", "hot")
        assert records(journal) == {
            1: ApiJobRecord("x [2/3] (again 1)", "cd", "id", status="ERROR", message="hot")
        }
        assert not records(journal)[1].uncertain

    def test_adopted(self, journal):
        """It shows whose word an identifier is."""
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        log.accepted("id", adopted=True)
        assert records(journal)[0] == ApiJobRecord("x", "ab", "id", adopted=True)

    def test_cancelled_before_it_was_sent(self, journal):
        """It has ended without having been anywhere."""
        ApiJobLog(journal, 0).ended("CANCELLED", "not wanted")
        assert records(journal) == {0: ApiJobRecord(status="CANCELLED", message="not wanted")}

    def test_lost_lines(self, journal):
        """An empty file, and a result without an identifier, tell of others."""
        assert journal.replay().problem is None
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        log.keep(b"{}")
        assert "a result is of an unknown API job" in journal.replay().problem
        log.accepted("id")
        assert journal.replay().problem is None
        assert log.stored_result() == (b"{}", True)
        (journal.path / EVENTS).write_bytes(b"")
        assert journal.replay().record(0).doubtful
        assert journal.replay().record(1).doubtful

    def test_without_a_journal(self):
        """Nothing is kept, nothing fails."""
        log = ApiJobLog(None, 0)
        log.intend("x", "ab")
        log.accepted("id")
        log.keep(b"{}")
        assert log.stored_result() is None


class TestOwner:
    """One writes, all others read."""

    def test_others_write_nothing(self, journal, tmp_path):
        """Neither events nor results."""
        other = Journal.load(tmp_path, journal.path.name)
        assert not other.own()
        other.note(0, "accepted", job_id="id")
        other.keep(0, b"{}")
        assert records(journal) == {}
        assert other.result(0) is None
        journal.close()
        assert other.own()
        other.note(0, "accepted", job_id="id")
        other.close()
        with pytest.raises(JournalError, match="restore it again"):
            journal.own_again()
        assert records(other)[0].job_id == "id"

    def test_read_only(self, journal, tmp_path, monkeypatch):
        """What cannot be written is not sent, and the problem is kept for the user."""
        journal.close()

        def refuse(*_: object) -> int:
            raise OSError(30, "Read-only file system")

        other = Journal.load(tmp_path, journal.path.name)
        assert other.own()
        monkeypatch.setattr("os.pwrite", refuse)
        with pytest.raises(JournalError, match=r"cannot be written: .*Read-only"):
            ApiJobLog(other, 0).intend("x", "ab")
        ApiJobLog(other, 0).accepted("id")
        assert "Read-only file system" in other.problem
        other.close()

    def test_no_lock(self, tmp_path, monkeypatch):
        """Who has none stores and deletes nothing, though the files could be written."""
        journal = new_journal(tmp_path)
        journal.keep(0, b"{}")
        journal.close()
        other = Journal.load(tmp_path, journal.path.name)
        (journal.path / ".x.tmp").write_bytes(b"")
        os.utime(journal.path / ".x.tmp", (0, 0))
        really = os.open

        def refuse(path, flags, *mode, **options):
            if str(path).endswith(byte_locks.FILE) and flags & os.O_RDWR:
                raise PermissionError(13, "Permission denied")
            return really(path, flags, *mode, **options)

        monkeypatch.setattr(os, "open", refuse)
        before = {path: path.read_bytes() for path in journal.path.iterdir()}
        assert other.own()
        other.drop(0)
        assert "cannot be deleted" in other.problem
        other.keep(1, b"{}")
        assert "cannot be stored" in other.problem
        assert {path: path.read_bytes() for path in journal.path.iterdir()} == before
        other.close()


def test_openings(tmp_path, monkeypatch):
    """The file of events is opened once for each event; a new one is not read again."""
    opened = []
    really = os.open

    def counted(path, flags, *mode, **options):
        if Path(path).name == EVENTS:
            opened.append(flags & os.O_RDWR)
        return really(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", counted)
    journal = new_journal(tmp_path)
    assert opened == []
    log = ApiJobLog(journal, 0)
    log.intend("x", "ab")
    opened.clear()  # before the first event, the files are flushed
    log.accepted("id")
    log.keep(b"{}")
    journal.close()
    assert opened == [os.O_RDWR]


@pytest.fixture
def disk(monkeypatch):
    """Is full as long as `room` is False; nothing else writes."""

    class Disk:
        room = True

    really = os.pwrite

    def pwrite(file: int, data: bytes, offset: int) -> int:
        if not Disk.room:
            raise OSError(28, "No space left on device")
        return really(file, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    return Disk


class TestLateEvents:
    """What has happened while the disk was full is written once there is room."""

    @pytest.mark.parametrize(
        "afterwards",
        [
            lambda journal: ApiJobLog(journal, 1).intend("y", "cd"),
            lambda journal: ApiJobLog(journal, 1).ended("CANCELLED", "not wanted"),
            lambda journal: ApiJobLog(journal, 1).catch_up(),
            Journal.close,
        ],
    )
    def test_written(self, journal, disk, afterwards):
        """Before the next event, with the next poll, or at the end; in order."""
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        disk.room = False
        log.accepted("id")
        log.ended("ERROR", "hot")
        with pytest.raises(JournalError, match="No space left"):
            ApiJobLog(journal, 1).intend("y", "cd")
        log.catch_up()
        assert "No space left" in journal.problem
        assert records(journal) == {0: ApiJobRecord("x", "ab")}
        disk.room = True
        afterwards(journal)
        assert journal.problem is None
        expected = ApiJobRecord("x", "ab", "id", status="ERROR", message="hot")
        assert records(journal)[0] == expected

    def test_still_full_at_the_end(self, journal, disk):
        """The user is told, and it is written if the job goes on."""
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        disk.room = False
        log.accepted("id")
        journal.close()
        assert "No space left" in journal.problem
        disk.room = True
        journal.own_again()
        log.catch_up()
        assert journal.problem is None
        assert records(journal)[0].job_id == "id"

    def test_other_problems_stay(self, journal, disk, monkeypatch):
        """A result that is not stored is not there later, either."""
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        disk.room = False
        log.accepted("id")
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", lambda _: os.pwrite(0, b"", 0))
            log.keep(b"{}")
        disk.room = True
        log.catch_up()
        assert journal.problem.startswith("a result cannot be stored")
        assert records(journal)[0].job_id == "id"


FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from aqt_fast.exceptions import JournalError
from aqt_fast.store.journal import ApiJobLog, Journal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.load(Path(sys.argv[1]), sys.argv[2])
assert journal.own()
log = ApiJobLog(journal, 0)
log.intend("x", "ab")
before = (journal.path / "events").read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (len(before.rstrip()) + 20, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        ApiJobLog(journal, 1).intend("y", "cd")
    except JournalError as error:
        print(error)
log.accepted("id")
log.keep(os.urandom(20_000))
print(journal.problem)
assert (journal.path / "events").read_bytes() == before
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
ApiJobLog(journal, 1).intend("z", "ef")
"""
"""A limit of the size of files stands for the full disk: part of a line is written, too."""


def test_full_disk(tmp_path):
    """What cannot be written is not sent; what was written stays."""
    journal = new_journal(tmp_path)
    journal.note(5, "accepted", job_id="of 5")
    journal.keep(5, b"before")
    journal.close()
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FULL_DISK, str(tmp_path), journal.path.name],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stderr
    first, second, problem = run.stdout.splitlines()
    assert first == second
    assert first.startswith(f"the journal {journal.path} cannot be written: ")
    assert problem.startswith("a result cannot be stored")
    assert records(journal) == {
        0: ApiJobRecord("x", "ab", "id"),
        1: ApiJobRecord("z", "ef"),
        5: ApiJobRecord(job_id="of 5"),
    }
    assert journal.result(0) is None
    assert journal.result(5) == (b"before", True)
    assert not [path for path in journal.path.iterdir() if path.suffix == ".tmp"]


def test_copies_are_no_journals_of_their_own(tmp_path):
    """They read like one, and say that they are copies."""
    events = [{"job": 0, "event": "refused", "message": "no"}]
    job = saved_job(*events)
    JobStore(tmp_path).save(job)
    journal = Journal.load(tmp_path, job.description.job_id)
    assert journal.directory.description.is_copy
    assert not described().is_copy
    assert journal.replay().record(0).refused
