"""Every register has exactly its bits, on all three kinds of backend, as the backend's counts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from aqt_fast import AQTProvider
from aqt_fast import compile as compile_circuit
from aqt_fast.primitives import AQTSampler
from aqt_fast.testing import ArnicaServer, Resource, Workspace
from clients import connect, device_of, machine_of
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit, Parameter, Qubit
from qiskit.circuit.library import efficient_su2

MOST_QUBITS = 31


def split(size: int, rng: np.random.Generator) -> list[list[int]]:
    """Split bits into registers: of any sizes, with their bits in any order."""
    order = rng.permutation(size).tolist()
    cuts = sorted({0, size, *rng.integers(0, size + 1, rng.integers(0, 4)).tolist()})
    return [order[first:last] for first, last in pairwise(cuts)]


def marked(size: int, ones: list[int], rng: np.random.Generator) -> QuantumCircuit:
    """A circuit with X on ``ones``, in registers of any split; qubit q is read by bit q."""
    bits = [Clbit() for _ in range(size)]
    circuit = QuantumCircuit([Qubit() for _ in range(size)], bits)
    for number, places in enumerate(split(size, rng)):
        circuit.add_register(ClassicalRegister(name=f"r{number}", bits=[bits[i] for i in places]))
    if ones:
        circuit.x(ones)
    circuit.measure(range(size), range(size))
    return circuit


def expected(circuit: QuantumCircuit, ones: list[int]) -> dict[str, str]:
    """The text of each register, its first bit on the right."""
    return {
        register.name: "".join(
            str(int(circuit.find_bit(bit).index in ones)) for bit in reversed(register)
        )
        for register in circuit.cregs
    }


def check(sampler: AQTSampler, cases: list[tuple[QuantumCircuit, list[int]]]) -> None:
    """Run all of them as one job, each with its own number of shots."""
    pubs = [(circuit, None, 1 + index % 3) for index, (circuit, _) in enumerate(cases)]
    result = sampler.run(pubs).result()
    for index, (circuit, ones) in enumerate(cases):
        found = {name: bits.get_counts() for name, bits in result[index].data.items()}
        shots = 1 + index % 3
        assert found == {name: {text: shots} for name, text in expected(circuit, ones).items()}, (
            circuit.num_qubits,
            ones,
        )


def cases_of(sizes: range, rng: np.random.Generator) -> list[tuple[QuantumCircuit, list[int]]]:
    """All ones, and each single one, of each size."""
    return [
        (marked(size, ones, rng), ones)
        for size in sizes
        for ones in [list(range(size)), *([place] for place in range(size))]
    ]


@pytest.fixture(scope="module")
def wide_server():
    """A server whose devices have 31 qubits, and sample without simulating."""
    resources = [
        Resource("simulator_ideal", "Simulator", "simulator", MOST_QUBITS),
        Resource("wide", "WIDE", "device", MOST_QUBITS),
    ]
    with ArnicaServer(simulate=False, workspaces=[Workspace("default", resources)]) as server:
        yield server


def test_in_the_cloud(wide_server):
    """All-ones and one-hot circuits of 1 to 31 qubits in splits of all kinds."""
    with connect(wide_server) as provider:
        check(
            AQTSampler(device_of(provider)),
            cases_of(range(1, MOST_QUBITS + 1), np.random.default_rng(31)),
        )


def test_by_direct_access(wide_server):
    """One circuit after the other."""
    with connect(wide_server) as provider:
        machine = machine_of(provider, wide_server, shots=5)
        check(
            AQTSampler(machine),
            cases_of(range(1, MOST_QUBITS + 1), np.random.default_rng(13)),
        )


def test_offline():
    """On the simulator of as many qubits, ideal."""
    simulator = AQTProvider("", load_dotenv=False).get_backend(
        "offline_simulator_no_noise", available_qubits=MOST_QUBITS
    )
    simulator.set_options(with_progress_bar=False)
    simulator.simulator.set_options(method="matrix_product_state")  # 31 qubits at once
    check(AQTSampler(simulator), cases_of(range(1, MOST_QUBITS + 1), np.random.default_rng(7)))


def layouts(circuit: QuantumCircuit) -> list[QuantumCircuit]:
    """The circuit with its four qubits measured into registers of many kinds."""
    bits = [Clbit() for _ in range(4)]
    kinds = [
        [bits],
        [bits[::-1]],
        [bits[::2], bits[1::2]],
        [bits[:3], bits[1:]],
        [[bits[2]], [bits[0], bits[3]]],
        [[*bits, *[Clbit() for _ in range(9)]]],
    ]
    made = []
    for registers in kinds:
        every = [*bits, *(bit for bit in registers[0] if bit not in bits)]
        measured = QuantumCircuit(circuit.qubits, every)
        for number, register in enumerate(registers):
            measured.add_register(ClassicalRegister(name=f"r{number}", bits=register))
        measured.compose(circuit, circuit.qubits, inplace=True)
        measured.measure([3, 0, 1, 2], bits)
        made.append(measured)
    return made


@pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_counts_of_the_backend(name, level):
    """Bit for bit those of ``run`` with the bound circuits, compiled, and the same seed."""
    backend = AQTProvider("", load_dotenv=False).get_backend(name)
    backend.set_options(with_progress_bar=False)
    ansatz = efficient_su2(4, reps=1)
    values = np.random.default_rng(level).uniform(-7, 7, (3, ansatz.num_parameters))
    circuits = layouts(ansatz)
    sampler = AQTSampler(backend, {"seed_simulator": 11, "optimization_level": level})
    result = sampler.run([(circuit, values) for circuit in circuits], shots=60).result()
    bound = [circuit.assign_parameters(row) for circuit in circuits for row in values]
    compiled = compile_circuit(bound, backend, optimization_level=level)
    memory = backend.run(compiled, shots=60, seed_simulator=11, memory=True).result()
    for index, circuit in enumerate(circuits):
        for row in range(len(values)):
            shots = memory.results[3 * index + row].data.memory
            for register in circuit.cregs:
                places = [circuit.find_bit(bit).index for bit in register]
                texts = [
                    "".join(str(int(shot, 16) >> place & 1) for place in reversed(places))
                    for shot in shots
                ]
                assert result[index].data[register.name].get_bitstrings(row) == texts


def test_many_pubs(wide_server):
    """Five hundred of the same circuit, each with its own value, in one job."""
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("θ"), 0)
    circuit.measure_all()
    with connect(wide_server) as provider:
        sampler = AQTSampler(device_of(provider))
        job = sampler.run([(circuit, [np.pi * (number % 2)], 1) for number in range(500)])
        result = job.result()
    assert len(job.jobs) == 1
    assert [item.data.meas.get_int_counts() for item in result] == [
        {number % 2: 1} for number in range(500)
    ]


def test_arrays(wide_server):
    """Type, shape and padding as of Qiskit's samplers."""
    circuit = QuantumCircuit(9)
    circuit.add_register(ClassicalRegister(9, "wide"), ClassicalRegister(0, "none"))
    circuit.rx(Parameter("θ"), 8)
    circuit.measure(range(9), range(9))
    with connect(wide_server) as provider:
        sampler = AQTSampler(device_of(provider))
        result = sampler.run([(circuit, np.full((2, 3, 1), np.pi), 5)]).result()
    data = result[0].data
    assert (data.shape, data.wide.shape, data.none.shape) == ((2, 3),) * 3
    assert data.wide.array.dtype == np.uint8
    assert (data.wide.array.shape, data.none.array.shape) == ((2, 3, 5, 2), (2, 3, 5, 0))
    assert np.array_equal(data.wide.array, np.broadcast_to([1, 0], (2, 3, 5, 2)))
    assert data.wide.array.flags.writeable
    assert result.metadata == {"version": 2}
