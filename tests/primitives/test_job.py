"""The job of a primitive: its identifier, its states, and cancelling it on the portal."""

import copy
import pickle
import uuid

import pytest
from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import AQTError, InvalidCircuitError, JobFailedError
from aqt_fast.primitives import AQTPrimitiveJob, AQTSampler
from markers import marker, word
from qiskit import QuantumCircuit
from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import wait_until

ONE = word(1)


@pytest.fixture
def run(device):
    """Samples on a device, with each of the given numbers of shots."""

    def sample(*shots: int) -> AQTPrimitiveJob:
        return AQTSampler(device).run([(marker(1), None, number) for number in shots])

    return sample


def test_identifier(server, run):
    """Known at once, before the portal answers; that of the batch, as the store has it."""
    server.hold()
    job = run(4)
    assert str(uuid.UUID(job.job_id())) == job.job_id() == job.job.batch_id
    server.release()
    job.result()
    assert job.job.job_id() == server.jobs[0].job_id
    assert job.job_id() != job.job.job_id()


def test_cancel(server, run):
    """The portal's job is cancelled, and the result says so."""
    server.hold()
    job = run(4)
    assert isinstance(job, BasePrimitiveJob)
    name = job.job.job_id()
    assert [record.job_id for record in server.jobs] == [name]
    assert not job.in_final_state()
    assert job.cancel() is True
    with pytest.raises(JobFailedError, match=name):
        job.result()
    assert job.status() is JobStatus.CANCELLED
    assert (job.cancelled(), job.done(), job.running(), job.in_final_state()) == (
        True, False, False, True,
    )  # fmt: skip
    assert [record.status for record in server.jobs] == ["cancelled"]
    assert job.cancel() is False


def test_result(server, run):
    """One job of the backend for all numbers of shots; nothing is left to cancel."""
    job = run(4, 9)
    result = job.result()
    assert job.result() is result
    assert [item.metadata["shots"] for item in result] == [4, 9]
    assert [item.data.meas.get_counts() for item in result] == [{ONE: 4}, {ONE: 9}]
    assert len(server.jobs) == len(job.jobs) == 1
    assert job.jobs[0] is job.job
    assert job.progress() == job.job.progress() == (2, 2)
    assert job.status() is JobStatus.DONE
    assert (job.cancelled(), job.done(), job.running(), job.in_final_state()) == (
        False, True, False, True,
    )  # fmt: skip
    assert job.cancel() is False
    assert repr(job) == f"<AQTPrimitiveJob '{job.job_id()}': DONE, 2 of 2 circuits>"


def test_figures(run):
    """Usage and metrics are those of the backend's job."""
    job = run(4)
    job.result()
    assert job.usage() == job.job.usage()
    assert job.metrics() == job.job.metrics()
    assert job.metrics()["num_circuits"] == 1


def test_states(server, run):
    """Queued as long as the portal says so, then running."""
    server.hold()
    job = run(4)
    assert job.status() is JobStatus.QUEUED
    assert job.progress() == (0, 1)
    server.release()
    wait_until(job.in_final_state)
    assert job.done()


def test_time_out(server, run):
    """The job continues."""
    server.hold()
    job = run(4)
    with pytest.raises(JobTimeoutError):
        job.result(timeout=0.01)
    with pytest.raises(JobTimeoutError):
        job.wait_for_final_state(0.01)
    server.release()
    job.wait_for_final_state()
    assert len(job.result(timeout=5)) == 1


def test_error(server, run):
    """A job that fails ends the primitive's job."""
    server.fail_jobs("the ions have left")
    job = run(4)
    with pytest.raises(JobFailedError, match="the ions have left"):
        job.result()
    assert job.status() is JobStatus.ERROR
    assert job.job.job_id() == server.jobs[0].job_id


def test_failed_circuits_may_run_again(server, run):
    """The backend's job is at hand; then there is a result."""
    server.fail_jobs("the ions have left")
    job = run(4)
    with pytest.raises(JobFailedError):
        job.result()
    assert job.job.resubmit_failed() == 1
    assert job.result()[0].data.meas.get_counts() == {ONE: 4}


def test_bad_circuit(server, device):
    """It raises at once, and nothing is sent."""
    wide = QuantumCircuit(40)
    wide.measure_all()
    with pytest.raises(InvalidCircuitError, match="40"):
        AQTSampler(device).run([wide])
    assert server.jobs == []


def test_submission_refused(server, run):
    """The error of the submission."""
    server.revoke(server.token)
    job = run(4)
    with pytest.raises(AQTError):
        job.result()
    assert job.status() is JobStatus.ERROR


def test_copy(run):
    """A copy is the same job."""
    job = run(4)
    assert copy.copy(job) is copy.deepcopy(job) is job


@pytest.mark.usefixtures("environment")
def test_pickle(server, run):
    """One in the cloud continues where it is unpickled; its result needs nothing of the first."""
    server.hold()
    job = run(4, 9)
    other = pickle.loads(pickle.dumps(job))  # noqa: S301 - it was just made
    assert other.job_id() == job.job_id()
    assert not other.done()
    server.release()
    assert [item.data.meas.get_counts() for item in other.result()] == [{ONE: 4}, {ONE: 9}]
    assert len(server.jobs) == 1


def test_pickle_of_a_simulation(backend):
    """It holds the outcomes."""
    job = AQTSampler(backend).run([marker(1)], shots=7)
    other = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert other.done()
    assert other.job_id() == job.job_id()
    assert other.cancel() is False
    assert other.result()[0].data.meas == job.result()[0].data.meas


def test_pickle_without_a_job(backend):
    """Nothing was run."""
    job = AQTSampler(backend).run([])
    other = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert (other.job, other.jobs, len(other.result())) == (None, (), 0)
    assert other.job_id() == job.job_id()


def test_job_of_the_backend(run):
    """Its counts are there, too."""
    job = run(4)
    assert isinstance(job.job, AQTJob)
    assert job.job.result().get_counts() == {ONE: 4}
