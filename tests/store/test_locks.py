"""Locks that others can look at."""

from __future__ import annotations

import fcntl
import os

import pytest
from aqt_fast.store import locks


@pytest.fixture
def file(tmp_path):
    """What is locked."""
    file = tmp_path / "x"
    file.write_bytes(b"")
    return file


@pytest.fixture
def opened(file):
    """The file, opened as often as it takes."""
    descriptors = []

    def open_file(flags: int = os.O_RDWR) -> int:
        descriptors.append(os.open(file, flags))
        return descriptors[-1]

    yield open_file
    for descriptor in descriptors:
        os.close(descriptor)


def test_one_holder(file, opened):
    """Until the file is closed."""
    first = os.open(file, os.O_RDWR)
    assert locks.is_held(file) is False
    locks.acquire(first)
    assert locks.is_held(file) is True
    second = opened()
    with pytest.raises(BlockingIOError):
        locks.acquire(second)
    os.close(first)
    assert locks.is_held(file) is False
    locks.acquire(second)
    assert locks.is_held(file) is True


def test_read_only(file, opened):
    """Who can only read can hold the lock, and be seen."""
    locks.acquire(opened(os.O_RDONLY))
    assert locks.is_held(file)


def test_lock_is_flock(file, opened):
    """Other programs can see it."""
    locks.acquire(opened())
    with file.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_looking_on_takes_nothing(file, opened, monkeypatch):
    """While somebody looks, somebody else takes the lock, and gets it."""
    really, taken = os.close, []

    def taking(descriptor: int) -> None:
        monkeypatch.setattr(os, "close", really)
        locks.acquire(opened())
        taken.append(descriptor)
        really(descriptor)

    monkeypatch.setattr(os, "close", taking)
    assert locks.is_held(file) is False
    assert len(taken) == 1
    assert locks.is_held(file) is True


def test_system_without_the_second_lock(file, opened, monkeypatch):
    """The file is locked all the same; who holds it is not known."""

    def refuse(*_arguments: object) -> bytes:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(locks.fcntl, "fcntl", refuse)
    locks.acquire(opened())
    assert locks.is_held(file) is None
    with pytest.raises(BlockingIOError):
        locks.acquire(opened())


def test_no_file(tmp_path):
    """Nobody can tell."""
    assert locks.is_held(tmp_path / "none") is None
