"""Goal: transpiled circuits that went through OpenQASM 2 and 3 give the same counts.

Run it with ``python benches/correctness/round_trip.py`` in the environment of the tests. It
compares the operations and the offline counts of each circuit and of its copies for the same seed,
on both simulators, as read (``run``) and transpiled once more (``execute``). Exits with 1 if any
differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from typing import Any

from aqt_fast import AQTProvider, execute, wire
from aqt_fast.wire.circuits import Limits
from qiskit import QuantumCircuit, qasm2, qasm3, transpile
from qiskit.circuit.random import random_circuit

UNLIMITED = Limits(circuits=None, operations=10**6)
CHUNK = 50


def sources(number: int, first: int) -> list[QuantumCircuit]:
    """Random circuits of any gates on two to five qubits."""
    made = []
    for seed in range(first, first + number):
        circuit = random_circuit(2 + seed % 4, 1 + seed % 5, max_operands=3, seed=seed)
        circuit.measure_all()
        made.append(circuit)
    return made


def through_qasm2(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit that Qiskit reads in the OpenQASM 2 that it has written."""
    return QuantumCircuit.from_qasm_str(qasm2.dumps(circuit))


def through_qasm3(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same with OpenQASM 3."""
    return qasm3.loads(qasm3.dumps(circuit))


def operations(circuit: QuantumCircuit) -> list[dict[str, Any]]:
    """The operations of a circuit's payload."""
    body = json.loads(wire.encode_job([circuit], 1, limits=UNLIMITED))
    return body["payload"]["circuits"][0]["quantum_circuit"]


def same_operations(circuit: QuantumCircuit, copy: QuantumCircuit) -> bool:
    """Whether two payloads differ in digits of angles only: OpenQASM writes fifteen of them."""
    pairs = list(zip(operations(circuit), operations(copy), strict=False))
    return len(operations(circuit)) == len(operations(copy)) and all(
        left.keys() == right.keys()
        and all(
            abs(value - right[key]) < 1e-12 if isinstance(value, float) else value == right[key]
            for key, value in left.items()
        )
        for left, right in pairs
    )


def differences(number: int, first: int = 0, *, shots: int = 200) -> Counter[str]:
    """Count circuits whose copies differ, by the way in which they do; no entry if none does."""
    provider = AQTProvider("")
    backends = {
        name: provider.get_backend(f"offline_simulator_{name}", available_qubits=5)
        for name in ("no_noise", "noise")
    }
    found: Counter[str] = Counter()
    options = {"shots": shots, "seed_simulator": 5, "with_progress_bar": False}
    for backend in backends.values():
        backend.set_options(**options)
    for start in range(first, first + number, CHUNK):
        level = (start // CHUNK) % 4
        size = min(CHUNK, first + number - start)
        device = backends["no_noise"]
        batch = transpile(sources(size, start), device, optimization_level=level)
        ways = {
            "qasm2": [through_qasm2(circuit) for circuit in batch],
            "qasm3": [through_qasm3(circuit) for circuit in batch],
        }
        for way, copies in ways.items():
            for circuit, copy in zip(batch, copies, strict=True):
                found[f"{way}, operations"] += not same_operations(circuit, copy)
            for name, backend in backends.items():
                counts = backend.run(batch).result().get_counts()
                again = backend.run(copies).result().get_counts()
                found[f"{way}, run, {name}"] += sum(map(lambda a, b: a != b, counts, again))
                counts = execute(batch, backend, optimization_level=0).result().get_counts()
                again = execute(copies, backend, optimization_level=0).result().get_counts()
                found[f"{way}, execute, {name}"] += sum(map(lambda a, b: a != b, counts, again))
    return +found


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuits", type=int, default=1000)
    number = parser.parse_args().circuits
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    found = differences(number)
    print(f"{number} circuits in {time.perf_counter() - began:.0f} s")
    for way, count in found.items():
        print(f"{count} differ: {way}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
