"""Locks of jobs that others can look at."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import threading

import pytest
from aqt_fast.store import byte_locks, database_locks, locks
from waiting import SECONDS, num_descriptors, wait_until

KINDS = {
    "open files": byte_locks.OpenFileLocks,
    "processes": byte_locks.ProcessLocks,
    "databases": database_locks.DatabaseLocks,
}
"""The locks of Linux, of macOS, and of Windows."""


@pytest.fixture
def locks_of(monkeypatch):
    """Has this process use another kind of locks."""

    def use(kind: str) -> None:
        monkeypatch.setattr(locks, "_LOCKS", KINDS[kind]())

    return use


@pytest.fixture(params=KINDS)
def kind(request, locks_of):
    """The name of each kind, which is in use."""
    locks_of(request.param)
    return request.param


@pytest.fixture
def job(tmp_path):
    """The directory of a job, which need not exist."""
    job = tmp_path / "x"
    yield job
    locks.release(job)


USE = """
import sys
from pathlib import Path
from aqt_fast.store import byte_locks, database_locks, locks

locks._LOCKS = {}()
""".format
"""Has another process use a kind of locks; to be followed by what it does."""


def using(kind: str) -> str:
    """The beginning of a script that uses a kind of locks."""
    return USE(f"{KINDS[kind].__module__.rpartition('.')[2]}.{KINDS[kind].__name__}")


def in_another_process(job, call: str, kind: str = "open files") -> str:
    """What a call says there."""
    code = f"{using(kind)}\nprint(locks.{call}(Path(sys.argv[1])))"
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(job)],
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return run.stdout.strip()


def test_one_holder(job, kind):
    """Until it is given back, by one process or by none."""
    other = job.with_name("y")
    assert locks.is_held(job) is False
    assert locks.acquire(job)
    assert not locks.acquire(job)
    assert locks.is_held(job) is True
    assert locks.is_held(other) is False
    assert in_another_process(job, "is_held", kind) == "True"
    assert in_another_process(job, "acquire", kind) == "False"
    assert in_another_process(other, "acquire", kind) == "True"  # and its end gives it back
    assert locks.is_held(other) is False
    assert locks.acquire(other)
    locks.release(other)
    locks.release(other)
    assert locks.is_held(job) is True
    locks.release(job)
    assert in_another_process(job, "is_held", kind) == "False"
    assert locks.acquire(job)


def test_by_another_path(tmp_path, job, kind):
    """A store is the same, whatever path leads to it."""
    (tmp_path / "link").symlink_to(tmp_path)
    same = tmp_path / "link" / job.name
    assert locks.acquire(job)
    assert locks.is_held(same) is True
    assert not locks.acquire(same)
    assert in_another_process(job, "acquire", kind) == "False"
    locks.release(same)
    assert locks.is_held(job) is False


@pytest.mark.usefixtures("kind")
def test_no_store(job):
    """No lock can be taken in a directory that does not exist, and none is made."""
    nowhere = job / "x"
    assert locks.is_held(nowhere) is False
    with pytest.raises(FileNotFoundError):
        locks.acquire(nowhere)
    assert not job.exists()


def test_read_only(tmp_path, job, monkeypatch):
    """Nothing to take; who has it is seen all the same."""
    really = os.open

    def read_only(path, flags, *mode):
        if flags & os.O_RDWR:
            raise PermissionError(13, "read-only file system")
        return really(path, flags, *mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(locks.ReadOnlyError, match="read-only"):
            locks.acquire(job)
    (tmp_path / byte_locks.FILE).write_bytes(b"")
    holder = os.open(tmp_path / byte_locks.FILE, os.O_RDWR)
    fcntl.lockf(holder, fcntl.LOCK_EX)
    monkeypatch.setattr(os, "open", read_only)
    child = os.fork()  # its own locks are no obstacle for a process
    if child == 0:
        os._exit(7 if locks.is_held(job) else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    os.close(holder)
    assert locks.is_held(job) is False


def test_looking_on_takes_nothing(job, monkeypatch):
    """What a query does lets everybody else take the lock."""
    asked = []
    really = fcntl.fcntl

    def recorded(descriptor, command, *arguments):
        asked.append(command)
        return really(descriptor, command, *arguments)

    monkeypatch.setattr(fcntl, "fcntl", recorded)
    assert locks.is_held(job) is False  # there is no file yet
    assert locks.acquire(job.with_name("y"))
    asked.clear()
    assert locks.is_held(job) is False
    assert asked == [fcntl.F_OFD_GETLK]
    locks.release(job.with_name("y"))


def test_fork(job, kind):
    """A child holds nothing, and takes nothing from its parent, whatever it does."""
    assert locks.acquire(job)
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        locks.release(job)
        code = 0 if locks.is_held(job) and not locks.acquire(job) else 7
        os.write(ready[1], b"x")
        os.read(done[0], 1)
        os._exit(code)
    os.read(ready[0], 1)
    assert in_another_process(job, "acquire", kind) == "False"
    locks.release(job)
    assert in_another_process(job, "acquire", kind) == "True"
    os.write(done[1], b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for end in (*ready, *done):
        os.close(end)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EIO])
def test_no_opening(job, monkeypatch, number):
    """An error that passes does not mean that the store is read-only."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            locks.acquire(job)
        assert not isinstance(caught.value, locks.ReadOnlyError)
    assert locks.acquire(job)


HOLDER = """
import multiprocessing, os, subprocess, time

assert locks.acquire(Path(sys.argv[1]))
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
if sys.argv[2] == "fork":
    child = os.fork()
    if child == 0:
        time.sleep(600)
elif sys.argv[2] == "multiprocessing":
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    process.start()
    child = process.pid
elif sys.argv[2] == "posix_spawn":
    child = os.posix_spawn(sys.executable, sleep, os.environ)
elif sys.argv[2] == "preexec_fn":
    child = subprocess.Popen(sleep, close_fds=False, preexec_fn=int).pid
else:
    child = subprocess.Popen(sleep, close_fds=False).pid
print(child, flush=True)
time.sleep(600)
"""
"""Has a child that lives on, by each way to make one, and tells its number."""


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("open files", "fork"),
        ("open files", "multiprocessing"),
        ("open files", "posix_spawn"),
        ("open files", "subprocess"),
        ("open files", "preexec_fn"),
        ("processes", "fork"),
        ("databases", "subprocess"),
    ],
)
def test_killed_parent(job, locks_of, kind, way):
    """The lock ends with its holder: a child that lives on does not keep it."""
    locks_of(kind)
    holder = subprocess.Popen(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", using(kind) + HOLDER, str(job), way],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        assert locks.is_held(job)
        holder.kill()
        holder.wait(SECONDS)
        os.kill(child, 0)  # it lives, and closes its copy as soon as it runs
        wait_until(lambda: locks.is_held(job) is False)
        assert locks.acquire(job)
    finally:
        os.kill(child, signal.SIGKILL)
        holder.stdout.close()


def test_kernel_without_locks_of_open_files(job, monkeypatch):
    """It has the others; who cannot ask either does not know whether another process holds one."""
    really = fcntl.fcntl
    known = {fcntl.F_GETLK}

    def refuse(descriptor, command, *arguments):
        if command not in known:
            raise OSError(22, "Invalid argument")
        return really(descriptor, command, *arguments)

    other = job.with_name("y")
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", refuse)
        assert locks.is_held(job) is False
        assert locks.acquire(job)
        assert locks.is_held(job) is True
        assert locks.is_held(other) is False
        known.clear()
        assert locks.is_held(other) is None
        assert locks.acquire(other)
        locks.release(other)
        assert in_another_process(job, "acquire") == "False"
        locks.release(job)
    assert in_another_process(job, "acquire") == "True"


@pytest.mark.parametrize(
    ("system", "answer", "held"),
    [
        ("darwin", fcntl.F_WRLCK, True),
        ("darwin", fcntl.F_UNLCK, False),
        ("freebsd14", fcntl.F_WRLCK, None),
    ],
)
def test_questions_to_other_systems(job, locks_of, monkeypatch, system, answer, held):
    """The structure has another order on macOS; where it is not known, nobody is asked."""
    locks_of("processes")
    (job.parent / byte_locks.FILE).write_bytes(b"")
    layout = struct.Struct("@qqihh")

    def asked(_descriptor, command, question):
        start, length, process, kind, whence = layout.unpack(question)
        assert (command, length, process, kind, whence) == (
            fcntl.F_GETLK, 1, 0, fcntl.F_WRLCK, os.SEEK_SET,
        )  # fmt: skip
        assert start > 0
        return layout.pack(start, length, 42, answer, whence)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", asked)
        patch.setattr(sys, "platform", system)
        assert locks.is_held(job) is held


@pytest.mark.parametrize(
    ("hidden", "kind"),
    [
        ("pass", "OpenFileLocks"),
        ("import fcntl; del fcntl.F_OFD_SETLK", "ProcessLocks"),
        ("import sys; sys.platform = 'darwin'", "ProcessLocks"),
        ("import sys; sys.modules['fcntl'] = None", "DatabaseLocks"),
    ],
)
def test_choice(hidden, kind):
    """Each system has its own."""
    code = f"{hidden}; from aqt_fast.store import locks; print(type(locks.of_system()).__name__)"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True, timeout=SECONDS) == f"{kind}\n"  # noqa: S603


@pytest.mark.parametrize("kind", ["open files", "processes"])
def test_two_names_of_a_file(kind, locks_of, tmp_path):
    """A look by another name of the file of locks, as of a folded case, releases nothing."""
    locks_of(kind)
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert locks.acquire(one / "x")
    (other / byte_locks.FILE).hardlink_to(one / byte_locks.FILE)
    assert locks.is_held(other / "x")
    assert not locks.acquire(other / "x")
    assert not locks.is_held(other / "y")
    assert locks.acquire(other / "y")
    locks.release(other / "y")
    ask = f"print(locks.acquire(Path({str(one / 'x')!r})))"
    code = USE(f"byte_locks.{KINDS[kind].__name__}") + ask
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True, timeout=SECONDS) == "False\n"  # noqa: S603
    locks.release(other / "x")
    assert locks.is_held(one / "x") is False


class TestDatabases:
    """What only SQLite's locks have to care about."""

    @pytest.fixture(autouse=True)
    def _databases(self, locks_of):
        locks_of("databases")

    def test_looking_on(self, job):
        """Who only looks, at the same moment, keeps nobody from taking the lock."""
        ended = threading.Event()

        def look() -> None:
            asking = database_locks.DatabaseLocks()
            while not ended.is_set():
                asking.is_held(job)

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                assert locks.acquire(job)
                locks.release(job)
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def test_files(self, job, monkeypatch):
        """They are empty, private, and deleted where that takes them from nobody."""
        directory = job.parent / database_locks.DIRECTORY
        assert locks.acquire(job)
        (file,) = directory.iterdir()
        assert file.stat().st_size == 0
        assert directory.stat().st_mode & 0o777 == 0o700
        locks.release(job)
        assert [*directory.iterdir()] == [file]
        assert locks.acquire(job)
        monkeypatch.setattr(database_locks, "_DELETES", True)
        locks.release(job)
        assert [*directory.iterdir()] == []

    @pytest.mark.parametrize("existing", [False, True])
    def test_read_only(self, job, monkeypatch, existing):
        """Nothing to take, as with other kinds."""

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        if existing:
            (job.parent / database_locks.DIRECTORY).mkdir()
            monkeypatch.setattr(os, "access", lambda *_: False)
            monkeypatch.setattr("sqlite3.connect", self._failing("unable to open database file"))
        else:
            monkeypatch.setattr("pathlib.Path.mkdir", refuse)
        with pytest.raises(locks.ReadOnlyError):
            locks.acquire(job)

    def test_other_errors(self, job, monkeypatch):
        """They pass, perhaps; nobody knows who has the lock."""
        assert locks.acquire(job)
        locks.release(job)
        monkeypatch.setattr("sqlite3.connect", self._failing("disk I/O error"))
        with pytest.raises(OSError, match=r"disk I/O error.*x") as caught:
            locks.acquire(job)
        assert not isinstance(caught.value, locks.ReadOnlyError)
        assert locks.is_held(job) is None

    def test_damaged_file(self, job):
        """Something else in its place locks nothing."""
        assert locks.acquire(job)
        locks.release(job)
        (job.parent / database_locks.DIRECTORY / job.name).write_bytes(b"?" * 5000)
        with pytest.raises(OSError, match="not a database"):
            locks.acquire(job)
        assert locks.is_held(job) is None

    def test_appending(self, job, monkeypatch):
        """One at a time: there, what two append at once is not kept in order."""
        file = job.with_name("ids")
        with locks.appending(file):
            monkeypatch.setattr(database_locks, "_APPEND_SECONDS", 0.01)
            with pytest.raises(OSError, match="others have been appending"), locks.appending(file):
                pass
            assert in_another_process(file, "acquire", "databases") == "False"
        with locks.appending(file):
            pass

    @staticmethod
    def _failing(message: str):
        def fail(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError(message)

        return fail


def test_no_locks(tmp_path, job, monkeypatch):
    """A file system that has none: an error, and nothing is held."""

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.fcntl", refuse)
        with pytest.raises(OSError, match="not supported"):
            locks.acquire(job)
    assert num_descriptors(tmp_path) == 0
    assert locks.acquire(job)
    assert [path.name for path in tmp_path.iterdir()] == [byte_locks.FILE]


def test_file_of_locks_is_deleted(tmp_path, job):
    """What is held stays held in this process; the others notice nothing of it."""
    assert locks.acquire(job)
    (tmp_path / byte_locks.FILE).unlink()
    other = job.with_name("y")
    assert locks.acquire(other)
    assert not locks.acquire(job)
    assert in_another_process(other, "is_held") == "True"
    locks.release(job)
    locks.release(other)
    assert locks.is_held(job) is False


def test_many(tmp_path):
    """With one file descriptor."""
    jobs = [tmp_path / str(number) for number in range(2000)]
    assert all(map(locks.acquire, jobs))
    assert num_descriptors(tmp_path) == 1
    assert all(map(locks.is_held, jobs))
    for job in jobs:
        locks.release(job)
    assert num_descriptors(tmp_path) == 0
