"""Offline simulations on an executor's workers: outcomes, refusals, progress."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from aqt_fast import AQTJob, AQTProvider, execute
from aqt_fast.aqt_resource import UnknownOptionWarning
from aqt_fast.exceptions import InvalidOptionError, UnknownOptionError
from aqt_fast.testing import ArnicaServer
from executors import (
    Inline,
    Waiting,
    check,
    layers,
    mixed_batch,
    noisy,
    outcomes,
    slow_batch,
    taking,
)
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobTimeoutError
from qiskit_aer.noise import NoiseModel, amplitude_damping_error, depolarizing_error
from waiting import wait_until

WORKERS = 2


@pytest.fixture(scope="module")
def spawned():
    """Two processes that know of this one only what they are sent."""
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def batch():
    """Enough for chunks of several circuits."""
    return mixed_batch()


class TestOutcomes:
    """Outcomes equal those without an executor, noise and order of shots included."""

    @pytest.mark.all_qiskits
    def test_processes(self, provider, batch, spawned):
        """Spawned processes share no state with this one."""
        check(provider, batch, spawned)
        assert spawned.submit(os.getpid).result() != os.getpid()

    def test_shots_for_each(self, backend, batch, spawned):
        """Circuits with different shots, in chunks of several circuits."""
        options = {"shots": [1 + index % 5 for index in range(len(batch))], "seed_simulator": 4}
        expected = backend.run(batch, memory=True, **options).result()
        result = backend.run(batch, memory=True, executor=spawned, **options).result()
        assert outcomes(result) == outcomes(expected)
        assert [entry.shots for entry in result.results] == options["shots"]

    def test_threads(self, provider, batch):
        """Chunks run in parallel threads, each with its own simulator."""
        with ThreadPoolExecutor(4) as pool:
            check(provider, batch, pool)

    def test_noise_of_ones_own(self, provider, batch, spawned):
        """Custom noise models reach the workers; the next job may use another."""
        backend = noisy(provider, shots=100, memory=True, seed_simulator=8)
        seen = []
        for special in (amplitude_damping_error(0.3), depolarizing_error(1.0, 1)):
            model = NoiseModel()
            model.add_all_qubit_quantum_error(amplitude_damping_error(0.1), ["r"])
            model.add_all_qubit_quantum_error(special, ["rz"])
            model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
            backend.simulator.set_options(noise_model=model, method="density_matrix")
            expected = outcomes(backend.run(batch[-5:]).result())
            assert outcomes(backend.run(batch[-5:], executor=spawned).result()) == expected
            seen.append(expected)
        assert seen[0] != seen[1]

    def test_seeds(self, backend, bell):
        """Without a seed all circuits differ; the simulator's seed is used otherwise."""
        runs = [
            [
                tuple(entry.data.memory)
                for entry in backend.run([bell] * 30, shots=60, memory=True, executor=Inline())
                .result()
                .results
            ]
            for _ in range(2)
        ]
        assert len(set(runs[0] + runs[1])) == 60
        expected = backend.run([bell] * 30, seed_simulator=4).result()
        backend.simulator.set_options(seed_simulator=4)
        assert outcomes(backend.run([bell] * 30, executor=Inline()).result()) == outcomes(expected)

    def test_execute_and_persist(self, backend, bell, tmp_path):
        """A restored job does not use the executor of the saved one."""
        calls = Inline()
        job = execute([bell], backend, executor=calls, seed_simulator=1, memory=True)
        expected = outcomes(job.result())
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert outcomes(restored.result()) == expected
        assert calls.number == 1


class TestRefused:
    """Invalid executors are refused before the job starts."""

    @pytest.mark.parametrize("executor", [3, "processes", ProcessPoolExecutor, object()])
    def test_no_executor(self, backend, bell, executor):
        """Anything but an executor is refused."""
        with pytest.raises(InvalidOptionError, match="executor must be a concurrent") as caught:
            backend.run(bell, executor=executor)
        assert caught.value.option == "executor"

    def test_what_cannot_be_sent(self, backend, bell):
        """A simulator option that cannot be pickled is refused."""
        calls = Inline()
        backend.simulator.set_options(chop_threshold=threading.Lock())
        with pytest.raises(InvalidOptionError, match=r"cannot be pickled \(TypeError: .*lock"):
            backend.run(bell, executor=calls)
        assert calls.number == 0

    def test_elsewhere(self, bell):
        """Simulators in the cloud warn about the option and ignore it; machines refuse it."""
        with (
            ArnicaServer(simulate=False) as server,
            AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider,
        ):
            cloud = provider.get_backend("simulator_ideal")
            cloud.set_options(with_progress_bar=False)
            machine = provider.get_direct_access_backend(server.direct_url)
            machine.set_options(with_progress_bar=False)
            with pytest.warns(UnknownOptionWarning, match="'executor' is for offline simulators"):
                job = cloud.run(bell, executor=Inline())
            assert job.result().success
            with pytest.raises(UnknownOptionError, match="executor"):
                machine.run(bell, executor=Inline())


class TestLife:
    """Progress, parts, cancelling, memory."""

    def test_parts(self, provider, spawned):
        """Each circuit once, in whatever order its chunk comes back."""
        job = noisy(provider, shots=2).run(slow_batch(20), executor=spawned)
        seen = []
        for part, results in job.as_completed():
            assert [entry.success for entry in results] == [True] * len(part)
            seen += part
            assert job.progress().finished_count >= len(seen)
        assert sorted(seen) == list(range(20))

    def test_cancel(self, provider, spawned):
        """Running chunks end, and the pool remains usable."""
        backend = noisy(provider, shots=5)
        job = backend.run(slow_batch(200), executor=spawned)
        wait_until(lambda: job.progress().finished_count >= 2)
        assert job.cancel() is True
        result = job.result()
        assert job.status() is JobStatus.CANCELLED
        assert (result.success, result.status) == (False, "the job was cancelled")
        finished = [entry.success for entry in result.results].count(True)
        assert 2 <= finished == job.progress().finished_count < 200
        assert job.cancel() is False
        assert backend.run(slow_batch(2), executor=spawned).result().success

    def test_nothing_left_to_cancel(self, backend, bell):
        """Cancelling fails once the last chunk is running."""
        waiting = Waiting()
        job = backend.run(bell, executor=waiting)
        waiting.wait_for_calls(1)
        future, call = waiting.calls[0]
        future.set_running_or_notify_cancel()
        assert job.cancel() is False
        future.set_result(call())
        assert job.result().success
        assert job.status() is JobStatus.DONE

    def test_a_bounded_number_under_way(self, backend, bell):
        """The number of open chunks is bounded, and grows while workers are idle."""
        waiting = Waiting()
        job = backend.run([bell] * 5000, executor=waiting, query_timeout_seconds=0.05)
        waiting.wait_for_calls(32)
        with pytest.raises(JobTimeoutError):
            job.result()
        for future, call in waiting.calls[:10]:
            future.set_result(taking(1000.0, call))
        waiting.wait_for_calls(32 + 10 + 10)
        entries = job.result(partial=True).results
        assert [entry.success for entry in entries] == [True] * 10 + [False] * 4990
        assert job.cancel() is True
        job.wait_for_final_state(timeout=10)
        assert job.status() is JobStatus.CANCELLED
        assert all(future.done() for future, _ in waiting.calls)
        assert len(waiting.calls) == 32 + 10 + 10
        assert waiting.most_open == 32 + 10

    def test_chunks_grow(self, backend, bell):
        """Thousands of small circuits are no thousands of chunks."""
        calls = Inline(lambda _, call: taking(0.0, call))
        assert backend.run([bell] * 2000, shots=2, executor=calls).result().success
        assert calls.number < 200

    def test_circuits(self, provider, spawned):
        """Failed circuits are named; the others have outcomes, with and without an executor."""
        backend = provider.get_backend("offline_simulator_no_noise", available_qubits=60)
        backend.set_options(with_progress_bar=False)
        backend.simulator.set_options(method="statevector")
        large = QuantumCircuit(60, name="large")
        large.r(1.0, 1.0, range(60))
        large.measure_all()
        for executor in (None, spawned):
            job = backend.run([layers(0), large, layers(2)], executor=executor)
            result = job.result()
            assert job.status() is JobStatus.ERROR
            assert job.error_message.startswith("circuit 1 (large): ")
            assert (result.success, result.status) == (False, job.error_message)
            assert [entry.success for entry in result.results] == [True, False, True]
            assert "memory" in result.results[1].status
            assert job.progress() == (2, 3)
