"""Goal: a small offline job takes at most 1.2 times the peer's time, and a sweep never more.

Run it with ``make bench-offline``: first as the machine is, then beside one busy loop a core. Both
parties simulate in this process with Qiskit Aer, in turn; medians.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2

SHOTS = 100
ROUNDS = 9

Run = Callable[[list[QuantumCircuit]], object]


def parties() -> dict[str, tuple[Any, Run]]:
    """The backends, and how each runs a batch."""
    from aqt_fast import AQTProvider
    from qiskit_aqt_provider.aqt_provider import AQTProvider as PeerProvider

    ours = AQTProvider("", load_dotenv=False).get_backend("offline_simulator_no_noise")
    ours.set_options(with_progress_bar=False)
    peer = PeerProvider().offline.ideal()

    def run_ours(batch: list[QuantumCircuit]) -> object:
        return ours.run(batch, shots=SHOTS).result()

    def run_peers(batch: list[QuantumCircuit]) -> object:
        """It takes at most 50 circuits at a time."""
        parts = [batch[start : start + 50] for start in range(0, len(batch), 50)]
        return [peer.run(part, shots=SHOTS).result() for part in parts]

    return {"ours": (ours, run_ours), "peer": (peer, run_peers)}


def bell() -> list[QuantumCircuit]:
    """One circuit of two qubits."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return [circuit]


def sweep(sets: int) -> list[QuantumCircuit]:
    """``sweep-1000`` with so many sets."""
    ansatz = efficient_su2(6, reps=3)
    ansatz.measure_all()
    values = np.random.default_rng(1).uniform(-3, 3, (sets, ansatz.num_parameters))
    return [ansatz.assign_parameters(row) for row in values]


def compare(what: str, circuits: list[QuantumCircuit], calls: int, condition: str) -> None:
    """Print the parties' medians in turn, and the ratio."""
    batches, times = {}, {}
    for name, (backend, run) in parties().items():
        batches[name] = run, transpile(circuits, backend)
        run(batches[name][1])
        times[name] = []
    for _ in range(ROUNDS):
        for name, (run, batch) in batches.items():
            for _ in range(calls):
                start = time.perf_counter()
                run(batch)
                times[name].append(1000 * (time.perf_counter() - start))
    ours, peer = statistics.median(times["ours"]), statistics.median(times["peer"])
    click.echo(
        f"{what}, {condition}: ours {ours:.2f} ms, peer {peer:.2f} ms, ratio {ours / peer:.2f}"
    )


def spin() -> None:
    """A busy loop."""
    while True:
        pass


@click.command()
@click.option("--sets", default=1000, show_default=True, help="Parameter sets of the sweep.")
def main(sets: int) -> None:
    """Compare on the machine as it is, and on a busy one."""
    warnings.simplefilter("ignore")
    for condition in ("as it is", "beside busy loops"):
        loops = [multiprocessing.Process(target=spin, daemon=True) for _ in range(os.cpu_count())]
        if condition != "as it is":
            for loop in loops:
                loop.start()
        compare("one job of two qubits", bell(), 40, condition)
        compare(f"sweep of {sets} sets", sweep(sets), 1, condition)
        for loop in loops:
            if loop.pid is not None:
                loop.kill()


if __name__ == "__main__":
    main()
