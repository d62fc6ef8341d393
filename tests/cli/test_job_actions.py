"""The commands `aqt-fast jobs wait`, `cancel`, `resubmit` and `adopt`, at the local server."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest
from aqt_fast.cli import job_actions
from aqt_fast.cli.main import main
from aqt_fast.exceptions import SubmissionUncertainError
from click.testing import CliRunner, Result
from clients import connect
from waiting import wait_until

# Commands find the server.
pytestmark = pytest.mark.usefixtures("environment")

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def invoke(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, ["jobs", *arguments])


def state_of(job_id: str) -> str:
    """The state of a stored job."""
    return json.loads(invoke("show", job_id, "--json").stdout)["state"]


@pytest.fixture
def portal(server):
    """An impatient provider."""
    with connect(server, read_timeout=0.5) as provider:
        yield provider


@pytest.fixture
def cloud(device):
    """The ideal simulator."""
    return device


@pytest.fixture
def held(server, portal, cloud, circuit):
    """A job that the portal has accepted, whose process has ended."""
    server.hold()
    job = cloud.run(circuit, label="held")
    job.job_id()
    portal.close()
    return job


@pytest.fixture
def lost(server, portal, cloud, circuit):
    """A job of which it is unknown whether the portal has it. It has."""
    server.faults.next("reset_after", method="POST")
    job = cloud.run(circuit, label="lost")
    with pytest.raises(SubmissionUncertainError):
        job.result()
    portal.close()
    return job


class TestWait:
    """Until all have ended."""

    def test_done(self, server, held):
        """The state is printed, and the results are stored."""
        threading.Timer(0.3, server.release).start()
        result = invoke("wait", "held")
        assert (result.exit_code, result.stdout) == (0, f"{held.job_id()}  done\n")
        assert state_of("held") == "done"
        # Again, and as the API job of another computer.
        assert invoke("wait", held.job_id(), "held").stdout.count("done") == 2
        assert invoke("wait", held.job_id(), "--store", "nowhere").exit_code == 0

    @pytest.mark.usefixtures("held")
    def test_time_is_over(self, server):
        """A code of its own; the job goes on."""
        result = invoke("wait", "held", "--timeout", "0.1")
        assert (result.exit_code, result.stdout) == (124, "")
        assert "has not ended within" in result.stderr
        assert state_of("held") == "submitted"
        server.release()
        assert invoke("wait", "held", "--timeout", "30").exit_code == 0

    @pytest.mark.usefixtures("held")
    def test_loading_is_not_waiting(self, monkeypatch):
        """The time starts once the jobs are loaded."""
        passed = 0.0

        def load(*arguments, **options):
            nonlocal passed
            passed += 1024
            job = found(*arguments, **options)
            result = job.result
            job.result = lambda left: waited.append(left) or result(left)
            return job

        waited = []
        found = job_actions.Handles.job
        monkeypatch.setattr(job_actions.Handles, "job", load)
        monkeypatch.setattr(job_actions, "time", SimpleNamespace(monotonic=lambda: passed))
        result = invoke("wait", "held", "--timeout", "0.125")
        assert waited == [0.125]
        assert "has not ended within 0.125 s" in result.stderr

    def test_failed(self, server, portal, cloud, circuit):
        """The reason, and the states of all."""
        done = cloud.run(circuit, label="good")
        assert done.result().success
        server.fail_jobs("the ions have left")
        failed = cloud.run(circuit, label="bad")
        failed.result()
        portal.close()
        result = invoke("wait", "bad", "good")
        assert result.exit_code == 1
        assert result.stdout == f"{failed.job_id()}  failed\n{done.job_id()}  done\n"
        assert "the ions have left" in result.stderr

    @pytest.mark.usefixtures("lost")
    def test_uncertain(self):
        """No state, for nobody knows it."""
        result = invoke("wait", "lost")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "uncertain" in result.stderr


class TestCancel:
    """What has not ended."""

    def test_accepted(self, server, held):
        """The store knows at once."""
        result = invoke("cancel", "held")
        assert (result.exit_code, result.stdout) == (0, f"{held.job_id()}\n")
        assert server.jobs[0].status == "cancelled"
        assert state_of("held") == "cancelled"
        again = invoke("cancel", "held")
        assert (again.exit_code, again.stdout) == (0, "")
        assert again.stderr == (
            f"aqt-fast: {held.job_id()} is cancelled: nothing was left to cancel\n"
        )

    def test_of_another_process(self, server, cloud, circuit):
        """Which hears of it."""
        server.hold()
        job = cloud.run(circuit, label="at work")
        result = invoke("cancel", job.job_id())
        assert (result.exit_code, result.stdout, result.stderr) == (0, f"{job.job_id()}\n", "")
        assert not job.result().success
        assert job.cancelled()

    def test_machine(self, server, machine, circuit, monkeypatch):
        """The process that sends the circuits does it."""
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        server.hold()
        job = machine.run([circuit] * 2)
        result = invoke("cancel", job.batch_id)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "only the process that sends its circuits can cancel it" in result.stderr
        assert job.cancel()
        server.release()
        assert not job.result().success

    def test_of_another_computer(self, server, held):
        """By the identifier of an API job."""
        result = invoke("cancel", held.job_id(), "--store", "nowhere")
        assert (result.exit_code, result.stdout) == (0, f"{held.job_id()}\n")
        assert server.jobs[0].status == "cancelled"

    def test_others(self, held, backend, circuit):
        """One that cannot be cancelled, and one that is unknown, stop no other."""
        offline = backend.run(circuit, label="offline")
        offline.persist()
        result = invoke("cancel", "offline", "unknown", "held")
        assert (result.exit_code, result.stdout) == (1, f"{held.job_id()}\n")
        first, second = result.stderr.splitlines()
        assert first.endswith("is saved: nothing was left to cancel")
        assert second.startswith("aqt-fast: no job 'unknown' in")


class TestResubmit:
    """What has failed."""

    def test_failed(self, server, portal, cloud, circuit):
        """It is accepted when the command ends."""
        server.fail_jobs("the ions have left", 2)
        job = cloud.run([circuit] * 60, label="again")
        job.result()
        portal.close()
        result = invoke("resubmit", "again")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "2\n", "")
        assert len(server.jobs) == 4
        assert invoke("wait", "again").exit_code == 0
        result = invoke("resubmit", "again")
        assert (result.exit_code, result.stdout) == (0, "0\n")
        assert result.stderr.endswith("there is nothing to submit again\n")

    @pytest.mark.usefixtures("lost")
    def test_uncertain(self, server):
        """Only if that is wanted."""
        assert invoke("resubmit", "lost").stdout == "0\n"
        assert len(server.jobs) == 1
        assert invoke("resubmit", "lost", "--uncertain").stdout == "1\n"
        assert len(server.jobs) == 2

    def test_refused(self, server, portal, cloud, circuit):
        """The reason."""
        server.fail_jobs("the ions have left")
        cloud.run(circuit, label="refused").result()
        portal.close()
        server.faults.next("401", method="POST")
        result = invoke("resubmit", "refused")
        assert (result.exit_code, result.stdout) == (1, "1\n")
        assert "token" in result.stderr

    def test_machine(self, portal, machine, circuit, server, monkeypatch):
        """The command runs it to its end."""
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        server.fail_jobs("the ions have left", 2)
        job = machine.run([circuit] * 2, label="machine")
        job.result()
        portal.close()
        wait_until(lambda: not portal.jobs()[0].active)
        name = job.batch_id
        result = invoke("resubmit", name)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "2\n", "")
        assert state_of(name) == "done"


class TestAdopt:
    """A submission that was accepted, although no answer has come."""

    @pytest.mark.usefixtures("lost")
    def test_adopted(self, server):
        """It is waited for like any other."""
        label, name = server.jobs[0].label, server.jobs[0].job_id
        result = invoke("adopt", "lost", label, name)
        assert (result.exit_code, result.stdout) == (0, f"{name}\n")
        assert result.stderr == "aqt-fast: to wait for it: aqt-fast jobs wait lost\n"
        assert invoke("wait", "lost").exit_code == 0
        assert len(server.jobs) == 1

    @pytest.mark.usefixtures("lost")
    def test_wrong(self, server):
        """No such label; no such identifier; that of another job."""
        label = server.jobs[0].label
        result = invoke("adopt", "lost", "found", UNKNOWN)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "aqt-fast: no uncertain submission has the label 'found'\n"
        result = invoke("adopt", "lost", label, "17")
        assert result.exit_code == 2
        assert "'17' is not a valid UUID" in result.stderr
        assert state_of("lost") == "uncertain"


@pytest.mark.parametrize("command", ["wait", "cancel", "resubmit", "adopt"])
def test_bad_input(command, backend, circuit):
    """Exit codes, and one line."""
    others = ["label", UNKNOWN] if command == "adopt" else []
    assert invoke(command).exit_code == 2
    assert invoke(command, "x", *others, "--gone").exit_code == 2
    assert invoke(command, "--help").exit_code == 0
    unknown = invoke(command, "x", *others)
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("aqt-fast: no job 'x' in")
    assert len(unknown.stderr.splitlines()) == 1
    for _ in range(2):
        backend.run(circuit, label="twice").persist()
    several = invoke(command, "twice", *others)
    assert several.exit_code == 1
    assert "that of one job, and here are" in several.stderr


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("seconds", ["-1", "nan", "inf"])
def test_no_time(seconds):
    """A mistake."""
    assert invoke("wait", "held", "--timeout", seconds).exit_code == 2
