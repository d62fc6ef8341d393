"""Machines in the same network in the 2.x face, against the local server."""

from __future__ import annotations

import pytest
from aqt_fast import exceptions as core
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.exceptions import (
    AQTApiError,
    AQTCredentialsError,
    AQTJobFailedError,
    AQTJobInvalidStateError,
    AQTRequestError,
)
from markers import marker, marker_counts, markers
from qiskit.providers import JobStatus


def test_what_it_is(direct):
    """Name and size are the machine's."""
    assert (direct.id, direct.name, direct.num_qubits) == ("IBEX", "IBEX", 12)
    assert (direct.max_circuits, direct.MAX_SHOTS) == (50, 2000)
    assert direct.options.shots == 100
    assert not direct.options.with_progress_bar


def test_one_circuit(direct, server):
    """The identifier of a single circuit is the machine's."""
    job = direct.run(marker("10"), shots=3, memory=True)
    result = job.result(timeout=60)
    assert job.job_id() == server.jobs[0].job_id
    assert result.job_id == job.job_id()
    assert result.get_counts() == {"10": 3}
    assert result.get_memory() == ["10"] * 3


def test_several_circuits(direct, server):
    """Circuits run one after the other from ``run`` on; each has an identifier of the machine."""
    job = direct.run(markers([1, 2, 3]), shots=3)
    assert job.result().get_counts() == marker_counts([1, 2, 3], 3)
    assert [job.api_job_id(index) for index in range(3)] == [item.job_id for item in server.jobs]
    assert job.status() is JobStatus.DONE


def test_failed_circuit(direct, server):
    """A failed circuit raises; the others' results are there on request."""
    server.fail_jobs("no ions")
    job = direct.run(markers([1, 2]), shots=3)
    with pytest.raises(AQTJobFailedError, match="Job failed with error: circuit 0"):
        job.result()
    assert job.status() is JobStatus.ERROR
    assert [entry.success for entry in job.result(partial=True).results] == [False, True]


def test_cancelled(direct, server):
    """Circuits that were not sent can be cancelled."""
    server.hold()
    job = direct.run(markers([1, 2]), shots=3)
    job.api_job_id(0)
    assert job.cancel()
    server.release()
    with pytest.raises(AQTJobInvalidStateError, match="Job is cancelled"):
        job.result()


def test_shots(direct, server, store):
    """More than a run takes are several runs; the job is saved with all of them."""
    job = direct.run(marker("1"), shots=2001)
    assert job.result().get_counts() == {"1": 2001}
    job.persist(store=store)
    assert direct.restore_job(job.job_id(), store=store).result().get_counts() == {"1": 2001}
    assert [record.repetitions for record in server.jobs] == [(2000,), (1,)]


def test_refused_circuit(direct, server):
    """What the machine refuses, ``job_id`` raises."""
    server.revoke(server.token)
    job = direct.run(marker("1"))
    with pytest.raises(AQTCredentialsError):
        job.job_id()


def test_two_tokens(server):
    """Each machine has the token that was given for it."""
    server.accept("another")
    with AQTProvider() as provider:
        direct = provider.direct_access()
        good = direct.get_resource(server.direct_url, server.token)
        with pytest.raises(AQTCredentialsError):
            direct.get_resource(server.direct_url, "wrong")
        other = direct.get_resource(server.direct_url_of("pine"), "another")
        assert good.run(marker("1")).result().get_counts() == {"1": 100}
        assert other.run(marker("1")).result().get_counts() == {"1": 100}


def test_unreachable():
    """No machine there, no URL, and a token that would travel unprotected."""
    direct = AQTProvider().direct_access()
    with pytest.raises(AQTRequestError) as caught:
        direct.get_resource("http://127.0.0.1:1", "token")
    assert isinstance(caught.value, core.APIConnectionError)
    with pytest.raises(AQTApiError, match="no URL of a server"):
        direct.get_resource("machine", "token")
    with pytest.raises(AQTCredentialsError, match="plain HTTP"):
        direct.get_resource("http://192.0.2.1", "token")


def test_closing(server):
    """Closing ends the jobs; what is asked for later connects again."""
    provider = AQTProvider()
    direct = provider.direct_access()
    resource = direct.get_resource(server.direct_url, server.token)
    direct.close()
    with pytest.raises(AQTRequestError, match="closed"):
        resource.run(marker("1")).result()
    again = direct.get_resource(server.direct_url, server.token)
    assert again.run(marker("1")).result().success
    provider.close()
