"""Goal: what 10 000 circuits will take is estimated within 50 ms, reading them included.

Run it with ``make bench-estimate``. Circuits are in AQT's gates, and each is an object of its own;
the backend is a device of the local server. Medians of the processor time of this process. The exit
code is 1 if an estimate counts other gates than Qiskit does.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import click
import numpy as np
from aqt_fast import AQTProvider
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.devices import DeviceTimes
from aqt_fast.primitives.templates import Template, snapshot_of
from aqt_fast.testing import ArnicaServer
from aqt_fast.wire.circuits import count_gates
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from tabulate import tabulate
from workloads import brickwork, fresh_circuits, transpiled

ONLY_GATES = DeviceTimes(r=1, rxx=1, readout=0, shot_overhead=0, circuit_overhead=0)


def processor_time(call: Callable[[], object], rounds: int) -> float:
    """Median processor time of a call in milliseconds, after one call that does not count."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1e3 * statistics.median(times[1:])


def large_circuits(number: int) -> list[QuantumCircuit]:
    """Transpiled circuits, each an object of its own: 10 qubits, 12 layers."""
    rng = np.random.default_rng(5)
    models = transpiled([brickwork(rng, 10, 12) for _ in range(50)])
    return [models[index % 50].copy() for index in range(number)]


def _calls(backend: AQTResource, batch: list[QuantumCircuit]) -> list[Callable[[], object]]:
    """What a row of the table times."""
    snapshot = backend.prepare(batch, backend.options)
    each = list(range(1, len(batch) + 1))
    return [
        lambda: backend.estimate(batch, shots=200),
        lambda: count_gates(batch, backend.limits),
        lambda: backend.estimate(batch, shots=each),
        lambda: backend.estimate_of(snapshot, backend.options),
    ]


@click.command()
@click.option("--circuits", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--rounds", default=11, show_default=True, type=click.IntRange(1))
def main(circuits: int, rounds: int) -> None:
    """Print the table."""
    rows: list[list[object]] = []
    right = True
    with (
        ArnicaServer(simulate=False) as server,
        AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider,
    ):
        backend = provider.get_backend("ibex")
        for name, batch in (
            ("4 qubits, 3 layers", fresh_circuits(circuits)),
            ("10 qubits, 12 layers", large_circuits(circuits)),
        ):
            size = sum(circuit.size() for circuit in batch) / circuits
            found = backend.estimate(batch, shots=1, device_times=ONLY_GATES).device_seconds
            gates = [circuit.count_ops() for circuit in batch]
            expected = sum(each.get("r", 0) + each.get("rxx", 0) for each in gates)
            right &= found is not None and found.likely == expected
            calls = _calls(backend, batch)
            rows.append(
                [f"{name} ({size:.0f} instructions)"]
                + [processor_time(call, rounds) for call in calls]
            )
        ansatz = efficient_su2(4, reps=1)
        ansatz.measure_all()
        values = np.random.default_rng(6).uniform(0, 3, (circuits, ansatz.num_parameters))
        sweep = snapshot_of([(Template(ansatz, backend, 1), values)], backend.limits)
        swept = processor_time(lambda: backend.estimate_of(sweep, backend.options), rounds)
        rows.append(["efficient_su2(4, reps=1), one set each", None, None, None, swept])
    headers = ("ms", "circuits", "… reading", "different shots", "checked before")
    click.echo(tabulate(rows, headers, floatfmt=".1f"))
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
