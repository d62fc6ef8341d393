"""A portal that orders to wait for an hour: whoever does not want to wait need not."""

import threading

import pytest
from aqt_fast.api_client.http import HTTPClient
from aqt_fast.exceptions import APIConnectionError
from clients import connect, device_of
from markers import marker
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import wait_until


@pytest.fixture
def waiting(server, monkeypatch):
    """A job whose poll waits for an hour, and the provider."""
    server.faults.retry_after = 3600
    server.hold()
    with connect(server) as provider:
        device = device_of(provider)
        server.faults.next("429", path="/result/")
        slept = threading.Event()
        pause = HTTPClient._pause  # noqa: SLF001 - as below

        def watched(client, seconds, wanted) -> None:
            if seconds > 3000:
                slept.set()
            pause(client, seconds, wanted)

        monkeypatch.setattr(HTTPClient, "_pause", watched)
        job = device.run(marker("1"), label="slow")
        assert slept.wait(60)
        yield job, device, provider


def test_time_out(waiting):
    """``result(timeout=…)`` ends in time."""
    job, _, _ = waiting
    with pytest.raises(JobTimeoutError):
        job.result(timeout=0.1)


def test_cancelling(waiting, server):
    """The job ends, and other jobs of the resource are polled."""
    job, device, _ = waiting
    assert job.cancel()
    wait_until(lambda: job.status() is JobStatus.CANCELLED)
    server.release()
    assert device.run(marker("1")).result(timeout=60).success


def test_closing(waiting):
    """The wait ends with the provider."""
    job, _, provider = waiting
    provider.close()
    with pytest.raises(APIConnectionError, match="closed"):
        job.result(timeout=60)
