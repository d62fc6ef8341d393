"""Goal: a circuit of one job of 10 000 costs about what a circuit of a job of 500 does.

Run it with ``make bench-large``. Every job runs 5000 shots; every circuit is a marker, whose counts
name it. Each run is a process of its own with a server of its own; the sizes come in turn. Before
its time begins, a process runs a job of 500 circuits, so that modules, connections, threads and
memory are there. Time goes from ``run()`` to the result. Prints time, processor time and peak
memory; the exit code is 1 if a circuit has wrong counts, or if one ran or a result was fetched more
than once.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import httpx
import workloads
from aqt_fast.api_client import PortalClient
from local_server import backend_of, server
from qiskit import QuantumCircuit
from tabulate import tabulate

NUM_QUBITS = 14
SHOTS = 5000
SMALL = 500
LARGE = 10_000
SMALL_PER_ROUND = 4
ROUNDS = 3

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def marker(number: int) -> QuantumCircuit:
    """A circuit in AQT's gates whose every shot is the number in binary."""
    return workloads.marker(f"{number:0{NUM_QUBITS}b}")


class Requests:
    """When requests are under way."""

    def __init__(self) -> None:
        """None yet."""
        self.begin: float | None = None
        """When the first one began."""
        self.end = 0.0
        """When the last one ended."""
        self.pauses = 0.0
        """Seconds in between in which there was none."""
        self.number = 0
        self._under_way = 0
        self._lock = threading.Lock()

    def observed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """A method of ``PortalClient`` that makes a request."""

        def request(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                now = time.perf_counter()
                if self.begin is None:
                    self.begin = now
                elif self._under_way == 0:
                    self.pauses += now - self.end
                self._under_way += 1
                self.number += 1
            try:
                return method(*arguments, **options)
            finally:
                with self._lock:
                    self.end = time.perf_counter()
                    self._under_way -= 1

        return request


def run(num_circuits: int, *, journal: bool) -> dict[str, Any]:
    """Run one job, and tell what it took, in seconds and MiB.

    Peak memory is that of the whole process; ``before`` is what it has just before.
    """
    circuits = [marker(number) for number in range(num_circuits)]
    requests = Requests()
    with (
        server() as (url, pid),
        backend_of(url, shots=SHOTS, journal=journal) as backend,
    ):
        backend.run(circuits[:SMALL]).result()
        before = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES / 2**20
        earlier = len(_record(url))
        with (
            patch.object(PortalClient, "submit", requests.observed(PortalClient.submit)),
            patch.object(PortalClient, "result", requests.observed(PortalClient.result)),
        ):
            served, worked, start = (
                _processor_seconds(pid),
                time.process_time(),
                time.perf_counter(),
            )
            result = backend.run(circuits).result()
            end = time.perf_counter()
            worked, served = time.process_time() - worked, _processor_seconds(pid) - served
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        right = [entry.data.counts for entry in result.results] == [
            {hex(number): SHOTS} for number in range(num_circuits)
        ]
        jobs = _record(url)[earlier:]
    assert requests.begin is not None
    return {
        "api_jobs": len(jobs),
        "seconds": end - start,
        "busy": end - start - requests.pauses,
        "first": requests.begin - start,
        "pauses": requests.pauses,
        "last": end - requests.end,
        "requests": requests.number,
        "ours": worked,
        "server": served,
        "before": before,
        "peak": peak,
        "right": right,
        "fetches": sum(job["fetches"] for job in jobs),
        "once": all(job["fetches"] == 1 and set(job["runs"]) == {1} for job in jobs)
        and len({job["label"] for job in jobs}) == len(jobs),
    }


def _record(url: str) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = httpx.get(f"{url}/testing/record", timeout=60).json()["jobs"]
    return jobs


def _processor_seconds(pid: int) -> float:
    """Processor time of another process: fields 14 and 15 of ``/proc/PID/stat``."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _in_child(num_circuits: int, *, journal: bool) -> dict[str, Any]:
    """A run in a process of its own, whose peak memory is that of the run."""
    command = [sys.executable, __file__, "--child", str(num_circuits)]
    with tempfile.TemporaryDirectory(dir=os.environ.get("AQT_BENCH_DIRECTORY")) as directory:
        done = subprocess.run(  # noqa: S603
            [*command, "--journal" if journal else "--no-journal"],
            check=True,
            stdout=subprocess.PIPE,
            env={**os.environ, "AQT_STORE_PATH": directory},
        )
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def _spread(values: list[float], unit: str = "ms") -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.3f} {unit} ({low:.3f} to {high:.3f})"


def report(runs: dict[int, list[dict[str, Any]]]) -> None:
    """Print the table, and how the cost of a circuit grows."""
    costs = {
        "time": "seconds",
        "time less pauses": "busy",
        "our processor time": "ours",
        "the server's": "server",
        "until the first request": "first",
        "pauses without a request": "pauses",
        "after the last request": "last",
    }
    table = [["Circuits × shots", *(f"{size:,} × {SHOTS:,}" for size in runs)]]
    each = {
        name: {size: [1e3 * run[key] / size for run in taken] for size, taken in runs.items()}
        for name, key in costs.items()
    }

    def row(name: str, cell: Callable[[list[dict[str, Any]]], object]) -> None:
        table.append([name, *(str(cell(taken)) for taken in runs.values())])

    row("Runs", len)
    row("API jobs", lambda taken: taken[0]["api_jobs"])
    row("Requests", lambda taken: statistics.median(run["requests"] for run in taken))
    row("Results fetched, at most", lambda taken: max(run["fetches"] for run in taken))
    row("Time", lambda taken: _spread([run["seconds"] for run in taken], "s"))
    table += [[f"A circuit: {name}", *map(_spread, each[name].values())] for name in costs]
    for key, name in (("before", "MiB before"), ("peak", "MiB at most")):
        row(name, lambda taken, key=key: f"{statistics.median(run[key] for run in taken):,.0f}")
    row("All counts right", lambda taken: all(run["right"] for run in taken))
    row("All ran and fetched once", lambda taken: all(run["once"] for run in taken))
    print(tabulate(table, headers="firstrow", tablefmt="github", disable_numparse=True))

    print(f"\nA circuit of {LARGE:,} against one of {SMALL:,}")
    for name in ("time", "time less pauses", "our processor time", "the server's"):
        small, large = each[name][SMALL], each[name][LARGE]
        ratio = statistics.median(large) / statistics.median(small)
        low, high = min(large) / max(small), max(large) / min(small)
        print(f"- {name}: {ratio:.2f} ({low:.2f} to {high:.2f})")
    small, large = (
        statistics.median(run["seconds"] for run in runs[size]) for size in (SMALL, LARGE)
    )
    slope = (large - small) / (LARGE - SMALL)
    print(f"- as a line: {small - slope * SMALL:.3f} s a job and {slope * 1e3:.3f} ms a circuit")


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(1))
@click.option("--journal/--no-journal", default=True, show_default=True)
@click.option("--child", default=None, type=click.IntRange(1), hidden=True)
def main(rounds: int, journal: bool, child: int | None) -> None:
    """Run both sizes in turn, and compare."""
    if child is not None:
        print(json.dumps(run(child, journal=journal)))
        return
    runs: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(rounds):
        for size in (SMALL,) * SMALL_PER_ROUND + (LARGE,):
            runs[size].append(_in_child(size, journal=journal))
    report(runs)
    whole = all(taken["right"] and taken["once"] for each in runs.values() for taken in each)
    sys.exit(not whole)


if __name__ == "__main__":
    main()
