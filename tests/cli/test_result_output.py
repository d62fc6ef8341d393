"""Where commands write results: files by their endings, devices and pipes; checked first."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from aqt_fast.cli.main import main
from click.testing import CliRunner, Result

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def job(device, circuit):
    """One that has its result."""
    job = device.run(circuit, shots=7, label="written")
    assert job.result().success
    return job


def invoke(*arguments: object) -> Result:
    """Write its result."""
    return CliRunner().invoke(main, ["jobs", "result", "written", *map(str, arguments)])


@pytest.mark.usefixtures("job")
def test_endings(tmp_path):
    """The ending chooses the format, unless there is another word."""
    for name in ("a.csv", "b.npz", "c.json", "d.txt", "e"):
        result = invoke("--output", tmp_path / name)
        assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "a.csv").read_text().startswith("circuit,name,outcome,count\n")
    with np.load(tmp_path / "b.npz") as arrays:
        assert arrays["count"].tolist() == [7]
    assert json.loads((tmp_path / "c.json").read_text())["success"]
    assert (tmp_path / "d.txt").read_text().split()[0] == "Circuit"
    assert json.loads((tmp_path / "e").read_text())["success"]
    assert invoke("--output", tmp_path / "f.csv", "--format", "json").exit_code == 0
    assert json.loads((tmp_path / "f.csv").read_text())["success"]
    assert sorted(path.name for path in tmp_path.iterdir() if "." in path.name) == [
        *("a.csv", "b.npz", "c.json", "d.txt", "f.csv")
    ]


@pytest.mark.parametrize("name", ["missing/x.csv", "."])
def test_nothing_is_sent(server, tmp_path, name):
    """If the file cannot be written, no job is run."""
    path = tmp_path / "x.qasm"
    path.write_text('OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; measure q -> c;')
    arguments = [path, "--backend", "simulator_ideal", "--workspace", "default"]
    output = ["--output", tmp_path / name]
    result = CliRunner().invoke(main, ["run", *map(str, [*arguments, *output])])
    assert result.exit_code == 2
    assert "cannot write" in result.stderr
    assert server.jobs == []


def test_a_result_that_does_not_come(server, device, circuit, tmp_path):
    """The file stays as it was, and nothing is left beside it."""
    path = tmp_path / "kept" / "x.csv"
    path.parent.mkdir()
    path.write_text("before")
    server.hold()
    device.run(circuit, label="written").job_id()
    assert invoke("--output", path, "--timeout", 0).exit_code == 124
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.usefixtures("job")
def test_pipe(tmp_path):
    """It is written to, and stays a pipe."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    read: list[str] = []
    thread = threading.Thread(target=lambda: read.append(path.read_text()))
    thread.start()
    assert invoke("--output", path).exit_code == 0
    thread.join()
    assert read[0].startswith("circuit,")
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="the system has no full device")
@pytest.mark.usefixtures("job")
def test_full():
    """The advice says where the result still is."""
    result = invoke("--output", "/dev/full")
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert "aqt-fast jobs result written" in result.stderr


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the system has no /dev/fd")
@pytest.mark.usefixtures("job")
def test_open_file(tmp_path):
    """It is written to where it is, whatever its path, and stays the same file."""
    path = tmp_path / "open.txt"
    with path.open("wb", buffering=0) as file:
        link = tmp_path / "link"
        link.symlink_to(f"/dev/fd/{file.fileno()}")
        file.write(b"first\n")
        for output in (f"/dev/fd/{file.fileno()}", link):
            assert invoke("--output", output, "--format", "csv").exit_code == 0
        file.write(b"last\n")
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("first", "last")
    assert lines.count("circuit,name,outcome,count") == 2
    assert invoke("--output", f"/dev/fd/{file_limit()}").exit_code == 2
    with path.open("rb") as file:
        assert invoke("--output", f"/dev/fd/{file.fileno()}").exit_code == 2
    assert path.read_text().splitlines() == lines


def file_limit() -> int:
    """Return a number that no open file has."""
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


@pytest.mark.skipif(os.name != "posix", reason="the system has no such modes")
@pytest.mark.usefixtures("job")
def test_mode_and_longest_name(tmp_path):
    """A file keeps its mode, and may have the longest name that there is."""
    path = tmp_path / f"{'x' * 251}.csv"
    path.touch(0o600)
    assert invoke("--output", path).exit_code == 0
    assert path.read_text().startswith("circuit,")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
