"""The job of a primitive: its identifier, its states, and cancelling it on the portal."""

import pickle

import pytest
from aqt_fast.exceptions import AQTError, JobFailedError
from aqt_fast.primitives import AQTEstimator, AQTSampler
from markers import marker
from qiskit import QuantumCircuit
from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus
from waiting import wait_until


@pytest.fixture(params=["sampler", "estimator"])
def run(request, device):
    """Runs something on a device, with each of the given numbers of shots."""

    def sample(*shots: int):
        return AQTSampler(device).run([(marker(1), None, number) for number in shots])

    def estimate(*shots: int):
        flip = QuantumCircuit(1)
        flip.x(0)
        return AQTEstimator(device).run([(flip, "Z", None, number**-0.5) for number in shots])

    return sample if request.param == "sampler" else estimate


def test_cancel(server, run):
    """The portal's job is cancelled, and the result says so."""
    server.hold()
    job = run(4)
    assert isinstance(job, BasePrimitiveJob)
    name = job.job_id()
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


def test_cancel_what_was_not_submitted(server, run):
    """With several numbers of shots there are several jobs; the later ones are never sent."""
    server.hold()
    job = run(4, 9)
    name = job.job_id()
    assert job.cancel() is True
    with pytest.raises(JobFailedError, match=name):
        job.result()
    assert len(server.jobs) == len(job.jobs) == 1


def test_result(server, run):
    """Nothing is left to cancel; the job of the backend is at hand."""
    job = run(4, 9)
    result = job.result()
    assert [item.metadata["shots"] for item in result] == [4, 9]
    assert job.job_id() == server.jobs[0].job_id == job.jobs[0].job_id()
    assert [item.progress() for item in job.jobs] == [(1, 1), (1, 1)]
    assert job.status() is JobStatus.DONE
    assert (job.cancelled(), job.done(), job.running(), job.in_final_state()) == (
        False, True, False, True,
    )  # fmt: skip
    assert job.cancel() is False
    assert "DONE" in repr(job)


def test_states(server, run):
    """Queued as long as the portal says so, then running."""
    server.hold()
    job = run(4)
    job.job_id()
    wait_until(lambda: job.status() is not JobStatus.INITIALIZING)
    assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
    server.release()
    wait_until(job.in_final_state)
    assert job.done()


def test_error(server, run):
    """A job that fails ends the primitive's job."""
    server.fail_jobs("the ions have left")
    job = run(4)
    with pytest.raises(JobFailedError, match="the ions have left"):
        job.result()
    assert job.status() is JobStatus.ERROR
    assert job.job_id() == server.jobs[0].job_id


def test_nothing_submitted(server, device):
    """A circuit that cannot be transpiled: an error, an identifier, nothing to cancel."""
    wide = QuantumCircuit(40)
    wide.measure_all()
    job = AQTSampler(device).run([wide])
    with pytest.raises(Exception, match="40"):
        job.result()
    assert job.status() is JobStatus.ERROR
    assert len(job.job_id()) == 36
    assert job.cancel() is False
    assert server.jobs == []


def test_submission_refused(server, run):
    """The error of the submission."""
    server.revoke(server.token)
    job = run(4)
    with pytest.raises(AQTError):
        job.result()
    assert job.status() is JobStatus.ERROR


def test_pickle(run):
    """A copy has the result and the identifier."""
    job = run(4)
    copy = pickle.loads(pickle.dumps(job))  # noqa: S301 - it was just made
    assert copy.job_id() == job.job_id()
    assert copy.done()
    assert copy.cancel() is False
    assert [item.metadata["shots"] for item in copy.result()] == [4]
