"""Offline simulations on a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
from types import SimpleNamespace

import pytest
from executors import Waiting, check, mixed_batch, noisy, slow_batch, taking
from qiskit.providers import JobStatus
from waiting import wait_until

WORKERS = 2


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**settings) as cluster:
        yield cluster


class TestOutcomes:
    """Outcomes equal those without an executor, noise and order of shots included."""

    def test_dask(self, provider, cluster):
        """A real cluster; cancelling one of two equal jobs leaves the other alone."""
        batch = mixed_batch()
        with cluster.get_client() as client:
            executor = client.get_executor()
            check(provider, batch, executor)
            backend = noisy(provider, shots=40, seed_simulator=3)
            one, other = (backend.run(batch * 3, executor=executor) for _ in range(2))
            assert one.cancel() is True
            assert other.result().success
            assert one.status() is JobStatus.CANCELLED

    def test_dask_loses_a_worker(self, provider, cluster):
        """The chunks of a worker that is killed run on others, with the same outcomes."""
        batch = slow_batch(30)
        backend = noisy(provider, shots=5, seed_simulator=3)
        with cluster.get_client() as client:
            job = backend.run(batch, executor=client.get_executor())
            wait_until(lambda: job.progress().finished_count)
            worker = next(iter(client.scheduler_info()["workers"]))
            os.kill(client.run(os.getpid, workers=[worker])[worker], signal.SIGKILL)
            assert job.result().get_counts() == backend.run(batch).result().get_counts()


class TestFailures:
    """An error ends the job, is reported, and affects nothing else."""

    def test_dask_is_closed(self, provider, cluster):
        """Closing the Dask client while it runs chunks ends the job."""
        with cluster.get_client() as client:
            executor = client.get_executor()
            job = noisy(provider, shots=5).run(slow_batch(100), executor=executor)
            wait_until(lambda: job.progress().finished_count)
        job.wait_for_final_state(timeout=30)
        assert job.status() is JobStatus.ERROR
        assert "the executor" in job.error_message
        finished = [entry.success for entry in job.result().results].count(True)
        assert 1 <= finished == job.progress().finished_count < 100

    def test_futures_of_a_closed_client(self, backend, bell):
        """Futures of a closed client that stay pending fail."""
        client = SimpleNamespace(status="running")
        waiting = Waiting(client)
        job = backend.run([bell] * 40, executor=waiting)
        waiting.wait_for_calls(32)
        waiting.calls[3][0].set_result(taking(1000.0, waiting.calls[3][1]))
        wait_until(lambda: job.progress().finished_count)
        client.status = "closed"
        result = job.result()
        assert job.status() is JobStatus.ERROR
        reason = "the executor's client is closed"
        assert job.error_message == f"circuits 0 to 2: {reason}\ncircuits 4 to 39: {reason}"
        assert result.results[3].success

    def test_no_thread_stays(self):
        """The threads of all executor jobs have ended."""
        wait_until(
            lambda: not any("aqt-fast executor" in thread.name for thread in threading.enumerate())
        )
