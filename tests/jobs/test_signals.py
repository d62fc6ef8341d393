"""Ctrl-C at any moment: journals tell the truth, threads end, and nothing is sent twice."""

from __future__ import annotations

import ast
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import aqt_fast
import pytest
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.exceptions import AQTError, IncompleteBatchError, SubmissionUncertainError
from aqt_fast.jobs.connection import Connection
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of
from markers import markers
from waiting import SECONDS, wait_until

PACKAGE = Path(aqt_fast.__file__).parent
ROOMS = ("_threads.py", "aqt_job.py", "backends", "jobs", "provider", "store")
"""Whose lines are moments: all between a call, the threads, the disk, and the end."""

MOMENTS = 5
"""Number of moments for each thing that is interrupted."""

NUM_CIRCUITS, NUM_API_JOBS = 60, 2


@cache
def heads(file: str) -> set[int]:
    """Lines of ``with``: tracing shows them again at the end, where no signal is handled."""
    tree = ast.parse(Path(file).read_text())
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
    return {line for node in blocks for line in range(node.lineno, node.body[0].lineno)}


class Striking:
    """Raises ``KeyboardInterrupt`` in this thread, before one line of the package."""

    def __init__(self, moment: float) -> None:
        """``moment`` counts the lines from 0."""
        self.moment = moment
        self.lines = 0

    def __enter__(self) -> Any:
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.settrace(None)

    def trace(self, frame: FrameType, event: str, _value: Any) -> Any:
        """Count lines of the package."""
        file = Path(frame.f_code.co_filename)
        if PACKAGE not in file.parents or file.relative_to(PACKAGE).parts[0] not in ROOMS:
            return None
        if event == "line" and frame.f_lineno not in heads(str(file)):
            self.lines += 1
            if self.lines > self.moment:
                raise KeyboardInterrupt
        return self.trace


def run(provider: AQTProvider, journal: bool = True) -> AQTJob:
    """A job that is not submitted."""
    device = device_of(provider, shots=2, journal=journal)
    return AQTJob(device, markers(range(NUM_CIRCUITS)), device.options)


def submitted(provider: AQTProvider) -> AQTJob:
    """A job that the portal has."""
    job = run(provider)
    job.submit()
    job.api_job_id(1)
    return job


def refused(provider: AQTProvider) -> AQTJob:
    """A job that the portal has refused, and would not refuse again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aqt_fast.api_client.portal.PortalClient.submit", refuse)
        job = run(provider)
        job.submit()
        job.wait_for_final_state(timeout=SECONDS)
    return job


def refuse(*_arguments: object, **_options: object) -> str:
    """What a portal may do."""
    raise AQTError("not today")


def submit(job: AQTJob) -> None:
    """Once: it cannot be repeated."""
    with suppress(RuntimeError):
        job.submit()


INTERRUPTED: dict[str, tuple[Callable[[AQTProvider], AQTJob], Callable[[AQTJob], object]]] = {
    "submit": (run, submit),
    "result": (submitted, lambda job: job.result(timeout=SECONDS)),
    "close": (submitted, lambda job: job.backend().provider.close()),
    "submit and close": (run, lambda job: (submit(job), job.backend().provider.close())),
    "resubmit": (refused, lambda job: job.resubmit_failed()),
    "restore": (submitted, lambda job: job.backend().provider.restore(job.batch_id)),
}


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "ends"])
@pytest.mark.parametrize("what", INTERRUPTED)
def test_at_every_line(tmp_path, monkeypatch, figures, what, goes_on):
    """Of ``run``, ``result``, ``close`` and others, evenly spaced."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 4.0)
    begin, interrupted = INTERRUPTED[what]
    chance = random.Random(what)  # noqa: S311
    lines = 0
    ends = {"done": 0, "uncertain": 0, "unsent": 0, "nothing": 0}
    with ArnicaServer(simulate=False) as server:
        for number in range(MOMENTS + 1):
            monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / str(number)))
            before = len(server.jobs)
            provider = connect(server)
            job = begin(provider)
            moment = lines * (number - chance.random()) / MOMENTS if number else 1e9
            with suppress(KeyboardInterrupt, AQTError), Striking(moment) as striking:
                interrupted(job)
            lines = lines or striking.lines
            if goes_on and "close" not in what:
                submit(job)
                with suppress(AQTError):
                    job.result(timeout=SECONDS)
            provider.close()
            if job.batch_id:
                job.wait_for_final_state(timeout=SECONDS)
            ends[finish(server, before)] += 1
    wait_until(lambda: not [thread for thread in threading.enumerate() if is_of_jobs(thread)])
    figures(f"Ctrl-C in {what}, {goes_on}", moments=MOMENTS, lines=lines, **ends)


def is_of_jobs(thread: threading.Thread) -> bool:
    """Whether a thread runs steps of jobs."""
    return thread.name in ("aqt-fast portal", "aqt-fast submissions")


def finish(server: ArnicaServer, before: int) -> str:
    """Go on with the only job as another process, and compare it with the server's record."""
    with connect(server) as other:
        listed = other.jobs()
        if not listed:
            assert len(server.jobs) == before
            return "nothing"
        job = other.restore(listed[0].job_id)
        end = "done"
        try:
            job.result(timeout=SECONDS)
        except AQTError as error:
            end = "unsent"
            failures = error.failures if isinstance(error, IncompleteBatchError) else []
            accepted = {record.label: record.job_id for record in server.jobs}
            for failure in failures:
                if isinstance(failure.error, SubmissionUncertainError):
                    end = "uncertain"
                    if failure.error.label in accepted:
                        job.adopt(failure.error.label, accepted[failure.error.label])
                else:
                    assert failure.error is not None
        job.wait_for_final_state(timeout=SECONDS)
        job.resubmit_failed(uncertain=end == "uncertain")
        assert job.result(timeout=SECONDS).success
        labels = [record.label for record in server.jobs[before:]]
        assert len(labels) == NUM_API_JOBS, labels
    return end


PROGRAM = """
import sys
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit
url, token = sys.argv[1:]
circuit = QuantumCircuit(1)
circuit.measure_all()
provider = AQTProvider(token, portal_url=url, load_dotenv=False)
device = provider.get_backend("simulator_ideal")
device.set_options(with_progress_bar=False, query_period_seconds=0.1)
print("ready", flush=True)
jobs = [device.run([circuit] * 60, shots=2) for _ in range(3)]
for job in jobs:
    job.result()
"""


@pytest.mark.parametrize("seed", range(3))
def test_programs(tmp_path, monkeypatch, seed):
    """A program gets SIGINT at a random moment, and ends."""
    chance = random.Random(seed)  # noqa: S311
    monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path))
    with ArnicaServer(simulate=False) as server:
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", textwrap.dedent(PROGRAM), server.url, server.token],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout.readline() == "ready\n"
            time.sleep(chance.random() * 0.3)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=SECONDS)
        with connect(server) as other:
            for listed in other.jobs():
                job = other.restore(listed.job_id)
                labels = [record.label for record in server.jobs if listed.job_id in record.label]
                with suppress(AQTError):
                    job.result(timeout=SECONDS)
                job.wait_for_final_state(timeout=SECONDS)
                assert job.resubmit_failed() == NUM_API_JOBS - len(labels)
                assert job.result(timeout=SECONDS).success
        assert len(server.jobs) == NUM_API_JOBS * len(other.jobs())
