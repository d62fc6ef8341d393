"""Cancelling what has partly ended without the client's knowledge."""

from __future__ import annotations

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import APIError
from clients import device_of
from markers import marker, markers
from qiskit.providers import JobStatus
from waiting import wait_until


@pytest.fixture
def device(portal):
    """A resource whose jobs are polled once: the client does not know what has ended."""
    device = device_of(portal)
    device.set_options(query_period_seconds=3600)
    return device


def test_finished_ongoing_queued(server, device):
    """The portal cancels what it can; what has ended keeps its results."""
    server.hold()
    job = device.run(markers(range(200)), shots=3)
    job.persist()  # waits until the client knows of all submissions
    first, second = (record.job_id for record in server.jobs[:2])
    server.release(75)
    wait_until(lambda: [record.status for record in server.jobs[:2]] == ["finished", "ongoing"])
    assert job.cancel() is True
    server.release()
    wait_until(lambda: {record.status for record in server.jobs} == {"finished", "cancelled"})
    status = {record.job_id: record.status for record in server.jobs}
    assert status.pop(first) == "finished"
    assert status.pop(second) == "cancelled"
    assert set(status.values()) == {"cancelled"}
    assert job.cancel() is False
    assert 50 <= job.progress().finished_count <= 75


def test_a_single_finished_job(server, device):
    """Nothing is left: no error, and the result is there."""
    server.hold()
    job = device.run(marker("101"), shots=3)
    job.persist()  # waits until the client knows of all submissions
    server.release()
    wait_until(lambda: server.jobs[0].status == "finished")
    assert job.cancel() is False
    assert job.status() is JobStatus.DONE
    assert job.result().get_counts() == {"101": 3}


@pytest.mark.usefixtures("environment")
def test_a_restored_job(server, device):
    """One that has ended while nobody looked."""
    server.hold()
    job = device.run(marker("11"), shots=3)
    job_id = job.job_id()
    device.provider.close()
    server.release()
    wait_until(lambda: server.jobs[0].status == "finished")
    again = AQTJob.restore(job_id)
    assert again.cancel() is False
    assert again.result().get_counts() == {"11": 3}


def test_a_failed_job(server, device):
    """Its message is known after the attempt."""
    server.set_status("simulator_ideal", "offline")
    server.fail_jobs("ion lost")
    job = device.run(marker("1"))
    job.persist()  # waits until the client knows of all submissions
    server.set_status("simulator_ideal", "online")
    wait_until(lambda: server.jobs[0].status == "error")
    assert job.cancel() is False
    assert job.error_message == "ion lost"


def test_an_expired_job(server, device):
    """Neither is there anything left to cancel where the result has been deleted."""
    server.hold()
    job = device.run(marker("1"))
    job.persist()  # waits until the client knows of all submissions
    server.release()
    wait_until(lambda: server.jobs[0].status == "finished")
    server.faults.next("410", path="/result")
    assert job.cancel() is False


def test_other_refusals_are_errors(server, device):
    """A token that is not accepted is no end of the job."""
    server.hold()
    job = device.run(marker("1"))
    job.persist()  # waits until the client knows of all submissions
    server.revoke(server.token)
    with pytest.raises(APIError, match="401"):
        job.cancel()
    server.accept(server.token)
    assert job.cancel() is True
