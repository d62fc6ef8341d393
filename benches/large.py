"""One job of 10 000 circuits × 5000 shots through the local server, against one of 500 circuits.

Run it with ``make bench-large``. Every circuit is a marker whose counts tell which it is. Prints
time and peak memory; the exit code is 1 if a circuit has wrong counts, or a result was fetched more
than once.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import workloads
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit
from tabulate import tabulate

NUM_QUBITS = 14
SHOTS = 5000


def marker(number: int) -> QuantumCircuit:
    """A circuit in AQT's gates whose every shot is the number in binary."""
    return workloads.marker(f"{number:0{NUM_QUBITS}b}")


@contextmanager
def server():
    """The local server in a process of its own, without simulation and device time."""
    command = [sys.executable, "-m", "aqt_fast", "serve", "--port", "0", "--no-simulate"]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


def run(num_circuits: int) -> tuple[list, bool]:
    """A row of the table, and whether everything was right."""
    circuits = [marker(number) for number in range(num_circuits)]
    with server() as url, AQTProvider("local-token", portal_url=url, load_dotenv=False) as provider:
        backend = provider.get_backend("simulator_ideal")
        backend.set_options(query_period_seconds=0.1, with_progress_bar=False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        result = backend.run(circuits, shots=SHOTS).result()
        seconds = time.perf_counter() - start
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        right = all(
            result.data(number)["counts"] == {hex(number): SHOTS} for number in range(num_circuits)
        )
        jobs = httpx.get(f"{url}/testing/record", timeout=60).json()["jobs"]
    once = all(job["fetches"] == 1 and set(job["runs"]) == {1} for job in jobs)
    labels = {job["label"] for job in jobs}
    row = [
        f"{num_circuits:,} × {SHOTS:,}",
        f"{len(jobs)}",
        f"{seconds:.2f} s",
        f"{seconds / num_circuits * 1e3:.3f} ms",
        f"{memory:,.0f} MB",
        "yes" if right else "NO",
        "yes" if once and len(labels) == len(jobs) else "NO",
    ]
    return row, right and once


def main() -> int:
    """Print the table."""
    runs = [run(number) for number in (500, 10_000, 500)]
    headers = ("Job", "API jobs", "Time", "A circuit", "Peak memory", "All right", "Each once")
    print(tabulate([row for row, _ in runs], headers))
    return 0 if all(right for _, right in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
