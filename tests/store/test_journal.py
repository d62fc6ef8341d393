"""Journals: what is on the disk after whatever has happened."""

from __future__ import annotations

import os
import stat
import uuid
import zlib

import numpy as np
import orjson
import pytest
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.persistence import JobStore
from aqt_fast.store.checksummed_json import pack
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.journal import ApiJobLog, Journal
from store.samples import HEADERS, new_journal, rewritten


@pytest.fixture
def journal(tmp_path):
    """A journal that is owned."""
    journal = new_journal(tmp_path)
    yield journal
    journal.close()


def records(journal: Journal) -> dict[int, ApiJobRecord]:
    """What somebody else reads."""
    state = Journal.load(journal.path.parent, journal.path.name).replay()
    assert state.damaged == []
    return state.records


class TestFiles:
    """What is where, and who can read it."""

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
        assert again.directory.description.backend_name == "ibex"
        assert again.directory.snapshot() == (b"snapshot", HEADERS)
        assert not again.directory.has_circuits
        assert again.replay().records == {}

    def test_metadata(self, tmp_path):
        """What JSON can express of it, and no more."""
        metadata = {"x": np.arange(2), "y": object(), 3: "z"}
        journal = new_journal(tmp_path, [{"name": "a", "metadata": metadata}])
        assert journal.directory.snapshot()[1] == [
            {"name": "a", "metadata": {"x": [0, 1], "3": "z"}}
        ]

    @pytest.mark.parametrize("batch_id", ["../x", "x", "", None, str(uuid.UUID(int=7))])
    def test_not_found(self, tmp_path, batch_id):
        """An id is never taken for a path."""
        with pytest.raises(JobNotFoundError):
            Journal.find(tmp_path, batch_id)

    def test_by_api_job(self, journal, tmp_path):
        """Any API job of a batch leads to it, but not every id that its lines mention."""
        job_id, label = str(uuid.uuid4()), str(uuid.uuid4())
        journal.note(1, "intent", label=label, payload_hash="00")
        journal.note(1, "accepted", job_id=job_id)
        new_journal(tmp_path)
        assert Journal.find(tmp_path, job_id).path == journal.path
        with pytest.raises(JobNotFoundError):
            Journal.find(tmp_path, label)

    def test_results(self, journal):
        """Stored whole or not at all; damage is noticed."""
        body = b'{"samples": [' + b"[0,1]," * 1000 + b"[1,1]]}"
        assert journal.result(3) is None
        journal.keep(3, body)
        assert journal.result(3) == body
        file = journal.path / "result-3.zst"
        data = bytearray(file.read_bytes())
        assert len(data) < len(body) / 20
        data[len(data) // 2] ^= 4
        file.write_bytes(data)
        assert journal.result(3) is None

    @pytest.mark.parametrize("name", ["snapshot.bin", "headers.zst"])
    def test_damaged_circuits(self, journal, name):
        """Named, and left alone."""
        file = journal.path / name
        file.write_bytes(file.read_bytes() + b"x")
        with pytest.raises(DamagedJobError, match=f"{name}: its content does not match"):
            journal.directory.snapshot()
        file.unlink()
        with pytest.raises(DamagedJobError, match=f"{name}: .*No such file"):
            journal.directory.snapshot()

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"{", "unexpected end"),
            (b"[]", "it is no saved job"),
            (pack("job", {}, 3), "format 3 was written by a newer aqt-fast"),
            (pack("job", {}, 1), "format 1 was written by an aqt-fast before 0.2"),
            (pack("job", {"job_id": "x"}, 2), "its content cannot be used"),
            (pack("job", 7, 2), "its content cannot be used"),
            (pack("job", {}, 2).replace(b"{}", b'{"a":1}'), "does not match its checksum"),
        ],
    )
    def test_damaged_description(self, journal, tmp_path, data, reason):
        """As with saved jobs; nothing is deleted."""
        file = journal.path / "job.json"
        file.write_bytes(data)
        with pytest.raises(DamagedJobError, match=reason):
            Journal.load(tmp_path, journal.path.name)
        assert file.read_bytes() == data

    def test_of_another_job(self, journal, tmp_path):
        """A directory that was renamed, or a file from another one."""
        rewritten(journal.path / "job.json", job_id=str(uuid.uuid4()))
        with pytest.raises(DamagedJobError, match="it is of another job"):
            Journal.load(tmp_path, journal.path.name)

    def test_half_made(self, tmp_path):
        """Without its description there is no journal, and a failure leaves nothing."""
        with pytest.raises(TypeError):
            new_journal(tmp_path, backend_name=object())
        assert list(tmp_path.iterdir()) == []

    def test_remove(self, journal, tmp_path):
        """Not while somebody works on it."""
        store = JobStore(tmp_path)
        with pytest.raises(JournalError, match="is being worked on"):
            store.remove(journal.path.name)
        journal.close()
        store.remove(journal.path.name)
        assert list(tmp_path.iterdir()) == []


class TestLines:
    """What they add up to."""

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

    def test_cancelled_before_it_was_sent(self, journal):
        """It has ended without having been anywhere."""
        ApiJobLog(journal, 0).ended("CANCELLED", "not wanted")
        assert records(journal) == {0: ApiJobRecord(status="CANCELLED", message="not wanted")}

    def test_cut_off(self, journal):
        """A crash while a line was written: it says nothing, and the next owner takes it away."""
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        file = journal.path / "events"
        whole = file.read_bytes()
        log.accepted("id")
        line = file.read_bytes()[len(whole) :]
        journal.close()
        for size in range(len(line) - 1):
            file.write_bytes(whole + line[:size])
            assert records(journal)[0].uncertain
        file.write_bytes(whole + line[:-1])  # all but its end: its checksum fits
        assert records(journal)[0].job_id == "id"
        other = Journal.load(journal.path.parent, journal.path.name)
        assert other.own()
        assert file.read_bytes() == whole + line
        other.close()
        file.write_bytes(whole + line[:-2])
        assert other.own()
        assert file.read_bytes() == whole
        ApiJobLog(other, 0).accepted("id")
        assert records(other)[0].job_id == "id"

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"rubbish",
            b"00000000 {}",
            b"\xff\xfe\x00",
            b"%08x []" % zlib.crc32(b"[]"),
            b'%08x {"job":0,"event":"dance"}' % zlib.crc32(b'{"job":0,"event":"dance"}'),
            b'%08x {"job":0,"event":"accepted"}' % zlib.crc32(b'{"job":0,"event":"accepted"}'),
        ],
    )
    def test_damaged(self, journal, line):
        """Counted; the others are read."""
        log = ApiJobLog(journal, 0)
        log.intend("x", "ab")
        file = journal.path / "events"
        file.write_bytes(file.read_bytes() + line + b"\n")
        replay = journal.replay()
        assert replay.damaged == [3]
        assert replay.records[0].label == "x"

    def test_every_flipped_bit_is_noticed(self, journal):
        """Whatever bit it is, a line is read as it was or not at all."""
        ApiJobLog(journal, 0).intend("x", "ab")
        file = journal.path / "events"
        whole = file.read_bytes()
        start = whole.index(b"\n") + 1
        for index in range(start, len(whole)):
            for bit in range(8):
                data = bytearray(whole)
                data[index] ^= 1 << bit
                file.write_bytes(data)
                known = journal.replay().records
                if index - start < len("00000000 "):  # the number may be written in another way
                    assert known in ({}, {0: ApiJobRecord("x", "ab")})
                else:
                    assert known == {}

    def test_lost_lines(self, journal):
        """A file without its first line, and a result without an identifier, tell of others."""
        file = journal.path / "events"
        assert not journal.replay().doubtful
        ApiJobLog(journal, 0).intend("x", "ab")
        journal.keep(0, b"{}")
        assert journal.replay().missing
        ApiJobLog(journal, 0).accepted("id")
        assert not journal.replay().doubtful
        file.write_bytes(b"")
        assert journal.replay().doubtful

    def test_without_a_journal(self):
        """Nothing is kept, nothing fails."""
        log = ApiJobLog(None, 0)
        log.intend("x", "ab")
        log.accepted("id")
        log.keep(b"{}")
        assert log.stored_result() is None


class TestOwner:
    """One writes, all others read."""

    def test_lock(self, journal, tmp_path):
        """Taken, given back, taken by somebody else."""
        other = Journal.load(tmp_path, journal.path.name)
        assert journal.owned
        assert journal.own()
        assert not other.own()
        other.note(0, "accepted", job_id="id")  # not the owner: nothing happens
        other.keep(0, b"{}")
        assert records(journal) == {}
        assert other.result(0) is None
        journal.close()
        assert other.own()
        assert not journal.own()

    def test_taking_it_back(self, journal, tmp_path):
        """Only as long as nobody else has done anything."""
        journal.close()
        journal.own_again()
        journal.note(0, "intent", label="x", payload_hash="ab")
        journal.close()
        other = Journal.load(tmp_path, journal.path.name)
        assert other.own()
        with pytest.raises(JournalError, match="another process is working on job"):
            journal.own_again()
        other.note(0, "accepted", job_id="id")
        other.close()
        for _ in range(2):
            with pytest.raises(JournalError, match=r"has gone on with job .*; restore it again"):
                journal.own_again()
            assert not journal.owned
        other.own_again()
        assert records(other)[0].job_id == "id"

    def test_no_file(self, journal, tmp_path):
        """An empty one must not come in its place: it would say that nothing was sent."""
        other = Journal.load(tmp_path, journal.path.name)
        (journal.path / "events").unlink()
        for step in (other.own, other.replay):
            with pytest.raises(DamagedJobError, match=r"events: .*No such file"):
                step()
        with pytest.raises(JournalError, match="cannot be opened"):
            other.own_again()

    def test_read_only(self, journal, tmp_path, monkeypatch):
        """Where nothing can be written one can still read, and know who works."""
        other = Journal.load(tmp_path, journal.path.name)
        really = os.open

        def read_only(path, flags, *mode, **options):
            if flags & (os.O_RDWR | os.O_WRONLY):
                raise PermissionError(13, "read-only file system")
            return really(path, flags, *mode, **options)

        monkeypatch.setattr(os, "open", read_only)
        assert not other.own()
        journal.close()
        assert other.own()
        with pytest.raises(JournalError, match="cannot be written"):
            other.note(0, "intent", label="x", payload_hash="ab")


def test_a_result_that_cannot_be_stored(journal, monkeypatch):
    """It is a problem that the user is told; what was stored stays."""
    journal.keep(5, b"before")

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    journal.keep(0, b"{}")
    assert journal.problem.startswith("a result cannot be stored")
    assert journal.result(0) is None
    assert journal.result(5) == b"before"
    assert not [path for path in journal.path.iterdir() if path.suffix == ".tmp"]


def test_lines_are_json(journal):
    """And so can people."""
    ApiJobLog(journal, 0).intend("x", "ab")
    line = (journal.path / "events").read_text().splitlines()[1]
    checksum, _, text = line.partition(" ")
    assert int(checksum, 16) == zlib.crc32(text.encode())
    expected = {"job": 0, "event": "intent", "label": "x", "payload_hash": "ab"}
    assert orjson.loads(text) == expected
