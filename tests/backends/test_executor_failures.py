"""Offline simulations on an executor's workers: what goes wrong, and what it spoils."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from aqt_fast.backends.offline.worker import simulate_chunk, unpack_answer
from executors import Inline, noisy, slow_batch, taking
from qiskit.providers import JobStatus
from waiting import wait_until


class TestFailures:
    """An error ends the job, is reported, and affects nothing else."""

    def test_chunks(self, backend, bell):
        """Errors of the executor, the transport and the worker are told by chunk."""
        answers = {
            4: b"rubbish",
            5: zlib.compress(b"{}"),
            6: None,
            7: zlib.compress(b'{"outcomes": [], "seconds": 1}'),
        }

        def run(number, call):
            if number == 2:
                raise ConnectionError("lost")
            return answers[number] if number in answers else taking(1000.0, call)

        job = backend.run([bell] * 10, executor=Inline(run))
        assert [part for part, _ in job.as_completed()] == [range(n, n + 1) for n in range(10)]
        result = job.result()
        assert job.status() is JobStatus.ERROR
        bad = [index for index, entry in enumerate(result.results) if not entry.success]
        assert bad == [2, 4, 5, 6, 7]
        lines = job.error_message.splitlines()
        assert lines[0] == f"circuit 2 ({bell.name}): ConnectionError: lost"
        assert all("the worker's answer is unreadable" in line for line in lines[1:4])
        assert lines[4].endswith("the worker has answered for 0 circuits")
        assert job.progress() == (5, 10)

    def test_worker(self):
        """A worker returns its error as text for each circuit."""
        answer = simulate_chunk(b"no simulator", b"no circuits", 1, False, 0, "")
        reasons, _ = unpack_answer(answer, 3)
        assert len(reasons) == 3
        assert all(reason.startswith("error: ") for reason in reasons)

    def test_workers_that_can_nothing(self, backend, bell):
        """Workers that always fail get no more chunks."""

        def run(_number, _call):
            raise ModuleNotFoundError("No module named 'aqt_fast'")

        calls = Inline(run)
        job = backend.run([bell] * 5000, executor=calls)
        assert not job.result().success
        assert calls.number == 32
        reason = "ModuleNotFoundError: No module named 'aqt_fast'"
        assert job.error_message == f"circuits 0 to 4999: {reason}"

    def test_many_failures(self, backend, bell):
        """The message names the first failures and counts the rest."""

        def run(number, call):
            if number % 2:
                raise ConnectionError(f"lost {number}")
            return taking(1000.0, call)

        job = backend.run([bell] * 40, executor=Inline(run))
        assert not job.result().success
        lines = job.error_message.splitlines()
        assert len(lines) == 11
        assert lines[0].endswith("ConnectionError: lost 1")
        assert lines[-1] == "and 10 more failures"

    def test_a_worker_dies(self, provider):
        """A dead worker breaks the pool; earlier outcomes count."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            worker = pool.submit(os.getpid).result()
            job = noisy(provider, shots=5).run(slow_batch(200), executor=pool)
            wait_until(lambda: job.progress().finished_count)
            os.kill(worker, signal.SIGKILL)
            result = job.result()
        assert job.status() is JobStatus.ERROR
        assert "BrokenProcessPool" in job.error_message
        assert "to 199: " in job.error_message
        assert result.results[0].success
        assert 1 <= job.progress().finished_count < 200

    def test_shut_down(self, provider):
        """The executor is shut down during or before the job."""
        backend = noisy(provider, shots=5)
        with ThreadPoolExecutor(1) as pool:
            job = backend.run(slow_batch(100), executor=pool)
            wait_until(lambda: job.progress().finished_count)
            pool.shutdown(wait=False, cancel_futures=True)
            result = job.result()
        assert job.status() is JobStatus.ERROR
        assert "the executor takes no more chunks: RuntimeError: " in job.error_message
        assert result.results[0].success
        finished = [entry.success for entry in result.results].count(True)
        assert 1 <= finished == job.progress().finished_count < 100
        job = backend.run(slow_batch(3), executor=pool)
        assert not job.result().success
        assert job.error_message.startswith("circuits 0 to 2: the executor takes no more chunks")

    def test_no_thread_stays(self):
        """The threads of all executor jobs have ended."""
        wait_until(
            lambda: not any("aqt-fast executor" in thread.name for thread in threading.enumerate())
        )
