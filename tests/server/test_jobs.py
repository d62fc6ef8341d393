"""Job life: status changes, device time, cancelling, failure, expiry."""

from aqt_connector.models.arnica.jobs import JobStatus
from aqt_fast.testing import ArnicaServer
from server.cloud_client import (
    client_of,
    final_state,
    flips,
    job,
    state,
    submit,
    wait_for_status,
)
from waiting import wait_until


def test_states_and_timing(server, client):
    """Queued, ongoing with progress, finished; status changes only if the client asks."""
    server.hold()
    first = submit(client, job(*[flips(index) for index in range(3)], label="first"))
    second = submit(client, job(flips(1)))
    wait_for_status(client, first, JobStatus.ONGOING)
    assert state(client, second).status == JobStatus.QUEUED
    assert state(client, first).finished_count == 0
    server.release(2)
    wait_until(lambda: state(client, first).finished_count == 2)
    timing = state(client, first, include_timing_data=True).timing_data
    assert [change.new_status for change in timing] == [JobStatus.QUEUED, JobStatus.ONGOING]
    server.release()
    last = final_state(client, first, include_timing_data=True)
    assert [change.new_status.value for change in last.timing_data] == [
        "queued",
        "ongoing",
        "finished",
    ]
    assert last.timing_data == sorted(last.timing_data, key=lambda change: change.timestamp)
    assert state(client, first).timing_data is None
    assert client.get(f"/result/{first}").json()["job"] == {
        "job_id": first,
        "job_type": "quantum_circuit",
        "label": "first",
        "resource_id": "simulator_ideal",
        "workspace_id": "default",
    }
    final_state(client, second)


def test_device_time():
    """A slow machine is still at its first circuit; a fast one ends."""
    with ArnicaServer(simulate=False, speed=1e-3) as server, client_of(server) as client:
        slow = submit(client, job(flips(1)))
        wait_for_status(client, slow, JobStatus.ONGOING)
        assert state(client, slow).finished_count == 0
    with ArnicaServer(simulate=False, speed=1e4) as server, client_of(server) as client:
        fast = submit(client, job(flips(1), flips(2)))
        assert final_state(client, fast).status == JobStatus.FINISHED


def test_cancel(server, client):
    """A queued job never starts; a running one stops after the current circuit."""
    server.hold()
    running = submit(client, job(flips(1), flips(2), flips(3)))
    queued = submit(client, job(flips(4)))
    server.release(1)
    wait_for_status(client, running, JobStatus.ONGOING)
    wait_until(lambda: state(client, running).finished_count == 1)
    assert client.delete(f"/jobs/{queued}").status_code == 204
    assert client.delete(f"/jobs/{queued}").status_code == 208
    assert state(client, queued).status == JobStatus.CANCELLED
    assert client.delete(f"/jobs/{running}").status_code == 204
    assert client.delete(f"/jobs/{running}").status_code == 208
    assert final_state(client, running).status == JobStatus.CANCELLED
    server.release()
    after = submit(client, job(flips(5)))
    assert final_state(client, after).status == JobStatus.FINISHED
    assert client.delete(f"/jobs/{after}").status_code == 422
    assert [accepted.runs for accepted in server.jobs] == [(1, 0, 0), (0,), (1,)]


def test_failed_job(server, client):
    """The server can make one job fail; the next one finishes."""
    server.fail_jobs("lost an ion")
    last = final_state(client, submit(client, job(flips(1))))
    assert (last.status, last.message) == (JobStatus.ERROR, "lost an ion")
    assert final_state(client, submit(client, job(flips(1)))).status == JobStatus.FINISHED


def test_expiry(server, client):
    """A result expires 24 hours after the first fetch, not after the job's end."""
    job_id = submit(client, job(flips(1)))
    wait_until(lambda: server.jobs[0].status == "finished")
    server.advance(48 * 3600)
    assert state(client, job_id).result
    server.advance(24 * 3600 - 60)
    assert state(client, job_id).result
    server.advance(61)
    response = client.get(f"/result/{job_id}")
    assert (response.status_code, response.json()) == (410, {"detail": "the result has expired"})
    assert server.jobs[0].fetches == 2
