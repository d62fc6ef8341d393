"""The file of events: one writes, all others read, and a line is there or not."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from aqt_fast.exceptions import DamagedJobError, JournalError
from aqt_fast.store.event_log import EventLog
from aqt_fast.store.events import line_of, lines_of
from waiting import SECONDS

LINES = [line_of({"job": number, "event": "intent"}) for number in range(3)]


@pytest.fixture
def path(tmp_path):
    """A file of events without one."""
    path = tmp_path / "events"
    path.write_bytes(lines_of([]))
    return path


@pytest.fixture
def log(path):
    """Who writes it."""
    log = EventLog(path)
    assert log.own()
    yield log
    log.close()


class TestOwner:
    """One writes, all others read."""

    def test_lock(self, log, path):
        """Taken, given back, taken by somebody else."""
        before = path.read_bytes()
        other = EventLog(path)
        assert log.owned
        assert log.own()
        assert not other.own()
        other.append(LINES[0])  # not the owner: nothing happens
        assert path.read_bytes() == before
        log.close()
        assert not log.owned
        assert other.own()
        assert not log.own()
        other.append(LINES[0])
        assert path.read_bytes() == before + LINES[0]
        other.close()

    def test_taking_it_back(self, log, path):
        """Only as long as nobody else has written anything."""
        log.close()
        log.own_again()
        log.append(LINES[0])
        log.own_again()
        log.close()
        other = EventLog(path)
        assert other.own()
        with pytest.raises(JournalError, match="another process is working on job"):
            log.own_again()
        other.append(LINES[1])
        other.close()
        for _ in range(2):
            with pytest.raises(JournalError, match=r"has gone on with job .*; restore it again"):
                log.own_again()
            assert not log.owned
        other.own_again()
        other.close()

    def test_taking_it_after_reading(self, log, path):
        """Who has read all of it may go on with it; who has not read the last line may not."""
        reader = EventLog(path)
        assert reader.read() == (lines_of([]).splitlines(), b"")
        log.append(LINES[0])
        log.close()
        with pytest.raises(JournalError, match="has gone on"):
            reader.own_again()
        assert len(reader.read()[0]) == 2
        reader.own_again()
        reader.close()

    def test_no_file(self, path):
        """An empty one must not come in its place: it would say that nothing was sent."""
        path.unlink()
        log = EventLog(path)
        for step in (log.own, log.read):
            with pytest.raises(DamagedJobError, match=r"events: .*No such file"):
                step()
        with pytest.raises(JournalError, match="cannot be opened"):
            log.own_again()
        assert not path.exists()

    def test_no_locks(self, path, monkeypatch):
        """A file system that has none: nobody can be the one who writes."""

        def refuse(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        log = EventLog(path)
        with monkeypatch.context() as patch:
            patch.setattr("fcntl.flock", refuse)
            with pytest.raises(OSError, match="not supported"):
                log.own()
            with pytest.raises(JournalError, match=r"cannot be opened.*not supported"):
                log.own_again()
        assert not log.owned
        assert log.own()
        log.close()

    def test_fork(self, log, path):
        """A child that lives on does not hold its parent's lock."""
        ready, done = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            os.write(ready[1], b"x")
            os.read(done[0], 1)
            os._exit(7 if log.owned else 0)
        os.read(ready[0], 1)
        log.close()
        other = EventLog(path)
        try:
            assert other.own()
        finally:
            other.close()
            os.write(done[1], b"x")
            _, status = os.waitpid(child, 0)
            for end in (*ready, *done):
                os.close(end)
        assert os.waitstatus_to_exitcode(status) == 0

    def test_read_only(self, log, path, monkeypatch):
        """Where nothing can be written one can still read, and know who works."""
        other = EventLog(path)
        really = os.open

        def read_only(path, flags, *mode, **options):
            if flags & (os.O_RDWR | os.O_WRONLY):
                raise PermissionError(13, "read-only file system")
            return really(path, flags, *mode, **options)

        monkeypatch.setattr(os, "open", read_only)
        assert not other.own()
        log.close()
        assert other.own()
        assert other.read()[0] == lines_of([]).splitlines()
        with pytest.raises(OSError, match="Bad file descriptor"):
            other.append(LINES[0])
        other.close()


class TestEnd:
    """What a crash has left of the last line."""

    def test_cut_off(self, path):
        """The next owner takes it away."""
        before = path.read_bytes()
        for size in range(1, len(LINES[0]) - 1):
            path.write_bytes(before + LINES[0][:size])
            log = EventLog(path)
            assert log.read() == (before.splitlines(), LINES[0][:size])
            assert log.own()
            assert path.read_bytes() == before
            log.append(LINES[1])
            log.close()
            assert path.read_bytes() == before + LINES[1]

    def test_only_its_end(self, path):
        """All is there but the end: it stays, with its end."""
        before = path.read_bytes()
        path.write_bytes(before + LINES[0][:-1])
        log = EventLog(path)
        assert log.own()
        assert path.read_bytes() == before + LINES[0]
        log.append(LINES[1])
        log.close()
        assert path.read_bytes() == before + LINES[0] + LINES[1]

    @pytest.mark.parametrize("cut_off", [LINES[0][:-1], LINES[0][:5]])
    def test_read_only(self, path, monkeypatch, cut_off):
        """Where it can be neither ended nor taken away, it is read all the same."""
        before = path.read_bytes()
        path.write_bytes(before + cut_off)
        really = os.open
        monkeypatch.setattr(
            os, "open", lambda path, flags, *mode: really(path, flags & ~os.O_RDWR, *mode)
        )
        log = EventLog(path)
        assert log.own()
        assert log.read() == (before.splitlines(), cut_off)
        log.close()
        assert path.read_bytes() == before + cut_off


def test_flushed(log, path, monkeypatch):
    """Each line is on the disk when `append` returns; what it depends on is there before, once."""
    steps = []
    log.before_first_flush = lambda: steps.append("first")
    really = os.fdatasync

    def flushing(descriptor: int) -> None:
        steps.append(path.read_bytes().count(b"intent"))
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", flushing)
    for line in LINES:
        log.append(line)
    assert steps == ["first", 1, 2, 3]


def test_failed_first_flush(log):
    """What could not be flushed is tried again with the next line."""
    attempts = []

    def flush() -> None:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise OSError(28, "No space left on device")

    log.before_first_flush = flush
    with pytest.raises(OSError, match="No space left"):
        log.append(LINES[0])
    log.append(LINES[1])
    log.append(LINES[2])
    assert attempts == [0, 1]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from aqt_fast.store.event_log import EventLog
from aqt_fast.store.events import line_of

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
log = EventLog(path)
assert log.own()
log.append(line_of({"job": 0}))
size = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        log.append(line_of({"job": 1, "event": "too long for the rest of the disk"}))
    except OSError as error:
        print(error)
assert path.stat().st_size == size
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
log.append(line_of({"job": 2}))
"""
"""A limit of the size of files stands for the full disk: part of a line is written, too."""


def test_full_disk(path):
    """A line that does not fit leaves nothing; what was written stays."""
    before = path.read_bytes()
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["the disk is full"] * 2
    assert path.read_bytes() == before + line_of({"job": 0}) + line_of({"job": 2})


def test_limits_are_real():
    """The full disk above is one for this machine, too."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
