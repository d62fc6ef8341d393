"""Jobs on systems that lack what Linux has: offline, in the cloud, killed and restored."""

from __future__ import annotations

import json
import signal

import httpx
import pytest
from aqt_fast.testing import ArnicaServer
from portability.systems import SYSTEMS, run, start
from waiting import SECONDS, wait_until

API_JOBS = 2

LOCKS = {"macOS": "ProcessLocks", "Windows": "DatabaseLocks"}

CLIENT = """
import json, time
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.exceptions import JournalError
from workloads import marker

CIRCUITS = [marker(f"{number:06b}") for number in range(60)]
COUNTS = [{f"{number:06b}": 7} for number in range(60)]
provider = AQTProvider(load_dotenv=False)
device = provider.get_backend("simulator_ideal")
device.set_options(query_period_seconds=0.1, with_progress_bar=False, shots=7)

def say(*values):
    print(json.dumps(values), flush=True)

def told():
    return input()
"""
"""The beginning of what each client does."""

FIRST = """
with AQTProvider("", load_dotenv=False) as alone:
    offline = alone.get_backend("offline_simulator_no_noise")
    job = offline.run(CIRCUITS[:3], shots=7, with_progress_bar=False)
    say(job.result().get_counts() == COUNTS[:3])
    job.persist()
    say(AQTJob.restore(job.job_id(), provider=alone).result().get_counts() == COUNTS[:3])
say(device.run(CIRCUITS, label="done").result().get_counts() == COUNTS)
told()
say(device.run(CIRCUITS, label="to restore").job_id())
told()
"""
"""Runs a job offline, one in the cloud, and submits one; and is killed."""

LATER = """
job_id = told()
row = provider.jobs().find(job_id)
say(row.active)
if row.active:
    try:
        row.remove()
    except JournalError as error:
        say(str(error))
    told()
job = AQTJob.restore(job_id)
job.wait_for_final_state()
say(job.error_message)
told()
again = None
while again is None:
    try:
        again = AQTJob.restore(job_id).resubmit_failed()
    except JournalError:  # the other one works on it at this moment
        time.sleep(0.01)
say(again)
told()
job = AQTJob.restore(job_id)
say(job.result().get_counts() == COUNTS)
told()
"""
"""Restores a job, and resubmits what has failed when it is told to."""


LIST = """
from aqt_fast.cli.main import main
main(["jobs"])
"""
"""Lists the jobs of the store."""


class Client:
    """A process on a system, which is killed at the end."""

    def __init__(self, system: str, script: str) -> None:
        """Start it."""
        self._process = start(system, CLIENT + script)

    def __enter__(self):
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            pipe.close()

    def tell(self, text: str = "") -> None:
        """Let it go on."""
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def said(self) -> object:
        """What it says next."""
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        (value,) = json.loads(line)
        return value

    def kill(self) -> None:
        """End it at once, without any last words."""
        self._process.kill()
        self._process.wait(SECONDS)


@pytest.fixture(params=SYSTEMS)
def system(request) -> str:
    """A system that is not this one."""
    return request.param


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server that clients find. They have a store of their own."""
    with ArnicaServer(simulate=False) as server:
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        monkeypatch.setenv("AQT_TOKEN", server.token)
        monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "jobs"))
        yield server


def test_locks(system):
    """Each system has its own."""
    code = "from aqt_fast.store import locks; print(type(locks.of_system()).__name__)"
    assert run(system, code) == f"{LOCKS[system]}\n"


def test_jobs(system, server, tmp_path):
    """Offline; in the cloud; killed, restored, and fought for: each part has run once."""
    with Client(system, FIRST) as first, Client(system, LATER) as one, Client(system, LATER) as two:
        assert first.said() is True  # offline
        assert first.said() is True  # saved, loaded and deleted
        assert first.said() is True  # in the cloud
        assert len(server.jobs) == API_JOBS
        server.hold()
        first.tell()
        job_id = first.said()
        events = tmp_path / "jobs" / job_id / "events"
        wait_until(lambda: events.read_bytes().count(b'"accepted"') == API_JOBS)

        one.tell(job_id)
        assert one.said() is True  # the first one works on it
        assert "is being worked on" in one.said()
        first.kill()
        two.tell(job_id)
        assert two.said() is False

        one.tell()
        server.fail_jobs("hot")
        server.release()
        assert ("hot" in one.said(), "hot" in two.said()) == (True, True)
        one.tell()
        two.tell()
        assert one.said() + two.said() == 1
        wait_until(lambda: len(server.jobs) == 2 * API_JOBS + 1)
        for client in (one, two):
            client.tell()
            assert client.said() is True
        assert (tmp_path / "jobs" / job_id / "job.json").exists()
    assert "to restore" in run(system, LIST)
    labels = sorted(record.label for record in server.jobs[API_JOBS:])
    assert len(labels) == API_JOBS + 1  # each once, but for the one that had failed
    assert [label.endswith("(again 1)") for label in labels].count(True) == 1


SERVER = """
import sys
sys.argv = ["aqt-fast", "serve", "--port", "0", "--no-simulate", *sys.argv[1:]]
from aqt_fast.cli.main import main
main()
"""


@pytest.mark.parametrize("way", ["end of input", "Ctrl-C"])
def test_server(system, tmp_path, way):
    """It serves, and ends with its record, without signals that can be blocked."""
    record = tmp_path / "record.json"
    options = ["--until-eof"] if way == "end of input" else []
    with start(system, SERVER, "--record", str(record), *options) as process:
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/api/v1/workspaces", trust_env=False).status_code == 401
        if way == "Ctrl-C":
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert json.loads(record.read_bytes())["jobs"] == []
