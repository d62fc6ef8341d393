"""Journals: what is on the disk after whatever has happened."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
import subprocess
import sys
import uuid
import zlib

import numpy as np
import orjson
import pytest
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.store.checksummed_json import pack
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.journal import ApiJobLog, Journal

HEADERS = [{"name": "a", "metadata": {}}, {"name": "b", "metadata": {"x": [1, 2]}}]


def new(root, headers=HEADERS, **header) -> Journal:
    """A journal of two circuits."""
    header = {"batch_id": str(uuid.uuid4()), "backend_name": "ibex", **header}
    return Journal.create(root, header, b"circuits", headers)


@pytest.fixture
def journal(tmp_path):
    """A journal that is owned."""
    journal = new(tmp_path)
    yield journal
    journal.close()


def records(journal: Journal) -> dict[int, ApiJobRecord]:
    """What somebody else reads."""
    replay = Journal.load(journal.path.parent, journal.path.name).replay()
    assert replay.damaged == []
    return replay.records


class TestFiles:
    """What is where, and who can read it."""

    def test_private(self, journal, tmp_path):
        """Directories for their owner alone, and so are files."""
        journal.note(0, "intent", label="x", payload_hash="00")
        journal.keep(0, b"{}")
        assert stat.S_IMODE(journal.path.stat().st_mode) == 0o700
        files = sorted(path.name for path in journal.path.iterdir())
        assert files == ["batch.json", "circuits.bin", "headers.zst", "journal", "result-0.zst"]
        for name in files:
            assert stat.S_IMODE((journal.path / name).stat().st_mode) == 0o600
        assert journal.path.parent == tmp_path

    def test_content(self, journal, tmp_path):
        """All that was given comes back."""
        again = Journal.load(tmp_path, journal.path.name)
        assert again.header == journal.header
        assert again.header["backend_name"] == "ibex"
        assert again.header["num_circuits"] == 2
        assert again.circuits() == (b"circuits", HEADERS)
        assert again.replay().records == {}

    def test_metadata(self, tmp_path):
        """What JSON can express of it, and no more."""
        metadata = {"x": np.arange(2), "y": object(), 3: "z"}
        journal = new(tmp_path, [{"name": "a", "metadata": metadata}])
        assert journal.circuits()[1] == [{"name": "a", "metadata": {"x": [0, 1], "3": "z"}}]

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
        new(tmp_path)
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

    @pytest.mark.parametrize("name", ["circuits.bin", "headers.zst"])
    def test_damaged_circuits(self, journal, name):
        """Named, and left alone."""
        file = journal.path / name
        file.write_bytes(file.read_bytes() + b"x")
        with pytest.raises(DamagedJobError, match=f"{name}: its content does not match"):
            journal.circuits()
        file.unlink()
        with pytest.raises(DamagedJobError, match=f"{name}: .*No such file"):
            journal.circuits()

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"{", "unexpected end"),
            (b"[]", "it is no saved job"),
            (pack({"batch": {"batch_id": "x"}}, 2), "format 2 was written by a newer aqt-fast"),
            (pack({"batch": {"batch_id": "x"}}, 1), "it is of another job"),
            (pack({"batch": 7}, 1), "it is of another job"),
            (pack({"batch": {}}, 1).replace(b"{}", b'{"a":1}'), "does not match its checksum"),
        ],
    )
    def test_damaged_header(self, journal, tmp_path, data, reason):
        """As with saved jobs; nothing is deleted."""
        file = journal.path / "batch.json"
        file.write_bytes(data)
        with pytest.raises(DamagedJobError, match=reason):
            Journal.load(tmp_path, journal.path.name)
        assert file.read_bytes() == data

    def test_half_made(self, tmp_path):
        """Without its header there is no journal, and a failure leaves nothing."""
        with pytest.raises(TypeError):
            new(tmp_path, backend_name=object())
        assert list(tmp_path.iterdir()) == []

    def test_remove(self, journal, tmp_path):
        """Not while somebody works on it."""
        other = Journal.load(tmp_path, journal.path.name)
        with pytest.raises(JournalError, match="is being worked on"):
            other.remove()
        journal.close()
        other.remove()
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
        file = journal.path / "journal"
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
        file = journal.path / "journal"
        file.write_bytes(file.read_bytes() + line + b"\n")
        replay = journal.replay()
        assert replay.damaged == [3]
        assert replay.records[0].label == "x"

    def test_every_flipped_bit_is_noticed(self, journal):
        """Whatever bit it is, a line is read as it was or not at all."""
        ApiJobLog(journal, 0).intend("x", "ab")
        file = journal.path / "journal"
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
        file = journal.path / "journal"
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
        (journal.path / "journal").unlink()
        for step in (other.own, other.replay):
            with pytest.raises(DamagedJobError, match=r"journal: .*No such file"):
                step()
        with pytest.raises(JournalError, match="cannot be opened"):
            other.own_again()

    def test_fork(self, journal, tmp_path):
        """A child that lives on does not hold its parent's lock."""
        ready, done = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            os.write(ready[1], b"x")
            os.read(done[0], 1)
            os._exit(7 if journal.owned else 0)
        os.read(ready[0], 1)
        journal.close()
        other = Journal.load(tmp_path, journal.path.name)
        try:
            assert other.own()
        finally:
            os.write(done[1], b"x")
            _, status = os.waitpid(child, 0)
            for end in (*ready, *done):
                os.close(end)
        assert os.waitstatus_to_exitcode(status) == 0

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


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from aqt_fast.exceptions import JournalError
from aqt_fast.store.journal import ApiJobLog, Journal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.load(Path(sys.argv[1]), sys.argv[2])
assert journal.own()
log = ApiJobLog(journal, 0)
log.intend("x", "ab")
size = (journal.path / "journal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        ApiJobLog(journal, 1).intend("y", "cd")
    except JournalError as error:
        print(error)
log.accepted("id")
log.keep(bytes(range(256)) * 100)
print(journal.problem)
assert (journal.path / "journal").stat().st_size == size
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
ApiJobLog(journal, 1).intend("z", "ef")
"""
"""A limit of the size of files stands for the full disk: part of a line is written, too."""


def test_full_disk(tmp_path):
    """What cannot be written is not sent; what was written stays."""
    journal = new(tmp_path)
    journal.keep(5, b"before")
    journal.close()
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FULL_DISK, str(tmp_path), journal.path.name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    first, second, problem = run.stdout.splitlines()
    assert first == second
    assert first.startswith(f"the journal {journal.path} cannot be written: ")
    assert problem.startswith("a result cannot be stored")
    assert records(journal) == {0: ApiJobRecord("x", "ab"), 1: ApiJobRecord("z", "ef")}
    assert journal.result(0) is None
    assert journal.result(5) == b"before"
    assert not [path for path in journal.path.iterdir() if path.suffix == ".tmp"]


def test_limits_are_real():
    """The full disk above is one for this machine, too."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY


def test_lock_is_flock(journal):
    """Other programs can see whether a process works on a job."""
    with (journal.path / "journal").open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_lines_are_json(journal):
    """And so can people."""
    ApiJobLog(journal, 0).intend("x", "ab")
    line = (journal.path / "journal").read_text().splitlines()[1]
    checksum, _, text = line.partition(" ")
    assert int(checksum, 16) == zlib.crc32(text.encode())
    expected = {"job": 0, "event": "intent", "label": "x", "payload_hash": "ab"}
    assert orjson.loads(text) == expected
