"""Circuits that differ in their angles only: Aer simulates them from one with parameters."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from aqt_fast.backends.offline import aer
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

SHOTS = 50
SEEDS = pytest.mark.parametrize("seed", [7, 2**63 - 5])


def of_a_qubit() -> NoiseModel:
    """Noise that tells qubits apart: circuits are simulated on all of their qubits."""
    noise = NoiseModel(basis_gates=["rz", "r", "rxx"])
    noise.add_quantum_error(depolarizing_error(0.3, 1), ["r"], [2])
    noise.add_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]), [1])
    return noise


NOISE = pytest.mark.parametrize("noise", [None, aer.standard_noise_model, of_a_qubit])


def sweep(rng: np.random.Generator, number: int, *, grid: float = 0.0) -> list[QuantumCircuit]:
    """Circuits of one structure; on the grid, many of them are Clifford circuits."""
    structure = []
    for _ in range(12):
        first, second = map(int, rng.choice(4, 2, replace=False))
        name = str(rng.choice(["r", "rz", "rxx"]))
        structure.append((name, {"r": 2, "rz": 1, "rxx": 1}[name], (first, second)))
    circuits = []
    for _ in range(number):
        circuit = QuantumCircuit(5, 4)
        for name, size, qubits in structure:
            angles = rng.uniform(0, math.pi / 2, size)
            if grid:
                angles = grid * rng.integers(0, 2, size)
            getattr(circuit, name)(*angles.tolist(), *qubits[: 2 if name == "rxx" else 1])
        circuit.measure([3, 0, 2, 1], range(4))
        circuits.append(circuit)
    return circuits


def bare(circuit: QuantumCircuit, *, in_place: bool) -> QuantumCircuit:
    """What Aer is to simulate, by hand."""
    acted = {
        circuit.find_bit(bit).index
        for item in circuit
        for bit in item.qubits
        if item.name != "measure"
    }
    qubits = list(range(5)) if in_place else sorted(acted)
    made = QuantumCircuit(len(qubits), len(qubits))
    for item in circuit:
        if item.name != "measure":
            places = [qubits.index(circuit.find_bit(bit).index) for bit in item.qubits]
            made.append(item.operation, places)
    for qubit in range(4) if in_place else sorted(acted):
        made.measure(qubits.index(qubit), qubits.index(qubit))
    return made


def expected(simulator: AerSimulator, circuits, seed: int, *, in_place: bool) -> list[list[str]]:
    """The memory of one run of Aer with all circuits, at the classical bits 3, 0, 2, 1."""
    made = [bare(circuit, in_place=in_place) for circuit in circuits]
    result = simulator.run(made, shots=SHOTS, memory=True, seed_simulator=seed).result()
    memories = []
    for circuit, one in zip(circuits, made, strict=True):
        acted = {
            circuit.find_bit(bit).index
            for item in circuit
            for bit in item.qubits
            if item.name != "measure"
        }
        places = list(range(5)) if in_place else sorted(acted)
        memory = []
        for shot in result.get_memory(one):
            bits = shot[::-1]
            chosen = [bits[places.index(q)] if q in places else "0" for q in (3, 0, 2, 1)]
            memory.append("".join(reversed(chosen)))
        memories.append(memory)
    return memories


@pytest.fixture
def binds(monkeypatch) -> list[int]:
    """The numbers of sets in Aer's runs of a circuit with parameters."""
    numbers: list[int] = []
    run = AerSimulator.run

    def counted(self, circuits, parameter_binds=None, **options):
        if parameter_binds:
            numbers.append(len(next(iter(parameter_binds[0].values()))))
        return run(self, circuits, parameter_binds=parameter_binds, **options)

    monkeypatch.setattr(AerSimulator, "run", counted)
    return numbers


@NOISE
@SEEDS
@pytest.mark.parametrize("grid", [0.0, math.pi / 2])
def test_every_shot_is_that_of_separate_circuits(backend, noise, seed, grid, binds):
    """Bit for bit, with and without noise, here and on workers."""
    rng = np.random.default_rng(int(seed % 1000 + 10 * grid))
    backend.simulator.set_options(noise_model=noise and noise())
    backend.simulator.set_options(max_parallel_threads=1)  # has Aer simulate noise, too
    circuits = sweep(rng, 30, grid=grid)
    memories = expected(backend.simulator, circuits, seed, in_place=noise is of_a_qubit)
    options = {"shots": SHOTS, "memory": True, "seed_simulator": seed}
    result = backend.run(circuits, **options).result()
    assert [result.get_memory(index) for index in range(30)] == memories
    assert sum(binds) > 15
    with ThreadPoolExecutor(2) as executor:
        there = backend.run(circuits, executor=executor, **options).result()
    assert [there.get_memory(index) for index in range(30)] == memories
    counts = backend.run(circuits, shots=SHOTS, seed_simulator=seed).result().get_counts()
    assert counts == [{text: memory.count(text) for text in memory} for memory in memories]


@SEEDS
def test_mixed_batches(backend, seed, binds):
    """Several sweeps with single circuits between them, and other shots."""
    rng = np.random.default_rng(5)
    circuits = [*sweep(rng, 1), *sweep(rng, 9), *sweep(rng, 2), *sweep(rng, 20), *sweep(rng, 1)]
    memories = expected(backend.simulator, circuits, seed, in_place=False)
    options = {"memory": True, "seed_simulator": seed}
    result = backend.run(circuits, shots=SHOTS, **options).result()
    found = [result.get_memory(index) for index in range(len(circuits))]
    assert found == memories
    assert binds
    shots = [SHOTS if index < 20 else 7 for index in range(len(circuits))]
    other = backend.run(circuits, shots=shots, **options).result()
    assert [other.get_memory(index) for index in range(20)] == memories[:20]
    assert {entry.shots for entry in other.results[20:]} == {7}


def test_runs_that_fail_are_done_one_by_one(backend, monkeypatch):
    """If Aer cannot put the angles in, or uses other seeds, the outcomes are the same."""
    circuits = sweep(np.random.default_rng(5), 30)
    right = backend.run(circuits, seed_simulator=3).result().get_counts()
    run = AerSimulator.run

    def refusing(self, circuits, parameter_binds=None, **options):
        if parameter_binds:
            raise ValueError("no parameters")
        return run(self, circuits, **options)

    monkeypatch.setattr(AerSimulator, "run", refusing)
    assert backend.run(circuits, seed_simulator=3).result().get_counts() == right

    def with_other_seeds(self, circuits, parameter_binds=None, **options):
        if parameter_binds:
            options["seed_simulator"] += 1
        return run(self, circuits, parameter_binds=parameter_binds, **options)

    monkeypatch.setattr(AerSimulator, "run", with_other_seeds)
    assert backend.run(circuits, seed_simulator=3).result().get_counts() == right


def test_circuits_without_gates(backend):
    """There is nothing to put in."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    assert backend.run([circuit] * 20).result().get_counts() == [{"00": 100}] * 20


def test_without_a_seed(backend):
    """Circuits do not share one."""
    circuit = QuantumCircuit(6, 6)
    circuit.r(math.pi / 2, 0, range(6))
    circuit.measure(range(6), range(6))
    counts = backend.run([circuit] * 20).result().get_counts()
    assert len({str(sorted(item.items())) for item in counts}) == 20
