"""Jobs that come out of a pickle: results, or a handle that continues on the portal."""

from __future__ import annotations

import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import AQTCredentialsError, OtherProcessError, UnsavableJobError
from clients import QUIET
from markers import marker
from pool_tasks import ended, run, set_environment
from qiskit.providers import JobStatus
from waiting import wait_until

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

METHODS = pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())


def facts(job):
    """What a copy of an ended job must have, too."""
    result = job.result()
    return (
        type(job),
        job.job_id(),
        job.label,
        job.status(),
        job.progress(),
        job.error_message,
        dict(job.options),
        job.backend().name,
        job.timing,
        job.creation_date,
        job.usage(),
        job.metrics(),
        job.queue_info(),
        job.tags,
        result.get_counts(),
        result.get_memory(0),
        result.success,
        result.date,
        [part.circuits for part in job.as_completed()],
    )


@pytest.mark.usefixtures("environment")
class TestEnded:
    """A job that has ended takes its results along."""

    @pytest.mark.parametrize("kind", ["device", "machine", "backend"])
    def test_facts(self, request, server, kind, through):
        """Nothing is asked for again."""
        job = request.getfixturevalue(kind).run([marker("10"), marker("01")], memory=True)
        job.wait_for_final_state()
        expected = facts(job)
        server.stop()
        other = through(job)
        assert facts(other) == expected
        if kind != "backend":
            assert other.api_job_id() == job.api_job_id()
        assert other.cancel() is False
        assert other.resubmit_failed() == 0
        assert [item.name for item in other.circuits] == [item.name for item in job.circuits]
        other.backend().provider.close()

    def test_persist(self, backend, through, tmp_path):
        """It can be saved where it was unpickled."""
        job = through(backend.run(marker("10"), seed_simulator=3))
        job.persist(store_path=tmp_path)
        assert AQTJob.restore(job.job_id(), store_path=tmp_path).result().success

    def test_what_cannot_be_saved(self, backend):
        """An option of the simulator that cannot be saved is no obstacle for a pickle."""
        backend.simulator.set_options(chop_threshold=math.inf)
        job = backend.run(marker("10"))
        other = pickle.loads(pickle.dumps(job))  # noqa: S301
        assert other.result().get_counts() == job.result().get_counts()
        with pytest.raises(UnsavableJobError, match="chop_threshold"):
            other.persist()

    def test_a_failed_job(self, server, machine):
        """Its message; only the process that has run it runs it again."""
        server.fail_jobs("out of ions")
        job = machine.run([marker("10"), marker("01")])
        job.wait_for_final_state()
        other = pickle.loads(pickle.dumps(job))  # noqa: S301
        assert other.status() is JobStatus.ERROR
        assert other.error_message == job.error_message
        assert other.result().status == job.result().status
        with pytest.raises(
            OtherProcessError, match=r"on the job itself, or use AQTJob\.restore"
        ) as here:
            other.resubmit_failed()
        assert "runs in process" not in str(here.value)
        with pytest.raises(OtherProcessError):
            other.adopt("label", other.job_id())
        assert job.resubmit_failed() == 1
        assert job.result().success


@pytest.mark.usefixtures("environment")
class TestRunning:
    """A job of the portal goes on there, and every handle follows it."""

    @pytest.mark.parametrize("journal", [True, False])
    @pytest.mark.parametrize("number", [1, 60])
    def test_two_handles(self, server, device, through, journal, number):
        """Nothing runs twice, with one API job or several."""
        server.hold()
        job = device.run([marker("1")] * number, journal=journal)
        other = through(job)
        assert other.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        assert other.result().get_counts() == job.result().get_counts()
        assert other.job_id() == job.job_id()
        assert len(server.jobs) == -(-number // 50)
        other.backend().provider.close()

    def test_shots_for_each(self, server, device, through):
        """Each circuit keeps its own."""
        server.hold()
        job = device.run([marker("1"), marker("0")], shots=[3, 4001])
        other = through(job)
        server.release()
        expected = [{"1": 3}, {"0": 4001}]
        assert other.options.shots == (3, 4001)
        assert other.result().get_counts() == job.result().get_counts() == expected
        assert through(job).result().get_counts() == expected
        other.backend().provider.close()

    def test_cancel(self, server, device):
        """The other handle cancels it."""
        server.hold()
        job = device.run(marker("1"))
        other = pickle.loads(pickle.dumps(job))  # noqa: S301
        assert other.cancel() is True
        job.wait_for_final_state()
        assert job.status() is JobStatus.CANCELLED
        assert pickle.loads(pickle.dumps(job)).result().success is False  # noqa: S301
        other.backend().provider.close()

    def test_no_token(self, server, device, monkeypatch):
        """Unpickling works; the result says what is missing."""
        server.hold()
        pickled = pickle.dumps(device.run(marker("1")))
        monkeypatch.delenv("AQT_TOKEN")
        job = pickle.loads(pickled)  # noqa: S301
        assert job.status() is JobStatus.ERROR
        assert "set AQT_TOKEN" in job.error_message
        for call in (job.result, job.job_id):
            with pytest.raises(AQTCredentialsError, match="set AQT_TOKEN"):
                call()
        again = pickle.dumps(job)
        monkeypatch.setenv("AQT_TOKEN", server.token)
        server.release()
        for data in (pickled, again):
            job = pickle.loads(data)  # noqa: S301
            if data is pickled:
                assert job.result().get_counts() == {"1": 100}
            job.backend().provider.close()

    def test_not_submitted(self, backend, through):
        """A job that was only made is another job where it is unpickled."""
        job = AQTJob(backend, [marker("10")], backend.options)
        other = through(job)
        other.submit()
        assert other.result().get_counts() == {"10": 100}
        assert job.status() is JobStatus.INITIALIZING


@pytest.mark.usefixtures("environment")
@METHODS
class TestWorkers:
    """Jobs that workers return."""

    def test_jobs(self, server, device, backend, method):
        """Running jobs, ended ones, and simulations."""
        server.hold()
        context = multiprocessing.get_context(method)
        settings = {"AQT_PORTAL_URL": server.url, "AQT_TOKEN": server.token}
        with ProcessPoolExecutor(1, context, set_environment, (settings,)) as pool:
            running = pool.submit(run, device, [marker("10")]).result()
            simulated = pool.submit(run, backend, [marker("01")]).result()
            server.release()
            finished = pool.submit(ended, device, [marker("11")]).result()
        assert simulated.result().get_counts() == {"01": 100}
        assert finished.result().get_counts() == {"11": 100}
        assert running.result().get_counts() == {"10": 100}
        assert len(server.jobs) == 2
        for job in (running, finished):
            job.backend().provider.close()


def test_progress_of_a_batch(server, environment, device):  # noqa: ARG001
    """The handle that was unpickled makes progress by itself."""
    server.hold()
    job = pickle.loads(pickle.dumps(device.run([marker("1")] * 120, **QUIET)))  # noqa: S301
    server.release(50)
    wait_until(lambda: job.progress().finished_count == 50)
    server.release()
    assert job.result().success
    job.backend().provider.close()
