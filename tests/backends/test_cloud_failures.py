"""Jobs of AQT's cloud that fail, and what the contract says of each failure."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from aqt_fast import AQTJob
from aqt_fast.api_client import PortalClient
from aqt_fast.exceptions import (
    APIError,
    AQTCredentialsError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from aqt_fast.store.job_directory import EVENTS, JobDirectory
from aqt_fast.wire import JobState
from aqt_fast.wire.qpy_archive import circuits_to_qpy
from clients import connect, device_of
from markers import marker
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import SECONDS, wait_until


class TestFailures:
    """What the contract says about jobs that do not end well."""

    def test_portal_in_trouble(self, device, monkeypatch):
        """Polls are repeated through any number of 503 answers."""
        ask = PortalClient.result
        failed = []

        def troubled(portal, *arguments, **options) -> JobState:
            """As a request whose own retries were in vain."""
            if len(failed) < 12:
                failed.append(APIError("HTTP 503", status_code=503))
                raise failed[-1]
            return ask(portal, *arguments, **options)

        monkeypatch.setattr(PortalClient, "result", troubled)
        assert device.run(marker("1")).result().success
        assert len(failed) == 12

    def test_never_success_without_outcomes(self, server, device):
        """Threads that repeat ``result()`` get an error or the outcomes."""
        for _ in range(6):
            server.faults.next("410", path="/result/")
        job = device.run(marker("1"), query_period_seconds=0.1)
        results = []

        def ask() -> None:
            while not results:
                with suppress(ResultExpiredError):
                    results.append(job.result())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert results
        assert all(result.get_counts() == {"1": 100} for result in results)

    def test_time_out_of_a_submission(self, server, device):
        """The timeout covers the submission; the partial result is empty."""
        server.faults.retry_after = 20
        server.faults.next("429", method="POST")
        job = device.run(marker("1"), query_timeout_seconds=0.2, label="waiting")
        with pytest.raises(JobTimeoutError, match="job waiting has not ended"):
            job.result()
        with pytest.raises(JobTimeoutError):
            job.wait_for_final_state(0.1)
        assert not job.result(partial=True).success
        assert job.cancel()

    def test_failed_job(self, server, device):
        """A result without success, and the portal's message."""
        server.fail_jobs("the ions have left")
        job = device.run([marker("1"), marker("0")])
        result = job.result()
        assert not result.success
        assert result.status == job.error_message == "the ions have left"
        assert [entry.success for entry in result.results] == [False, False]
        assert job.status() is JobStatus.ERROR

    @pytest.mark.usefixtures("environment")
    def test_expired(self, server, device, tmp_path):
        """The portal deletes results after a day."""
        job = device.run(marker("1"), journal=False)
        job.persist(store_path=tmp_path)
        assert job.result().success
        server.advance(25 * 3600)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        with pytest.raises(ResultExpiredError):
            again.result()
        assert again.status() is JobStatus.ERROR
        assert job.result().success

    def test_refused_submission(self, server):
        """A refused submission raises the portal's reason, and there is no job."""
        with connect(server) as provider:
            device = device_of(provider)
            server.accept(server.token, workspaces=["lab"])
            job = device.run(marker("1"))
            with pytest.raises(APIError, match="403"):
                job.result()
            with pytest.raises(APIError, match="403"):
                job.job_id()
            assert job.status() is JobStatus.ERROR
            assert "403" in job.error_message
            assert not job.result(partial=True).success
        assert server.jobs == []

    def test_expired_token(self, server):
        """An expired token fails submissions and polls; with a valid token the job continues."""
        with connect(server) as provider:
            device = device_of(provider)
            server.hold()
            job = device.run(marker("1"))
            job.job_id()
            server.revoke(server.token)
            with pytest.raises(AQTCredentialsError, match="log in again"):
                job.result()
            with pytest.raises(AQTCredentialsError):
                device.run(marker("1")).result()
            server.accept(server.token)
            server.release()
            assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    @pytest.mark.parametrize("kind", ["reset_after", "truncated", "stall", "500_after", "bad_json"])
    def test_uncertain_submission(self, server, device, kind):
        """An uncertain submission is named and not repeated."""
        server.faults.next(kind, method="POST")
        job = device.run(marker("1"), label=f"with {kind}")
        with pytest.raises(SubmissionUncertainError) as caught:
            job.result()
        (record,) = server.jobs
        assert (caught.value.label, caught.value.payload_hash) == (record.label, record.sha256)
        assert f"'with {kind}'" in job.error_message
        assert not job.cancel()

    @pytest.mark.parametrize("kind", ["refuse", "429", "429_date"])
    def test_submission_that_was_not_accepted(self, server, device, kind):
        """A submission that was certainly not accepted is repeated."""
        server.faults.retry_after = 0
        if kind == "refuse":
            server.refuse(0.2)
        else:
            server.faults.next(kind, method="POST")
        assert device.run(marker("1")).result().success
        assert len(server.jobs) == 1

    @pytest.mark.parametrize(
        "kind",
        [
            "refuse", "reset_before", "reset_after", "slow", "stall", "truncated", "429",
            "429_date", "500", "502", "503", "503_retry", "504", "bad_json", "wrong_shape",
        ],
    )  # fmt: skip
    def test_faults_of_polls(self, server, device, kind):
        """Faults of polls only delay the result."""
        server.faults.retry_after = 0
        server.faults.next(kind, method="GET", path="/result/")
        assert device.run(marker("1")).result().get_counts() == {"1": 100}
        assert [fault.kind for fault in server.faults.log] == [kind]
        assert [record.runs for record in server.jobs] == [(1,)]

    def test_the_network_goes_and_comes_back(self, server, device, monkeypatch):
        """An outage during ``result()`` only delays the result."""
        refused = []
        send = httpx.HTTPTransport.handle_request

        def watched(transport, request) -> httpx.Response:
            try:
                return send(transport, request)
            except httpx.ConnectError as error:
                refused.append(error)
                raise

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", watched)
        server.hold()
        job = device.run([marker("1"), marker("0")])
        job.job_id()
        results = []
        waiting = threading.Thread(target=lambda: results.append(job.result()))
        waiting.start()
        server.stop()
        wait_until(lambda: len(refused) >= 2)
        assert waiting.is_alive()
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        server.start()
        waiting.join(SECONDS)
        assert results[0].get_counts() == [{"1": 100}, {"0": 100}]
        assert [record.runs for record in server.jobs] == [(1, 1)]

    @pytest.mark.usefixtures("environment")
    def test_answers_about_other_circuits(self, device, tmp_path):
        """Answers about other circuits are refused."""
        job = device.run([marker("1")] * 2, shots=10, journal=False)
        exchange_circuits(job.persist(store_path=tmp_path), [marker("1")] * 3)
        with pytest.raises(APIError, match="samples of 2 circuits for 3"):
            AQTJob.restore(job.job_id(), store_path=tmp_path).result()


def exchange_circuits(saved: Path, circuits: list[QuantumCircuit]) -> None:
    """Let a saved job have other circuits than those that were sent."""
    description = JobDirectory.load(saved.parent, saved.name).description
    (part,) = description.plan.parts
    plan = replace(description.plan, parts=[replace(part, stop=len(circuits))])
    JobDirectory.create(
        saved.parent,
        replace(description, num_circuits=len(circuits), plan=plan),
        circuits=circuits_to_qpy(circuits),
        events=(saved / EVENTS).read_bytes(),
    )
