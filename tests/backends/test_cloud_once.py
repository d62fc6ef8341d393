"""One ``run`` on the cloud is one submission, whatever happens meanwhile."""

from __future__ import annotations

import subprocess
import sys

import pytest
from aqt_fast import AQTJob
from aqt_fast.api_client import PortalClient
from aqt_fast.backends.cloud.execution import CloudExecution
from aqt_fast.exceptions import (
    AQTCredentialsError,
    SubmissionUncertainError,
)
from aqt_fast.jobs.connection import Connection
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of
from markers import marker
from qiskit.providers import JobStatus
from waiting import SECONDS, wait_until


class TestOnce:
    """One ``run`` is one submission, whatever happens meanwhile."""

    def test_closing_during_a_submission(self, server, monkeypatch):
        """Closing during a submission reports it as uncertain."""
        monkeypatch.setattr(Connection, "SETTLING_SECONDS", 0.2)
        server.faults.slow_seconds = 2.5
        with connect(server, read_timeout=5) as provider:
            device = device_of(provider)
            server.faults.next("slow", method="POST")
            job = device.run(marker("1"), label="on its way")
        with pytest.raises(
            SubmissionUncertainError, match=r"'on its way'.*(client|provider) is closed"
        ):
            job.result()
        assert job.status() is JobStatus.ERROR

    def test_closing_waits_for_submissions(self, server):
        """Closing the provider waits until all jobs are submitted."""
        with connect(server) as provider:
            device = device_of(provider)
            jobs = [device.run(marker("1")) for _ in range(20)]
        assert len(server.jobs) == 20
        assert {job.job_id() for job in jobs} == {record.job_id for record in server.jobs}

    def test_program_that_ends(self, server):
        """A program submits before it ends, and names what it could not submit."""
        done = ending_program(server, settling_seconds=20)
        assert done.stderr == ""
        assert {record.label for record in server.jobs} == {f"job {number}" for number in range(20)}
        lost = ending_program(server, settling_seconds=2, portal_goes=True)
        assert [line for line in lost.stderr.splitlines() if "'job 7' was not submitted" in line]
        assert "Traceback" not in lost.stderr
        assert len(server.jobs) == 20

    def test_interrupted_submission(self, server, device, monkeypatch):
        """After an interrupt, the job cannot be submitted a second time."""
        job = AQTJob(device, [marker("1")], device.options)
        begin = CloudExecution.begin

        def interrupted(execution) -> None:
            begin(execution)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(CloudExecution, "begin", interrupted)
            with pytest.raises(KeyboardInterrupt):
                job.submit()
        with pytest.raises(RuntimeError, match="already submitted"):
            job.submit()
        assert job.result().success
        assert len(server.jobs) == 1

    def test_error_after_the_answer(self, server, device, monkeypatch):
        """An error after the answer leaves the submission uncertain."""
        submit = PortalClient.submit

        def broken(portal, *arguments, **options) -> str:
            submit(portal, *arguments, **options)
            raise MemoryError

        monkeypatch.setattr(PortalClient, "submit", broken)
        job = device.run(marker("1"))
        with pytest.raises(SubmissionUncertainError, match="MemoryError"):
            job.result()
        with pytest.raises(SubmissionUncertainError):
            job.job_id()
        assert len(server.jobs) == 1

    def test_cancelled_while_it_waits(self, server, device):
        """A cancelled submission is not repeated."""
        server.faults.retry_after = 1
        server.faults.next("429", method="POST")
        job = device.run(marker("1"))
        wait_until(lambda: server.faults.log)
        assert job.cancel()
        job.wait_for_final_state(timeout=SECONDS)
        assert job.status() is JobStatus.CANCELLED
        assert server.jobs == []

    def test_cancelled_too_late(self, server, device):
        """A job that ends before it is cancelled has its result."""
        server.faults.slow_seconds = 0.3
        server.faults.next("slow", method="POST")
        job = device.run(marker("1"))
        wait_until(lambda: server.jobs and server.jobs[0].status == "finished")
        assert job.cancel()
        assert job.result().get_counts() == {"1": 100}
        assert job.status() is JobStatus.DONE

    def test_refused_for_the_token(self, server):
        """A refused token accepts nothing; with a valid one the same job is submitted."""
        with connect(server) as provider:
            device = device_of(provider)
            server.revoke(server.token)
            job = device.run(marker("1"))
            with pytest.raises(AQTCredentialsError):
                job.result()
            server.accept(server.token)
            assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1


PROGRAM = """
import sys
from aqt_fast import AQTProvider
from aqt_fast.jobs.connection import Connection
from qiskit import QuantumCircuit

url, token, settling_seconds = sys.argv[1:]
Connection.SETTLING_SECONDS = float(settling_seconds)
backend = AQTProvider(token, portal_url=url).get_backend("simulator_ideal")
circuit = QuantumCircuit(1)
circuit.measure_all()
print("connected", flush=True)
sys.stdin.readline()
for number in range(20):
    backend.run(circuit, label=f"job {number}")
"""


def ending_program(
    server: ArnicaServer, *, settling_seconds: float, portal_goes: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a program that ends right after its submissions, optionally without the portal."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", PROGRAM, server.url, server.token, str(settling_seconds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "connected\n"
        if portal_goes:
            server.stop()
        output, errors = process.communicate("\n")
    assert process.returncode == 0
    return subprocess.CompletedProcess(process.args, 0, output, errors)
