"""Jobs of AQT's cloud, against the local server."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import warnings
from contextlib import suppress

import pytest
from aqt_fast import AQTJob, AQTProvider, Progress, execute
from aqt_fast.api_client import PortalClient
from aqt_fast.api_client.retry import Patience
from aqt_fast.aqt_resource import CloudResource
from aqt_fast.backends.cloud.execution import CloudExecution
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InvalidCircuitError,
    InvalidJobError,
    InvalidOptionError,
    JobNotFoundError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from aqt_fast.jobs.timing import JobTiming, job_timing
from aqt_fast.persistence import JobStore
from aqt_fast.primitives import AQTSampler
from aqt_fast.testing import ArnicaServer
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import SECONDS, wait_until
from workloads import marker


@pytest.fixture(scope="module")
def arnica():
    """One server for all tests that do not change it."""
    with ArnicaServer(simulate=False) as server:
        yield server


def connect(server: ArnicaServer, **options) -> AQTProvider:
    """A provider of the server's portal, which gives up reading after two seconds."""
    settings = {"portal_url": server.url, "load_dotenv": False, "read_timeout": 2, **options}
    return AQTProvider(settings.pop("token", server.token), **settings)


def ideal(provider: AQTProvider) -> CloudResource:
    """The ideal simulator, polled as often as is allowed."""
    backend = provider.get_backend("simulator_ideal")
    backend.set_options(query_period_seconds=0.1, with_progress_bar=False)
    return backend


@pytest.fixture
def server():
    """A server of one's own."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture
def backend(server):
    """A backend of the server of one's own."""
    with connect(server) as provider:
        yield ideal(provider)


class TestRun:
    """From circuits to a result."""

    def test_order_and_header(self, arnica):
        """Each circuit has its own counts, in order, as an offline job would give them."""
        patterns = [f"{number:05b}" for number in range(32)]
        with connect(arnica) as provider:
            job = ideal(provider).run([marker(text) for text in patterns], shots=7, memory=True)
            result = job.result()
            assert result.success
            assert result.get_counts() == [{text: 7} for text in patterns]
            assert result.get_memory(3) == ["00011"] * 7
            assert (result.job_id, result.backend_name) == (job.job_id(), "simulator_ideal")
            assert result.results[9].header["name"] == "marker 01001"
            assert job.status() is JobStatus.DONE
            assert job.progress() == Progress(32, 32)
            assert job.error_message is None

    def test_registers_and_measurement_map(self, arnica):
        """Bits go where the circuit has put them, not where the device reads them."""
        circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(1, "a"))
        circuit.add_register(ClassicalRegister(2, "b"))
        circuit.r(math.pi, 0, 2)
        circuit.measure(2, 0)
        circuit.measure(0, 2)
        with connect(arnica) as provider:
            assert ideal(provider).run(circuit).result().get_counts() == {"00 1": 100}

    def test_execute_and_sampler(self):
        """The short way, and a primitive, against a simulating server."""
        bell = QuantumCircuit(2)
        bell.h(0)
        bell.cx(0, 1)
        bell.measure_all()
        with ArnicaServer(seed=1) as server, connect(server) as provider:
            backend = ideal(provider)
            counts = execute(bell, backend, shots=1000).result().get_counts()
            assert counts.keys() == {"00", "11"}
            assert 400 < counts["00"] < 600
            data = AQTSampler(backend).run([bell], shots=500).result()[0].data
            assert data.meas.get_counts().keys() == {"00", "11"}

    def test_label(self, server, backend):
        """The user's own; otherwise one that is unlike any other."""
        job = backend.run(marker("1"), label="Bell states, run 7")
        assert job.label == "Bell states, run 7"
        jobs = [backend.run(marker("1")) for _ in range(2)]
        assert jobs[0].label != jobs[1].label
        for one in (job, *jobs):
            one.result()
        assert {record.label for record in server.jobs} == {job.label, *(j.label for j in jobs)}

    @pytest.mark.parametrize("label", ["", "x" * 256, "two\nlines", "\ud800", 7])
    def test_bad_label(self, backend, label):
        """Refused before anything is sent."""
        with pytest.raises(InvalidOptionError, match="label must be"):
            backend.run(marker("1"), label=label)

    def test_bad_circuits(self, server, backend):
        """All of a batch are listed, and nothing is sent."""
        batch = [marker("1")] * 200
        batch[60] = QuantumCircuit(1)
        batch[170] = QuantumCircuit(25)
        with pytest.raises(InvalidCircuitError) as caught:
            backend.run(batch)
        assert [problem.circuit for problem in caught.value.problems] == [60, 170]
        with pytest.raises(InvalidJobError, match="at least one circuit"):
            backend.run([])
        assert backend.max_circuits is None
        assert server.jobs == []

    def test_later_changes_do_not_reach_the_job(self, server, backend):
        """Circuits and options are those of the call."""
        circuit = marker("10")
        server.hold()
        job = backend.run(circuit, shots=10)
        circuit.remove_final_measurements()
        backend.set_options(shots=20)
        server.release()
        assert job.result().get_counts() == {"10": 10}

    def test_timing(self, backend):
        """Seconds from the portal's own stamps."""
        job = backend.run(marker("1"))
        job.result()
        assert job.timing.total == pytest.approx(job.timing.queued + job.timing.running)
        assert min(job.timing) >= 0

    def test_a_result_is_fetched_once(self, server, backend):
        """However often it is asked for."""
        job = backend.run(marker("1"))
        assert job.result() is job.result()
        assert job.wait_for_final_state() is None
        assert [record.fetches for record in server.jobs] == [1]

    def test_from_several_threads(self, server, backend):
        """One pool of connections for all."""
        jobs: list[AQTJob] = []
        counts: dict[str, dict] = {}

        def work(text: str) -> None:
            jobs.append(backend.run(marker(text), shots=3))
            counts[text] = jobs[-1].result().get_counts()

        patterns = [f"{number:04b}" for number in range(16)]
        threads = [threading.Thread(target=work, args=(text,)) for text in patterns]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert counts == {text: {text: 3} for text in patterns}
        assert len(server.jobs) == 16


class TestWaiting:
    """While a job is under way."""

    def test_progress(self, server, backend):
        """Queued, running circuit by circuit, done."""
        server.hold()
        job = backend.run([marker("1")] * 3)
        assert job.job_id() == server.jobs[0].job_id
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        assert job.progress() == Progress(0, 3)
        seen: list[int] = []

        def note(job_id, status, same_job) -> None:
            assert (job_id, same_job) == (job.job_id(), job)
            finished = job.progress().finished_count
            if finished == len(seen):
                assert status is (JobStatus.RUNNING if finished else status)
                seen.append(finished)
                server.release(1)

        job.wait_for_final_state(timeout=SECONDS, wait=0.02, callback=note)
        assert job.status() is JobStatus.DONE
        assert seen == [0, 1, 2]

    def test_time_out(self, server, backend):
        """Loses nothing: the second call goes on."""
        server.hold()
        job = backend.run(marker("1"), query_timeout_seconds=0.2)
        with pytest.raises(JobTimeoutError, match=f"job {job.job_id()} has not ended within 0.2 s"):
            job.result()
        server.release()
        assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    def test_cancel_in_the_queue(self, server, backend):
        """It never runs."""
        server.hold()
        job = backend.run(marker("1"))
        job.job_id()
        assert job.cancel()
        assert not job.cancel()
        server.release()
        result = job.result()
        assert not result.success
        assert "cancelled" in result.status
        assert job.status() is JobStatus.CANCELLED
        assert [record.runs for record in server.jobs] == [(0,)]
        assert not job.cancel()

    def test_cancel_before_the_submission(self, server, backend):
        """It is cancelled as soon as there is something to cancel, or not sent at all."""
        server.hold()
        jobs = [backend.run(marker("1")) for _ in range(20)]
        assert all(job.cancel() for job in jobs)
        for job in jobs:
            job.wait_for_final_state(timeout=SECONDS)
            assert job.status() is JobStatus.CANCELLED
        server.release()
        assert all(record.runs == (0,) for record in server.jobs)

    def test_cancel_cannot_be_asked(self, server, backend):
        """The error reaches the user, who may try again."""
        server.hold()
        job = backend.run(marker("1"))
        job.job_id()
        server.revoke(server.token)
        with pytest.raises(AQTCredentialsError):
            job.cancel()
        server.accept(server.token)
        assert job.cancel()

    def test_closing_the_provider(self, server):
        """Jobs stay with the portal; who waits is told."""
        server.hold()
        with connect(server) as provider:
            backend = ideal(provider)
            job = backend.run(marker("1"))
            job.job_id()
        with pytest.raises(APIConnectionError, match="closed"):
            job.result()
        assert job.status() is JobStatus.ERROR
        with pytest.raises(APIConnectionError, match="closed"):
            backend.run(marker("1"))


class TestOnce:
    """One ``run`` is one submission, whatever happens meanwhile."""

    def test_closing_during_a_submission(self, server):
        """It may have been accepted, and that is what is said."""
        server.faults.slow_seconds = 2.5
        with connect(server, read_timeout=5) as provider:
            backend = ideal(provider)
            provider._cloud_session().SETTLING_SECONDS = 0.2
            server.faults.next("slow", method="POST")
            job = backend.run(marker("1"), label="on its way")
        with pytest.raises(SubmissionUncertainError, match=r"'on its way'.*provider is closed"):
            job.result()
        assert job.status() is JobStatus.ERROR

    def test_closing_waits_for_submissions(self, server):
        """At the end of a block everything that was run is with the portal."""
        with connect(server) as provider:
            backend = ideal(provider)
            jobs = [backend.run(marker("1")) for _ in range(20)]
        assert len(server.jobs) == 20
        assert {job.job_id() for job in jobs} == {record.job_id for record in server.jobs}

    def test_program_that_ends(self, server):
        """So at the end of a program; what could not be submitted is named."""
        script = (
            "import sys, math\n"
            "from aqt_fast import AQTProvider\n"
            "from qiskit import QuantumCircuit\n"
            "from aqt_fast.jobs.execution import Connection\n"
            "Connection.SETTLING_SECONDS = float(sys.argv[2])\n"
            "provider = AQTProvider(sys.argv[3], portal_url=sys.argv[1])\n"
            "backend = provider.saved_backend('simulator_ideal', 1,"
            " dict(portal_url=sys.argv[1], workspace_id='default', resource_name='x',"
            " resource_type='simulator'))\n"
            "circuit = QuantumCircuit(1)\n"
            "circuit.measure_all()\n"
            "for number in range(20): backend.run(circuit, label=f'job {number}')\n"
        )

        def run(url: str, seconds: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(  # noqa: S603
                [sys.executable, "-c", script, url, seconds, server.token],
                check=True, capture_output=True, text=True,
            )  # fmt: skip

        done = run(server.url, "20")
        assert done.stderr == ""
        assert {record.label for record in server.jobs} == {f"job {number}" for number in range(20)}
        lost = run("http://127.0.0.1:9", "0.3")
        assert [line for line in lost.stderr.splitlines() if "'job 7' was not submitted" in line]
        assert "Traceback" not in lost.stderr

    def test_no_threads(self, server, backend, monkeypatch):
        """Where none can be started, nothing is sent later."""

        def refuse(_thread) -> None:
            raise RuntimeError("can't start new thread")

        backend._session.close()
        with connect(server) as provider:
            fresh = ideal(provider)
            monkeypatch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(APIConnectionError, match="no thread can be started"):
                fresh.run(marker("1"))
            monkeypatch.undo()
            assert fresh.run(marker("0")).result().success
        assert len(server.jobs) == 1

    def test_interrupted_submission(self, server, backend, monkeypatch):
        """A job that was begun cannot be submitted again."""
        job = AQTJob(backend, [marker("1")], backend.options)
        begin = CloudExecution.begin

        def interrupted(execution) -> None:
            begin(execution)
            raise KeyboardInterrupt

        monkeypatch.setattr(CloudExecution, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            job.submit()
        with pytest.raises(RuntimeError, match="already submitted"):
            job.submit()
        assert job.result().success
        assert len(server.jobs) == 1

    def test_error_after_the_answer(self, server, backend, monkeypatch):
        """Nobody knows, and nobody says otherwise."""
        submit = PortalClient.submit

        def broken(portal, *arguments, **options) -> str:
            submit(portal, *arguments, **options)
            raise MemoryError

        monkeypatch.setattr(PortalClient, "submit", broken)
        job = backend.run(marker("1"))
        with pytest.raises(SubmissionUncertainError, match="MemoryError"):
            job.result()
        with pytest.raises(SubmissionUncertainError):
            job.job_id()
        assert len(server.jobs) == 1

    def test_cancelled_while_it_waits(self, server, backend):
        """What has not been accepted is not sent any more."""
        server.faults.retry_after = 1
        server.faults.next("429", method="POST")
        job = backend.run(marker("1"))
        wait_until(lambda: server.faults.log)
        assert job.cancel()
        job.wait_for_final_state(timeout=SECONDS)
        assert job.status() is JobStatus.CANCELLED
        assert server.jobs == []

    def test_cancelled_too_late(self, server, backend):
        """What has ended before it could be cancelled has its result."""
        server.faults.slow_seconds = 0.3
        server.faults.next("slow", method="POST")
        job = backend.run(marker("1"))
        wait_until(lambda: server.jobs and server.jobs[0].status == "finished")
        assert job.cancel()
        assert job.result().get_counts() == {"1": 100}
        assert job.status() is JobStatus.DONE

    def test_refused_for_the_token(self, server):
        """Nothing was accepted: with another token the same job is submitted."""
        with connect(server) as provider:
            backend = ideal(provider)
            server.revoke(server.token)
            job = backend.run(marker("1"))
            with pytest.raises(AQTCredentialsError):
                job.result()
            server.accept(server.token)
            assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    def test_in_a_forked_process(self, server, backend):
        """Connections are not shared; jobs are not those of the child."""
        server.hold()
        job = backend.run(marker("1"))
        job.job_id()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork
            child = os.fork()
        if not child:
            status = 1
            try:
                with pytest.raises(APIConnectionError, match="make another provider"):
                    backend._session.portal.list_resources()
                with pytest.raises(RuntimeError, match="make another in this one"):
                    backend.run(marker("0"))
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        server.release()
        assert job.result().success
        assert len(server.jobs) == 1


class TestFailures:
    """What the contract says about jobs that do not end well."""

    def test_portal_in_trouble(self, server, backend, monkeypatch):
        """Its 503 answers are waited out, however long."""
        monkeypatch.setattr("aqt_fast.api_client.portal._POLL", Patience(seconds=0.1))
        server.faults.next("503", count=12, method="GET", path="/result/")
        job = backend.run(marker("1"))
        assert job.result().success
        assert len(server.faults.log) == 12

    def test_never_success_without_outcomes(self, server, backend):
        """Threads that ask again and again get an error or the outcomes."""
        for _ in range(6):
            server.faults.next("410", path="/result/")
        job = backend.run(marker("1"), query_period_seconds=0.1)
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

    def test_time_out_of_a_submission(self, server, backend):
        """It holds there, too; what is known is nothing."""
        server.faults.retry_after = 20
        server.faults.next("429", method="POST")
        job = backend.run(marker("1"), query_timeout_seconds=0.2, label="waiting")
        with pytest.raises(JobTimeoutError, match="job waiting has not ended"):
            job.result()
        with pytest.raises(JobTimeoutError):
            job.wait_for_final_state(0.1)
        assert not job.result(partial=True).success
        assert job.cancel()

    def test_failed_job(self, server, backend):
        """A result without success, and the portal's message."""
        server.fail_jobs("the ions have left")
        job = backend.run([marker("1"), marker("0")])
        result = job.result()
        assert not result.success
        assert result.status == job.error_message == "the ions have left"
        assert [entry.success for entry in result.results] == [False, False]
        assert job.status() is JobStatus.ERROR

    def test_expired(self, server, backend):
        """The portal keeps results for a day."""
        job = backend.run(marker("1"))
        assert job.result().success
        server.advance(25 * 3600)
        again = resumed(backend, job, [marker("1")])
        again.wait(SECONDS)
        assert isinstance(again.error, ResultExpiredError)
        assert again.status is JobStatus.ERROR
        assert job.result().success

    def test_refused_submission(self, server):
        """With the portal's reason; there is no job, and none to name."""
        with connect(server) as provider:
            backend = ideal(provider)
            server.accept("other", workspaces=["lab"])
            with connect(server, token="other") as stranger:  # noqa: S106
                job = ideal_of(stranger, backend).run(marker("1"))
                with pytest.raises(APIError, match="403"):
                    job.result()
                with pytest.raises(APIError, match="403"):
                    job.job_id()
                assert job.status() is JobStatus.ERROR
                assert "403" in job.error_message
                assert not job.result(partial=True).success
        assert server.jobs == []

    def test_expired_token(self, server):
        """It is not accepted for submissions, nor for polls; later the job goes on."""
        with connect(server) as provider:
            backend = ideal(provider)
            server.hold()
            job = backend.run(marker("1"))
            job.job_id()
            server.revoke(server.token)
            with pytest.raises(AQTCredentialsError, match="log in again"):
                job.result()
            with pytest.raises(AQTCredentialsError):
                backend.run(marker("1")).result()
            server.accept(server.token)
            server.release()
            assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    @pytest.mark.parametrize("kind", ["reset_after", "truncated", "stall", "500_after", "bad_json"])
    def test_uncertain_submission(self, server, backend, kind):
        """It is named, and not repeated."""
        server.faults.next(kind, method="POST")
        job = backend.run(marker("1"), label=f"with {kind}")
        with pytest.raises(SubmissionUncertainError) as caught:
            job.result()
        (record,) = server.jobs
        assert (caught.value.label, caught.value.payload_hash) == (record.label, record.sha256)
        assert f"'with {kind}'" in job.error_message
        assert not job.cancel()

    @pytest.mark.parametrize("kind", ["refuse", "429", "429_date"])
    def test_submission_that_was_not_accepted(self, server, backend, kind):
        """It is repeated."""
        server.faults.retry_after = 0
        if kind == "refuse":
            server.refuse(0.2)
        else:
            server.faults.next(kind, method="POST")
        assert backend.run(marker("1")).result().success
        assert len(server.jobs) == 1

    @pytest.mark.parametrize(
        "kind",
        [
            "refuse", "reset_before", "reset_after", "slow", "stall", "truncated", "429",
            "429_date", "500", "502", "503", "503_retry", "504", "bad_json", "wrong_shape",
        ],
    )  # fmt: skip
    def test_faults_of_polls(self, server, backend, kind):
        """They only delay the result."""
        server.faults.retry_after = 0
        server.faults.next(kind, method="GET", path="/result/")
        assert backend.run(marker("1")).result().get_counts() == {"1": 100}
        assert [fault.kind for fault in server.faults.log] == [kind]
        assert [record.runs for record in server.jobs] == [(1,)]

    def test_the_network_goes_and_comes_back(self, server, backend):
        """In the middle of ``result()``."""
        server.hold()
        job = backend.run([marker("1"), marker("0")])
        job.job_id()
        results = []
        waiting = threading.Thread(target=lambda: results.append(job.result()))
        waiting.start()
        server.stop()
        waiting.join(0.5)
        assert waiting.is_alive()
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        server.start()
        waiting.join(SECONDS)
        assert results[0].get_counts() == [{"1": 100}, {"0": 100}]
        assert [record.runs for record in server.jobs] == [(1, 1)]

    def test_answers_about_other_circuits(self, backend):
        """As good as no answer."""
        job = backend.run([marker("1")] * 2, shots=10)
        job.result()
        other = resumed(backend, job, [marker("1")] * 3)
        other.wait(SECONDS)
        assert isinstance(other.error, APIError)
        assert "samples of 2 circuits for 3" in str(other.error)


def resumed(backend: CloudResource, job: AQTJob, circuits: list[QuantumCircuit]):
    """The job taken up elsewhere, there with these circuits."""
    settings = job._execution.settings()
    settings["jobs"][0]["chunk"][1] = len(circuits)
    execution = backend.resumed(backend.prepare(circuits), job.options, settings, None)
    execution.begin()
    return execution


def ideal_of(provider: AQTProvider, backend: CloudResource) -> CloudResource:
    """The same resource for somebody who cannot list it."""
    settings = {
        "portal_url": provider._cloud_session().portal.portal_url,
        "workspace_id": "default",
        "resource_name": backend.description,
        "resource_type": "simulator",
    }
    other = provider.saved_backend(backend.name, backend.num_qubits, settings)
    other.set_options(query_period_seconds=0.1, with_progress_bar=False)
    return other


class TestSaving:
    """Persisted jobs go on elsewhere."""

    @pytest.fixture(autouse=True)
    def environment(self, server, monkeypatch):
        """What ``restore`` finds."""
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        monkeypatch.setenv("AQT_TOKEN", server.token)

    def test_persist_and_restore(self, server, backend, tmp_path):
        """The same job, not another; its file goes."""
        server.hold()
        job = backend.run([marker("10"), marker("01")], shots=5, label="kept")
        path = job.persist(store_path=tmp_path)
        assert server.token not in path.read_text()
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        server.release()
        assert (again.job_id(), again.label) == (job.job_id(), "kept")
        assert again.result().get_counts() == [{"10": 5}, {"01": 5}]
        assert again.backend().name == "simulator_ideal"
        assert len(server.jobs) == 1
        assert not path.exists()
        with pytest.raises(JobNotFoundError):
            AQTJob.restore(job.job_id(), store_path=tmp_path)

    def test_other_portal(self, backend, tmp_path, monkeypatch):
        """A job is not looked for where it cannot be; the file stays."""
        job = backend.run(marker("1"))
        path = job.persist(store_path=tmp_path)
        monkeypatch.setenv("AQT_PORTAL_URL", "https://portal.invalid")
        with pytest.raises(APIError, match=r"not with https://portal\.invalid"):
            AQTJob.restore(job.job_id(), store_path=tmp_path)
        with pytest.raises(AQTCredentialsError, match="no access token"):
            AQTJob.restore(job.job_id(), access_token="", store_path=tmp_path)
        assert path.exists()

    def test_failed_submission(self, server, backend, tmp_path):
        """There is nothing to save."""
        server.faults.next("500", method="POST")
        with pytest.raises(SubmissionUncertainError):
            backend.run(marker("1")).persist(store_path=tmp_path)
        assert list(JobStore(tmp_path).path.iterdir()) == []


class TestTiming:
    """From status changes to durations."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ([], (None, None, None)),
            ([("queued", "2026-11-22T10:00:00Z")], (None, None, None)),
            (
                [("queued", "2026-11-22T10:00:00Z"), ("ongoing", "2026-11-22T10:00:02.5+00:00")],
                (2.5, None, None),
            ),
            (
                [
                    ("finished", "2026-11-22T10:01:02Z"),
                    ("queued", "2026-11-22T11:00:00+01:00"),
                    ("ongoing", "2026-11-22T10:00:02Z"),
                ],
                (2, 60, 62),
            ),
            (
                [("queued", "2026-11-22T10:00:00Z"), ("cancelled", "2026-11-22T10:00:09Z")],
                (9, None, 9),
            ),
            ([("queued", "yesterday"), ("finished", "2026-11-22T10:00:09Z")], (None, None, None)),
            (
                [("queued", "2026-11-22T10:00:00"), ("finished", "2026-11-22T10:00:09Z")],
                (None, None, None),
            ),
        ],
    )
    def test_durations(self, changes, expected):
        """In any order; None for what is not known."""
        assert job_timing(changes) == JobTiming(*expected)
