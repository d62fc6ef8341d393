"""A job that a process works on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from aqt_fast.exceptions import (
    JournalError,
)
from aqt_fast.persistence import get_store_path
from provider.jobs_table.only import one
from waiting import SECONDS, wait_until


class TestProcesses:
    """Who works on a job is seen, and not disturbed."""

    @pytest.fixture
    def child(self, portal, cloud, circuit):
        """A process that holds the lock of a job until it reads a line."""
        cloud.run([circuit] * 60).result()
        wait_until(lambda: not one(portal).active)
        script = (
            "import sys; from pathlib import Path; from aqt_fast.store.journal import Journal\n"
            "journal = Journal.load(Path(sys.argv[1]), sys.argv[2])\n"
            "print(journal.own(), flush=True); sys.stdin.readline()"
        )
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", script, str(get_store_path()), one(portal).batch_id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout.readline() == "True\n"
            yield process
            process.kill()

    def test_active(self, portal, child):
        """Until the process ends, however it does; nothing is removed under its hands."""
        row = one(portal)
        assert (row.state, row.active, row.ended) == ("done", True, False)
        assert "done (active)" in str(portal.jobs())
        with pytest.raises(JournalError, match="is being worked on"):
            row.remove()
        assert one(portal).active
        child.kill()
        child.wait(SECONDS)
        row = one(portal)
        assert (row.active, row.ended) == (False, True)
        row.remove()
        assert len(portal.jobs()) == 0

    def test_system_without_the_lock(self, portal, cloud, circuit, monkeypatch):
        """The job is locked all the same; who holds it is not known."""

        def refuse(*_arguments) -> bytes:
            raise OSError(22, "Invalid argument")

        monkeypatch.setattr("fcntl.fcntl", refuse)
        cloud.run(circuit).result()
        row = one(portal)
        assert (row.active, row.state, row.ended) == (None, "done", True)
