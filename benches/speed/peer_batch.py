"""The peer's part of ``batch-1000``: ``qiskit-aqt-provider`` 1.15 under its own interpreter.

Started by ``batch.py`` with the QPY file of the circuits and the shots. Each line on standard input
is one request, ``[way, url, token, chunk]``; each line on standard output answers with the seconds
that it took, and what came out of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from merging import merged
from qiskit import QuantumCircuit, qpy
from qiskit.result import Result
from qiskit_aqt_provider import AQTProvider

THREADS = 8

Chunks = list[list[QuantumCircuit]]


def in_turn(backend: Any, chunks: Chunks, shots: int) -> list[Result]:
    """Submit all jobs, then ask for the results one after the other."""
    jobs = [backend.run(chunk, shots=shots) for chunk in chunks]
    return [job.result() for job in jobs]


def with_threads(backend: Any, chunks: Chunks, shots: int) -> list[Result]:
    """Submit and ask for the result in each of some threads."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda chunk: backend.run(chunk, shots=shots).result(), chunks))


WAYS: dict[str, Callable[[Any, Chunks, int], list[Result]]] = {
    "in turn": in_turn,
    "with threads": with_threads,
}


def main() -> None:
    """Answer until there are no more requests."""
    warnings.filterwarnings("ignore", "The qiskit version used to generate")
    with Path(sys.argv[1]).open("rb") as file:
        circuits = qpy.load(file)
    shots = int(sys.argv[2])
    for line in sys.stdin:
        way, url, token, size = json.loads(line)
        os.environ["AQT_PORTAL_URL"] = url
        backend = AQTProvider(token, load_dotenv=False).get_backend("simulator_ideal")
        # The shortest period that it takes.
        backend.options.update_options(query_period_seconds=0.1, with_progress_bar=False)
        chunks = [circuits[start : start + size] for start in range(0, len(circuits), size)]
        start = time.perf_counter()
        result = merged(WAYS[way](backend, chunks, shots))
        answer = {
            "seconds": time.perf_counter() - start,
            "success": result.success,
            "circuits": len(result.results),
            "shots": sum(sum(entry.data.counts.values()) for entry in result.results),
            "operations": sum(len(circuit.data) for circuit in circuits),
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
