"""Goal: the native sampler takes the method that takes less time, within a factor of 1.5.

Run it with ``make bench-trajectories``. CPU milliseconds of one core for layers of random gates
with the noise of ``offline_simulator_noise``, and for random gates on random pairs, where a shot
has many errors: of state vectors with errors, of a density matrix, of what is chosen, and of Aer's
density matrix on one thread. The figures in ``rust/trajectory/src/cost.rs`` follow from it.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import click
import numpy as np
from aqt_fast import _native
from aqt_fast.backends.offline import aer
from aqt_fast.backends.offline.mixtures import Mixtures
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from workloads import brickwork, transpiled

ROUNDS = 5
METHODS = ("trajectories", "density_matrix", None)
DEEP = ((2, 200, 2000), (3, 300, 20_000), (4, 500, 100_000), (6, 500, 20_000), (8, 500, 5000))


def layers(num_qubits: int) -> QuantumCircuit:
    """Twelve layers: with 12 qubits, 287 operations."""
    return transpiled([brickwork(np.random.default_rng(1), num_qubits, 12)])[0]


def deep(num_qubits: int, num_pairs: int) -> QuantumCircuit:
    """An r and an rxx on random qubits, again and again."""
    rng = np.random.default_rng(1)
    circuit = QuantumCircuit(num_qubits)
    for _ in range(num_pairs):
        first, second = map(int, rng.permutation(num_qubits)[:2])
        circuit.r(rng.uniform(0, 3), rng.uniform(0, 6), first)
        circuit.rxx(rng.uniform(0, 1.5), first, second)
    circuit.measure_all()
    return circuit


def milliseconds(call: Callable[[], object]) -> float:
    """The median CPU time of a call."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)


def row(what: str, circuit: QuantumCircuit, shots: int) -> None:
    """Print the times of a circuit."""
    noise = aer.standard_noise_model()
    native = Mixtures.of(noise).native
    snapshot = _native.Snapshot([circuit], max_qubits=20, max_operations=10_000)
    times = [
        milliseconds(
            lambda method=method: _native.sample_trajectories(
                snapshot, 0, 1, native, shots=shots, seeds=[1], method=method
            )
        )
        if method != "density_matrix" or circuit.num_qubits <= 10
        else float("nan")
        for method in METHODS
    ]
    simulator = AerSimulator(
        noise_model=noise, method="density_matrix", max_parallel_threads=1, seed_simulator=1
    )
    if circuit.num_qubits <= 9:
        times.append(milliseconds(lambda: simulator.run(circuit, shots=shots).result()))
    else:
        times.append(float("nan"))
    click.echo(f"| {what} | {shots} | " + " | ".join(f"{item:.3g}" for item in times) + " |")


@click.command()
def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    click.echo("| | shots | trajectories | density matrix | chosen | Aer's density matrix |")
    click.echo("|---|---|---|---|---|---|")
    for size in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16):
        for shots in (100, 2000, 20_000):
            if size <= 12 or shots == 100:
                row(f"{size} qubits", layers(size), shots)
    for size, pairs, shots in DEEP:
        row(f"{size} qubits, {2 * pairs} gates", deep(size, pairs), shots)


if __name__ == "__main__":
    main()
