"""The handle of a job: from submission to the end."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from aqt_fast import AQTJob, AQTOptions, Progress
from aqt_fast.exceptions import (
    InvalidCircuitError,
    InvalidInputError,
)
from qiskit import QuantumCircuit, transpile
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus, JobTimeoutError, JobV1
from waiting import wait_until

pytestmark = pytest.mark.all_qiskits


def slow_batch(backend) -> list[QuantumCircuit]:
    """Enough work for a few seconds, in many chunks."""
    circuit = QuantumCircuit(17)
    circuit.h(range(17))
    for qubit in range(16):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return [transpile(circuit, backend)] * 300


class TestLife:
    """From submission to the end."""

    def test_members(self, backend, bell):
        """What a job knows at each point."""
        job = AQTJob(backend, [bell], AQTOptions(shots=10, with_progress_bar=False))
        assert isinstance(job, JobV1)
        assert (job.job_id(), job.status()) == ("", JobStatus.INITIALIZING)
        assert job.progress() == Progress(0, 1)
        assert job.cancel() is False
        assert "not submitted" in repr(job)
        for too_early in (job.result, job.wait_for_final_state):
            with pytest.raises(RuntimeError, match="not submitted"):
                too_early()
        job.submit()
        assert job.job_id()
        with pytest.raises(RuntimeError, match=rf"Job already submitted \(ID: {job.job_id()}\)"):
            job.submit()
        result = job.result()
        assert job.status() is JobStatus.DONE
        assert job.done()
        assert job.in_final_state()
        assert job.progress() == Progress(finished_count=1, total_count=1)
        assert job.error_message is None
        assert job.cancel() is False
        assert job.backend() is backend
        assert result.job_id == job.job_id()
        assert result.backend_name == backend.name
        assert result is job.result()

    def test_run_returns_at_once(self, backend):
        """The job runs in the background; after cancelling it keeps its finished circuits."""
        batch = slow_batch(backend)
        job = backend.run(batch, shots=5)
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        wait_until(lambda: job.progress().finished_count >= 2)
        assert job.status() is JobStatus.RUNNING
        assert job.cancel() is True
        result = job.result()
        assert job.status() is JobStatus.CANCELLED
        assert job.cancelled()
        assert job.error_message is None
        finished, total = job.progress()
        assert 2 <= finished < total == 300
        assert (result.success, result.status) == (False, "the job was cancelled")
        assert [entry.success for entry in result.results] == [True] * finished + [False] * (
            total - finished
        )
        assert sum(result.get_counts(0).values()) == 5
        with pytest.raises(QiskitError, match="the job was cancelled"):
            result.get_counts(total - 1)

    def test_timeout(self, backend):
        """The job continues after a timeout, and another call gets the result."""
        job = backend.run(slow_batch(backend)[:30], shots=5, query_timeout_seconds=0.05)
        with pytest.raises(JobTimeoutError, match=job.job_id()):
            job.result()
        with pytest.raises(JobTimeoutError, match=r"within 0\.01 s"):
            job.wait_for_final_state(timeout=0.01)
        job.wait_for_final_state()
        assert job.result().success

    def test_callback(self, backend):
        """Called with id, status and job while it waits."""
        calls = []
        job = backend.run(slow_batch(backend)[:60], shots=5)
        job.wait_for_final_state(wait=0.05, callback=lambda *arguments: calls.append(arguments))
        assert calls
        assert all(call[0] == job.job_id() and call[2] is job for call in calls)
        assert {call[1] for call in calls} <= {JobStatus.QUEUED, JobStatus.RUNNING}

    def test_simulation_errors_end_the_job(self, provider):
        """Job and result name the error, and earlier circuits have counts."""
        backend = provider.get_backend("offline_simulator_no_noise", available_qubits=60)
        backend.set_options(with_progress_bar=False)
        backend.simulator.set_options(method="statevector")
        good, too_large = QuantumCircuit(1, 1), QuantumCircuit(60)
        good.measure(0, 0)
        too_large.r(1.0, 1.0, range(60))
        too_large.measure_all()
        job = backend.run([good, too_large, good])
        result = job.result()
        assert job.status() is JobStatus.ERROR
        assert "circuit 1" in job.error_message
        assert "memory" in job.error_message
        assert (result.success, result.status) == (False, job.error_message)
        assert result.get_counts(0) == {"0": 100}
        with pytest.raises(QiskitError, match="memory"):
            result.get_counts(1)

    def test_later_changes_do_not_reach_the_job(self, backend, bell):
        """The job keeps copies of circuits and options."""
        options = AQTOptions(shots=5, with_progress_bar=False)
        job = AQTJob(backend, [bell], options)
        options.shots = 6
        bell.data.clear()
        job.submit()
        job.circuits[0].x(0)
        backend.simulator.set_options(max_memory_mb=-1)
        assert sum(job.result().get_counts().values()) == 5
        assert job.circuits == [bell]
        with pytest.raises(InvalidInputError, match="options must be AQTOptions"):
            AQTJob(backend, [], {"shots": 3})
        with pytest.raises(InvalidCircuitError, match="no measurement"):
            AQTJob(backend, [QuantumCircuit(1)], options)

    def test_noise_is_that_of_the_submission(self, backend, bell, tmp_path):
        """Later changes of the simulator do not reach the job."""
        job = backend.run([bell] * 500, shots=20)
        noise = backend.provider.get_backend(
            "offline_simulator_noise"
        ).simulator.options.noise_model
        backend.simulator.set_options(noise_model=noise)
        job.persist(store_path=tmp_path)
        assert all(set(counts) <= {"00", "11"} for counts in job.result().get_counts())
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert not restored.backend().with_noise_model

    def test_noise_may_be_changed_in_place(self, backend, bell):
        """The job keeps a copy of the noise model."""
        from qiskit_aer.noise import NoiseModel

        model = NoiseModel()
        backend.simulator.set_options(noise_model=model)
        job = backend.run([bell] * 500, shots=20)
        model.add_all_qubit_readout_error([[0, 1], [1, 0]])
        model.add_readout_error([[1, 0], [0, 1]], [0])
        assert all(set(counts) <= {"00", "11"} for counts in job.result().get_counts())

    def test_seed_of_the_simulator(self, backend, bell):
        """The simulator's seed acts as the job's: circuits do not share random numbers."""
        expected = backend.run([bell] * 30, shots=100, memory=True, seed_simulator=5).result()
        backend.simulator.set_options(seed_simulator=5)
        result = backend.run([bell] * 30, shots=100, memory=True).result()
        memory = [result.get_memory(index) for index in range(30)]
        assert memory == [expected.get_memory(index) for index in range(30)]
        assert len({tuple(shots) for shots in memory}) == 30

    def test_very_long_timeouts(self, backend, bell):
        """Huge timeouts count as no timeout."""
        job = backend.run(bell, query_timeout_seconds=1e300)
        assert job.result().success
        job.wait_for_final_state(timeout=1e300)

    def test_one_submission(self, backend, bell):
        """Only one of several submitting threads succeeds."""
        for _ in range(20):
            job = AQTJob(backend, [bell], AQTOptions(shots=1, with_progress_bar=False))
            with ThreadPoolExecutor(4) as pool:
                futures = [pool.submit(job.submit) for _ in range(4)]
            assert sum(future.exception() is None for future in futures) == 1
            assert job.result().success

    def test_nothing_left_to_cancel(self, backend, bell):
        """A job whose last circuit is running cannot be cancelled."""
        for _ in range(20):
            job = backend.run(bell, shots=1)
            cancelled = job.cancel()
            job.wait_for_final_state()
            assert job.cancelled() is cancelled

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_process_does_not_wait(self, backend):
        """A forked process refuses to wait for its parent's job."""
        job = backend.run(slow_batch(backend)[:20], shots=5)
        child = os.fork()
        if child == 0:
            with ThreadPoolExecutor(1) as pool:
                errors = [pool.submit(call).exception() for call in (job.result, job.cancel)]
            os._exit(7 if all("not in this one" in str(error) for error in errors) else 8)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert job.result().success

    def test_several_threads_wait(self, backend):
        """All threads get the same result object."""
        job = backend.run(slow_batch(backend)[:50], shots=5)
        results = []
        threads = [threading.Thread(target=lambda: results.append(job.result())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 4
        assert all(result is results[0] for result in results)
        assert results[0].success
