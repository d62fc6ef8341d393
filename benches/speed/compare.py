"""Goal: codec, stages, ``compile`` and import at the ratios to the peer that the tables name.

We and ``qiskit-aqt-provider`` work on the same objects in one run; prints the tables of figures.
Run it with ``make bench``. Each figure is explained in ``benches/README.md``.
"""

from __future__ import annotations

import functools
import gc
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import aqt_fast
import numpy as np
import peer
import qiskit
import workloads
from aqt_fast import AQTProvider, wire
from aqt_fast.wire.circuits import Limits, check_circuits
from qiskit import QuantumCircuit
from qiskit.converters import circuit_to_dag
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import PassManagerConfig
from qiskit.transpiler.preset_passmanagers.plugin import PassManagerStagePluginManager
from tabulate import tabulate
from timing import median

SHOTS = workloads.NUM_SHOTS


def milliseconds(seconds: float) -> str:
    """Three significant digits are more than this machine is good for."""
    return f"{seconds * 1e3:.3g} ms"


def row(name: str, goal: str, theirs: Callable[[], object], ours: Callable[[], object]) -> list:
    """A row of the table; both parties are measured in turn."""
    half = [median(theirs, 3)]
    our_time = median(ours, 51)
    half.append(median(theirs, 3))
    their_time = statistics.median(half)
    ratio = their_time / our_time
    return [name, milliseconds(their_time), milliseconds(our_time), f"{ratio:.0f}×", goal]


def packed(body: bytes, circuits: list[QuantumCircuit]) -> list:
    """Response body → one bit array a circuit."""
    samples = wire.decode_response(body).samples or []
    return [item.bit_array(circuit) for item, circuit in zip(samples, circuits, strict=True)]


def codec_rows() -> list[list]:
    """``brickwork-50`` and ``samples-50``."""
    circuits = workloads.brickwork_50()
    with_views = tuple(int(part) for part in qiskit.__version__.split(".")[:2]) >= (2, 6)
    rows = [
        row(
            "brickwork-50 → bytes",
            "150×" if with_views else "80×",
            lambda: peer.encode(circuits, SHOTS),
            lambda: wire.encode_job(circuits, SHOTS),
        )
    ]
    for kind in (workloads.uniform, workloads.peaked):
        for num_qubits in (10, 20):
            body = workloads.response(kind(num_qubits))
            measured = workloads.measured(num_qubits)
            for memory in (False, True):
                what = "Result with memory" if memory else "Result"
                goal = "" if memory else ("250×" if kind is workloads.uniform else "600×")

                def theirs(memory: bool = memory) -> object:
                    return peer.result(body, measured, SHOTS, memory=memory)  # noqa: B023

                def ours(memory: bool = memory) -> object:
                    return wire.result_from_response(
                        body,  # noqa: B023
                        measured,  # noqa: B023
                        shots=SHOTS,
                        memory=memory,
                    )

                name = f"samples-50, {kind.__name__}, {num_qubits} qubits →"
                rows.append(row(f"{name} {what}", goal, theirs, ours))
            rows.append(
                row(
                    f"{name} packed bits",
                    "700×",
                    lambda: peer.result(body, measured, SHOTS, memory=True),  # noqa: B023
                    lambda: packed(body, measured),  # noqa: B023
                )
            )
    return rows


def transpile_rows() -> list[list]:
    """``qiskit.transpile`` of ``brickwork-50`` at level 1 with either party's stages."""
    rng = np.random.default_rng(1)
    circuits = [workloads.brickwork(rng, 10, 12) for _ in range(workloads.NUM_CIRCUITS)]

    def transpiled(translation: str, scheduling: str) -> list[QuantumCircuit]:
        return qiskit.transpile(
            circuits,
            target=workloads.target(10),
            translation_method=translation,
            scheduling_method=scheduling,
            optimization_level=1,
        )

    # What each party's backends ask for; the peer's have no translation of their own.
    peers = functools.partial(transpiled, "translator", "aqt")
    ours = functools.partial(transpiled, "aqt_fast", "aqt_fast")
    rounds = [[median(each, 1) for each in (peers, ours)] for _ in range(7)]
    their_time, our_time = (statistics.median(times) for times in zip(*rounds, strict=True))
    gates = [sum(circuit.size() for circuit in each()) for each in (peers, ours)]
    ratio = f"{their_time / our_time:.1f}×"
    return [
        ["transpile", milliseconds(their_time), milliseconds(our_time), ratio],
        *stage_rows(
            transpiled("translator", "default"), transpiled("aqt_fast", "default"), circuits
        ),
        ["operations", *(f"{number:,}" for number in gates), f"{gates[1] / gates[0]:.0%}"],
    ]


def stage_rows(
    qiskits: list[QuantumCircuit], ours: list[QuantumCircuit], circuits: list[QuantumCircuit]
) -> list[list]:
    """The passes of either party's stages, on circuits from Qiskit's and from our translation."""
    config = PassManagerConfig(target=workloads.target(10))
    stages = PassManagerStagePluginManager()

    def passes(stage: str, name: str) -> list[Callable[[DAGCircuit], DAGCircuit]]:
        flow = stages.get_passmanager_stage(stage, name, config, 1).to_flow_controller()
        return [each.run for task in flow.tasks for each in getattr(task, "tasks", [task])]

    cases = {
        "peer": (passes("scheduling", "aqt"), qiskits),
        "ours": (passes("scheduling", "aqt_fast"), ours),
        "after Qiskit's": (passes("scheduling", "aqt_fast"), qiskits),
        "Qiskit's translation": (passes("translation", "translator"), circuits),
        "our translation": (passes("translation", "aqt_fast"), circuits),
    }

    def seconds(run: list[Callable[[DAGCircuit], DAGCircuit]], on: list[QuantumCircuit]) -> float:
        """For all circuits, each converted right before, as in a transpilation."""
        total = 0.0
        for circuit in on:
            dag = circuit_to_dag(circuit)
            start = time.perf_counter()
            for each in run:
                dag = each(dag)
            total += time.perf_counter() - start
        return total

    rounds = [[seconds(*case) for case in cases.values()] for _ in range(21)]
    times = dict(zip(cases, map(statistics.median, zip(*rounds, strict=True)), strict=True))

    def ratio(name: str, theirs: str, mine: str) -> list:
        pair = times[theirs], times[mine]
        return [name, *map(milliseconds, pair), f"{pair[0] / pair[1]:.0f}×"]

    return [
        ratio("translation stage; peer: Qiskit's", "Qiskit's translation", "our translation"),
        ratio("scheduling stage", "peer", "ours"),
        ratio("... of what Qiskit translates", "peer", "after Qiskit's"),
    ]


def compile_rows() -> list[list]:
    """``compile`` of ``brickwork-50``, before it is transpiled, against the peer's transpiling."""
    rng = np.random.default_rng(1)
    circuits = [workloads.brickwork(rng, 10, 12) for _ in range(workloads.NUM_CIRCUITS)]
    backend = AQTProvider("").get_backend("offline_simulator_no_noise", available_qubits=10)

    def theirs() -> list[QuantumCircuit]:
        return qiskit.transpile(
            circuits, target=workloads.target(10), scheduling_method="aqt", optimization_level=1
        )

    rows = []
    for level, goal in [(1, "30×"), (2, "")]:
        ours = functools.partial(aqt_fast.compile, circuits, backend, optimization_level=level)
        rows.append(row(f"compile, level {level}; peer: transpile, level 1", goal, theirs, ours))
        for what, names in [("operations", ("rz", "r", "rxx")), ("pulses", ("r", "rxx"))]:
            numbers = [
                sum(circuit.count_ops().get(name, 0) for circuit in each() for name in names)
                for each in (theirs, ours)
            ]
            share = f"{numbers[1] / numbers[0]:.0%}"
            rows.append([what, *(f"{number:,}" for number in numbers), share, "no more"])
    return rows


def floor_rows() -> list[list]:
    """How far ``brickwork-50`` is from checking all instructions and copying the output."""
    circuits = workloads.brickwork_50()
    body = wire.encode_job(circuits, SHOTS)
    operations = sum(len(circuit.data) for circuit in circuits)
    parts = {
        "checking all instructions": lambda: wire.check_circuits(circuits, wire.API_LIMITS),
        "copying the output": lambda: bytearray(body),
        "encode_job": lambda: wire.encode_job(circuits, SHOTS),
    }
    rounds = [[median(part, 21) for part in parts.values()] for _ in range(5)]
    reading, copying, encoding = (statistics.median(times) for times in zip(*rounds, strict=True))
    rows = [
        [name, milliseconds(time), f"{time / operations * 1e9:.0f} ns"]
        for name, time in zip(parts, (reading, copying, encoding), strict=True)
    ]
    return [*rows, ["encode_job / floor", f"{encoding / (reading + copying):.2f}×", ""]]


def growth_rows() -> list[list]:
    """Cost per circuit of each step, for jobs of 50 to 50 000 circuits, in requests of 50."""
    most = 50_000
    circuits = workloads.fresh_circuits(most)
    body = workloads.response(workloads.uniform(4)[:, :100])
    step = workloads.NUM_CIRCUITS
    unlimited = Limits(circuits=None)

    def job(batch: list[QuantumCircuit]) -> list[float]:
        """Seconds for checking all, encoding, decoding, and composing all results."""
        chunks = [batch[start : start + step] for start in range(0, len(batch), step)]
        times = [time.perf_counter()]
        check_circuits(batch, unlimited)
        times.append(time.perf_counter())
        for chunk in chunks:
            wire.encode_job(chunk, 100)
        times.append(time.perf_counter())
        for _ in chunks:
            wire.decode_response(body)
        times.append(time.perf_counter())
        results = [wire.result_from_response(body, chunk, shots=100) for chunk in chunks]
        times.append(time.perf_counter())
        del results
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    rows = []
    for collector in ("on", "off"):
        (gc.enable if collector == "on" else gc.disable)()
        base: list[float] = []
        for number in (50, 500, 5_000, most):
            jobs = [job(circuits[start : start + number]) for start in range(0, most, number)]
            cost = [sum(times) / most * 1e6 for times in zip(*jobs, strict=True)]
            base = base or cost
            cells = [
                f"{mine:.2f} ({mine / first - 1:+.0%})"
                for mine, first in zip(cost, base, strict=True)
            ]
            rows.append([f"{number:,}", collector, *cells])
    gc.enable()
    return rows


_MEMORY_SCRIPT = """
import sys
import workloads
from aqt_fast import wire

def status(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))

def decode(body, circuits, shots):
    if {what!r} == "Result":
        return wire.result_from_response(body, circuits, shots=shots)
    samples = wire.decode_response(body).samples
    return [item.bit_array(circuit) for item, circuit in zip(samples, circuits)]

circuits = workloads.measured({qubits})
decode(workloads.response(workloads.{kind}({qubits})[:1, :10]), circuits[:1], 10)
body = sys.stdin.buffer.read()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts again from here
before = status("VmRSS")
value = decode(body, circuits, {shots})
print((status("VmHWM") - before) / len(body))
"""


def memory_rows() -> list[list]:
    """Growth of the peak resident set while decoding, in processes of their own."""
    rows = []
    for kind in ("uniform", "peaked"):
        for qubits in (10, 20):
            body = workloads.response(getattr(workloads, kind)(qubits))
            for what in ("Result", "packed bits"):
                script = _MEMORY_SCRIPT.format(kind=kind, qubits=qubits, what=what, shots=SHOTS)
                run = subprocess.run(  # noqa: S603
                    [sys.executable, "-c", script], input=body, check=True, capture_output=True
                )
                name = f"samples-50, {kind}, {qubits} qubits → {what}"
                rows.append([name, f"{float(run.stdout):.2f}×"])
    return rows


def import_rows() -> list[list]:
    """What an import costs in a process that has imported Qiskit."""
    imports = {
        "import aqt_fast": "import aqt_fast",
        "from aqt_fast import AQTProvider": "from aqt_fast import AQTProvider",
        "the peer's provider": "import qiskit_aqt_provider.aqt_provider",
    }
    rows = []
    for name, statement in imports.items():
        script = (
            "import qiskit, time; start = time.perf_counter(); "
            f"{statement}; print(time.perf_counter() - start)"
        )
        command = [sys.executable, "-c", script]
        times = [
            float(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
            for _ in range(11)
        ]
        rows.append([name, milliseconds(statistics.median(times))])
    return rows


def main() -> None:
    """Print all tables."""
    print(f"Qiskit {qiskit.__version__}, Python {sys.version.split()[0]}, medians of one run\n")
    headers = ("Workload", "peer", "aqt-fast", "ratio", "goal")
    print(tabulate(codec_rows(), headers, tablefmt="github"))
    print("\nbrickwork-50, qiskit.transpile at level 1\n")
    headers = ("Part", "peer", "aqt-fast", "ratio")
    print(tabulate(transpile_rows(), headers, tablefmt="github"))
    print("\nbrickwork-50, from any gates to AQT's\n")
    headers = ("Part", "peer", "aqt-fast", "ratio", "goal")
    print(tabulate(compile_rows(), headers, tablefmt="github"))
    print("\nbrickwork-50, distance to the floor\n")
    print(tabulate(floor_rows(), ("Part", "Time", "per operation"), tablefmt="github"))
    print("\nCost per circuit in µs, and against a job of 50 circuits (goal: within 10 %)\n")
    headers = ("Circuits", "Python's collector", "check", "encode", "decode", "decode and Result")
    print(tabulate(growth_rows(), headers, tablefmt="github"))
    print("\nPeak extra memory while decoding, in sizes of the body (goal: below 2)\n")
    print(tabulate(memory_rows(), ("Workload", "× body"), tablefmt="github"))
    print("\nImport on top of Qiskit (goal: 30 ms)\n")
    print(tabulate(import_rows(), ("Import", "Time"), tablefmt="github"))


if __name__ == "__main__":
    main()
