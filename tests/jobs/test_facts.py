"""What tools ask a job besides its result: message, usage, metrics, dates, queue, tags."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import orjson
import pytest
from aqt_fast import AQTJob, AQTOptions
from aqt_fast.aqt_resource import OfflineSimulatorResource
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.jobs.error_text import ErrorText
from clients import device_of
from markers import marker, markers
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import wait_until


class TestErrorMessage:
    """Read and called."""

    def test_failed(self, server, device):
        """A text that gives itself when it is called."""
        server.fail_jobs("ion lost")
        job = device.run(marker("1"))
        job.result()
        assert job.error_message == job.error_message() == "ion lost"
        assert isinstance(job.error_message, str)
        assert type(job.error_message()) is str
        assert f"{job.error_message}" == "ion lost"
        assert orjson.dumps({"why": job.error_message()}) == b'{"why":"ion lost"}'

    def test_not_failed(self, server, backend, device):
        """None, and not a stand-in: before, while and after."""
        assert AQTJob(backend, [marker("1")], AQTOptions()).error_message is None
        server.hold()
        job = device.run(marker("1"))
        assert job.error_message is None
        job.cancel()
        job.wait_for_final_state()
        assert job.status() is JobStatus.CANCELLED
        assert job.error_message is None

    def test_text(self):
        """Everything that a text does."""
        text = ErrorText("why")
        assert (text, text(), text.upper(), {text: 1}["why"]) == ("why", "why", "WHY", 1)


class TestTimeout:
    """``result`` waits as long as it is told."""

    @pytest.mark.parametrize("arguments", [(0.01,), (0,), (0.01, 5)])
    def test_positional(self, server, device, arguments):
        """As Qiskit's jobs take it; the option does not count then."""
        server.hold()
        job = device.run(marker("1"), query_timeout_seconds=3600)
        with pytest.raises(JobTimeoutError, match=f"within {arguments[0]} s"):
            job.result(*arguments)
        partial = job.result(timeout=0.01, wait=0.01, partial=True)
        assert partial.status == "not all circuits were evaluated in time"
        server.release()
        assert job.result(timeout=30, wait=5).get_counts() == {"1": 100}

    def test_none(self, server, device):
        """The option counts."""
        server.hold()
        job = device.run(marker("1"), query_timeout_seconds=0.01)
        with pytest.raises(JobTimeoutError, match=r"within 0\.01 s"):
            job.result(timeout=None, wait=None)
        job.cancel()

    @pytest.mark.parametrize("name", ["timeout", "wait"])
    @pytest.mark.parametrize("value", [-1, "1", float("nan"), True])
    def test_bad(self, backend, name, value):
        """Neither a negative time nor something else."""
        with pytest.raises(InvalidOptionError, match=f"^{name} must be a time of at least 0 s"):
            backend.run(marker("1")).result(**{name: value})


class TestUsage:
    """Times and sizes."""

    def test_in_the_cloud(self, device):
        """The device's seconds add up over API jobs; waiting does not count."""
        before = datetime.now(timezone.utc)
        job = device.run(markers(range(120)), shots=7)
        job.result()
        metrics = job.metrics()
        stamps = {
            name: datetime.fromisoformat(text) for name, text in metrics["timestamps"].items()
        }
        tolerance = timedelta(seconds=0.01)
        assert before - tolerance <= stamps["created"] <= stamps["finished"]
        assert stamps["running"] <= stamps["finished"]
        assert stamps["created"] == job.creation_date
        assert 0 < job.usage() <= job.timing.running
        assert metrics["usage"] == {"seconds": job.usage(), "quantum_seconds": job.usage()}
        assert metrics["bss"] == {"seconds": job.usage()}
        assert (metrics["num_circuits"], metrics["executions"]) == (120, 840)
        assert metrics["position_in_queue"] is None
        assert orjson.dumps(metrics)

    @pytest.mark.usefixtures("environment")
    def test_restored(self, device):
        """The same from the journal, and from a copy without one."""
        job = device.run(markers(range(120)), shots=7, tags=["a"])
        job.result()
        again = AQTJob.restore(job.job_id())
        assert again.metrics() == job.metrics()
        assert (again.creation_date, again.tags) == (job.creation_date, ["a"])
        bare = device.run(marker("1"), journal=False)
        bare.result()
        bare.persist()
        again = AQTJob.restore(bare.job_id())
        again.result()
        assert again.metrics() == bare.metrics()

    def test_offline(self, backend):
        """No device, no usage."""
        job = AQTJob(backend, [marker("1")], AQTOptions(shots=3, tags=["a", "b"]))
        assert (job.usage(), job.creation_date, job.tags) == (0.0, None, ["a", "b"])
        assert job.queue_info() is None
        with pytest.raises(RuntimeError, match="not submitted"):
            job.metrics()
        job.submit()
        job.result()
        assert job.usage() == 0.0
        assert job.queue_info() is None
        metrics = job.metrics()
        assert metrics["executions"] == 3
        assert metrics["timestamps"]["running"] is None
        assert metrics["timestamps"]["created"] <= metrics["timestamps"]["finished"]

    def test_machine(self, machine):
        """It reports no times."""
        job = machine.run(markers(range(3)))
        job.result()
        assert job.usage() == 0.0
        assert job.queue_info() == (None, 0, 0, 0, 3)
        assert job.metrics()["executions"] == 15


class TestQueue:
    """Where the API jobs are."""

    def test_counts(self, server, device):
        """From the submission to the end; they always add up."""
        server.hold()
        job = device.run(markers(range(150)), shots=3)
        wait_until(lambda: job.queue_info().unsent == 0)
        assert job.queue_position() is None
        assert job.queue_position(refresh=True) is None
        wait_until(lambda: job.queue_info() == (None, 0, 2, 1, 0))
        server.release(50)
        wait_until(lambda: job.queue_info().ended == 1)
        assert sum(job.queue_info()[1:]) == 3
        server.release()
        job.result()
        assert job.queue_info() == (None, 0, 0, 0, 3)


class TestTags:
    """Found again by text."""

    def test_in_the_list(self, portal, device, backend):
        """All tags that are asked for; other backends' jobs are apart."""
        both = device.run(marker("1"), tags=["sweep", "day 3"])
        one = device.run(marker("1"), job_tags=["sweep"])
        other = device_of(portal, "ibex").run(marker("1"))
        for job in (both, one, other):
            job.result()
        assert ids(portal.jobs(tags=["sweep"])) == {both.job_id(), one.job_id()}
        assert ids(portal.jobs(tags=["sweep", "day 3"])) == {both.job_id()}
        assert ids(portal.jobs(tags=["day 4"])) == set()
        assert ids(device.jobs()) == {both.job_id(), one.job_id()}
        assert ids(device.jobs(tags=["day 3"], state="done", limit=5)) == {both.job_id()}
        assert ids(other.backend().jobs()) == {other.job_id()}
        (stored,) = portal.jobs(tags=["day 3"])
        assert stored.tags == ("sweep", "day 3")
        assert stored.restore().tags == ["sweep", "day 3"]
        with pytest.raises(InvalidOptionError, match="tags must be"):
            portal.jobs(tags="sweep")
        offline = backend.run(marker("1"), tags=["sweep"])
        assert ids(backend.jobs()) == set()
        offline.persist()
        assert ids(backend.jobs(tags=["sweep"])) == {offline.job_id()}

    def test_two_workspaces(self, portal):
        """A resource of the same name in another workspace has its own jobs."""
        here, there = (
            portal.get_backend("simulator_noise", workspace=name) for name in ("default", "lab")
        )
        job = here.run(marker("1"), query_period_seconds=0.1)
        job.result()
        assert ids(here.jobs()) == {job.job_id()}
        assert ids(there.jobs()) == set()
        assert ids(portal.jobs("simulator_noise")) == {job.job_id()}
        assert portal.jobs()[0].workspace == "default"

    @pytest.mark.usefixtures("environment")
    def test_a_backend_without_a_provider(self, backend):
        """The store is the default one."""
        alone = OfflineSimulatorResource(backend.resource_id)
        job = alone.run(marker("1"), with_progress_bar=False)
        job.persist()
        assert ids(alone.jobs()) == {job.job_id()}
        again = alone.retrieve_job(job.job_id(), with_progress_bar=False)
        assert again.result().get_counts() == {"1": 100}


def ids(table) -> set[str]:
    """The jobs of a table."""
    return {job.job_id for job in table}
