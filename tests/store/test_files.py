"""Private files: there as a whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest
from aqt_fast._files import (
    flush,
    flush_data,
    make_directory,
    open_file,
    opened,
    patiently,
    read_at,
    read_file,
    remove_stale,
    write_at,
    write_file,
)
from waiting import num_descriptors


def mode(path) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("flushed", [True, False])
def test_private(tmp_path, flushed):
    """For their owner alone, whatever the user's mask says."""
    mask = os.umask(0)
    try:
        make_directory(tmp_path / "a" / "b")
        make_directory(tmp_path / "a" / "b")
        write_file(tmp_path / "a" / "b" / "x", b"new", flushed=flushed)
    finally:
        os.umask(mask)
    assert mode(tmp_path / "a" / "b") == 0o700
    assert mode(tmp_path / "a" / "b" / "x") == 0o600
    flush(tmp_path / "a" / "b" / "x")
    flush(tmp_path / "a" / "b")


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_failure(tmp_path, monkeypatch, failing):
    """The older file stays, and no temporary one does."""
    file = tmp_path / "x"
    write_file(file, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, full)
    with pytest.raises(OSError, match="No space left"):
        write_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_stale(tmp_path):
    """What an interrupted writer has left is deleted an hour later, and nothing else."""
    names = ["x", ".x", "x.tmp", ".a.tmp", ".b.tmp"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / ".b.tmp")
    remove_stale(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({*names} - {".a.tmp"})
    remove_stale(tmp_path / "x")
    remove_stale(tmp_path / "none")


def test_only_files_are_read(tmp_path):
    """Nothing waits for whoever writes to a pipe."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    for name, reason in (("pipe", "not a file"), ("link", "nothing"), (".", "not a file")):
        with pytest.raises(OSError, match=reason):
            read_file(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none")
    (tmp_path / "x").write_bytes(b"ab")
    assert read_file(tmp_path / "x") == b"ab"


@pytest.mark.parametrize("system", ["this", "macOS", "Windows"])
def test_in_place(tmp_path, monkeypatch, system):
    """Read, written and flushed anywhere, with what each system has."""
    missing = {"this": [], "macOS": ["fdatasync"], "Windows": ["fdatasync", "pread", "pwrite"]}
    for name in missing[system]:
        monkeypatch.delattr(os, name, raising=False)
    path = tmp_path / "x"
    with opened(path, os.O_RDWR | os.O_CREAT) as file:
        write_at(file, b"abc\ndef", 0)
        write_at(file, b"", 100)
        write_at(file, b"XY", 2)
        flush_data(file)
        assert read_at(file, 4, 1) == b"bXYd"
        assert read_at(file, 4, 6) == b"f"
    assert path.read_bytes() == b"abXYdef"
    assert mode(path) == 0o600


@pytest.mark.parametrize("refused", [False, True])
def test_disks_with_a_memory(tmp_path, monkeypatch, refused):
    """On macOS only F_FULLFSYNC empties it, and not every file system has that."""
    done = []

    def full(_descriptor: int, command: int) -> int:
        done.append(command)
        if refused:
            raise OSError(45, "Operation not supported")
        return 0

    monkeypatch.delattr(os, "fdatasync", raising=False)
    monkeypatch.setattr("fcntl.F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr("fcntl.fcntl", full)
    monkeypatch.setattr(os, "fsync", lambda _: done.append("fsync"))
    write_file(tmp_path / "x", b"new")
    flush(tmp_path)
    with opened(tmp_path / "x", os.O_RDWR) as file:
        flush_data(file)
    assert done == ([51, "fsync"] if refused else [51]) * 3


def test_flushing_on_windows(tmp_path, monkeypatch):
    """It opens no directory, and flushes what is open for writing only."""
    asked = []
    really = os.open

    def recorded(path, flags, *mode):
        asked.append((path, flags & os.O_RDWR))
        return really(path, flags, *mode)

    (tmp_path / "x").write_bytes(b"")
    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "open", recorded)
    flush(tmp_path / "x")
    flush(tmp_path)
    assert asked == [(tmp_path / "x", os.O_RDWR)]


class TestInUse:
    """Windows refuses to replace or delete what another process has open."""

    @staticmethod
    def refusing(number: int, code: int | None):
        """An action that is refused a number of times; it tells how often it was called."""
        calls = []

        def act() -> None:
            calls.append(None)
            if len(calls) <= number:
                error = PermissionError(13, "Permission denied")
                if code is not None:
                    error.winerror = code
                raise error

        return act, calls

    @pytest.mark.parametrize("code", [5, 32])
    def test_for_a_moment(self, monkeypatch, code):
        """It is tried again."""
        pauses = []
        monkeypatch.setattr("time.sleep", pauses.append)
        act, calls = self.refusing(3, code)
        patiently(act)
        assert len(calls) == 4
        assert pauses == sorted(pauses)
        assert len(pauses) == 3

    def test_for_long(self, monkeypatch):
        """It fails after about a second."""
        pauses = []
        monkeypatch.setattr("time.sleep", pauses.append)
        act, _ = self.refusing(1000, 32)
        with pytest.raises(PermissionError):
            patiently(act)
        assert 1 <= sum(pauses) <= 2

    @pytest.mark.parametrize("code", [None, 19])
    def test_other_reasons(self, code):
        """What is forbidden stays so."""
        act, calls = self.refusing(1, code)
        with pytest.raises(PermissionError):
            patiently(act)
        assert len(calls) == 1


def test_full_in_place(tmp_path, monkeypatch):
    """What is written in part only has failed."""
    monkeypatch.setattr(os, "pwrite", lambda _file, data, _offset: len(data) - 1)
    with (
        opened(tmp_path / "x", os.O_RDWR | os.O_CREAT) as file,
        pytest.raises(OSError, match="the disk is full"),
    ):
        write_at(file, b"abc", 0)


def test_links(tmp_path):
    """Nothing is written where a link leads to; reading follows it."""
    (tmp_path / "x").write_bytes(b"ab")
    (tmp_path / "link").symlink_to("x")
    assert read_file(tmp_path / "link") == b"ab"
    for flags in (os.O_RDWR, os.O_WRONLY | os.O_APPEND | os.O_CREAT):
        with pytest.raises(OSError, match="symbolic link"):
            open_file(tmp_path / "link", flags)


def test_binary(tmp_path, monkeypatch):
    """Windows translates line ends of files that are not opened as binary ones."""
    asked = []
    monkeypatch.setattr(os, "O_BINARY", 1 << 40, raising=False)
    monkeypatch.setattr(os, "open", lambda _path, flags, _mode: asked.append(flags) or os.dup(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stat.S_ISREG", lambda _: True)
        os.close(open_file(tmp_path / "x"))
    assert asked[0] & (1 << 40)


@pytest.mark.parametrize("failing", ["fstat", "S_ISREG"])
def test_failed_opening(tmp_path, monkeypatch, failing):
    """No descriptor stays open."""
    (tmp_path / "x").write_bytes(b"")

    def fail(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(f"os.{failing}" if failing == "fstat" else f"stat.{failing}", fail)
    with pytest.raises(OSError, match="Input/output"):
        open_file(tmp_path / "x")
    monkeypatch.undo()
    assert num_descriptors(tmp_path) == 0
