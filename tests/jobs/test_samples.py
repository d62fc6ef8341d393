"""Samples of a job: all qubits, every shot in order, whatever has run the circuits."""

from __future__ import annotations

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import InvalidOptionError, JobFailedError
from aqt_fast.wire import Samples
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot
from clients import connect
from markers import marker
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.primitives import BitArray
from qiskit.providers import JobTimeoutError
from qiskit_aer.noise import NoiseModel, ReadoutError

SHOTS = 40

KINDS = pytest.mark.parametrize("kind", ["device", "machine", "backend"])


def flipped(seed: int) -> QuantumCircuit:
    """Some of seven qubits are 1, others are in no known state; odd registers hold some of them."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(
        QuantumRegister(7, "q"), ClassicalRegister(3, "a"), ClassicalRegister(6, "b")
    )
    for qubit in rng.choice(7, 4, replace=False):
        circuit.r(float(rng.choice([math.pi, math.pi / 2])), 0.0, int(qubit))
    for _ in range(7):
        circuit.measure(int(rng.integers(7)), int(rng.integers(9)))
    return circuit


def sources(circuit: QuantumCircuit) -> list[int | None]:
    """The qubit that each classical bit holds, by hand."""
    found: list[int | None] = [None] * circuit.num_clbits
    for item in circuit.get_instructions("measure"):
        found[circuit.find_bit(item.clbits[0]).index] = circuit.find_bit(item.qubits[0]).index
    return found


def qubit_of(samples, shot: int, qubit: int) -> int:
    """One bit of the packed rows."""
    stride = -(-samples.num_qubits // 8)
    return samples.rows[shot * stride + qubit // 8] >> qubit % 8 & 1


def check(job, circuits):
    """The samples give the memory of the result, and so do the bits of all classical bits."""
    samples = job.samples()
    result = job.result()
    assert [(item.num_shots, item.num_qubits) for item in samples] == [(SHOTS, 7)] * len(circuits)
    for index, circuit in enumerate(circuits):
        bits = [
            [
                0 if qubit is None else qubit_of(samples[index], shot, qubit)
                for qubit in sources(circuit)
            ]
            for shot in range(SHOTS)
        ]
        found = [hex(sum(bit << place for place, bit in enumerate(shot))) for shot in bits]
        assert found == result.results[index].data.memory
        counts = result.results[index].data.counts
        assert counts == {text: found.count(text) for text in found}


@KINDS
def test_samples_give_the_memory(request, kind):
    """In the cloud, on a machine and offline."""
    circuits = [flipped(seed) for seed in range(6)]
    job = request.getfixturevalue(kind).run(circuits, shots=SHOTS, memory=True, seed_simulator=1)
    check(job, circuits)


@pytest.mark.parametrize("noisy", [False, True])
def test_samples_with_an_executor(backend, noisy):
    """Every shot is that of the simulation in this process."""
    if noisy:
        model = NoiseModel()
        model.add_readout_error(ReadoutError([[0.8, 0.2], [0.3, 0.7]]), [2])
        backend.simulator.set_options(noise_model=model)
    circuits = [flipped(seed) for seed in range(6)]
    options = {"shots": SHOTS, "memory": True, "seed_simulator": 5}
    with ThreadPoolExecutor(2) as executor:
        job = backend.run(circuits, executor=executor, **options)
        check(job, circuits)
    here = backend.run(circuits, **options)
    check(here, circuits)
    assert here.samples() == job.samples()


def test_samples_of_large_runs(machine):
    """The shots of several runs of a circuit follow each other."""
    job = machine.run(marker("10"), shots=4500)
    (samples,) = job.samples()
    assert samples.num_shots == 4500
    assert samples.rows == b"\x02" * 4500
    assert job.result().get_counts() == {"10": 4500}


@pytest.mark.usefixtures("environment")
@KINDS
def test_pickled(request, server, kind):
    """An ended job takes its samples along, and they are asked for only once."""
    circuits = [flipped(seed) for seed in range(3)]
    job = request.getfixturevalue(kind).run(circuits, shots=SHOTS, memory=True)
    job.wait_for_final_state()
    expected = job.samples()
    server.stop()
    copy = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert copy.samples() == expected
    check(copy, circuits)
    assert [[entry.data.memory for entry in part.results] for part in copy.as_completed()] == [
        [entry.data.memory for entry in part.results] for part in job.as_completed()
    ]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("kind", ["device", "machine"])
def test_restored(request, server, kind, monkeypatch):
    """From the journal."""
    monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
    circuits = [flipped(seed) for seed in range(3)]
    job = request.getfixturevalue(kind).run(circuits, shots=SHOTS, memory=True)
    expected = job.samples()
    server.stop()
    restored = AQTJob.restore(job.job_id())
    assert restored.samples() == expected
    check(restored, circuits)


def test_fetched(server, device, tmp_path, monkeypatch):
    """A job of another computer has samples, even if its circuits are not known."""
    circuits = [flipped(seed) for seed in range(3)]
    job = device.run(circuits, shots=SHOTS)
    expected = job.samples()
    monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "another computer"))
    with connect(server) as provider:
        assert provider.job(job.job_id()).samples() == expected
        known = provider.job(job.job_id(), circuits=circuits, memory=True)
        check(known, circuits)
        assert pickle.loads(pickle.dumps(known)).samples() == expected  # noqa: S301


def test_running_jobs_have_none(server, device):
    """The wait for samples has a limit."""
    server.hold()
    job = device.run(marker("10"))
    job.job_id()
    with pytest.raises(JobTimeoutError, match="has not ended"):
        job.samples(timeout=0.01)
    with pytest.raises(InvalidOptionError, match="timeout"):
        job.samples(timeout=-1)
    job.cancel()
    with pytest.raises(JobFailedError, match="cancelled"):
        job.samples()


class TestWithoutMemory:
    """A simulation without memory keeps counts only."""

    def test_refused(self, backend):
        """The error names the option; an ended copy says the same."""
        job = backend.run(marker("10"))
        for one in (job, pickle.loads(pickle.dumps(job))):  # noqa: S301
            with pytest.raises(InvalidOptionError, match="memory"):
                one.samples()
            assert sum(one.result().get_counts().values()) == 100

    def test_with_an_executor(self, backend):
        """On workers, too."""
        with ThreadPoolExecutor(1) as executor:
            job = backend.run([marker("10")] * 3, executor=executor)
            with pytest.raises(InvalidOptionError, match="memory"):
                job.samples()

    def test_failures_come_first(self, backend):
        """A failed simulation has no samples, with the reason of its result."""
        backend.simulator.set_options(max_memory_mb=1)
        circuit = QuantumCircuit(20, 20)
        circuit.r(math.pi, 0, range(20))
        circuit.measure(range(20), range(20))
        for memory in (False, True):
            job = backend.run([marker("10"), circuit], memory=memory)
            for one in (job, pickle.loads(pickle.dumps(job))):  # noqa: S301
                with pytest.raises(JobFailedError, match="circuit 1"):
                    one.samples()
                first, second = one.result(partial=True).results
                assert (first.success, second.success) == (True, False)
                assert (first.data.to_dict().keys() >= {"memory"}) is memory


class TestBits:
    """Outcomes at some classical bits, in the layout of Qiskit's BitArray."""

    @pytest.mark.parametrize("num_clbits", [1, 7, 8, 9, 63, 64, 65, 90])
    def test_any_bits_in_any_order(self, num_clbits):
        """Bit by bit from the samples."""
        rng = np.random.default_rng(num_clbits)
        circuits = []
        for _ in range(3):
            circuit = QuantumCircuit(10, num_clbits)
            for _ in range(int(rng.integers(1, 2 * num_clbits + 1))):
                circuit.measure(int(rng.integers(10)), int(rng.integers(num_clbits)))
            circuits.append(circuit)
        snapshot = snapshot_of(circuits)
        samples = [made(rng, 17) for _ in circuits]
        for size in (0, 1, min(9, num_clbits), num_clbits):
            clbits = [int(bit) for bit in rng.permutation(num_clbits)[:size]]
            array = snapshot.bits(samples[1:], 1, 3, clbits)
            assert (array.shape, array.dtype) == ((2, 17, -(-size // 8)), np.uint8)
            bits = BitArray(array, size) if size else None
            for place, clbit in enumerate(clbits):
                for item in (1, 2):
                    qubit = sources(circuits[item])[clbit]
                    for shot in range(17):
                        expected = 0 if qubit is None else qubit_of(samples[item], shot, qubit)
                        string = bits[item - 1].get_bitstrings()[shot]
                        assert int(string[::-1][place]) == expected

    def test_writable(self):
        """As arrays of Qiskit's samplers are."""
        array = snapshot_of([measured(2)]).bits([made(np.random.default_rng(1), 3, 2)], 0, 1, [1])
        array[0, 0, 0] = 5
        assert array[0, 0, 0] == 5

    def test_no_circuits(self):
        """An empty part has no shots."""
        assert snapshot_of([measured(2)]).bits([], 1, 1, [0, 1]).shape == (0, 0, 1)

    def test_what_does_not_fit(self):
        """Other circuits, shots, qubits and classical bits are refused."""
        rng = np.random.default_rng(1)
        snapshot = snapshot_of([measured(2), measured(2)])
        good = made(rng, 3, 2)
        with pytest.raises(ValueError, match="samples of 1 circuits for 2"):
            snapshot.bits([good], 0, 2, [0])
        with pytest.raises(ValueError, match="circuit 1: 4 shots instead of 3"):
            snapshot.bits([good, made(rng, 4, 2)], 0, 2, [0])
        with pytest.raises(ValueError, match="circuit 1: 3 qubits a shot instead of 2"):
            snapshot.bits([good, made(rng, 3, 3)], 0, 2, [0])
        with pytest.raises(IndexError, match="classical bits"):
            snapshot.bits([good], 0, 1, [2])
        with pytest.raises(IndexError, match="circuits"):
            snapshot.bits([good], 2, 3, [0])


def snapshot_of(circuits) -> Snapshot:
    """A snapshot without limits that matter."""
    return Snapshot(circuits, Limits(circuits=None, shots=None))


def measured(size: int) -> QuantumCircuit:
    """All qubits are measured into the bits with their numbers."""
    circuit = QuantumCircuit(size, size)
    circuit.measure(range(size), range(size))
    return circuit


def made(rng: np.random.Generator, shots: int, num_qubits: int = 10):
    """Random samples."""
    values = rng.integers(2**num_qubits, size=shots)
    return Samples.from_memory([hex(value) for value in values], num_qubits)
