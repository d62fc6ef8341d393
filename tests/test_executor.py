"""Offline simulations on an executor's workers."""

import math
import multiprocessing
import os
import threading
import time
import zlib
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from types import SimpleNamespace

import orjson
import pytest
from aqt_fast import AQTJob, AQTProvider, execute
from aqt_fast.aqt_resource import UnknownOptionWarning
from aqt_fast.backends.offline.worker import simulate_chunk, unpack_answer
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.testing import ArnicaServer
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus, JobTimeoutError
from qiskit_aer.noise import NoiseModel, amplitude_damping_error, depolarizing_error

WORKERS = 2


@pytest.fixture(scope="module")
def spawned():
    """Two processes that know of this one only what they are sent."""
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**settings) as cluster:
        yield cluster


class Inline(Executor):
    """Runs what it gets at once, in the thread that submits it."""

    def __init__(self, run=lambda _number, call: call()):
        """``run`` gets the number of the call and the call."""
        self.run = run
        self.number = 0

    def submit(self, function, *arguments):
        """The outcome of ``run``."""
        future = Future()
        try:
            future.set_result(self.run(self.number, lambda: function(*arguments)))
        except Exception as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        self.number += 1
        return future


class Waiting(Executor):
    """Keeps what it gets until it is told to run it."""

    def __init__(self):
        """Nothing was submitted."""
        self.calls = []

    def submit(self, function, *arguments):
        """A future that stays as it is."""
        self.calls.append((Future(), lambda: function(*arguments)))
        return self.calls[-1][0]

    def has(self, number):
        """Whether so many calls come, and no more."""
        wait_until(lambda: len(self.calls) >= number)
        time.sleep(0.1)
        return len(self.calls) == number


def wait_until(condition):
    """For a time that is long enough on any machine."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def layers(seed: int, *, qubits: int = 5, depth: int = 4) -> QuantumCircuit:
    """Gates of all kinds, with angles that depend on the seed."""
    circuit = QuantumCircuit(QuantumRegister(qubits, "q"), ClassicalRegister(qubits, "c"))
    for layer in range(depth):
        for qubit in range(qubits):
            circuit.r(1 + math.sin(seed + 3 * layer + qubit), 3 + math.cos(seed * qubit), qubit)
            circuit.rz(0.1 * seed, qubit)
        circuit.rxx(0.7 + 0.5 * math.sin(seed), layer % qubits, (layer + 1) % qubits)
    circuit.barrier()
    circuit.measure(range(qubits), reversed(range(qubits)))
    return circuit


def odd_ones() -> list[QuantumCircuit]:
    """What might get lost on the way: registers, wide outcomes, metadata, names, labels."""
    wide = QuantumCircuit(QuantumRegister(3), ClassicalRegister(3, "a"), ClassicalRegister(67, "b"))
    wide.r(1.0, 0.5, [0, 1])
    wide.rxx(1.0, 1, 2)
    wide.measure([0, 1, 2], [69, 0, 1])
    told = layers(1)
    told.metadata = {"who": 1j, (1, 2): "three"}
    told.name = "long " * 20_000
    labelled = layers(2)
    special = labelled.data[0].operation.to_mutable()
    special.label = "special"
    labelled.data[0] = labelled.data[0].replace(operation=special)
    return [wide, told, labelled]


@pytest.fixture(scope="module")
def batch():
    """Enough for chunks of several circuits."""
    return [layers(seed) for seed in range(40)] + odd_ones()


def slow_batch(number: int) -> list[QuantumCircuit]:
    """Some 50 ms each on the noisy simulator."""
    return [layers(seed, qubits=17, depth=3) for seed in range(number)]


def taking(seconds, call) -> bytes:
    """The answer of a worker that would have needed so long."""
    answer = orjson.loads(zlib.decompress(call()))
    return zlib.compress(orjson.dumps({**answer, "seconds": seconds}))


def outcomes(result) -> list:
    """All that a result tells about its circuits."""
    return [
        (entry.success, entry.shots, entry.header, entry.data.to_dict()) for entry in result.results
    ]


def noisy(provider, **options):
    """The noisy simulator, of 17 qubits."""
    backend = provider.get_backend("offline_simulator_noise", available_qubits=17)
    backend.set_options(with_progress_bar=False, **options)
    return backend


def check(provider, batch, executor):
    """The outcomes are those of the same job without an executor, to the last shot."""
    backend = noisy(provider, shots=40, memory=True, seed_simulator=2**63 - 5)
    expected = outcomes(backend.run(batch).result())
    job = backend.run(batch, executor=executor)
    result = job.result()
    assert result.success, job.error_message
    assert outcomes(result) == expected
    assert job.status() is JobStatus.DONE
    assert job.progress() == (len(batch), len(batch))
    assert (result.job_id, job.backend(), job.circuits) == (job.job_id(), backend, batch)
    assert job.cancel() is False


class TestOutcomes:
    """Noise and the order of shots included."""

    @pytest.mark.all_qiskits
    def test_processes(self, provider, batch, spawned):
        """They start from nothing."""
        check(provider, batch, spawned)
        assert spawned.submit(os.getpid).result() != os.getpid()

    def test_threads(self, provider, batch):
        """At the same time, each with its own simulator."""
        with ThreadPoolExecutor(4) as pool:
            check(provider, batch, pool)

    def test_dask(self, provider, batch, cluster):
        """A real cluster; cancelling one of two equal jobs leaves the other alone."""
        with cluster.get_client() as client:
            executor = client.get_executor()
            check(provider, batch, executor)
            backend = noisy(provider, shots=40, seed_simulator=3)
            one, other = (backend.run(batch * 3, executor=executor) for _ in range(2))
            assert one.cancel() is True
            assert other.result().success
            assert one.status() is JobStatus.CANCELLED

    def test_noise_of_ones_own(self, provider, batch, spawned):
        """Also such that cannot be saved; the next job on the same workers has another."""
        backend = noisy(provider, shots=100, memory=True, seed_simulator=8)
        seen = []
        for special in (amplitude_damping_error(0.3), depolarizing_error(1.0, 1)):
            model = NoiseModel()
            model.add_all_qubit_quantum_error(amplitude_damping_error(0.1), ["r"])
            model.add_all_qubit_quantum_error(special, ["special"])
            model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
            backend.simulator.set_options(noise_model=model, method="density_matrix")
            expected = outcomes(backend.run(batch[-5:]).result())
            assert outcomes(backend.run(batch[-5:], executor=spawned).result()) == expected
            seen.append(expected)
        assert seen[0][:4] == seen[1][:4]
        assert seen[0][4] != seen[1][4]

    def test_seeds(self, backend, bell):
        """Without one, each circuit of each job has another; the simulator's own counts."""
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
        """The executor goes with the run, not with what is saved."""
        calls = Inline()
        job = execute([bell], backend, executor=calls, seed_simulator=1, memory=True)
        expected = outcomes(job.result())
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert outcomes(restored.result()) == expected
        assert calls.number == 1


class TestRefused:
    """Before anything starts."""

    @pytest.mark.parametrize("executor", [3, "processes", ProcessPoolExecutor, object()])
    def test_no_executor(self, backend, bell, executor):
        """Only executors are executors."""
        with pytest.raises(InvalidOptionError, match="executor must be a concurrent") as caught:
            backend.run(bell, executor=executor)
        assert caught.value.option == "executor"

    def test_what_cannot_be_sent(self, backend, bell):
        """An option of the simulator that belongs to this process."""
        calls = Inline()
        backend.simulator.set_options(chop_threshold=threading.Lock())
        with pytest.raises(InvalidOptionError, match=r"cannot be pickled \(TypeError: .*lock"):
            backend.run(bell, executor=calls)
        assert calls.number == 0

    def test_elsewhere(self, bell):
        """A cloud does not know of it, and says so."""
        with (
            ArnicaServer(simulate=False) as server,
            AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider,
        ):
            cloud = provider.get_backend("simulator_ideal")
            cloud.set_options(with_progress_bar=False)
            machine = provider.get_direct_access_backend(server.direct_url)
            machine.set_options(with_progress_bar=False)
            for backend in (cloud, machine):
                with pytest.warns(UnknownOptionWarning, match="option 'executor' is unknown"):
                    job = backend.run(bell, executor=Inline())
                assert job.result().success


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
        """What runs ends; the pool is as good as before."""
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
        """All that there is runs already."""
        waiting = Waiting()
        job = backend.run(bell, executor=waiting)
        assert waiting.has(1)
        future, call = waiting.calls[0]
        future.set_running_or_notify_cancel()
        assert job.cancel() is False
        future.set_result(call())
        assert job.result().success
        assert job.status() is JobStatus.DONE

    def test_a_bounded_number_under_way(self, backend, bell):
        """More where workers are idle; what is known can be had at any time."""
        waiting = Waiting()
        job = backend.run([bell] * 5000, executor=waiting, query_timeout_seconds=0.05)
        assert waiting.has(32)
        with pytest.raises(JobTimeoutError):
            job.result()
        for future, call in waiting.calls[:10]:
            future.set_result(taking(1000.0, call))
        assert waiting.has(32 + 10 + 10)
        entries = job.result(partial=True).results
        assert [entry.success for entry in entries] == [True] * 10 + [False] * 4990
        assert job.cancel() is True
        job.wait_for_final_state(timeout=10)
        assert job.status() is JobStatus.CANCELLED
        assert all(future.done() for future, _ in waiting.calls)

    def test_chunks_grow(self, backend, bell):
        """Thousands of small circuits are no thousands of chunks."""
        calls = Inline(lambda _, call: taking(0.0, call))
        assert backend.run([bell] * 2000, shots=2, executor=calls).result().success
        assert calls.number < 200


class TestFailures:
    """What goes wrong ends the job, is told, and spoils nothing else."""

    def test_circuits(self, provider, spawned):
        """Named, and the others have their outcomes; with and without an executor."""
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

    def test_chunks(self, backend, bell):
        """Errors of the executor, of the way, and of the worker."""
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
        """What goes wrong there comes back in words, for every circuit."""
        answer = simulate_chunk(b"no simulator", b"no circuits", 1, False, 0, "")
        reasons, _ = unpack_answer(answer, 3)
        assert len(reasons) == 3
        assert all(reason.startswith("error: ") for reason in reasons)

    def test_workers_that_can_nothing(self, backend, bell):
        """They are not asked thousands of times."""

        def run(_number, _call):
            raise ModuleNotFoundError("No module named 'aqt_fast'")

        calls = Inline(run)
        job = backend.run([bell] * 5000, executor=calls)
        assert not job.result().success
        assert calls.number == 32
        reason = "ModuleNotFoundError: No module named 'aqt_fast'"
        assert job.error_message == f"circuits 0 to 4999: {reason}"

    def test_many_failures(self, backend, bell):
        """The first ones are told."""

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
        """The pool is broken for good; what it has done before counts."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            job = noisy(provider, shots=5).run(slow_batch(200), executor=pool)
            wait_until(lambda: job.progress().finished_count)
            for process in pool._processes.values():
                process.kill()
            result = job.result()
        assert job.status() is JobStatus.ERROR
        assert "BrokenProcessPool" in job.error_message
        assert "to 199: " in job.error_message
        assert result.results[0].success
        assert 1 <= job.progress().finished_count < 200

    def test_shut_down(self, provider):
        """Meanwhile, or before."""
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

    def test_dask_is_closed(self, provider, cluster):
        """While chunks are with it."""
        with cluster.get_client() as client:
            executor = client.get_executor()
            assert executor._client.status == "running"
            job = noisy(provider, shots=5).run(slow_batch(100), executor=executor)
            wait_until(lambda: job.progress().finished_count)
        job.wait_for_final_state(timeout=30)
        assert job.status() is JobStatus.ERROR
        assert "the executor" in job.error_message
        finished = [entry.success for entry in job.result().results].count(True)
        assert 1 <= finished == job.progress().finished_count < 100

    def test_futures_of_a_closed_client(self, backend, bell):
        """Some of Dask's stay pending for ever."""
        waiting = Waiting()
        waiting._client = SimpleNamespace(status="running")
        job = backend.run([bell] * 40, executor=waiting)
        assert waiting.has(32)
        waiting.calls[3][0].set_result(taking(1000.0, waiting.calls[3][1]))
        wait_until(lambda: job.progress().finished_count)
        waiting._client.status = "closed"
        result = job.result()
        assert job.status() is JobStatus.ERROR
        reason = "the executor's client is closed"
        assert job.error_message == f"circuits 0 to 2: {reason}\ncircuits 4 to 39: {reason}"
        assert result.results[3].success

    def test_no_thread_stays(self):
        """All of the above have ended."""
        wait_until(
            lambda: not any("aqt-fast executor" in thread.name for thread in threading.enumerate())
        )
