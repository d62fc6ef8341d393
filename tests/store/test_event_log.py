"""The file of events: one writes, all others read, and a line is there or not."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from aqt_fast.exceptions import DamagedJobError, JournalError
from aqt_fast.store import byte_locks, locks
from aqt_fast.store.event_lines import BLOCK, FILLER, EventFile, file_of, read_events
from aqt_fast.store.event_log import EventLog
from waiting import SECONDS, num_descriptors

EVENTS = [{"job": number, "event": "intent"} for number in range(3)]


@pytest.fixture
def path(tmp_path):
    """A file of events without one."""
    path = tmp_path / "events"
    path.write_bytes(file_of([], tmp_path.name))
    return path


@pytest.fixture
def log(path):
    """Who writes it."""
    log = EventLog(path)
    assert log.own()
    yield log
    log.close()


def content(path) -> EventFile:
    """What is in the file."""
    return read_events(path.read_bytes(), path.parent.name)


def events(path) -> list[dict]:
    """The events of a file that is whole."""
    file = content(path)
    assert file.problem is None
    return file.events


class TestOwner:
    """One writes, all others read."""

    def test_lock(self, log, path):
        """Taken, given back, taken by somebody else."""
        other = EventLog(path)
        assert log.owned
        assert log.own()
        assert not other.own()
        other.append(EVENTS[0])  # not the owner: nothing happens
        assert events(path) == []
        log.close()
        assert not log.owned
        assert other.own()
        assert not log.own()
        other.append(EVENTS[0])
        assert events(path) == EVENTS[:1]
        other.close()

    def test_taking_it_back(self, log, path):
        """Only as long as nobody else has written anything."""
        log.close()
        log.own_again()
        log.append(EVENTS[0])
        log.own_again()
        log.close()
        other = EventLog(path)
        assert other.own()
        with pytest.raises(JournalError, match="another process is working on job"):
            log.own_again()
        other.append(EVENTS[1])
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
        assert reader.read() == content(path)
        log.append(EVENTS[0])
        log.close()
        with pytest.raises(JournalError, match="has gone on"):
            reader.own_again()
        assert reader.read().events == EVENTS[:1]
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
            patch.setattr("fcntl.fcntl", refuse)
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
        assert other.read().events == []
        with pytest.raises(OSError, match="read-only file system"):
            other.append(EVENTS[0])
        other.close()

    @pytest.mark.parametrize("writing_only", [True, False])
    def test_no_descriptors(self, log, path, monkeypatch, writing_only):
        """Who works is unknown then: no second writer, and later it is known again."""
        other = EventLog(path)
        really = os.open

        def fail(path, flags, *mode, **options):
            if str(path).endswith(byte_locks.FILE) and (flags & os.O_RDWR or not writing_only):
                raise OSError(24, "Too many open files")
            return really(path, flags, *mode, **options)

        # This process knows what it holds itself.
        monkeypatch.setattr(locks, "_LOCKS", locks.of_system())
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", fail)
            with pytest.raises(OSError, match="Too many open files"):
                other.own()
            with pytest.raises(JournalError, match=r"cannot be opened: .*Too many open files"):
                other.own_again()
        assert not other.owned
        assert not other.own()
        monkeypatch.undo()
        log.close()
        assert other.own()
        other.append(EVENTS[0])
        other.close()

    def test_unknown_holder(self, path, monkeypatch):
        """In a store that can neither be written nor looked at, nobody becomes the writer."""
        really = os.open

        def refuse(path, flags, *mode, **options):
            if str(path).endswith(byte_locks.FILE):
                raise PermissionError(13, "Permission denied")
            return really(path, flags, *mode, **options)

        log = EventLog(path)
        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(OSError, match="Permission denied"):
            log.own()
        assert not log.owned

    def test_writable_again(self, path, monkeypatch):
        """Who has met a read-only store takes the lock as soon as there is one."""
        really = os.open

        def read_only(path, flags, *mode, **options):
            if flags & (os.O_RDWR | os.O_WRONLY):
                raise OSError(30, "Read-only file system")
            return really(path, flags, *mode, **options)

        log, other = EventLog(path), EventLog(path)
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", read_only)
            assert log.own()
            with pytest.raises(OSError, match="Read-only"):
                log.append(EVENTS[0])
        assert other.own()
        assert not log.own()
        with pytest.raises(OSError, match="Read-only"):
            log.append(EVENTS[0])  # it has no lock
        log.close()
        assert locks.is_held(path.parent)  # the other one's
        other.close()
        for again in (log.own, log.own_again):
            with monkeypatch.context() as patch:
                patch.setattr(os, "open", read_only)
                assert log.own()
            again()
            log.append(EVENTS[0])
            log.close()
        assert events(path) == EVENTS[:1] * 2

    def test_damage_after_reading(self, log, path):
        """What another has written may be lost again."""
        log.append(EVENTS[0])
        log.close()
        whole = path.read_bytes()
        path.write_bytes(bytes(20) + whole[20:])
        with pytest.raises(JournalError, match="was damaged meanwhile; restore it again"):
            log.own_again()
        path.write_bytes(whole)
        log.own_again()

    def test_two_writers(self, log, path):
        """Should there be two in spite of all, none writes over the other's lines."""
        locks.release(path.parent)
        other = EventLog(path)
        assert other.own()
        other.append(EVENTS[0])
        for _ in range(2):
            with pytest.raises(OSError, match="another process has written to it"):
                log.append(EVENTS[1])
        assert events(path) == EVENTS[:1]
        other.close()

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
    def test_no_regular_file(self, path, make):
        """Refused, and nobody waits for it."""
        path.unlink()
        make(path)
        for step in (EventLog(path).own, EventLog(path).read):
            with pytest.raises(DamagedJobError, match=r"not a file|a directory"):
                step()

    def test_descriptors(self, path):
        """None stays open for the file, and one for the locks of all."""
        logs = []
        for number in range(20):
            job = path.parent / str(number)
            job.mkdir()
            (job / "events").write_bytes(file_of([], job.name))
            log = EventLog(job / "events")
            assert log.own()
            log.append(EVENTS[0])
            logs.append(log)
        assert num_descriptors(path.parent) == 1
        for log in logs:
            log.close()
        assert num_descriptors(path.parent) == 0


class TestEnd:
    """What a crash, or worse, has left of the last line."""

    def test_incomplete_line(self, path):
        """The next owner writes over it."""
        whole = file_of(EVENTS[:1], path.parent.name)
        last = content(path).end.offset
        for size in range(last, len(whole.rstrip(FILLER)) - 1):
            path.write_bytes(whole[:size].ljust(BLOCK, FILLER))
            log = EventLog(path)
            assert log.own()
            assert events(path) == []
            log.append({"event": "x"})  # shorter
            log.append(EVENTS[1])
            log.close()
            assert events(path) == [{"event": "x"}, EVENTS[1]]

    @pytest.mark.parametrize("size", range(0, BLOCK + 600, 97))
    def test_cut(self, path, size):
        """It is gone on with, and what was lost stays lost to see; also while that is written."""
        lines = [{"event": "x", "text": "a" * 100, "number": number} for number in range(60)]
        data = file_of(lines, path.parent.name)[:size]
        path.write_bytes(data)
        known = content(path).events
        log = EventLog(path)
        assert log.own()
        assert path.read_bytes() == data
        stages = [data]
        really = os.pwrite

        def by_and_by(file: int, data: bytes, offset: int) -> int:
            for end in (1, 20, len(data) - 1, len(data)):
                really(file, data[:end], offset)
                stages.append(path.read_bytes())
            return len(data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pwrite", by_and_by)
            log.append(EVENTS[0])
            log.append(EVENTS[1])
        log.close()
        log.own_again()
        log.close()
        for stage in stages:
            file = read_events(stage, path.parent.name)
            assert file.problem is not None
            assert file.known_from >= len(known)
        file = content(path)
        assert (file.events, file.known_from) == ([*known, *EVENTS[:2]], len(known))

    @pytest.mark.parametrize("size", [BLOCK - 1, 300, 10, 0])
    def test_nothing_can_be_opened_afterwards(self, path, monkeypatch, size):
        """A line that is there was appended, also where something was missing before it."""
        path.write_bytes(file_of(EVENTS, path.parent.name)[:size])
        log = EventLog(path)
        assert log.own()
        really, left = os.open, [1]

        def once(*arguments, **options):
            if not left:
                raise OSError(24, "Too many open files")
            left.pop()
            return really(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", once)
            log.append({"event": "x"})
        log.append({"event": "y"})
        log.close()
        log.own_again()  # it knows what it has written
        log.close()
        assert content(path).events[-2:] == [{"event": "x"}, {"event": "y"}]

    def test_zeros(self, path):
        """Where no line was yet, one may have been."""
        data = path.read_bytes()
        path.write_bytes(data[:200] + bytes(300) + data[500:])
        log = EventLog(path)
        assert log.own()
        assert log.read().problem == "what follows line 1 of its journal is missing or damaged"
        log.append(EVENTS[0])
        file = log.read()
        assert (file.events, file.known_from) == (EVENTS[:1], 0)
        assert file.problem == "line 2 of its journal is missing or damaged"
        log.close()


def test_long_lines(log, path):
    """Longer than a block, and to its very end."""
    long = [{"event": "x", "text": "a" * size} for size in (3950, 3990, 5, 20_000, *range(70))]
    for event in long:
        log.append(event)
    assert events(path) == long


def test_killed_while_writing(log, path, monkeypatch):
    """At any byte of the spaces or of the line: nothing that was there is in doubt."""
    log.append({"event": "x", "text": "a" * (BLOCK - 150)})
    before, stages = events(path), []
    really = os.pwrite

    def by_and_by(file: int, data: bytes, offset: int) -> int:
        for end in range(1, len(data) + 1):
            # The kernel copies page by page: of what is added, a whole page is there or none.
            if offset + len(data) <= os.fstat(file).st_size or end == len(data):
                really(file, data[:end], offset)
                stages.append(path.read_bytes())
        return len(data)

    monkeypatch.setattr(os, "pwrite", by_and_by)
    log.append({"event": "y", "text": "b" * 100})
    assert len(stages) > 100
    for stage in stages[:-2]:
        file = read_events(stage, path.parent.name)
        assert (file.events, file.problem) == (before, None)


def test_reader_meets_a_line_being_written(log, path, monkeypatch):
    """What looks damaged is read again: a line that is half there is no damage."""
    log.append(EVENTS[0])
    whole = path.read_bytes()
    half = whole.replace(b'"intent"', b"        ")
    contents = [half, half, whole]
    monkeypatch.setattr(os, "pread", lambda *_: contents.pop(0))
    reader = EventLog(path)
    assert reader.read() == read_events(whole, path.parent.name)


def test_flushed(log, path, monkeypatch):
    """Each line is on the disk when `append` returns; what it depends on is there before, once."""
    steps = []
    log.before_first_flush = lambda: steps.append("first")
    really = os.fdatasync

    def flushing(descriptor: int) -> None:
        steps.append(path.read_bytes().count(b"intent"))
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", flushing)
    for event in EVENTS:
        log.append(event)
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
        log.append(EVENTS[0])
    log.append(EVENTS[1])
    log.append(EVENTS[2])
    assert attempts == [0, 1]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from aqt_fast.store.event_log import EventLog

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
log = EventLog(path)
assert log.own()
log.append({"job": 0})
before = path.read_bytes()
for room in (0, 20):
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, resource.RLIM_INFINITY))
    try:
        log.append({"job": 1, "event": "too long for the rest of the disk" * 200})
    except OSError as error:
        print(error)
    assert path.read_bytes() == before
log.append({"job": 2})  # there is room in the block
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
log.append({"job": 3, "event": "long enough for another block" * 200})
"""
"""A limit of the size of files stands for the full disk: part of a line is written, too."""


def test_full_disk(path):
    """A line that does not fit leaves nothing; what was written stays."""
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["[Errno 27] File too large", "the disk is full"]
    assert [event["job"] for event in events(path)] == [0, 2, 3]


def test_limits_are_real():
    """The full disk above is one for this machine, too."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
