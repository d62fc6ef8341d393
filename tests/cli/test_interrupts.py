"""Ctrl-C: a line on standard error, and the exit code 130."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from aqt_fast import AQTProvider
from aqt_fast.cli.main import main
from click.testing import CliRunner
from waiting import SECONDS


@pytest.mark.usefixtures("environment")
def test_while_waiting(server, circuit, monkeypatch):
    """The advice names the job, which goes on."""
    server.hold()
    with AQTProvider(server.token, load_dotenv=False) as provider:
        job = provider.get_backend("simulator_ideal").run(circuit)
        name = job.job_id()
    polled = threading.Event()
    decide = server.faults.decide

    def note(method: str, path: str):
        polled.set()
        return decide(method, path)

    monkeypatch.setattr(server.faults, "decide", note)
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "aqt_fast", "jobs", "result", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert polled.wait(SECONDS)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == ""
    assert err.split("\n")[-3:] == [
        "aqt-fast: interrupted",
        f"aqt-fast: to wait again: aqt-fast jobs result {name}",
        "",
    ]
    assert "Traceback" not in err
    assert "Aborted" not in err


UUID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        *(
            ("aqt_fast.provider.jobs_table.list_jobs", ["jobs", *command.split()])
            for command in (
                "", "list", "show x", "wait x", "cancel x", "resubmit x", f"adopt x y {UUID}",
                "remove x", "prune --older-than 1d",
            )
        ),
        ("aqt_fast.aqt_provider.AQTProvider.__init__", ["backends"]),
        ("aqt_fast.aqt_provider.AQTProvider.__init__", ["backends", "ibex"]),
        ("aqt_fast.aqt_provider.AQTProvider.__init__", ["log-in"]),
        ("aqt_fast.login.tokens.TokenStore.remove", ["log-out"]),
        ("aqt_fast.provider.access.Access.__init__", ["whoami"]),
        ("aqt_fast.cli.circuit_files.load_circuit", ["estimate", __file__, "--backend", "x"]),
        ("aqt_fast.cli.circuit_files.load_circuit", ["run", __file__, "--backend", "x"]),
    ],
)  # fmt: skip
def test_anywhere(monkeypatch, place, arguments):
    """In any command."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, interrupt)
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.startswith("\naqt-fast: interrupted\n")


def test_demo(monkeypatch):
    """Its job ends with its server: the job's advice on how to go on is left out."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("the job goes on")

    monkeypatch.setattr("aqt_fast.cli.demo.run_demo", interrupt)
    result = CliRunner().invoke(main, ["demo"])
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "\naqt-fast: interrupted\n"


@pytest.mark.parametrize("interrupt", [True, False])
def test_while_asking(backend, circuit, interrupt):
    """The end of the input is no interrupt. Nothing is removed."""
    job = backend.run(circuit)
    path = job.persist()
    (path / "job.json").write_text("{}")
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "aqt_fast", "jobs", "remove", job.job_id()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            asked = ""
            while not asked.endswith("[y/N]: "):
                character = process.stderr.read(1)
                assert character, asked
                asked += character
            while interrupt and process.poll() is None:
                # One that comes before the program reads does not end its reading.
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(1)
            _, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == (130 if interrupt else 1)
    assert err.strip() == f"aqt-fast: {'interrupted' if interrupt else 'nothing was done'}"
    assert path.exists()
