"""Jobs of a machine that takes one circuit at a time, against the local server."""

from __future__ import annotations

import pytest
from aqt_fast import AQTJob, AQTProvider, Progress
from aqt_fast.aqt_job import AQTDirectAccessJob
from aqt_fast.aqt_options import AQTDirectAccessOptions
from aqt_fast.aqt_provider import PortalUnavailableWarning
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    InsecureConnectionError,
    InvalidOptionError,
    SubmissionUncertainError,
)
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.store.listing import StoredJob
from clients import connect, machine_of
from markers import marker
from qiskit.providers import JobStatus, JobTimeoutError, QiskitBackendNotFoundError
from waiting import SECONDS, wait_until


class TestBackend:
    """Finding the machine."""

    def test_what_it_is(self, server, machine):
        """Name and size are the machine's own."""
        assert (machine.name, machine.num_qubits) == ("IBEX", 12)
        assert machine.resource_id.resource_type == "direct_access"
        assert machine.max_circuits == 10_000
        assert isinstance(machine.options, AQTDirectAccessOptions)
        assert server.token not in repr(machine) + repr(machine.resource_id)

    def test_from_the_environment(self, server, portal, monkeypatch):
        """The machine of ``AQT_DIRECT_URL`` is listed, and found by name or kind."""
        with pytest.raises(QiskitBackendNotFoundError, match="AQT_DIRECT_URL"):
            portal.get_direct_access_backend()
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        assert portal.get_direct_access_backend().name == "IBEX"
        assert [found.name for found in portal.backends(backend_type="direct_access")] == ["IBEX"]
        assert portal.get_backend(backend_type="direct_access").name == "IBEX"

    def test_out_of_reach(self, portal, monkeypatch):
        """The others are listed, and the reason is told."""
        monkeypatch.setenv("AQT_DIRECT_URL", "http://127.0.0.1:9")
        with pytest.raises(APIConnectionError, match=r"127\.0\.0\.1:9"):
            portal.get_direct_access_backend()
        with pytest.warns(PortalUnavailableWarning, match="machine at http"):
            assert len(portal.backends(backend_type="direct_access")) == 0

    def test_token_over_plain_http(self, portal):
        """The token is not sent over plain HTTP to another machine."""
        with pytest.raises(InsecureConnectionError, match="plain HTTP"):
            portal.get_direct_access_backend("http://192.0.2.1:6020")

    def test_cap_of_shots(self, server, portal):
        """``max_shots`` limits the shots of one run: a job has more, as several runs."""
        machine = portal.get_direct_access_backend(server.direct_url, max_shots=200)
        job = machine.run(marker("1"), shots=201, with_progress_bar=False)
        assert job.result().get_counts() == {"1": 201}
        assert [record.repetitions for record in server.jobs] == [(200,), (1,)]
        with pytest.raises(InvalidOptionError, match="max_shots"):
            portal.get_direct_access_backend(server.direct_url, max_shots=2001)


class TestShotsForEach:
    """Circuits with different shots."""

    def test_runs(self, server, portal):
        """Each run is one request, and each circuit has its own."""
        machine = portal.get_direct_access_backend(server.direct_url, max_shots=200)
        batch = [marker("01"), marker("10"), marker("11")]
        shots = [3, 450, 200]
        job = machine.run(batch, shots=shots, memory=True, with_progress_bar=False)
        result = job.result()
        assert result.get_counts() == [{"01": 3}, {"10": 450}, {"11": 200}]
        assert [entry.shots for entry in result.results] == shots
        runs = [(3,), (200,), (200,), (50,), (200,)]
        assert [record.repetitions for record in server.jobs] == runs
        again = portal.restore(job.job_id())
        assert again.result().to_dict()["results"] == result.to_dict()["results"]
        assert [part.shots for part in portal.jobs()[0].api_jobs] == [3, 200, 200, 50, 200]
        assert len(server.jobs) == 5

    def test_failed(self, server, machine):
        """A circuit that fails names its shots, and so do the others; it runs again with them."""
        server.fail_jobs("no ions")
        job = machine.run([marker("01"), marker("10")], shots=[3, 4])
        result = job.result()
        assert [(entry.shots, entry.success) for entry in result.results] == [(3, False), (4, True)]
        assert job.resubmit_failed() == 1
        assert job.result().get_counts() == [{"01": 3}, {"10": 4}]

    def test_refused(self, server, machine):
        """Before anything is sent."""
        with pytest.raises(InvalidOptionError, match="each of the 2 circuits, not 3 numbers"):
            machine.run([marker("01"), marker("10")], shots=[3, 4, 5])
        assert server.jobs == []


class TestRun:
    """Circuits go one after the other."""

    def test_order(self, server, machine):
        """Any number of circuits, each once, each with its own counts."""
        patterns = [f"{number:06b}" for number in range(60)]
        job = machine.run([marker(text) for text in patterns], memory=True)
        assert isinstance(job, AQTDirectAccessJob)
        result = job.result()
        assert result.get_counts() == [{text: 5} for text in patterns]
        assert result.get_memory(1) == ["000001"] * 5
        assert result.job_id == job.job_id()
        assert job.status() is JobStatus.DONE
        assert [(record.repetitions, record.runs) for record in server.jobs] == [((5,), (1,))] * 60

    def test_more_shots_than_a_run_takes(self, server, machine):
        """Each circuit runs several times, and has the counts and the memory of all runs."""
        job = machine.run([marker("10"), marker("01")], shots=4096, memory=True)
        result = job.result()
        assert result.get_counts() == [{"10": 4096}, {"01": 4096}]
        assert result.get_memory(1) == ["01"] * 4096
        assert job.progress() == Progress(2, 2)
        assert [record.repetitions for record in server.jobs] == [(2000,), (2000,), (96,)] * 2
        assert [job.api_job_id(run) for run in range(6)] == [each.job_id for each in server.jobs]

    def test_primitives_with_many_shots(self, machine):
        """The estimator's default precision, 1/64, takes 4096 shots; a sampler takes any number."""
        sampled = AQTSampler(machine).run([marker("10")], shots=4096).result()[0]
        assert sampled.data.meas.get_counts() == {"10": 4096}
        circuit = marker("1").remove_final_measurements(inplace=False)
        assert AQTEstimator(machine).run([(circuit, "Z")]).result()[0].data.evs == -1

    def test_one_circuit_in_flight(self, server, machine):
        """All jobs of a provider share one circuit in flight."""
        server.hold()
        jobs = [machine.run([marker("1")] * 3) for _ in range(2)]
        for finished in range(6):
            wait_until(lambda expected=finished + 1: len(server.jobs) == expected)
            assert sum(record.status != "finished" for record in server.jobs) == 1
            server.release(1)
        assert [job.result().get_counts() for job in jobs] == [[{"1": 5}] * 3] * 2
        assert len(server.jobs) == 6

    def test_progress_and_time_out(self, server, machine):
        """Progress is right after a timeout, and a second ``result()`` continues."""
        server.hold()
        job = machine.run([marker("1"), marker("0")], query_timeout_seconds=0.3)
        server.release(1)
        with pytest.raises(JobTimeoutError, match=job.job_id()):
            job.result()
        assert job.progress() == Progress(1, 2)
        assert job.status() is JobStatus.RUNNING
        server.release()
        assert job.result().get_counts() == [{"1": 5}, {"0": 5}]
        assert len(server.jobs) == 2

    def test_cancel(self, server, machine):
        """The running circuit ends, and measured circuits keep their results."""
        server.hold()
        job = machine.run([marker("1")] * 3)
        wait_until(lambda: len(server.jobs) == 1)
        assert job.cancel()
        assert not job.cancel()
        server.release()
        result = job.result()
        assert job.status() is JobStatus.CANCELLED
        assert [entry.success for entry in result.results] == [True, False, False]
        assert result.get_counts(0) == {"1": 5}
        assert len(server.jobs) == 1

    def test_cancel_before_its_turn(self, server, machine):
        """A job cancelled before its turn does not run."""
        server.hold()
        first = machine.run(marker("1"))
        second = machine.run(marker("0"))
        wait_until(lambda: len(server.jobs) == 1)
        assert second.cancel()
        server.release()
        assert first.result().success
        second.wait_for_final_state(timeout=SECONDS)
        assert second.status() is JobStatus.CANCELLED
        assert len(server.jobs) == 1


class TestFaults:
    """No circuit is lost and none runs twice."""

    def test_failed_circuit(self, server, machine):
        """Other circuits run although one fails."""
        server.fail_jobs("ion lost")
        job = machine.run([marker("1"), marker("0")])
        result = job.result()
        assert not result.success
        assert job.error_message.startswith("circuit 0 (marker 1): ")
        assert [entry.success for entry in result.results] == [False, True]
        assert result.get_counts(1) == {"0": 5}
        assert job.status() is JobStatus.ERROR

    def test_failed_run(self, server, machine):
        """One of a circuit's runs fails: the circuit does, until that run is sent again."""
        server.fail_jobs("ion lost")
        job = machine.run([marker("1"), marker("0")], shots=2500)
        result = job.result()
        assert [entry.success for entry in result.results] == [False, True]
        assert job.error_message.startswith("circuit 0 (marker 1): ")
        assert job.resubmit_failed() == 1
        assert job.result().get_counts() == [{"1": 2500}, {"0": 2500}]
        assert [record.repetitions[0] for record in server.jobs] == [2000, 500, 2000, 500, 2000]

    def test_failed_runs_of_one_circuit(self, server, machine):
        """The message tells a circuit's reason once."""
        server.fail_jobs("ion lost", count=2)
        job = machine.run([marker("1"), marker("0")], shots=2500)
        assert not job.result().success
        assert job.error_message.count("circuit 0 (marker 1): ") == 1
        assert "circuits" not in job.error_message

    def test_uncertain_run(self, server, machine):
        """The label names the circuit and which of its runs it is."""
        server.hold()
        job = machine.run([marker("1"), marker("0")], shots=2500, label="careful")
        wait_until(lambda: len(server.jobs) == 1)
        server.faults.next("reset_after", method="PUT")
        server.release()
        with pytest.raises(SubmissionUncertainError, match=r"'careful, circuit 0 \[2/2\]'"):
            job.result()
        job.adopt("careful, circuit 0 [2/2]", server.jobs[1].job_id)
        assert job.resubmit_failed() == 2
        assert job.result().get_counts() == [{"1": 2500}, {"0": 2500}]
        assert len(server.jobs) == 4

    @pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncated", "500_after"])
    def test_uncertain_circuit(self, server, machine, kind):
        """An uncertain circuit is named; earlier ones keep counts, later ones do not start."""
        server.hold()
        job = machine.run([marker("1"), marker("0"), marker("1")], label="careful")
        wait_until(lambda: len(server.jobs) == 1)
        server.faults.next(kind, method="PUT")
        server.release()
        with pytest.raises(SubmissionUncertainError, match="'careful, circuit 1'") as caught:
            job.result()
        accepted = [record.sha256 for record in server.jobs]
        assert len(accepted) == (1 if kind == "reset_before" else 2)
        assert len(caught.value.payload_hash) == 64
        partial = job.result(partial=True)
        assert [entry.success for entry in partial.results] == [True, False, False]
        assert partial.get_counts(0) == {"1": 5}

    @pytest.mark.parametrize(
        "kind",
        ["refuse", "reset_before", "reset_after", "stall", "truncated", "429", "500", "502", "503",
         "504", "bad_json", "wrong_shape"],
    )  # fmt: skip
    def test_faults_of_results(self, server, machine, kind):
        """Faults of result requests only delay the result."""
        server.faults.retry_after = 0
        server.faults.next(kind, method="GET", path="/circuit/result/")
        assert machine.run([marker("1"), marker("0")]).result().success
        assert [fault.kind for fault in server.faults.log] == [kind]
        assert [record.runs for record in server.jobs] == [(1,), (1,)]

    def test_busy_machine(self, server, machine):
        """A circuit waits while the machine runs another user's circuit."""
        with connect(server) as other:
            theirs = machine_of(other, server, shots=7)
            server.hold()
            first = theirs.run(marker("1"))
            wait_until(lambda: len(server.jobs) == 1)
            second = machine.run(marker("0"))
            server.release()
            assert first.result().get_counts() == {"1": 7}
            assert second.result().get_counts() == {"0": 5}

    def test_cancelled_while_the_machine_is_busy(self, server, portal, machine):
        """A circuit cancelled while the machine is busy is not sent."""
        with connect(server) as other:
            theirs = machine_of(other, server)
            server.hold()
            first = theirs.run(marker("1"))
            wait_until(lambda: len(server.jobs) == 1)
            second = machine.run([marker("0")] * 2)
            wait_until(lambda: stored(portal, second).api_jobs[0].state == "submitting")
            assert second.cancel()
            second.wait_for_final_state(timeout=SECONDS)
            assert second.status() is JobStatus.CANCELLED
            server.release()
            assert first.result().success
        assert len(server.jobs) == 1

    def test_expired_token(self, server, machine):
        """The running circuit's result is requested again with a valid token."""
        server.hold()
        job = machine.run([marker("1"), marker("0")])
        wait_until(lambda: len(server.jobs) == 1)
        server.revoke(server.token)
        server.stop()  # so that the result is requested again
        server.start()
        with pytest.raises(APIError, match="not accepted"):
            job.result()
        server.accept(server.token)
        server.release()
        assert job.result().get_counts() == [{"1": 5}, {"0": 5}]
        assert len(server.jobs) == 2

    def test_closing_the_provider(self, server):
        """Closing the provider ends all waits with an error."""
        server.hold()
        with connect(server) as provider:
            machine = machine_of(provider, server)
            jobs = [machine.run(marker("1")) for _ in range(2)]
            wait_until(lambda: len(server.jobs) == 1)
        for job in jobs:
            with pytest.raises(APIConnectionError):
                job.result()


def stored(provider: AQTProvider, job: AQTJob) -> StoredJob:
    """What the store tells of a job."""
    return provider.jobs().find(job.job_id())
