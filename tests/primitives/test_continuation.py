"""The job of an adaptive estimator: a pilot, and a second job that follows in the background."""

import os
import pickle
import threading

import numpy as np
import pytest
from aqt_fast.exceptions import (
    APIConnectionError,
    InvalidOptionError,
    JobFailedError,
    JobNotFoundError,
    OtherProcessError,
)
from aqt_fast.primitives import AQTEstimator, AQTPrimitiveJob, estimator
from aqt_fast.testing import ArnicaServer
from forking import in_fork
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.providers import JobStatus, JobTimeoutError
from store.samples import files_in
from waiting import wait_until


@pytest.fixture
def server():
    """One that simulates."""
    with ArnicaServer(simulate=True) as server:
        yield server


@pytest.fixture
def held(server):
    """Its machines wait."""
    server.hold()
    return server


def run(backend, angle=np.pi / 2, **options) -> AQTPrimitiveJob:
    """Estimate ⟨Z⟩ after a rotation: by one circuit in the pilot, and one in the second job."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    adaptive = AQTEstimator(backend, {"adaptive": True, "seed_simulator": 3, **options})
    return adaptive.run([(circuit, "Z", [angle])], precision=0.05)


def value_of(job) -> tuple[float, float, dict]:
    """The value, its standard error, and the metadata."""
    (item,) = job.result()
    return float(item.data.evs), float(item.data.stds), item.metadata


def in_second(server, job) -> None:
    """Let the pilot run, and wait until the portal has the second job, which it holds."""
    server.release(1)
    wait_until(lambda: len(job.jobs) == 2)
    assert job.job.api_job_id() == server.jobs[1].job_id


def test_run_does_not_wait(held, device):
    """The second job is submitted without anybody waiting; figures are those of both."""
    job = run(device)
    assert job.job_id() == job.job.batch_id
    assert job.progress() == (0, 1)
    assert not job.in_final_state()
    in_second(held, job)
    assert job.job_id() == job.jobs[0].batch_id
    assert job.job is job.jobs[1]
    assert not job.in_final_state()
    assert job.progress() == (1, 2)
    assert job.metrics()["timestamps"]["finished"] is None
    held.release()
    wait_until(job.done)
    _, error, metadata = value_of(job)
    assert 0.03 < error < 0.055
    assert metadata["circuits"] == 2
    assert "pilot" not in metadata
    assert job.progress() == (2, 2)
    assert job.usage() == sum(part.usage() for part in job.jobs) > 0
    figures, (first, second) = job.metrics(), (part.metrics() for part in job.jobs)
    assert figures["executions"] == first["executions"] + second["executions"]
    assert figures["executions"] == metadata["shots"]
    assert figures["num_circuits"] == 2
    assert figures["usage"]["seconds"] == figures["bss"]["seconds"] == job.usage()
    assert figures["timestamps"] == {
        **first["timestamps"],
        "finished": second["timestamps"]["finished"],
    }
    assert len(held.jobs) == 2


def test_later_changes(held, device):
    """To parameter values and options do not matter: the second job is made of the same."""
    values = np.array([[np.pi], [np.pi / 2]])
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    adaptive = AQTEstimator(device, {"adaptive": True, "tags": ["mine"]})
    job = adaptive.run([(circuit, "Z", values)], precision=0.05)
    values[:] = 0
    circuit.x(0)
    adaptive.options.run_options["tags"] = ["other"]
    device.set_options(memory=False, label="other")
    held.release()
    evs = job.result()[0].data.evs
    assert evs[0] == -1
    assert abs(evs[1]) < 0.3
    assert [part.tags for part in job.jobs] == [["mine"], ["mine"]]
    assert "other" not in [record.label for record in held.jobs]


def test_labels(server, device):
    """The pilot's has a word more."""
    run(device, label="rotated").result()
    assert [record.label for record in server.jobs] == ["rotated, pilot", "rotated"]
    run(device, label="x" * 255).result()
    assert [len(record.label) for record in server.jobs[2:]] == [255, 255]


def test_seed(backend):
    """The outcomes of both jobs depend on it."""
    first, second = value_of(run(backend)), value_of(run(backend))
    assert first == second
    assert value_of(run(backend, seed_simulator=4))[0] != first[0]


def test_time_out(held, device):
    """In either job; it continues."""
    job = run(device)
    for wait in (job.result, job.wait_for_final_state):
        with pytest.raises(JobTimeoutError):
            wait(0.01)
    in_second(held, job)
    for wait in (job.result, job.wait_for_final_state):
        with pytest.raises(JobTimeoutError):
            wait(0.01)
    with pytest.raises(InvalidOptionError, match="timeout"):
        job.result(-1)
    held.release()
    job.wait_for_final_state()
    assert job.done()


def test_time_out_option(held, device):
    """Counts for both together."""
    job = run(device, query_timeout_seconds=0.01)
    with pytest.raises(JobTimeoutError):
        job.result()
    held.release()
    job.wait_for_final_state()
    assert len(job.result()) == 1


def test_cancelling_the_pilot(held, device):
    """Nothing else is submitted."""
    job = run(device)
    name = job.job.api_job_id()
    assert job.cancel() is True
    with pytest.raises(JobFailedError, match=name):
        job.result()
    assert job.cancelled()
    assert job.cancel() is False
    assert [record.status for record in held.jobs] == ["cancelled"]


def test_cancelling_the_second(held, device):
    """The pilot has run."""
    job = run(device)
    in_second(held, job)
    assert job.cancel() is True
    with pytest.raises(JobFailedError, match=held.jobs[1].job_id):
        job.result()
    job.wait_for_final_state()
    assert job.cancelled()
    assert job.cancel() is False
    assert [record.status for record in held.jobs] == ["finished", "cancelled"]


@pytest.fixture
def no_threads(monkeypatch):
    """No thread can be started that would wait for a pilot."""
    start = threading.Thread.start

    def refuse(thread):
        if thread.name == "aqt-fast continuing":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        yield patch


def test_cancelling_between(server, device, no_threads):  # noqa: ARG001
    """The second job is withheld."""
    job = run(device)
    job.job.result()
    assert job.cancel() is True
    assert job.cancelled()
    job.wait_for_final_state()
    with pytest.raises(JobFailedError, match=rf"^job {job.job_id()}: it was cancelled before"):
        job.result()
    assert job.cancel() is False
    other = pickle.loads(pickle.dumps(job))  # noqa: S301 - it was just made
    assert other.cancelled()
    with pytest.raises(JobFailedError, match="cancelled before"):
        other.result()
    assert len(server.jobs) == 1


def test_no_thread(server, device, no_threads):
    """The error says so; once there can be threads, the job goes on."""
    job = run(device)
    job.job.result()
    assert job.status() is JobStatus.ERROR
    for wait in (job.result, job.wait_for_final_state):
        with pytest.raises(APIConnectionError, match="no thread can be started"):
            wait()
    assert len(server.jobs) == 1
    no_threads.undo()
    assert value_of(job)[2]["circuits"] == 2
    assert job.done()
    assert len(server.jobs) == 2


def test_a_pilot_that_fails(server, device):
    """The second job follows if the pilot's circuits are submitted again."""
    server.fail_jobs("the ions have left")
    job = run(device)
    for _ in range(2):
        with pytest.raises(JobFailedError, match="the ions have left"):
            job.result()
    job.wait_for_final_state()
    assert job.status() is JobStatus.ERROR
    assert job.cancel() is False
    assert len(server.jobs) == 1
    assert job.job.resubmit_failed() == 1
    assert value_of(job)[2]["circuits"] == 2
    assert job.done()
    assert len(server.jobs) == 3


def test_a_second_job_that_fails(held, device):
    """Its circuits can be submitted again; the pilot counts."""
    job = run(device)
    wait_until(lambda: [record.status for record in held.jobs] == ["ongoing"])
    held.fail_jobs("the ions have left")
    held.release()
    with pytest.raises(JobFailedError, match="the ions have left"):
        job.result()
    assert job.status() is JobStatus.ERROR
    assert job.job.resubmit_failed() == 1
    assert value_of(job)[2]["circuits"] == 2
    assert len(held.jobs) == 3


def test_error_between(server, device, monkeypatch):
    """It ends the job for good, also in a copy: the second job may have been submitted in part."""

    def fail(*_):
        raise APIConnectionError("the cable is cut")

    monkeypatch.setattr(estimator, "continued", fail)
    job = run(device)
    job.wait_for_final_state()
    assert job.status() is JobStatus.ERROR
    monkeypatch.undo()
    for ended in (job, pickle.loads(pickle.dumps(job))):  # noqa: S301
        with pytest.raises(APIConnectionError, match="the cable is cut"):
            ended.result()
        assert ended.status() is JobStatus.ERROR
        assert ended.cancel() is False
    assert len(server.jobs) == 1


def test_closed_provider(held, portal, device):
    """Ends the job."""
    job = run(device)
    assert job.job.api_job_id()
    portal.close()
    with pytest.raises(APIConnectionError, match="closed"):
        job.result()
    wait_until(job.in_final_state)
    assert job.status() is JobStatus.ERROR
    held.release()
    assert len(held.jobs) == 1


@pytest.mark.usefixtures("environment")
def test_restoring(held, device):
    """The pilot alone as long as there is no second job; then either identifier gets both."""
    job = run(device)
    assert job.job.api_job_id()
    pilot = AQTPrimitiveJob.restore(job.job_id())
    held.release()
    _, error, metadata = value_of(pilot)
    assert metadata["pilot"] is True
    assert metadata["circuits"] == 1
    assert error > 0.06
    both = value_of(job)
    for known in (*job.jobs, *(part.api_job_id() for part in job.jobs)):
        name = known if isinstance(known, str) else known.batch_id
        assert value_of(AQTPrimitiveJob.restore(name)) == both
    assert len(held.jobs) == 2


@pytest.mark.usefixtures("environment")
def test_without_the_second(server, device):
    """If it is not in the store any more, the pilot is what there is."""
    job = run(device)
    job.result()
    (found,) = [item for item in device.jobs() if item.batch_id == job.job.batch_id]
    found.remove()
    _, _, metadata = value_of(AQTPrimitiveJob.restore(job.job_id()))
    assert metadata["pilot"] is True
    assert len(server.jobs) == 2


@pytest.mark.parametrize("kind", ["device", "backend"])
@pytest.mark.usefixtures("environment")
def test_saving(request, kind, tmp_path):
    """Both jobs are saved, and removed once they are restored."""
    job = run(request.getfixturevalue(kind))
    value, _, metadata = value_of(job)
    assert job.persist(store_path=tmp_path) == tmp_path / job.job_id()
    assert len(files_in(tmp_path)) == 2
    restored = AQTPrimitiveJob.restore(job.job_id(), store_path=tmp_path)
    assert value_of(restored)[0] == value
    assert value_of(restored)[2] == metadata
    assert files_in(tmp_path) == []
    with pytest.raises(JobNotFoundError):
        AQTPrimitiveJob.restore(job.job_id(), store_path=tmp_path)


@pytest.mark.usefixtures("environment")
def test_pickle(held, device):
    """It waits for the pilot; then the second job continues where it is unpickled."""
    job = run(device)
    in_second(held, job)
    other = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert other.job_id() == job.job_id()
    assert not other.in_final_state()
    held.release()
    assert value_of(other) == value_of(job)
    assert len(other.jobs) == len(held.jobs) == 2


def test_pickle_of_a_simulation(backend):
    """It holds the outcomes."""
    job = run(backend)
    other = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert other.done()
    assert value_of(other) == value_of(job)
    assert other.progress() == (2, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_forks(held, device):
    """The job belongs to its process, until it has ended."""
    job = run(device)
    assert job.job.api_job_id()

    def refused() -> int:
        number = 0
        for call in (job.result, job.status, job.cancel, job.wait_for_final_state):
            with pytest.raises(OtherProcessError, match=str(os.getppid())):
                call()
            number += 1
        return number

    assert in_fork(refused) == 4
    in_second(held, job)
    assert in_fork(refused) == 4
    held.release()
    both = value_of(job)
    assert in_fork(lambda: (value_of(job), job.done(), job.progress())) == (both, True, (2, 2))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_fork_between(server, device, no_threads):  # noqa: ARG001
    """The second job is for the process to submit that has begun."""
    job = run(device)
    job.job.result()

    def refused() -> int:
        for call in (job.result, job.status, job.cancel, job.wait_for_final_state):
            with pytest.raises(OtherProcessError):
                call()
        return len(job.jobs)

    assert in_fork(refused) == 1
    assert len(server.jobs) == 1
