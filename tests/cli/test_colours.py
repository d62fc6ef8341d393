"""Colours of states, in a terminal only."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")

GREEN = "\x1b[32mdone\x1b[0m"


def in_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes into a terminal of 120 columns."""
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "aqt_fast", *arguments],
            check=True,
            stdin=follower,
            stdout=follower,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **environment},
        )
        os.close(follower)
        written = b""
        while True:
            try:
                part = terminal.read(4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            written += part
    return written.decode()


@pytest.mark.usefixtures("environment")
def test_states(device, circuit, monkeypatch):
    """Columns stay where they are."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    job = device.run(circuit, label="phase")
    job.result()
    coloured = in_terminal("jobs")
    assert GREEN in coloured
    for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = in_terminal("jobs", **variable)
        assert "\x1b" not in plain
        assert coloured.replace("\x1b[32m", "").replace("\x1b[0m", "") == plain
    assert in_terminal("jobs", "show", "phase").count(GREEN) == 2
    piped = subprocess.run(
        [sys.executable, "-m", "aqt_fast", "jobs"], check=True, capture_output=True
    )
    assert b"\x1b" not in piped.stdout


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("options", ["", "--json"])
def test_closed_output(device, circuit, options):
    """Nothing is written, and nothing fails."""
    device.run(circuit, label="phase").result()
    command = f"{sys.executable} -m aqt_fast jobs {options} >&-"
    ended = subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True)  # noqa: S603
    assert ended.stderr == b""
