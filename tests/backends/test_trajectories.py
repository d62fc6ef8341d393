"""The native sampler: outcomes against Aer's density matrix, and which simulators it stands for."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from aqt_fast import AQTJob
from aqt_fast.backends.offline import aer, trajectories
from aqt_fast.backends.offline.trajectories import Sampler
from qiskit import QuantumCircuit
from qiskit.circuit import Reset
from qiskit.circuit.library import IGate, RXXGate
from qiskit.quantum_info import DensityMatrix, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import (
    NoiseModel,
    QuantumError,
    ReadoutError,
    amplitude_damping_error,
    coherent_unitary_error,
    depolarizing_error,
    pauli_error,
    thermal_relaxation_error,
)

SHOTS = 20_000
BASIS = ["rz", "r", "rxx"]


def random_circuit(rng: np.random.Generator, num_qubits: int, num_gates: int) -> QuantumCircuit:
    """AQT's gates on random qubits."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_gates):
        first, second = map(int, rng.permutation(max(num_qubits, 2))[:2])
        kind = rng.integers(3 if num_qubits > 1 else 2)
        if kind == 0:
            circuit.rz(rng.uniform(-3, 3), first % num_qubits)
        elif kind == 1:
            circuit.r(rng.uniform(0, math.pi), rng.uniform(0, 6), first % num_qubits)
        else:
            circuit.rxx(rng.uniform(0, math.pi / 2), first, second)
    circuit.measure_all()
    return circuit


def strong() -> NoiseModel:
    """Depolarising noise that is strong enough to show in a few gates."""
    noise = NoiseModel(BASIS)
    noise.add_all_qubit_quantum_error(depolarizing_error(0.05, 1), ["rz", "r"])
    noise.add_all_qubit_quantum_error(depolarizing_error(0.2, 2), ["rxx"])
    return noise


def relaxing() -> NoiseModel:
    """Relaxation by Z and resets, with a thermal population, after depolarising noise."""
    noise = NoiseModel(BASIS)
    relaxation = thermal_relaxation_error(1.0, 0.6, 0.15, 0.1)
    noise.add_all_qubit_quantum_error(depolarizing_error(0.1, 1).compose(relaxation), ["r"])
    noise.add_all_qubit_quantum_error(
        depolarizing_error(0.1, 2).compose(relaxation.tensor(relaxation)), ["rxx"]
    )
    return noise


def by_pair() -> NoiseModel:
    """Another error on each ordered pair and on some qubits, which replaces that of all."""
    noise = NoiseModel(BASIS)
    noise.add_all_qubit_quantum_error(depolarizing_error(0.3, 1), ["r"])
    noise.add_quantum_error(pauli_error([("X", 0.1), ("I", 0.9)]), ["r"], [0])
    noise.add_quantum_error(pauli_error([("I", 1.0)]), ["r"], [1])
    for first, second in itertools.permutations(range(4), 2):
        strength = 0.05 + 0.1 * first + 0.02 * second
        error = pauli_error([("XZ", strength), ("IY", strength / 2), ("II", 1 - 1.5 * strength)])
        noise.add_quantum_error(error, ["rxx"], [first, second])
    return noise


def coherent() -> NoiseModel:
    """Over-rotation, alone on rxx and as one of two errors on r."""
    noise = NoiseModel(BASIS)
    noise.add_all_qubit_quantum_error(coherent_unitary_error(RXXGate(0.2).to_matrix()), ["rxx"])
    turn = QuantumCircuit(1)
    turn.sx(0)
    noise.add_all_qubit_quantum_error(QuantumError([(turn, 0.3), ([(Reset(), [0])], 0.7)]), ["r"])
    return noise


def misread() -> NoiseModel:
    """Readout errors of all qubits, of one of them another, beside errors of gates."""
    noise = strong()
    noise.add_all_qubit_readout_error(ReadoutError([[0.95, 0.05], [0.2, 0.8]]))
    noise.add_readout_error(ReadoutError([[0.7, 0.3], [0.01, 0.99]]), [1])
    return noise


NOISE = pytest.mark.parametrize("noise", [strong, relaxing, by_pair, coherent, misread])


def exact(circuit: QuantumCircuit, noise: NoiseModel) -> np.ndarray:
    """The probability of each outcome, from Aer's density matrix; readout errors by hand."""
    bare = circuit.remove_final_measurements(inplace=False)
    bare.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=noise, max_parallel_threads=1)
    state: DensityMatrix = simulator.run(bare).result().data()["density_matrix"]
    found = np.real(np.diag(state.data))
    errors = [error for error in noise.to_dict()["errors"] if error["type"] == "roerror"]
    readouts = {
        error.get("gate_qubits", [[None]])[0][0]: np.asarray(error["probabilities"])
        for error in errors
    }
    for qubit in range(bare.num_qubits):
        flips = readouts.get(qubit, readouts.get(None, np.eye(2)))
        rows = found.reshape(-1, 2, 2**qubit)
        found = np.einsum("asb,st->atb", rows, flips).reshape(-1)
    return found


def distance(counts: dict[str, int], probabilities: np.ndarray) -> float:
    """Chi-squared of counts as standard deviations from its mean; rare outcomes count as one."""
    observed = np.zeros(len(probabilities))
    for text, count in counts.items():
        observed[int(text, 2)] += count
    expected = observed.sum() * probabilities
    rare = expected < 10
    observed = np.append(observed[~rare], observed[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    kept = expected > 1e-6
    assert not observed[~kept].any()
    degrees = max(kept.sum() - 1, 1)
    chi = ((observed - expected)[kept] ** 2 / expected[kept]).sum()
    return float((chi - degrees) / math.sqrt(2 * degrees))


@pytest.fixture
def simulated(backend, monkeypatch):
    """Run circuits on the sampler alone: Aer would fail."""
    monkeypatch.setattr(trajectories, "outcomes", None)

    def run(circuits, noise, **options):
        backend.simulator.set_options(noise_model=noise)
        assert Sampler.of(backend.simulator) is not None
        return backend.run(circuits, **options).result()

    return run


class TestDistributions:
    """Chi-squared against the density matrix. Seeds are fixed, so no test fails by chance."""

    @NOISE
    def test_random_circuits(self, simulated, noise):
        """Of one to six qubits."""
        rng = np.random.default_rng(3)
        sizes = [1, 2, 3, 4, 4, 4, 5, 6]
        circuits = [random_circuit(rng, size, 4 + 4 * size) for size in sizes]
        counts = simulated(circuits, noise(), shots=SHOTS, seed_simulator=1).get_counts()
        distances = [
            distance(found, exact(circuit, noise()))
            for found, circuit in zip(counts, circuits, strict=True)
        ]
        assert max(distances) < 5
        assert abs(np.mean(distances)) < 2

    def test_eight_qubits(self, simulated):
        """With a few hundred outcomes."""
        circuit = random_circuit(np.random.default_rng(8), 8, 60)
        counts = simulated(circuit, strong(), shots=SHOTS, seed_simulator=1).get_counts()
        assert distance(counts, exact(circuit, strong())) < 5

    def test_without_errors(self, simulated):
        """Noise that is none gives the distribution of the state vector."""
        rng = np.random.default_rng(4)
        circuits = [random_circuit(rng, size, 60) for size in (1, 2, 5, 7)]
        result = simulated(circuits, NoiseModel(), shots=SHOTS, seed_simulator=2)
        for counts, circuit in zip(result.get_counts(), circuits, strict=True):
            state = Statevector(circuit.remove_final_measurements(inplace=False))
            assert distance(counts, state.probabilities()) < 5

    def test_one_gate(self, simulated):
        """An X with probability p after r(0) reads 1 that often; a reset after r(π) reads 0."""
        noise = NoiseModel(BASIS)
        noise.add_quantum_error(pauli_error([("X", 0.2), ("I", 0.8)]), ["r"], [0])
        reset = QuantumError([([(Reset(), [0])], 0.3), ([(IGate(), [0])], 0.7)])
        noise.add_quantum_error(reset, ["r"], [1])
        circuit = QuantumCircuit(2)
        circuit.r(0, 0, 0)
        circuit.r(math.pi, 0, 1)
        circuit.measure_all()
        counts = simulated(circuit, noise, shots=100_000, seed_simulator=1).get_counts()
        assert distance(counts, np.outer([0.3, 0.7], [0.8, 0.2]).reshape(-1)) < 5

    def test_moved_bits(self, simulated):
        """Qubits without gates read 0, or what readout makes of it; bits are the circuit's."""
        noise = NoiseModel(BASIS)
        noise.add_readout_error(ReadoutError([[0.0, 1.0], [0.0, 1.0]]), [3])
        circuit = QuantumCircuit(9, 4)
        circuit.r(math.pi, 0, 8)
        circuit.measure([8, 5, 3], [2, 1, 0])
        result = simulated(circuit, noise, shots=5, memory=True)
        assert result.get_memory() == ["0101"] * 5


class TestShots:
    """Each shot is independent of the others and of how it was simulated."""

    def test_order(self, simulated):
        """Shots with and without errors are mixed: neighbours agree as often as any two."""
        rng = np.random.default_rng(5)
        circuit = random_circuit(rng, 4, 30)
        result = simulated(circuit, strong(), shots=40_000, memory=True, seed_simulator=3)
        outcomes = np.array([int(text, 2) for text in result.get_memory()])
        bits = outcomes[:, None] >> np.arange(4) & 1
        centred = bits - bits.mean(axis=0)
        for lag in (1, 2, 7, 1000):
            correlation = (centred[lag:] * centred[:-lag]).mean(axis=0) / centred.var(axis=0)
            assert np.abs(correlation).max() < 5 / math.sqrt(40_000)
        halves = bits[:20_000].mean(axis=0) - bits[20_000:].mean(axis=0)
        assert np.abs(halves).max() < 5 / math.sqrt(40_000)

    def test_neighbours_do_not_matter(self, simulated, backend):
        """A circuit has the same shots alone, in a batch, on workers, with counts only."""
        rng = np.random.default_rng(6)
        circuits = [random_circuit(rng, 3, 20) for _ in range(40)]
        options = {"shots": 50, "memory": True, "seed_simulator": 2**63 - 2**15}
        result = simulated(circuits, strong(), **options)
        memories = [result.get_memory(index) for index in range(40)]
        with ThreadPoolExecutor(2) as executor:
            there = backend.run(circuits, executor=executor, **options).result()
        assert [there.get_memory(index) for index in range(40)] == memories
        counts = backend.run(circuits, **options | {"memory": False}).result().get_counts()
        assert counts == [{text: memory.count(text) for text in memory} for memory in memories]
        seed = 2**63 - 2**15 + 2113 * 7
        alone = backend.run(circuits[7], shots=50, memory=True, seed_simulator=seed).result()
        assert alone.get_memory() == memories[7]

    def test_shots_for_each(self, simulated, bell):
        """Each circuit has its own number."""
        result = simulated([bell] * 4, strong(), shots=[3, 1, 2, 900])
        assert [sum(counts.values()) for counts in result.get_counts()] == [3, 1, 2, 900]

    def test_without_a_seed(self, simulated, bell):
        """Every run draws other shots."""
        first, second = (simulated([bell] * 2, strong(), shots=60, memory=True) for _ in range(2))
        assert len({tuple(run.get_memory(at)) for run in (first, second) for at in (0, 1)}) == 4

    def test_restored(self, simulated, backend, bell, tmp_path):
        """A job that is run again has the same shots."""
        options = {"shots": 50, "memory": True, "seed_simulator": 4}
        expected = simulated([bell] * 3, relaxing(), **options)
        job = backend.run([bell] * 3, **options)
        job_id = job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job_id.name, access_token="", store_path=tmp_path).result()
        assert restored.get_counts() == expected.get_counts()
        assert restored.get_memory(2) == expected.get_memory(2)


class TestChoice:
    """Aer simulates what the sampler does not take, and whatever has options of its own."""

    @pytest.mark.parametrize(
        "options",
        [
            {"method": "statevector"},
            {"method": "density_matrix"},
            {"precision": "single"},
            {"fusion_enable": False},
            {"max_parallel_threads": 1},
            {"shot_branching_enable": True},
        ],
    )
    def test_options(self, provider, options):
        """The noise model and the seed leave the choice; any other option means Aer."""
        simulator = provider.get_backend("offline_simulator_noise").simulator
        simulator.set_options(seed_simulator=5)
        assert Sampler.of(simulator) is not None
        simulator.set_options(**options)
        assert Sampler.of(simulator) is None

    def test_no_noise(self, backend):
        """Aer simulates without noise."""
        assert Sampler.of(backend.simulator) is None

    def test_other_simulators(self):
        """A class of the user's own may do anything."""

        class Other(AerSimulator):
            """One with another behaviour."""

        assert Sampler.of(Other(noise_model=aer.standard_noise_model())) is None

    @pytest.mark.parametrize(
        ("error", "gates"),
        [
            (amplitude_damping_error(0.1), ["r"]),
            (depolarizing_error(0.1, 1), ["measure"]),
        ],
    )
    def test_other_noise(self, backend, bell, error, gates):
        """Kraus operators, and errors of the measurement that are no flips."""
        noise = NoiseModel(BASIS)
        noise.add_all_qubit_quantum_error(error, gates)
        backend.simulator.set_options(noise_model=noise)
        assert Sampler.of(backend.simulator) is None
        assert backend.run(bell, shots=20).result().success

    def test_noise_of_other_gates(self, backend):
        """What no circuit has does not matter."""
        noise = strong()
        noise.add_all_qubit_quantum_error(amplitude_damping_error(0.1), ["x", "sx"])
        backend.simulator.set_options(noise_model=noise)
        assert Sampler.of(backend.simulator) == Sampler.of(AerSimulator(noise_model=strong()))

    def test_readout_of_two_qubits(self, backend):
        """Correlated readout errors are Aer's."""
        noise = NoiseModel(BASIS)
        rows = np.full((4, 4), 0.1) + 0.6 * np.eye(4)
        noise.add_readout_error(ReadoutError(rows), [0, 1])
        backend.simulator.set_options(noise_model=noise)
        assert Sampler.of(backend.simulator) is None

    def test_large_circuits(self, provider, monkeypatch):
        """Aer simulates them with the same noise, the sampler simulates the others."""
        monkeypatch.setattr(trajectories, "_MOST_QUBITS", 3)
        backend = provider.get_backend("offline_simulator_noise", available_qubits=5)
        rng = np.random.default_rng(7)
        circuits = [random_circuit(rng, size, 30) for size in (2, 5, 4, 3, 5)]
        result = backend.run(circuits, shots=SHOTS, seed_simulator=1).result()
        noise = aer.standard_noise_model()
        for counts, circuit in zip(result.get_counts(), circuits, strict=True):
            assert distance(counts, exact(circuit, noise)) < 5
        seed = 1 + 2113 * 2
        alone = backend.simulator.run(circuits[2], shots=SHOTS, seed_simulator=seed).result()
        assert result.get_counts(2) == alone.get_counts()
