"""Some system calls of the store fail: nothing is lost, nothing runs twice, nothing is left."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import failing_calls
import pytest
from failing_store import Ending

STEP = 43
"""Each 43rd of the tries of ``make faults``."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="it needs Linux and cc"
)


def test_failing_calls(tmp_path, figures):
    """In the life of a job, and when it is restored."""
    tries = list(failing_calls.run(tmp_path, step=STEP))
    assert [problem for item in tries for problem in item.problems] == []
    assert len({item.call for item in tries}) > 5
    assert {item.life for item in tries} == {"run", "restore"}
    failed = sum(item.failures > 0 for item in tries)
    assert failed > len(tries) / 2
    figures("system calls of the store", tried=len(tries), failed=failed, lost=0, twice=0, left=0)


def test_problems_are_found(tmp_path, monkeypatch):
    """A record in which something is missing or twice, a result without a warning, a file left."""
    finish = failing_calls.Clients.run

    def run(clients, task) -> Ending:
        ending = finish(clients, task)
        if task.life != "finish":
            return ending
        (path,) = failing_calls.directories(Path(task.store))
        (path / ".x.tmp").write_bytes(b"")
        return replace(ending, right=False, errors=["why"])

    monkeypatch.setattr(failing_calls.Clients, "run", run)
    record = failing_calls.Run.record
    monkeypatch.setattr(
        failing_calls.Run, "record", lambda self, task: (record(self, task) * 2)[1:-1]
    )
    tries = failing_calls.run(tmp_path, step=100, errors=["EIO"])
    told = "\n".join(problem for item in tries for problem in item.problems)
    assert "lost nobody gets its result: ['why']" in told
    assert "was accepted 2 times" in told
    assert ".x.tmp" in told
    missing = failing_calls.missing([], "life 1")
    assert missing[0] == "life 1 [1/5] was never accepted"
