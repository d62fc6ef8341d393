"""The command `aqt-fast run`: circuits from files, at the local server and offline."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from aqt_fast.cli.main import main
from click.testing import CliRunner, Result
from waiting import SECONDS, wait_until

# Commands find the server.
pytestmark = pytest.mark.usefixtures("environment")

VERSION_2 = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
x q[0];
measure q -> c;
"""
VERSION_3 = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
x q[1];
c = measure q;
"""
OFFLINE = ("--backend", "offline_simulator_no_noise")
CLOUD = ("--backend", "simulator_ideal", "--workspace", "default")


def invoke(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    """One in each version of OpenQASM."""
    paths = tmp_path / "first.qasm", tmp_path / "second.qasm"
    for path, text in zip(paths, (VERSION_2, VERSION_3), strict=True):
        path.write_text(text)
    return paths


def test_offline(files):
    """Gates of any kind, compiled; the counts of both files."""
    result = invoke(*files, *OFFLINE, "--shots", 7, "--seed", 1)
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[2:] == [
        ["0", "first", "01", "7", "100.0", "%"],
        ["1", "second", "10", "7", "100.0", "%"],
    ]


def test_cloud(server, files, tmp_path):
    """One job, which the list has."""
    output = tmp_path / "counts.csv"
    arguments = ("--label", "scan", "--tag", "a", "--tag", "b", "--format", "csv")
    result = invoke(*files, *CLOUD, *arguments, "--output", output)
    assert (result.exit_code, result.stdout) == (0, "")
    (job,) = server.jobs
    assert result.stderr == f"aqt-fast: job {job.job_id}\n"
    assert output.read_text().startswith("circuit,name,outcome,count\n0,first,")
    listed = CliRunner().invoke(main, ["jobs", "--label", "scan", "--tag", "b", "--json"])
    (row,) = json.loads(listed.stdout)
    assert (row["job_id"], row["state"], row["shots"]) == (job.job_id, "done", 100)


def test_no_wait(server, files):
    """The portal has it, and the command ends."""
    server.hold()
    result = invoke(*files, *CLOUD, "--no-wait")
    (job,) = server.jobs
    assert (result.exit_code, result.stdout) == (0, f"{job.job_id}\n")
    server.release()
    waited = CliRunner().invoke(main, ["jobs", "wait", job.job_id])
    assert waited.stdout == f"{job.job_id}  done\n"


def test_failed(server, files):
    """The reason."""
    server.fail_jobs("the ions have left")
    result = invoke(*files, *CLOUD)
    assert result.exit_code == 1
    assert "the ions have left" in result.stderr


@pytest.mark.parametrize("no_wait", [[], ["--no-wait"]])
def test_refused(server, files, no_wait):
    """Nothing runs."""
    server.faults.next("401", method="POST")
    result = invoke(*files, *CLOUD, *no_wait)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "token" in result.stderr
    assert len(server.jobs) == 0


def test_not_online(server, files):
    """Nothing is sent if that is wanted."""
    result = invoke(*files, "--backend", "rowan", "--require-online")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "rowan is in maintenance" in result.stderr
    assert len(server.jobs) == 0


def test_bad_input(files, tmp_path):
    """What cannot run is named by its file; nothing is sent."""
    bad = tmp_path / "bad.qasm"
    for text, message in (
        ("nonsense", "bad.qasm is not OpenQASM 2"),
        (VERSION_2.replace("measure q -> c;", ""), f"circuit '{bad}': no measurement"),
    ):
        bad.write_text(text)
        result = invoke(files[0], bad, *CLOUD)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr
    result = invoke(files[0], "--backend", "oak")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no backend fits; there are:" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [*OFFLINE, "--shots", "0"],
        [*OFFLINE, "--format", "xml"],
        [*OFFLINE, "--optimization-level", "4"],
        [*OFFLINE, "--no-wait"],
        [*CLOUD, "--seed", "1"],
        [],
    ],
)
def test_usage(files, arguments):
    """Mistakes have exit code 2."""
    assert invoke(*files, *arguments).exit_code == 2
    assert invoke(*OFFLINE).exit_code == 2
    assert invoke(files[0].with_name("none.qasm"), *OFFLINE).exit_code == 2


def test_interrupt(server, files):
    """The advice names the job, which goes on."""
    server.hold()
    command = [sys.executable, "-m", "aqt_fast", "run", str(files[0]), *CLOUD]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert first == f"aqt-fast: job {server.jobs[0].job_id}\n"
    assert "aqt-fast: to wait again: aqt-fast jobs result --format table " in err
    assert "Traceback" not in err
    name = err.split()[-1]
    server.release()
    wait_until(lambda: server.jobs[0].status == "finished")
    assert CliRunner().invoke(main, ["jobs", "wait", name]).exit_code == 0
