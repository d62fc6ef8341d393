"""Goal: Aer's settings alone spare a noisy circuit 2.5 times, 1000 small ones 4 times the time.

Run it with ``make bench-noisy``: first as the machine is, then beside one busy loop a core. CPU
seconds count for the noisy circuit of 12 qubits, wall time on two cores for the small circuits.
``--table`` prints what the entries of ``backends/offline/aer_settings.py`` were chosen by.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import click
import numpy as np
from aqt_fast import AQTProvider
from aqt_fast.backends.offline import aer
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from workloads import brickwork, transpiled

SHOTS = 2000
SEED = 5

LIMITS = Limits(circuits=None, shots=None, qubits=20)

TRAJECTORIES = {"method": "statevector", "max_parallel_threads": 1}
BRANCHING = TRAJECTORIES | {"shot_branching_enable": True, "shot_branching_sampling_enable": True}
DENSITY_MATRIX = {"method": "density_matrix", "max_parallel_threads": 1}


def layers(num_qubits: int, num_layers: int = 12) -> QuantumCircuit:
    """Layers of random gates: with 12 qubits, 287 operations."""
    return transpiled([brickwork(np.random.default_rng(1), num_qubits, num_layers)])[0]


def small_circuits(number: int) -> list[QuantumCircuit]:
    """Circuits of one qubit with three operations; half of them have other operations."""
    rng = np.random.default_rng(2)
    circuits = []
    for index in range(number):
        circuit = QuantumCircuit(1)
        circuit.r(*rng.uniform(0, 3, 2).tolist(), 0)
        circuit.rz(rng.uniform(0, 3), 0)
        if index % 2:
            circuit.r(*rng.uniform(0, 3, 2).tolist(), 0)
        circuit.measure_all()
        circuits.append(circuit)
    return circuits


def simulator(*, noisy: bool, **options: Any) -> AerSimulator:
    """A simulator, with the noise of ``offline_simulator_noise``."""
    return AerSimulator(noise_model=aer.standard_noise_model() if noisy else None, **options)


def aers_way(
    circuits: list[QuantumCircuit], *, noisy: bool, shots: int = SHOTS, **options: Any
) -> Callable[[], object]:
    """One run of Aer."""
    chosen = simulator(noisy=noisy, **options)

    def run() -> object:
        result = chosen.run(circuits, shots=shots, seed_simulator=SEED).result()
        assert result.success, result.status
        return result.get_counts()

    return run


def by_settings(circuits: list[QuantumCircuit], *, noisy: bool) -> Callable[[], object]:
    """Aer with our settings, from circuits to counts."""
    chosen, whole = simulator(noisy=noisy), range(len(circuits))

    def run() -> object:
        bare = Snapshot(circuits, LIMITS).bare(whole, in_place=False)
        return aer.outcomes(chosen, bare, shots=SHOTS, memory=False, seed=SEED)

    return run


def by_backend(circuits: list[QuantumCircuit], *, noisy: bool) -> Callable[[], object]:
    """A job of the package."""
    name = "offline_simulator_noise" if noisy else "offline_simulator_no_noise"
    backend = AQTProvider("", load_dotenv=False).get_backend(name)

    def run() -> object:
        job = backend.run(circuits, shots=SHOTS, seed_simulator=SEED, with_progress_bar=False)
        return job.result().get_counts()

    return run


PARTIES = {
    "Aer's defaults": aers_way,
    "Aer with our settings": by_settings,
    "the package": by_backend,
}


def measured(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median CPU seconds and wall seconds of a call, after one that does not count."""
    call()
    cpu, wall = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        call()
        cpu.append(time.process_time() - used)
        wall.append(time.perf_counter() - began)
    return statistics.median(cpu), statistics.median(wall)


def compare(what: str, circuits: list[QuantumCircuit], *, noisy: bool, rounds: int) -> None:
    """Print a row for each party, with the ratio to Aer's defaults."""
    first: tuple[float, float] | None = None
    for name, party in PARTIES.items():
        cpu, wall = measured(party(circuits, noisy=noisy), rounds)
        first = first or (cpu, wall)
        click.echo(
            f"| {what} | {name} | {cpu:.3g} s | {first[0] / cpu:.1f}× "
            f"| {wall:.3g} s | {first[1] / wall:.1f}× |"
        )


@contextlib.contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """Processes that keep cores busy."""
    loops = [multiprocessing.Process(target=spin, daemon=True) for _ in range(number)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()


def spin() -> None:
    """A busy loop."""
    while True:
        pass


def print_comparison(rounds: int) -> None:
    """Print both tables."""
    for busy in (0, os.cpu_count() or 1):
        load = os.getloadavg()[0]
        with busy_loops(busy):
            click.echo(f"\n{busy} busy loops of ours, load {load:.1f} before, {SHOTS} shots\n")
            click.echo("| | | CPU | | wall | |\n|---|---|---|---|---|---|")
            for size in (12, 10, 8):
                circuit = layers(size)
                what = f"{size} qubits, {circuit.size()} operations, noisy"
                compare(what, [circuit], noisy=True, rounds=rounds)
            for noisy in (True, False):
                what = f"1000 circuits of one qubit, {'noisy' if noisy else 'ideal'}"
                compare(what, small_circuits(1000), noisy=noisy, rounds=rounds)


def print_table() -> None:
    """Print for each number of qubits what the ways to simulate noise take, on one thread."""
    click.echo("CPU ms: the density matrix; a shot of trajectories, and of 200 with branching;")
    click.echo("shots from which the density matrix takes less time")
    for size in range(1, 13):
        circuit = [layers(size)]
        whole, _ = measured(aers_way(circuit, noisy=True, shots=2, **DENSITY_MATRIX), 3)
        alone, _ = measured(aers_way(circuit, noisy=True, shots=100, **TRAJECTORIES), 3)
        shared, _ = measured(aers_way(circuit, noisy=True, shots=200, **BRANCHING), 3)
        shots = whole / min(alone / 100, shared / 200)
        click.echo(
            f"| {size} | {1000 * whole:.3g} | {10 * alone:.3g} | {5 * shared:.3g} | {shots:.0f} |"
        )


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Calls of which the median counts.")
@click.option("--table", is_flag=True, help="Measure the entries of the table in the code.")
def main(rounds: int, table: bool) -> None:
    """Compare on the machine as it is, and on a busy one."""
    warnings.simplefilter("ignore")
    if table:
        print_table()
    else:
        print_comparison(rounds)


if __name__ == "__main__":
    main()
