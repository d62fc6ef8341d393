"""Jobs: life, results, persistence."""

import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import orjson
import pytest
from aqt_fast import AQTJob, AQTOptions, Progress, execute
from aqt_fast.exceptions import (
    DamagedJobError,
    InvalidCircuitError,
    InvalidInputError,
    JobNotFoundError,
    UnsavableJobError,
)
from aqt_fast.store.checksummed_json import digest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus, JobTimeoutError, JobV1

pytestmark = pytest.mark.all_qiskits


def several_registers() -> QuantumCircuit:
    """Permuted, partial and repeated measurements into two registers and 70 bits."""
    circuit = QuantumCircuit(
        QuantumRegister(4, "q"), ClassicalRegister(3, "a"), ClassicalRegister(67, "b")
    )
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(1.0, 2)
    circuit.cx(2, 3)
    circuit.measure([0, 1, 3, 2], [69, 0, 1, 1])
    return circuit


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
        """And the job is alive while it runs; cancelled, it keeps what it has."""
        batch = slow_batch(backend)
        job = backend.run(batch, shots=5)
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        while job.progress().finished_count < 2:
            time.sleep(0.01)
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
        """The job goes on, and another call gets the result."""
        job = backend.run(slow_batch(backend)[:100], shots=5, query_timeout_seconds=0.05)
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
        """With the message in job and result, and what was simulated before."""
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
        """A circuit and options may be used again at once."""
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
        """Whatever is done with the simulator while the job runs or before it is saved."""
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
        """The job has a copy of it."""
        from qiskit_aer.noise import NoiseModel

        model = NoiseModel()
        backend.simulator.set_options(noise_model=model)
        job = backend.run([bell] * 500, shots=20)
        model.add_all_qubit_readout_error([[0, 1], [1, 0]])
        model.add_readout_error([[1, 0], [0, 1]], [0])
        assert all(set(counts) <= {"00", "11"} for counts in job.result().get_counts())

    def test_seed_of_the_simulator(self, backend, bell):
        """Counts as the job's own: no circuit repeats another's random numbers."""
        expected = backend.run([bell] * 30, shots=100, memory=True, seed_simulator=5).result()
        backend.simulator.set_options(seed_simulator=5)
        result = backend.run([bell] * 30, shots=100, memory=True).result()
        memory = [result.get_memory(index) for index in range(30)]
        assert memory == [expected.get_memory(index) for index in range(30)]
        assert len({tuple(shots) for shots in memory}) == 30

    def test_very_long_timeouts(self, backend, bell):
        """As good as none."""
        job = backend.run(bell, query_timeout_seconds=1e300)
        assert job.result().success
        job.wait_for_final_state(timeout=1e300)

    def test_one_submission(self, backend, bell):
        """Of several threads that submit, one does."""
        for _ in range(20):
            job = AQTJob(backend, [bell], AQTOptions(shots=1, with_progress_bar=False))
            with ThreadPoolExecutor(4) as pool:
                futures = [pool.submit(job.submit) for _ in range(4)]
            assert sum(future.exception() is None for future in futures) == 1
            assert job.result().success

    def test_nothing_left_to_cancel(self, backend, bell):
        """A job whose last circuit is in hand cannot be cancelled any more."""
        for _ in range(20):
            job = backend.run(bell, shots=1)
            cancelled = job.cancel()
            job.wait_for_final_state()
            assert job.cancelled() is cancelled

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_process_does_not_wait(self, backend):
        """The simulation does not run there, and it says so."""
        job = backend.run(slow_batch(backend)[:20], shots=5)
        child = os.fork()
        if child == 0:
            with ThreadPoolExecutor(1) as pool:
                errors = [pool.submit(call).exception() for call in (job.result, job.cancel)]
            os._exit(7 if all("not in this one" in str(error) for error in errors) else 8)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert job.result().success

    def test_several_threads_wait(self, backend):
        """All get the same result."""
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

    def test_progress_bar(self, backend, bell, capfd):
        """On standard error, if wanted."""
        backend.run([bell] * 3, with_progress_bar=False).result()
        assert capfd.readouterr() == ("", "")
        batch = slow_batch(backend)[:30]
        backend.run(batch, shots=5, with_progress_bar=True).result()
        out, err = capfd.readouterr()
        assert out == ""
        assert "30/30" in err


class TestOutcomes:
    """Equal to those of Aer for the same seed."""

    @pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
    def test_equals_one_run_of_aer(self, provider, name):
        """For a whole batch, in however many chunks, at the same seed."""
        backend = provider.get_backend(name, available_qubits=5)
        batch = []
        for index in range(40):
            circuit = several_registers()
            circuit.ry(0.1 * index, 0)
            batch.append(circuit.copy_empty_like())
            for instruction in circuit.data[-1:] + circuit.data[:-1]:
                batch[-1].append(instruction)
        batch = transpile(batch, backend)
        options = {"shots": 200, "memory": True, "seed_simulator": 12}
        result = backend.run(batch, with_progress_bar=False, **options).result()
        expected = backend.simulator.run(batch, **options).result()
        assert result.get_counts() == expected.get_counts()
        for index in range(len(batch)):
            assert result.get_memory(index) == expected.get_memory(index)

    def test_seed(self, backend, bell):
        """The same seed gives the same shots, another one others."""
        runs = [
            backend.run([bell] * 3, shots=50, memory=True, seed_simulator=seed).result()
            for seed in (1, 1, 2, None, None)
        ]
        memory = [[run.get_memory(index) for index in range(3)] for run in runs]
        assert memory[0] == memory[1]
        assert memory[0] != memory[2]
        assert memory[3] != memory[4]

    def test_largest_seed(self, backend, bell):
        """Aer counts seeds on beyond what it takes; so do we, in later chunks."""
        seed = 2**63 - 1
        ours = backend.run([bell] * 30, shots=50, memory=True, seed_simulator=seed).result()
        whole = backend.simulator.run([bell] * 30, shots=50, memory=True, seed_simulator=seed)
        assert ours.success
        assert [ours.get_memory(k) for k in range(30)] == [
            whole.result().get_memory(k) for k in range(30)
        ]

    def test_thousands_of_circuits(self, backend):
        """In input order: each circuit has an outcome of its own."""
        batch = []
        for index in range(3000):
            circuit = QuantumCircuit(12)
            for qubit in range(12):
                if index >> qubit & 1:
                    circuit.r(3.141592653589793, 0, qubit)
            circuit.measure_all()
            batch.append(circuit)
        counts = backend.run(batch, shots=2).result().get_counts()
        assert counts == [{format(index, "012b"): 2} for index in range(3000)]


class TestPersistence:
    """Saved here, restored there."""

    def test_restore(self, provider, tmp_path):
        """Circuits, options, register and noise come back; the job runs again."""
        backend = provider.get_backend("offline_simulator_noise", available_qubits=5)
        circuit = several_registers()
        job = execute(
            circuit, backend, shots=50, memory=True, seed_simulator=9, with_progress_bar=False
        )
        path = job.persist(store_path=tmp_path)
        assert path.is_relative_to(tmp_path)
        assert path.is_file()
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path, remove_from_store=False)
        assert restored.job_id() != job.job_id()
        assert restored.circuits == job.circuits
        assert restored.options == job.options
        other = restored.backend()
        assert (other.name, other.num_qubits) == (backend.name, 5)
        assert other.simulator.options.noise_model == backend.simulator.options.noise_model
        assert restored.result().get_memory() == job.result().get_memory()
        assert path.exists()
        AQTJob.restore(job.job_id(), store_path=tmp_path).result()
        assert not path.exists()

    def test_custom_noise(self, provider, bell, tmp_path):
        """A noise model of the user's own comes back as well."""
        from qiskit_aer.noise import NoiseModel, depolarizing_error

        model = NoiseModel()
        model.add_all_qubit_quantum_error(depolarizing_error(0.5, 2), ["rxx"])
        backend = provider.get_backend("offline_simulator_no_noise")
        backend.simulator.set_options(noise_model=model)
        assert backend.with_noise_model
        job = backend.run(bell, with_progress_bar=False)
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert restored.backend().simulator.options.noise_model == model
        backend.simulator.set_options(method="density_matrix", zero_threshold=np.float32(0.5))
        job = backend.run(bell)
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert restored.backend().simulator.options.method == "density_matrix"
        assert restored.backend().simulator.options.zero_threshold == 0.5

    def test_what_cannot_be_saved(self, backend, bell, tmp_path):
        """Refused when it is saved, not when it is restored."""
        from qiskit_aer.noise import NoiseModel, amplitude_damping_error

        model = NoiseModel()
        model.add_all_qubit_quantum_error(amplitude_damping_error(0.3), ["r"])
        backend.simulator.set_options(noise_model=model)
        with pytest.raises(UnsavableJobError, match="noise model"):
            backend.run(bell).persist(store_path=tmp_path)
        backend.simulator.set_options(noise_model=None)
        for value in (math.inf, math.nan, [1]):
            backend.simulator.set_options(chop_threshold=value)
            with pytest.raises(UnsavableJobError, match="chop_threshold"):
                AQTJob.persist(self.finished(backend, bell), store_path=tmp_path)
        backend.simulator.set_options(chop_threshold=1e-8, seed_simulator=2**64)
        with pytest.raises(UnsavableJobError, match="seed_simulator"):
            AQTJob.persist(self.finished(backend, bell), store_path=tmp_path)
        backend.simulator.set_options(seed_simulator=None)
        bell.metadata = {"when": object()}
        with pytest.raises(UnsavableJobError, match="not JSON serializable"):
            backend.run(bell).persist(store_path=tmp_path)
        assert not list(tmp_path.iterdir())

    @staticmethod
    def finished(backend, circuit) -> AQTJob:
        """A job that has ended, however."""
        job = backend.run(circuit)
        job.wait_for_final_state()
        return job

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("options", {"zz": 1}),
            ("options", None),
            ("options", {"shots": 0}),
            ("backend_settings", {}),
            ("backend_settings", {"noise_model": 5, "options": {}}),
            ("backend_settings", {"noise_model": {}, "options": {}}),
            (
                "backend_settings",
                {
                    "noise_model": {"errors": [{"type": "qerror", "instructions": []}]},
                    "options": {},
                },
            ),
            ("available_qubits", 10**18),
            ("available_qubits", 1),
            ("backend_name", "ibex"),
            ("job_id", "other"),
        ],
    )
    def test_readable_but_wrong(self, backend, bell, tmp_path, key, value):
        """A file of another version, say, is damage as well."""
        job = backend.run(bell)
        path = job.persist(store_path=tmp_path)
        document = orjson.loads(path.read_bytes())
        document["job"][key] = value
        body = {"job": document["job"], "circuits": document["circuits"]}
        document["sha256"] = digest(body)
        path.write_bytes(orjson.dumps(document))
        with pytest.raises(DamagedJobError, match=str(path)):
            AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert path.exists()

    def test_other_process(self, backend, bell, tmp_path):
        """Another process needs no more than the id."""
        job = backend.run(bell, shots=11)
        job.persist(store_path=tmp_path)
        script = (
            "import sys; from aqt_fast import AQTJob; "
            "job = AQTJob.restore(sys.argv[1], access_token='', store_path=sys.argv[2]); "
            "print(sum(job.result().get_counts().values()))"
        )
        run = subprocess.run(  # noqa: S603
            [sys.executable, "-c", script, job.job_id(), str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
        )
        assert run.stdout == "11\n"

    def test_too_early(self, backend, bell, tmp_path):
        """A job without id cannot be saved."""
        job = AQTJob(backend, [bell], AQTOptions())
        with pytest.raises(RuntimeError, match=r"^Can only persist submitted jobs\.$"):
            job.persist(store_path=tmp_path)

    def test_unknown_and_damaged(self, backend, bell, tmp_path):
        """Typed errors, and the damaged file stays."""
        with pytest.raises(JobNotFoundError, match=r"no job 'x' in"):
            AQTJob.restore("x", store_path=tmp_path)
        job = backend.run(bell)
        path = job.persist(store_path=tmp_path)
        path.write_bytes(path.read_bytes()[:-20])
        before = path.read_bytes()
        with pytest.raises(DamagedJobError, match=str(path)):
            AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert path.read_bytes() == before
