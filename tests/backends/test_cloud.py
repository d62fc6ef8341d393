"""Jobs of AQT's cloud against the local server: from circuits to a result, and while they run."""

from __future__ import annotations

import math
import threading

import pytest
from aqt_fast import AQTJob, Progress, execute
from aqt_fast.exceptions import (
    APIConnectionError,
    AQTCredentialsError,
    InvalidCircuitError,
    InvalidJobError,
    InvalidOptionError,
)
from aqt_fast.primitives import AQTSampler
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of
from markers import marker
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import SECONDS


class TestRun:
    """From circuits to a result."""

    def test_order_and_header(self, shared_server):
        """Each circuit has its own counts, in order, as an offline job would give them."""
        patterns = [f"{number:05b}" for number in range(32)]
        with connect(shared_server) as provider:
            job = device_of(provider).run([marker(text) for text in patterns], shots=7, memory=True)
            result = job.result()
            assert result.success
            assert result.get_counts() == [{text: 7} for text in patterns]
            assert result.get_memory(3) == ["00011"] * 7
            assert (result.job_id, result.backend_name) == (job.job_id(), "simulator_ideal")
            assert result.results[9].header["name"] == "marker 01001"
            assert job.status() is JobStatus.DONE
            assert job.progress() == Progress(32, 32)
            assert job.error_message is None

    def test_registers_and_measurement_map(self, shared_server):
        """Outcomes follow the circuit's measurement map, not the order of qubits."""
        circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(1, "a"))
        circuit.add_register(ClassicalRegister(2, "b"))
        circuit.r(math.pi, 0, 2)
        circuit.measure(2, 0)
        circuit.measure(0, 2)
        with connect(shared_server) as provider:
            assert device_of(provider).run(circuit).result().get_counts() == {"00 1": 100}

    def test_execute_and_sampler(self):
        """``execute`` and a sampler work against a simulating server."""
        bell = QuantumCircuit(2)
        bell.h(0)
        bell.cx(0, 1)
        bell.measure_all()
        with ArnicaServer(seed=1) as server, connect(server) as provider:
            device = device_of(provider)
            counts = execute(bell, device, shots=1000).result().get_counts()
            assert counts.keys() == {"00", "11"}
            assert 400 < counts["00"] < 600
            data = AQTSampler(device).run([bell], shots=500).result()[0].data
            assert data.meas.get_counts().keys() == {"00", "11"}

    def test_label(self, server, device):
        """Jobs have the user's label, or a unique one."""
        job = device.run(marker("1"), label="Bell states, run 7")
        assert job.label == "Bell states, run 7"
        jobs = [device.run(marker("1")) for _ in range(2)]
        assert jobs[0].label != jobs[1].label
        for one in (job, *jobs):
            one.result()
        assert {record.label for record in server.jobs} == {job.label, *(j.label for j in jobs)}

    @pytest.mark.parametrize("label", ["", "x" * 256, "two\nlines", "\ud800", 7])
    def test_bad_label(self, device, label):
        """Refused before anything is sent."""
        with pytest.raises(InvalidOptionError, match="label must be"):
            device.run(marker("1"), label=label)

    def test_bad_circuits(self, server, device):
        """The error lists every invalid circuit of a batch, and nothing is sent."""
        batch = [marker("1")] * 200
        batch[60] = QuantumCircuit(1)
        batch[170] = QuantumCircuit(25)
        with pytest.raises(InvalidCircuitError) as caught:
            device.run(batch)
        assert [problem.circuit for problem in caught.value.problems] == [60, 170]
        with pytest.raises(InvalidJobError, match="at least one circuit"):
            device.run([])
        assert device.max_circuits == 10_000
        assert server.jobs == []

    def test_later_changes_do_not_reach_the_job(self, server, device):
        """The job keeps the circuits and options of the call."""
        circuit = marker("10")
        server.hold()
        job = device.run(circuit, shots=10)
        circuit.remove_final_measurements()
        device.set_options(shots=20)
        server.release()
        assert job.result().get_counts() == {"10": 10}

    def test_timing(self, device):
        """Durations come from the portal's timestamps."""
        job = device.run(marker("1"))
        job.result()
        assert job.timing.total == pytest.approx(job.timing.queued + job.timing.running)
        assert min(job.timing) >= 0

    def test_a_result_is_fetched_once(self, server, device):
        """Repeated calls of ``result()`` fetch the result once."""
        job = device.run(marker("1"))
        assert job.result() is job.result()
        assert job.wait_for_final_state() is None
        assert [record.fetches for record in server.jobs] == [1]

    def test_from_several_threads(self, server, device):
        """Several threads share one provider."""
        jobs: list[AQTJob] = []
        counts: dict[str, dict] = {}

        def work(text: str) -> None:
            jobs.append(device.run(marker(text), shots=3))
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

    def test_progress(self, server, device):
        """A job is queued, runs circuit by circuit, and is done."""
        server.hold()
        job = device.run([marker("1")] * 3)
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

    def test_time_out(self, server, device):
        """After a timeout, a second call of ``result()`` gets the result."""
        server.hold()
        job = device.run(marker("1"), query_timeout_seconds=0.2)
        with pytest.raises(JobTimeoutError, match=f"job {job.job_id()} has not ended within 0.2 s"):
            job.result()
        server.release()
        assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    def test_cancel_in_the_queue(self, server, device):
        """A job cancelled in the queue never runs."""
        server.hold()
        job = device.run(marker("1"))
        job.job_id()
        assert job.cancel()
        assert not job.cancel()
        server.release()
        result = job.result()
        assert not result.success
        assert "cancelled" in result.status
        assert result.to_dict()["error"] == result.status
        assert job.status() is JobStatus.CANCELLED
        assert [record.runs for record in server.jobs] == [(0,)]
        assert not job.cancel()

    def test_cancel_before_the_submission(self, server, device):
        """Cancelling before the submission cancels afterwards, or sends nothing."""
        server.hold()
        jobs = [device.run(marker("1")) for _ in range(20)]
        assert all(job.cancel() for job in jobs)
        for job in jobs:
            job.wait_for_final_state(timeout=SECONDS)
            assert job.status() is JobStatus.CANCELLED
        server.release()
        assert all(record.runs == (0,) for record in server.jobs)

    def test_cancel_cannot_be_asked(self, server, device):
        """The error reaches the user, who may try again."""
        server.hold()
        job = device.run(marker("1"))
        job.job_id()
        server.revoke(server.token)
        with pytest.raises(AQTCredentialsError):
            job.cancel()
        server.accept(server.token)
        assert job.cancel()

    def test_closing_the_provider(self, server):
        """Closing the provider ends all waits with an error."""
        server.hold()
        with connect(server) as provider:
            device = device_of(provider)
            job = device.run(marker("1"))
            job.job_id()
        with pytest.raises(APIConnectionError, match="closed"):
            job.result()
        assert job.status() is JobStatus.ERROR
        with pytest.raises(APIConnectionError, match="closed"):
            device.run(marker("1"))
