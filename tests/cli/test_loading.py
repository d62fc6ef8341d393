"""The list of jobs loads neither Qiskit nor numpy, which would take most of its time."""

from __future__ import annotations

import subprocess
import sys

import pytest
from aqt_fast.store.job_store import get_store_path
from store.samples import new_journal

SCRIPT = """
import sys
from aqt_fast.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(end.code, sorted({"qiskit", "qiskit_aer", "numpy", "httpx", "tqdm"} & {*sys.modules}))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ``aqt-fast jobs`` in a new process, and print what it has loaded."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", SCRIPT, "jobs", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.mark.usefixtures("environment")
def test_jobs(server, device, circuit):
    """The jobs are listed, shown and removed all the same."""
    device.run(circuit, label="phase").result()
    name = server.jobs[0].job_id
    for arguments in (
        [], ["--json"], ["--label", "ph", "--since", "1d", "--limit", "3"], ["show", name],
        ["show", name, "--json"], ["prune", "--older-than", "0s", "--dry-run", "--all"],
    ):  # fmt: skip
        result = run(*arguments)
        assert name[:8] in result.stdout
        assert result.stdout.endswith("0 []\n")
        assert result.stderr == ""
    assert run("remove", "--yes", name).stdout == f"{name}\n0 []\n"
    empty = run()
    assert (empty.stdout, empty.stderr) == ("0 []\n", f"aqt-fast: no jobs in {get_store_path()}\n")


def test_store_of_a_dotenv_file(backend, circuit, tmp_path, monkeypatch):
    """Where the jobs are is read as the provider reads it."""
    job = backend.run(circuit)
    job.persist(store_path=tmp_path / "here")
    (tmp_path / ".env").write_text(f"AQT_STORE_PATH={tmp_path / 'here'}\n")
    monkeypatch.chdir(tmp_path)
    assert job.job_id()[:8] in run().stdout
    assert job.job_id() in run("show", job.job_id()).stdout


@pytest.mark.parametrize("arguments", [["show", "xyz"], ["result", "xyz"], ["remove", "xyz"]])
def test_unknown_job(arguments, tmp_path):
    """One line, without a warning of a missing token."""
    result = run(*arguments, "--store", str(tmp_path))
    assert result.stdout == "1 []\n"
    assert result.stderr == f"aqt-fast: no job 'xyz' in {tmp_path}\n"


def test_list_of_many(tmp_path, figures):
    """The list of 500 jobs, by ``list`` as without it; what that costs in CPU time is printed."""
    resource = pytest.importorskip("resource")
    for _ in range(500):
        new_journal(tmp_path).close()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run("list", "--store", str(tmp_path))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert result.stdout.endswith("0 []\n")
    assert result.stdout.count("incomplete") == 500
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures("list of 500 jobs", seconds_of_CPU=round(seconds, 2))


def test_reader_has_enough(tmp_path):
    """As ``aqt-fast jobs | head -1``: nothing on standard error."""
    for _ in range(3):
        new_journal(tmp_path).close()
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "aqt_fast", "jobs", "--store", str(tmp_path), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
