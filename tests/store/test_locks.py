"""Locks of jobs that others can look at."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest
from aqt_fast.store import locks
from waiting import SECONDS, num_descriptors, wait_until


@pytest.fixture
def job(tmp_path):
    """The directory of a job, which need not exist."""
    job = tmp_path / "x"
    yield job
    locks.release(job)


def in_another_process(job, call: str) -> str:
    """What a call says there."""
    code = (
        "import sys; from pathlib import Path; from aqt_fast.store import locks; "
        f"print(locks.{call}(Path(sys.argv[1])))"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(job)],
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    return run.stdout.strip()


def test_one_holder(job):
    """Until it is given back, by one process or by none."""
    other = job.with_name("y")
    assert locks.is_held(job) is False
    assert locks.acquire(job)
    assert not locks.acquire(job)
    assert locks.is_held(job) is True
    assert locks.is_held(other) is False
    assert in_another_process(job, "is_held") == "True"
    assert in_another_process(job, "acquire") == "False"
    assert in_another_process(other, "acquire") == "True"  # and its end gives it back
    assert locks.is_held(other) is False
    assert locks.acquire(other)
    locks.release(other)
    locks.release(other)
    assert locks.is_held(job) is True
    locks.release(job)
    assert in_another_process(job, "is_held") == "False"
    assert locks.acquire(job)


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
    (tmp_path / locks.FILE).write_bytes(b"")
    holder = os.open(tmp_path / locks.FILE, os.O_RDWR)
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


def test_fork(job):
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
    assert in_another_process(job, "acquire") == "False"
    locks.release(job)
    assert in_another_process(job, "acquire") == "True"
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
import multiprocessing, os, subprocess, sys, time
from pathlib import Path
from aqt_fast.store import locks

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
    "way", ["fork", "multiprocessing", "posix_spawn", "subprocess", "preexec_fn"]
)
def test_killed_parent(job, way):
    """The lock ends with its holder: a child that lives on does not keep it."""
    holder = subprocess.Popen(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", HOLDER, str(job), way],
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


def test_system_without_locks_of_open_files(job, monkeypatch):
    """The job is locked all the same; whether another process holds it is not known."""

    def refuse(*_arguments: object) -> bytes:
        raise OSError(22, "Invalid argument")

    with monkeypatch.context() as patch:
        patch.setattr(locks.fcntl, "fcntl", refuse)
        assert locks.is_held(job) is False
        assert locks.acquire(job)
        assert locks.is_held(job) is True
        other = job.with_name("y")
        assert locks.is_held(other) is None
        assert locks.acquire(other)
        locks.release(other)
        assert in_another_process(job, "acquire") == "False"
        locks.release(job)
    assert in_another_process(job, "acquire") == "True"


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
    assert [path.name for path in tmp_path.iterdir()] == [locks.FILE]


def test_file_of_locks_is_deleted(tmp_path, job):
    """What is held stays held in this process; the others notice nothing of it."""
    assert locks.acquire(job)
    (tmp_path / locks.FILE).unlink()
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
