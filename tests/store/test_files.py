"""Private files: there as a whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest
from aqt_fast._files import flush, make_directory, read_file, remove_stale, write_file


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
