"""Noise in Aer: distributions, seeds, order of shots, and what the user has set."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from aqt_fast.backends.offline import aer, aer_settings
from aqt_fast.backends.offline.aer_settings import Noise, Row
from aqt_fast.backends.offline.trajectories import Sampler
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliGate
from qiskit_aer import AerSimulator
from qiskit_aer.noise import (
    NoiseModel,
    QuantumError,
    amplitude_damping_error,
    depolarizing_error,
    pauli_error,
    thermal_relaxation_error,
)


@pytest.fixture(autouse=True)
def by_aer(monkeypatch) -> None:
    """Have Aer simulate what the native sampler can."""
    monkeypatch.setattr(Sampler, "of", lambda _: None)


BRANCHING = (Row(64, density_matrix=None, branching=True, threads=None),)
"""A table that always takes branching, also for circuits of few qubits."""

TRAJECTORIES = (Row(64, density_matrix=None, branching=False, threads=1),)


def model(r: QuantumError | None = None, rxx: QuantumError | None = None) -> NoiseModel:
    """Noise on the gates of a device."""
    made = NoiseModel(basis_gates=["rz", "r", "rxx"])
    if r is not None:
        made.add_all_qubit_quantum_error(r, ["r"])
    if rxx is not None:
        made.add_all_qubit_quantum_error(rxx, ["rxx"])
    return made


def of_resets_and_paulis() -> QuantumError:
    """An error on two qubits, each of which is reset or has a Pauli operator."""
    circuits = []
    for first in ("I", "X", "Z", "reset"):
        for second in ("I", "Y", "reset"):
            circuit = QuantumCircuit(2)
            for qubit, name in enumerate((first, second)):
                if name == "reset":
                    circuit.reset(qubit)
                else:
                    circuit.append(PauliGate(name), [qubit])
            circuits.append(circuit)
    return QuantumError([(circuit, 1 / len(circuits)) for circuit in circuits])


def sometimes_reset() -> QuantumError:
    """An error that is no operation, or a reset and a flip."""
    changed = QuantumCircuit(1)
    changed.reset(0)
    changed.x(0)
    return QuantumError([(QuantumCircuit(1), 0.7), (changed, 0.3)])


def standard() -> NoiseModel:
    """Of ``offline_simulator_noise``."""
    return aer.standard_noise_model()


def strong() -> NoiseModel:
    """Most shots have several errors."""
    return model(depolarizing_error(0.2, 1), depolarizing_error(0.3, 2))


def relaxation() -> NoiseModel:
    """Made of resets, and Pauli operators before them."""
    one = thermal_relaxation_error(50, 30, 10)
    return model(one, depolarizing_error(0.1, 2).compose(one.tensor(one)))


def resets() -> NoiseModel:
    """Errors of a reset on one qubit and a Pauli operator on the other."""
    return model(pauli_error([("X", 0.1), ("I", 0.9)]), of_resets_and_paulis())


def local() -> NoiseModel:
    """Noise that tells qubits apart."""
    made = model(rxx=depolarizing_error(0.2, 2))
    made.add_quantum_error(thermal_relaxation_error(50, 30, 20), ["r"], [1])
    return made


def kraus() -> NoiseModel:
    """Relaxation that mixtures cannot make."""
    return model(thermal_relaxation_error(50, 80, 20), depolarizing_error(0.1, 2))


def readout() -> NoiseModel:
    """Noise on gates and readout errors."""
    made = strong()
    made.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    return made


def measuring() -> NoiseModel:
    """Noise on gates and measurements."""
    made = strong()
    made.add_all_qubit_quantum_error(amplitude_damping_error(0.3), ["measure"])
    return made


def empty() -> NoiseModel:
    """An error that may consist of no operation."""
    return model(sometimes_reset())


RIGHT = (standard, strong, relaxation, resets, local)
"""Noise of which Aer's branching makes the right distribution."""

WRONG = (kraus, readout, measuring, empty)


def random_circuit(rng: np.random.Generator, size: int, operations: int = 12) -> QuantumCircuit:
    """A circuit that a device takes, with all qubits measured."""
    circuit = QuantumCircuit(size)
    for _ in range(operations):
        qubits = rng.permutation(size)[:2].tolist()
        name = str(rng.choice(["r", "rz", "rxx"])) if size > 1 else str(rng.choice(["r", "rz"]))
        if name == "r":
            circuit.r(*rng.uniform(0, 3, 2).tolist(), qubits[0])
        elif name == "rz":
            circuit.rz(rng.uniform(0, 3), qubits[0])
        else:
            circuit.rxx(rng.uniform(0, 1.5), *qubits)
    circuit.measure_all()
    return circuit


def probabilities(circuit: QuantumCircuit, noise: NoiseModel) -> np.ndarray:
    """Of each outcome, from the density matrix and the confusion of each qubit's readout."""
    judged = circuit.remove_final_measurements(inplace=False)
    judged.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=noise)
    state = simulator.run(judged).result().data()["density_matrix"]
    return np.real(np.diagonal(np.asarray(state)))


def distance(counts: dict[str, int], expected: np.ndarray) -> float:
    """By how many standard deviations chi-squared is above its mean; rare outcomes are one."""
    shots = sum(counts.values())
    found = np.array([counts.get(format(index, f"0{len(next(iter(counts)))}b"), 0)
                      for index in range(len(expected))], dtype=float)  # fmt: skip
    often = expected * shots >= 5
    found = np.append(found[often], found[~often].sum())
    expected = np.append(expected[often], expected[~often].sum()) * shots
    present = expected > 1e-9
    assert not found[~present].any()
    found, expected = found[present], expected[present]
    freedom = max(len(found) - 1, 1)
    return float((((found - expected) ** 2 / expected).sum() - freedom) / math.sqrt(2 * freedom))


class TestDistribution:
    """As that of the density matrix."""

    @pytest.mark.parametrize("noise", RIGHT)
    def test_branching(self, backend, noise, monkeypatch):
        """Chi-squared over random circuits, whose shots are simulated in blocks."""
        monkeypatch.setattr(aer_settings, "NOISY", BRANCHING)
        monkeypatch.setattr(aer_settings, "_MOST_SHOTS_IN_BLOCK", 200)
        rng = np.random.default_rng(11)
        backend.simulator.set_options(noise_model=noise())
        circuits = [random_circuit(rng, size) for size in (1, 2, 3, 4) for _ in range(2)]
        result = backend.run(circuits, shots=600, seed_simulator=5).result()
        distances = [
            distance(result.get_counts(index), probabilities(circuit, noise()))
            for index, circuit in enumerate(circuits)
        ]
        assert max(distances) < 5
        assert abs(sum(distances)) / math.sqrt(len(distances)) < 4

    @pytest.mark.parametrize("noise", WRONG)
    @pytest.mark.parametrize("table", [BRANCHING, TRAJECTORIES, aer_settings.NOISY])
    def test_what_branching_gets_wrong(self, backend, noise, table, monkeypatch):
        """Aer's branching would flip whole branches or lose errors."""
        monkeypatch.setattr(aer_settings, "NOISY", table)
        noise = noise()
        backend.simulator.set_options(noise_model=noise)
        circuit = QuantumCircuit(2)
        circuit.r(math.pi, 0.3, 0)
        circuit.r(0.8, 0.3, 1)
        circuit.rxx(0.7, 0, 1)
        circuit.measure_all()
        counts = backend.run(circuit, shots=1500, seed_simulator=3).result().get_counts()
        judge = AerSimulator(method="density_matrix", noise_model=noise)
        many = judge.run(circuit, shots=10**5, seed_simulator=4).result().get_counts()
        expected = np.array([many[format(index, "02b")] for index in range(4)]) / 10**5
        assert distance(counts, expected) < 5


def ladder(size: int, layers: int = 2) -> QuantumCircuit:
    """A circuit whose outcomes are spread over all of its qubits."""
    circuit = QuantumCircuit(size)
    for layer in range(layers):
        for qubit in range(size):
            circuit.r(1.0 + 0.1 * layer, 0.3 * qubit, qubit)
        for qubit in range(layer % 2, size - 1, 2):
            circuit.rxx(0.9, qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def memory_of(backend, circuits, **options) -> list[list[str]]:
    """The shots of each circuit."""
    result = backend.run(circuits, memory=True, **options).result()
    assert result.success
    return [result.get_memory(index) for index in range(len(circuits))]


@pytest.mark.parametrize("table", [BRANCHING, TRAJECTORIES, aer_settings.NOISY])
class TestShots:
    """Their seeds and their order."""

    @pytest.fixture(autouse=True)
    def noisy(self, backend, table, monkeypatch):
        """Noise, and how it is simulated."""
        monkeypatch.setattr(aer_settings, "NOISY", table)
        backend.simulator.set_options(noise_model=strong())

    def test_neighbours(self, backend):
        """One circuit's outcomes do not depend on others, threads, blocks and executors."""
        circuits = [ladder(3), ladder(5), ladder(5), ladder(2), *[ladder(4)] * 5]
        options = {"shots": 70, "seed_simulator": 2**62}
        expected = memory_of(backend, circuits, **options)
        assert len({tuple(memory) for memory in expected}) == len(circuits)
        with ThreadPoolExecutor(2) as executor:
            assert memory_of(backend, circuits, executor=executor, **options) == expected
        for index in (1, 4, 8):
            seed = aer.seed_at(options["seed_simulator"], index)
            alone = memory_of(backend, [circuits[index]], shots=70, seed_simulator=seed)
            assert alone == [expected[index]]
        counts = backend.run(circuits, **options).result().get_counts()
        assert counts == [{text: shots.count(text) for text in set(shots)} for shots in expected]

    @pytest.mark.parametrize(("threads", "block"), [(1, 500), (2, 500), (2, 33), (1, 1)])
    def test_threads_and_blocks(self, backend, threads, block, monkeypatch):
        """Shots are the same, however they are put together."""
        circuits = [ladder(5)] * 2
        expected = memory_of(backend, circuits, shots=400, seed_simulator=7)
        monkeypatch.setattr(aer_settings, "_MOST_SHOTS_IN_BLOCK", max(block, 2))
        backend.simulator.set_options(max_parallel_threads=threads)
        assert memory_of(backend, circuits, shots=400, seed_simulator=7) == expected

    def test_seeds_next_to_each_other(self, backend):
        """Aer gives shot i of seed s the random numbers of shot i - 1 of seed s + 1."""
        circuit = ladder(10, layers=1)
        shots = [
            memory_of(backend, [circuit], shots=400, seed_simulator=seed)[0]
            for seed in (1, 2, 2**40)
        ]
        near, far = (len(set(shots[0]) & set(other)) for other in shots[1:])
        assert near < far + 60

    def test_neighbours_of_thousands_of_shots(self, backend):
        """Aer's seeds of circuits are 2113 apart."""
        circuit = ladder(8, layers=1)
        first, second = memory_of(backend, [circuit] * 2, shots=2313, seed_simulator=1)
        late, early = first[2113:], second[:200]
        equal = sum(one == other for one, other in zip(late, early, strict=True))
        assert equal < 40

    def test_order(self, backend):
        """Each half of the shots is a sample of its own; shots do not follow like shots."""
        (memory,) = memory_of(backend, [ladder(6)], shots=1000, seed_simulator=3)
        bits = np.array([[int(bit) for bit in shot] for shot in memory], dtype=float)
        scale = np.sqrt(bits.var(axis=0) * 4 / len(bits))
        halves = (bits[:500].mean(axis=0) - bits[500:].mean(axis=0)) / scale
        assert np.abs(halves).max() < 4.5
        centred = bits - bits.mean(axis=0)
        for lag in (1, 2, 10):
            correlation = (centred[:-lag] * centred[lag:]).mean(axis=0) / bits.var(axis=0)
            assert np.abs(correlation).max() * math.sqrt(len(bits)) < 4.5
        repeats = sum(one == other for one, other in itertools.pairwise(memory))
        expected = sum((memory.count(text) / 1000) ** 2 for text in set(memory)) * 999
        assert abs(repeats - expected) < 6 * math.sqrt(expected)


class TestWhatTheUserHasSet:
    """It counts more than the table."""

    @pytest.fixture
    def told(self, monkeypatch) -> list[dict]:
        """The options of Aer's runs."""
        runs: list[dict] = []
        run = AerSimulator.run

        def kept(self, circuits, parameter_binds=None, **options):
            runs.append({**vars(self.options), **options})
            return run(self, circuits, parameter_binds=parameter_binds, **options)

        monkeypatch.setattr(AerSimulator, "run", kept)
        return runs

    @pytest.mark.parametrize("size", [2, 10])
    @pytest.mark.parametrize(
        "chosen",
        [
            {"method": "statevector", "max_parallel_threads": 2},
            {"method": "density_matrix", "max_parallel_threads": 2},
            {"method": "matrix_product_state"},
            {"shot_branching_enable": True, "max_parallel_shots": 2},
            {"precision": "single", "fusion_enable": False, "max_parallel_experiments": 2},
        ],
    )
    @pytest.mark.parametrize("noise", [None, standard])
    def test_options(self, backend, told, size, chosen, noise):
        """Each run has them."""
        backend.simulator.set_options(noise_model=noise and noise(), **chosen)
        assert backend.run([ladder(size, layers=1)] * 2, shots=20).result().success
        assert told
        for options in told:
            assert {name: options[name] for name in chosen} == chosen

    def test_little_memory(self, backend, told):
        """Aer's branching crashes if there is not enough for one state a shot."""
        backend.simulator.set_options(noise_model=strong(), max_memory_mb=7)
        result = backend.run(ladder(10), shots=40).result()
        assert sum(result.get_counts().values()) == 40
        assert [options["shots"] for options in told] == [7] * 5 + [5]
        told.clear()
        backend.simulator.set_options(max_memory_mb=1)
        assert backend.run(ladder(10), shots=40).result().success
        assert [options["shot_branching_enable"] for options in told] == [False]

    def test_a_row_of_the_table(self, backend, told):
        """Few shots of ten qubits are trajectories, many are sampled from the density matrix."""
        backend.simulator.set_options(noise_model=strong())
        for shots, method in ((50, "statevector"), (2000, "density_matrix")):
            told.clear()
            assert backend.run(ladder(10, layers=1), shots=shots).result().success
            assert {options["method"] for options in told} == {method}

    def test_too_large(self, backend):
        """A noisy circuit that Aer cannot simulate says why."""
        backend.simulator.set_options(noise_model=strong(), max_memory_mb=2)
        job = backend.run(ladder(20), shots=3)
        assert not job.result().success
        assert "memory" in job.result().results[0].status


def test_the_rows_are_in_order():
    """The first row with enough qubits is taken."""
    sizes = [row.qubits for row in aer_settings.NOISY]
    assert sizes == sorted(sizes)


def test_what_is_known_of_noise():
    """Whether it is on operations, and whether Aer's branching is right for it."""
    for noise in RIGHT:
        assert Noise(noise()).branches
        assert Noise(noise()).on_operations
    for noise in WRONG:
        assert not Noise(noise()).branches
    only_readout = NoiseModel()
    only_readout.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    assert not Noise(only_readout).on_operations
    only_measuring = NoiseModel()
    only_measuring.add_all_qubit_quantum_error(amplitude_damping_error(0.3), ["measure"])
    assert Noise(only_measuring).on_operations
    assert not Noise(None).on_operations
