"""Goal: what ``aqt_fast.compile`` makes is equivalent, and shorter than the transpiler's.

Run it with ``make bench-mqt``. It needs ``mqt.bench`` and ``mqt.qcec`` beside the peer; see
``benches/README.md``. Exits with 1 if a circuit is not equivalent, not accepted, or changes when it
is compiled again.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter

import aqt_fast
import numpy as np
import qiskit
import workloads
from aqt_fast import AQTProvider
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.wire.circuits import Limits, check_circuits
from equivalence import put_back, verdict
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from tabulate import tabulate

LEVELS = (0, 1, 2, 3)
UNLIMITED = Limits(circuits=None, operations=10**6, qubits=100)


def backend(num_qubits: int) -> aqt_fast.aqt_resource.AQTResource:
    """An offline simulator, which is not run."""
    return AQTProvider("").get_backend("offline_simulator_no_noise", available_qubits=num_qubits)


def per_qubit(circuit: QuantumCircuit) -> list[list]:
    """What happens to each qubit, in order."""
    seen: list[list] = [[] for _ in circuit.qubits]
    for item in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in item.qubits]
        for qubit in qubits:
            seen[qubit].append((item.name, qubits if item.name == "rxx" else [], item.params))
    return seen


def random_circuits(number: int, seed: int) -> int:
    """Random circuits of up to 6 qubits from Qiskit's whole library; how many are wrong."""
    rng = np.random.default_rng(seed)
    device = backend(6)
    worst, wrong = 0.0, 0
    for index in range(number):
        circuit = workloads.mixed(rng, int(rng.integers(1, 7)), int(rng.integers(0, 25)))
        level = index % len(LEVELS)
        compiled = aqt_fast.compile(circuit, device, optimization_level=level)
        distance = np.abs(Operator.from_circuit(compiled).data - Operator(circuit).data).max()
        worst = max(worst, distance)
        again = aqt_fast.compile(compiled, device, optimization_level=level)
        measured = compiled.copy()
        measured.measure_all()
        check_circuits(measured, UNLIMITED)
        if distance > 1e-8 or per_qubit(again) != per_qubit(compiled):
            print(f"circuit {index} at level {level}: {distance:.1e}, {compiled.count_ops()}")
            wrong += 1
    print(f"{number} random circuits: {wrong} wrong, largest deviation of an entry {worst:.1e}\n")
    return wrong


def definitions(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit in Qiskit's standard gates, by nothing but definitions."""
    standard = set(workloads.standard_gates())
    while any(item.name not in standard | {"barrier"} for item in circuit.data):
        names = {item.name for item in circuit.data} - standard - {"barrier"}
        circuit = circuit.decompose(gates_to_decompose=list(names))
    return circuit


def cost(circuit: QuantumCircuit) -> np.ndarray:
    """Numbers of RXX, pulses and operations."""
    ops = circuit.count_ops()
    rxx, r, rz = (ops.get(name, 0) for name in ("rxx", "r", "rz"))
    return np.array([rxx, rxx + r, rxx + r + rz])


def algorithms(sizes: list[int], level: int, seconds: float) -> int:
    """MQT Bench's algorithms: equivalence by QCEC, length against the transpiler's."""
    from mqt.bench import get_benchmark_alg
    from mqt.bench.benchmarks import get_available_benchmark_names

    totals = np.zeros((3, 3), dtype=int)
    times = [0.0, 0.0]
    verdicts: Counter[str] = Counter()
    for name in get_available_benchmark_names():
        for size in sizes:
            try:
                circuit = get_benchmark_alg(name, size)
            except ValueError:
                continue  # not of this size
            circuit.remove_final_measurements()
            device = backend(circuit.num_qubits)
            start = time.perf_counter()
            try:
                compiled = aqt_fast.compile(circuit, device, optimization_level=level)
            except InvalidCircuitError as error:
                verdicts["refused"] += 1
                print(f"{name} {size}: {error}")
                continue
            times[0] += time.perf_counter() - start
            ours = qiskit.transpile(circuit, device, optimization_level=level)
            start = time.perf_counter()
            peers = qiskit.transpile(
                circuit,
                target=workloads.target(circuit.num_qubits),
                scheduling_method="aqt",
                optimization_level=level,
            )
            times[1] += time.perf_counter() - start
            costs = np.array([cost(peers), cost(ours), cost(compiled)])
            totals += costs
            back = put_back(compiled, compiled.layout)
            verdicts[found := verdict(definitions(circuit), back, seconds)] += 1
            if found == "not_equivalent" or (costs[2] > costs[0]).any():
                print(f"{name} {size}: {found}, {costs.tolist()}")
    print(f"\nMQT Bench, {sizes} qubits, level {level}: {dict(verdicts)}\n")
    rows = [
        [name, *row]
        for name, row in zip(
            ("transpile, peer's stage", "transpile, our stage", "compile"), totals, strict=True
        )
    ]
    print(tabulate(rows, ("", "rxx", "pulses", "operations"), tablefmt="github"))
    print(f"\ncompile {times[0]:.2f} s, transpile with the peer's stage {times[1]:.2f} s\n")
    return verdicts["not_equivalent"]


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuits", type=int, default=10_000, help="random circuits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=[4, 8, 12, 16])
    parser.add_argument("--levels", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--timeout", type=float, default=20, help="seconds of QCEC for a circuit")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    wrong = random_circuits(arguments.circuits, arguments.seed)
    for level in arguments.levels:
        wrong += algorithms(arguments.sizes, level, arguments.timeout)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
