"""Goal: ``qiskit.transpile`` gives all of ``mqt.bench`` fewer gates than the peer, and stays right.

Run it with ``make bench-mqt``; ``benches/README.md`` says what is counted and how. Exits with 1 if
a circuit costs more than with the peer's stage at level 1 and above, if one is not equivalent, or
if lowering it again changes it.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import queue
import sys
from collections import Counter
from typing import NamedTuple

import numpy as np
import workloads
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_fast import wire
from aqt_fast.transpiler_plugin import LowerToAQT
from equivalence import put_back, verdict
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator
from qiskit.transpiler import PassManager, generate_preset_pass_manager
from tabulate import tabulate

LEVELS = (0, 1, 2, 3)
SIZES = range(4, 17)
#: Longer circuits cannot be sent, so the models are not asked about them.
MOST_OPERATIONS = 2000
#: Of Qiskit's passes, of the peer's, of ours and of the comparison, all together.
SECONDS_FOR_A_LEVEL = 600


class Cost(NamedTuple):
    """What a circuit asks of the device."""

    operations: int
    pulses: int


class Row(NamedTuple):
    """One circuit at one level."""

    level: int
    ours: Cost
    theirs: Cost
    once_is_enough: bool
    accepted: bool
    verdict: str


def cost(circuit: QuantumCircuit) -> Cost:
    """Count r, rz and rxx; pulses are r with θ > 0 and rxx."""
    gates = [op for op in circuit.data if op.name in ("r", "rz", "rxx")]
    return Cost(len(gates), sum(op.name != "rz" and op.params[0] > 0 for op in gates))


def before_scheduling(circuit: QuantumCircuit, level: int) -> QuantumCircuit:
    """The circuit after all of Qiskit's own stages but scheduling."""
    return generate_preset_pass_manager(
        level,
        target=workloads.target(circuit.num_qubits),
        scheduling_method="default",
        seed_transpiler=1,
    ).run(circuit)


def lowered(circuit: QuantumCircuit, level: int) -> QuantumCircuit:
    """The circuit after our last stage."""
    return PassManager([LowerToAQT(merge=level != 0)]).run(circuit)


def transpiled(circuit: QuantumCircuit, level: int) -> QuantumCircuit:
    """The circuit after both of our stages, as for one of our backends."""
    return generate_preset_pass_manager(
        level,
        target=workloads.target(circuit.num_qubits),
        translation_method="aqt_fast",
        scheduling_method="aqt_fast",
        seed_transpiler=1,
    ).run(circuit)


def accepted(circuit: QuantumCircuit) -> bool:
    """Whether the models of ``aqt-connector`` take the circuit's request body."""
    circuit = circuit.copy()
    if "measure" not in circuit.count_ops():
        circuit.measure_all()
    if cost(circuit).operations < MOST_OPERATIONS:
        SubmitJobRequest.model_validate_json(wire.encode_job([circuit], 1))
    return True


def equivalence(circuit: QuantumCircuit, level: int, seconds: float) -> str:
    """How a circuit without its measurements compares, before and after."""
    bare = circuit.remove_final_measurements(inplace=False)
    after = transpiled(bare, level)
    # As Qiskit reads the circuit: a Multiplier's synthesis is not what its definition says.
    bare = transpile(bare, basis_gates=["u", "cx"], optimization_level=0)
    return verdict(bare, put_back(after, after.layout), seconds)


def compare(
    name: str, num_qubits: int, levels: list[int], timeout: float, rows: multiprocessing.Queue
) -> None:
    """Put the rows of one benchmark into a queue, and then None or why it cannot be had."""
    from mqt.bench import BenchmarkLevel, get_benchmark
    from qiskit_aqt_provider.transpiler_plugin import AQTSchedulingPlugin

    try:
        circuit = get_benchmark(name, BenchmarkLevel.ALG, num_qubits)
    except ValueError:
        rows.put("no such size")
        return
    if any(op.name == "if_else" for op in circuit.data):
        rows.put("has classical control, which AQT's interface has not")
        return
    for level in levels:
        ours = transpiled(circuit, level)
        theirs = AQTSchedulingPlugin().pass_manager(None).run(before_scheduling(circuit, level))
        rows.put(
            Row(
                level,
                cost(ours),
                cost(theirs),
                lowered(ours, level) == ours,
                accepted(ours),
                equivalence(circuit, level, timeout),
            )
        )
    rows.put(None)


def compare_in_time(
    name: str, num_qubits: int, levels: list[int], timeout: float
) -> tuple[list[Row], str | None]:
    """All rows of one benchmark, from a process of its own, and what was left out."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=compare, args=(name, num_qubits, levels, timeout, answers))
    process.start()
    rows: list[Row] = []
    try:
        while isinstance(answer := answers.get(timeout=SECONDS_FOR_A_LEVEL + timeout), Row):
            rows.append(answer)
    except queue.Empty:
        answer = f"took too long at level {levels[len(rows)]}"
    process.kill()
    process.join()
    return rows, answer


def random_circuit(rng: np.random.Generator) -> QuantumCircuit:
    """Up to 6 qubits and 12 of Qiskit's standard gates, any of them, at any angles."""
    num_qubits = int(rng.integers(1, 7))
    gates = [
        gate
        for name, gate in sorted(get_standard_gate_name_mapping().items())
        if name not in ("measure", "reset", "delay") and gate.num_qubits <= num_qubits
    ]
    circuit = QuantumCircuit(num_qubits)
    for index in rng.integers(len(gates), size=rng.integers(1, 13)):
        gate = gates[index]
        angles = rng.uniform(-7, 7, len(gate.params))
        angles = np.where(rng.random(len(angles)) < 0.3, np.round(angles * 2) / 4 * math.pi, angles)
        qubits = rng.permutation(num_qubits)[: gate.num_qubits]
        circuit.append(gate.base_class(*angles) if gate.params else gate, qubits.tolist())
    return circuit


def check_random_circuit(seed: int, level: int) -> None:
    """Transpile a random circuit and compare unitaries up to a phase.

    Raises:
        AssertionError: they differ, or the output is not what AQT's interface takes.
    """
    circuit = random_circuit(np.random.default_rng(seed))
    before = before_scheduling(circuit, level)
    assert Operator(lowered(before, level)).equiv(Operator(before)), (seed, level)
    after = transpiled(circuit, level)
    # Qiskit's own synthesis of two-qubit gates is off by some 1e-5 now and then.
    whole = Operator(put_back(after, after.layout))
    assert whole.equiv(Operator(circuit), atol=1e-4), (seed, level)
    for output in (lowered(before, level), after):
        assert lowered(output, level) == output, (seed, level)
        assert accepted(output), (seed, level)


def totals(rows: list[Row]) -> str:
    """The table of totals by level."""
    lines = []
    for level in LEVELS:
        here = [row for row in rows if row.level == level]
        if not here:
            continue
        line: list[object] = [level, len(here)]
        for part in Cost._fields:
            theirs, ours = (
                sum(getattr(getattr(row, who), part) for row in here) for who in ("theirs", "ours")
            )
            line += [f"{theirs:,}", f"{ours:,}", f"{ours / max(theirs, 1):.1%}"]
        lines.append(line)
    headers = ["level", "circuits"]
    for part in Cost._fields:
        headers += [f"{part}, peer", "aqt-fast", "ratio"]
    return tabulate(lines, headers, tablefmt="github", disable_numparse=True)


def main() -> int:
    """Compare, print, and return the exit code."""
    from mqt.bench.benchmarks import get_available_benchmark_names

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, default=10, help="seconds of QCEC for a circuit")
    parser.add_argument("--random", type=int, default=0, help="number of random circuits")
    parser.add_argument("--only", nargs="*", help="names of benchmarks")
    parser.add_argument("--levels", nargs="*", type=int, default=LEVELS, choices=LEVELS)
    options = parser.parse_args()
    rows: list[Row] = []
    faults: list[str] = []
    left_out: dict[str, dict[str, list[int]]] = {}
    verdicts: Counter[tuple[int, str]] = Counter()
    for name in options.only or get_available_benchmark_names():
        print(name, "…", file=sys.stderr, flush=True)
        for num_qubits in SIZES:
            found, reason = compare_in_time(name, num_qubits, options.levels, options.timeout)
            rows += found
            if reason is not None:
                left_out.setdefault(name, {}).setdefault(reason, []).append(num_qubits)
            for row in found:
                verdicts[row.level, row.verdict] += 1
                place = f"{name}, {num_qubits} qubits, level {row.level}"
                worse = any(our > their for our, their in zip(row.ours, row.theirs, strict=True))
                if row.level > 0 and worse:
                    faults.append(f"{place}: {row.ours}, peer {row.theirs}")
                if not row.once_is_enough:
                    faults.append(f"{place}: changes when lowered again")
                if row.verdict == "not_equivalent":
                    faults.append(f"{place}: not equivalent")
    print(totals(rows))
    print("\nEquivalence, by level\n")
    for (level, who), number in sorted(verdicts.items()):
        print(f"- level {level}: {who} {number}")
    print("\nLeft out\n")
    for name, reasons in left_out.items():
        for reason, sizes in reasons.items():
            print(f"- {name}: {reason} ({', '.join(map(str, sizes))} qubits)")
    for seed in range(options.random):
        check_random_circuit(seed, seed % len(LEVELS))
    print(f"\n{options.random} random circuits have their unitaries (Operator), levels in turn")
    print("\n".join(faults) or "\nno circuit is worse, different, or changed by lowering it again")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
