"""Goal: a device gets what the circuit means, and offline simulators simulate what a device gets.

1. Random circuits of rz, r and rxx with angles up to ±1000: what ``run`` takes, the payload and
   Qiskit's ``Operator`` agree, and no pulse is added but where folding needs one.
2. Circuits decorated with labels, names, metadata, phases, variables, conditions: counts of the
   offline simulators equal those of the payload on the local server's simulator for the same seed,
   or both refuse for the same reason.

Run it with ``make bench-device-form``. The exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter

import click
import numpy as np
import orjson
from aqt_fast import AQTProvider, wire
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.server.aer_sampler import AerSampler
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr, types
from qiskit.quantum_info import Operator

SHOTS = 100
SEED_STEP = 2113
"""Aer's, from circuit to circuit."""


def simulator(name: str = "no_noise", qubits: int = 5) -> AQTResource:
    """An offline simulator without a bar."""
    provider = AQTProvider("", load_dotenv=False)
    backend = provider.get_backend(f"offline_simulator_{name}", available_qubits=qubits)
    backend.set_options(with_progress_bar=False)
    return backend


def angle(rng: np.random.Generator) -> float:
    """Mostly in ±2π or ±1000, sometimes a multiple of π/4."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(-16, 17) * math.pi / 4
    return rng.uniform(-1000, 1000) if kind == 1 else rng.uniform(-7, 7)


def native(rng: np.random.Generator) -> QuantumCircuit:
    """A random circuit of AQT's gates, measured."""
    size = int(rng.integers(1, 5))
    circuit = QuantumCircuit(size)
    for _ in range(rng.integers(1, 25)):
        kind = rng.integers(3)
        first, *others = map(int, rng.permutation(size))
        if kind == 0:
            circuit.rz(angle(rng), first)
        elif kind == 1:
            circuit.r(angle(rng), angle(rng), first)
        elif others:
            circuit.rxx(angle(rng), first, others[0])
    circuit.measure_all()
    return circuit


def read_back(body: bytes, size: int) -> tuple[QuantumCircuit, Counter[str]]:
    """The circuit of a payload, and its numbers of operations."""
    *gates, _ = orjson.loads(body)["payload"]["circuits"][0]["quantum_circuit"]
    circuit = QuantumCircuit(size)
    for gate in gates:
        if gate["operation"] == "RZ":
            circuit.rz(gate["phi"] * math.pi, gate["qubit"])
        elif gate["operation"] == "R":
            circuit.r(gate["theta"] * math.pi, gate["phi"] * math.pi, gate["qubit"])
        else:
            circuit.rxx(gate["theta"] * math.pi, *gate["qubits"])
    return circuit, Counter(gate["operation"] for gate in gates)


def least_pulses(circuit: QuantumCircuit) -> int:
    """The fewest R: those that turn, and one on a qubit without any that is left with an X."""
    pulses, flips = Counter(), Counter()
    for item in circuit.data:
        if item.operation.name not in ("r", "rxx"):
            continue
        written = item.operation.params[0]
        turn = math.remainder(written, 2 * math.pi)
        if item.operation.name == "r":
            pulses[item.qubits[0]] += abs(turn) > 1e-9 or abs(written) <= 1e-9
        elif abs(turn) > math.pi / 2 + 1e-9:
            flips.update(item.qubits)
    return sum(max(pulses[qubit], flips[qubit] % 2) for qubit in circuit.qubits)


def folding(number: int) -> int:
    """Part 1: the number of circuits that are not right."""
    rng = np.random.default_rng(1)
    batch = [native(rng) for _ in range(number)]
    worst, wrong, added, most_rxx = 0.0, 0, 0, 0
    for circuit in batch:
        device, gates = read_back(wire.encode_job(circuit, 1), circuit.num_qubits)
        plain = circuit.remove_final_measurements(inplace=False)
        overlap = abs(np.vdot(Operator(plain).data, Operator(device).data)) / 2**plain.num_qubits
        worst = max(worst, 1 - overlap)
        wrong += overlap < 1 - 1e-9
        added += gates["R"] > least_pulses(circuit)
        most_rxx += gates["RXX"] > circuit.count_ops().get("rxx", 0)
    failed = sum(not entry.success for entry in simulator().run(batch, shots=1).result().results)
    click.echo(
        f"{number} circuits with angles up to 1000: {wrong} wrong "
        f"(worst 1 - fidelity {worst:.1e}), {added} with a needless pulse, "
        f"{most_rxx} with more rxx, {failed} not run"
    )
    return wrong + added + most_rxx + failed


def decorated(rng: np.random.Generator) -> QuantumCircuit:
    """Random gates with whatever else a circuit may have; some cannot run."""
    size = 4
    own = ClassicalRegister(size, "own")
    aliased = ClassicalRegister(bits=own[1:3], name="aliased") if rng.integers(4) == 0 else None
    registers = [QuantumRegister(size, "q"), own, ClassicalRegister(2, "more")]
    circuit = QuantumCircuit(*registers, *([aliased] if aliased else []))
    circuit.name = str(rng.choice(["", "a b", "näme\n", "x" * 300, "circuit-1"]))
    circuit.metadata = [{}, {"key": [1, {"nested": None}]}][rng.integers(2)]
    circuit.global_phase = [0.0, 1.5, -7e5, math.nan, Parameter("phase")][rng.integers(5)]
    if rng.integers(4) == 0:
        circuit.add_uninitialized_var(expr.Var.new("unused", types.Bool()))
    for _ in range(rng.integers(1, 20)):
        first, second = map(int, rng.choice(size, 2, replace=False))
        kind = rng.integers(20)
        if kind < 6:
            circuit.r(angle(rng), angle(rng), first)
        elif kind < 10:
            circuit.rz(angle(rng), first)
        elif kind < 16:
            circuit.rxx(angle(rng), first, second)
        else:
            circuit.barrier(label=str(rng.choice(["", "b"])) or None)
        if kind < 16 and rng.integers(2):
            gate = circuit.data[-1].operation.to_mutable()
            gate.label = str(rng.choice(["label", "x", "measure", "id"]))
            circuit.data[-1] = circuit.data[-1].replace(operation=gate)
    odd = rng.integers(12)
    if odd == 0:
        with circuit.if_test((own[0], True)):
            circuit.rz(1.0, 0)
    elif odd == 1:
        circuit.rz(Parameter("unbound"), 0)
    elif odd == 2:
        circuit.r(math.nan, 0.0, 0)
    elif odd == 3:
        circuit.delay(10, 0)
    measured = rng.integers(0 if odd == 4 else 1, 6)
    for _ in range(measured):
        circuit.measure(int(rng.integers(size)), int(rng.integers(size + 2)))
    if odd == 5:
        circuit.rz(1.0, 0)
    return circuit


def on_the_server(sampler: AerSampler, circuit: QuantumCircuit, noisy: bool, seed: int) -> dict:
    """The counts that the local server's simulator gives for the payload."""
    work = sampler.read_job(wire.encode_job(circuit, SHOTS))
    work.measure(0, noisy=noisy, seed=seed << 1)
    response = b'{"job":%s,"response":{"status":"finished","result":%s}}' % (
        json.dumps(
            {
                "job_id": "00000000-0000-4000-8000-000000000000",
                "job_type": "quantum_circuit",
                "label": "",
                "resource_id": "r",
                "workspace_id": "w",
            }
        ).encode(),
        work.result(seed=0),
    )
    (entry,) = wire.result_from_response(response, circuit, shots=SHOTS).results
    return entry.data.counts


def reason(call) -> str | None:
    """Why a circuit is refused, None if it is not."""
    try:
        call()
    except InvalidCircuitError as error:
        return str(error)
    return None


def decorations(number: int) -> int:
    """Part 2: the number of circuits for which device and simulator differ."""
    rng = np.random.default_rng(7)
    sampler = AerSampler()
    wrong, refused, same = 0, 0, 0
    for noise in ("no_noise", "noise"):
        backend = simulator(noise, qubits=4)
        runnable = []
        for circuit in (decorated(rng) for _ in range(number // 2)):
            device = reason(lambda circuit=circuit: wire.encode_job(circuit, SHOTS))
            if device is None:
                runnable.append(circuit)
                continue
            refused += 1
            wrong += reason(lambda run=backend.run, circuit=circuit: run(circuit)) != device
        result = backend.run(runnable, shots=SHOTS, seed_simulator=3).result()
        for index, (circuit, entry) in enumerate(zip(runnable, result.results, strict=True)):
            seed = 3 + SEED_STEP * index
            expected = on_the_server(sampler, circuit, noise == "noise", seed)
            same += entry.success and entry.data.counts == expected
            wrong += not (entry.success and entry.data.counts == expected)
    click.echo(
        f"{number} decorated circuits: {same} with the counts of the server's simulator, "
        f"{refused} refused, {wrong} that differ"
    )
    return wrong


@click.command()
@click.option("--folded", default=5000, show_default=True)
@click.option("--decorated", "number", default=2000, show_default=True)
def main(folded: int, number: int) -> None:
    """Check both parts."""
    amiss = folding(folded) + decorations(number)
    sys.exit(1 if amiss else 0)


if __name__ == "__main__":
    main()
