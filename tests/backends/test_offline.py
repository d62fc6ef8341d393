"""Outcomes of the offline simulators, compared with Aer's."""

from __future__ import annotations

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import InvalidShotsError
from qiskit import QuantumCircuit, transpile

pytestmark = pytest.mark.all_qiskits


class TestOutcomes:
    """Equal to those of Aer for the same seed."""

    @pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
    def test_equals_one_run_of_aer(self, provider, registers, name):
        """A batch in chunks equals one run of Aer with the same seed."""
        backend = provider.get_backend(name, available_qubits=5)
        backend.simulator.set_options(max_parallel_threads=1)  # has Aer simulate noise, too
        batch = []
        for index in range(40):
            circuit = registers.copy()
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
        """Seeds of later chunks wrap around as Aer's do."""
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


class TestShotsForEach:
    """Circuits with different shots."""

    SHOTS = (7, 7, 200, 1, 1, 1, 64, 7)

    @pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
    def test_equals_runs_of_single_circuits(self, provider, bell, name):
        """Each circuit has the outcomes of a run of its own with the seed of its place."""
        backend = provider.get_backend(name)
        backend.set_options(with_progress_bar=False)
        batch = []
        for index in range(len(self.SHOTS)):
            circuit = bell.copy_empty_like(f"c{index}")
            circuit.r(0.4 * index + 0.1, 1.0, 0)
            batch.append(circuit.compose(bell))
        job = backend.run(batch, shots=self.SHOTS, memory=True, seed_simulator=5)
        result = job.result()
        assert [entry.shots for entry in result.results] == list(self.SHOTS)
        for index, (circuit, shots) in enumerate(zip(batch, self.SHOTS, strict=True)):
            options = {"shots": shots, "memory": True, "seed_simulator": 5 + 2113 * index}
            alone = backend.run(circuit, **options).result()
            assert result.get_memory(index) == alone.get_memory()
            assert result.get_counts(index) == alone.get_counts()
        assert job.metrics()["executions"] == sum(self.SHOTS)

    def test_many(self, backend, bell):
        """In chunks of any size."""
        shots = [1 + index % 3 for index in range(300)]
        result = backend.run([bell] * 300, shots=shots, seed_simulator=1).result()
        assert [sum(counts.values()) for counts in result.get_counts()] == shots

    def test_more_and_more(self, backend, bell):
        """Chunks that were fast because of few shots do not make the next one long."""
        shots = [1] * 300 + [2000] * 300
        job = backend.run([bell] * 600, shots=shots)
        job.result()
        parts = [part.circuits for part in job.as_completed()]
        assert [index for part in parts for index in part] == [*range(600)]
        taken = [sum(shots[index] for index in part) for part in parts]
        for part, before, now in zip(parts[1:], taken, taken[1:], strict=False):
            assert len(part) == 1 or now <= 4 * before

    def test_saved(self, backend, bell, tmp_path):
        """A saved job runs again with the same shots."""
        job = backend.run([bell] * 3, shots=[3, 1, 2], seed_simulator=1, memory=True)
        expected = job.result()
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert again.options.shots == (3, 1, 2)
        assert again.result().get_counts() == expected.get_counts()

    def test_cancelled(self, backend, bell):
        """Entries of circuits that were not simulated name their shots."""
        job = backend.run([bell] * 4000, shots=list(range(1, 4001)))
        job.cancel()
        result = job.result()
        assert [entry.shots for entry in result.results] == list(range(1, 4001))
        assert not result.success

    def test_refused(self, backend, bell):
        """As on a device."""
        with pytest.raises(InvalidShotsError, match="each of the 3 circuits, not 2 numbers"):
            backend.run([bell] * 3, shots=[1, 2])
