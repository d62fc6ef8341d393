"""Samples → Qiskit's results."""

import math

import numpy as np
import pytest
from aqt_fast import wire
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit
from qiskit_aer import AerSimulator
from wire.examples import finished

pytestmark = pytest.mark.all_qiskits


def aer_circuits() -> dict[str, QuantumCircuit]:
    """Circuits whose classical bits are everything but straightforward."""
    rng = np.random.default_rng(11)

    def prepared(num_qubits: int, *cregs: ClassicalRegister) -> QuantumCircuit:
        circuit = QuantumCircuit(QuantumRegister(num_qubits, "q"), *cregs)
        for qubit in range(num_qubits):
            circuit.r(rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi), qubit)
        for qubit in range(num_qubits - 1):
            circuit.rxx(rng.uniform(0, math.pi / 2), qubit, qubit + 1)
        return circuit

    cases = {}
    several = prepared(
        4, ClassicalRegister(2, "a"), ClassicalRegister(1, "b"), ClassicalRegister(3, "c")
    )
    several.measure([0, 1, 2, 3], [5, 0, 2, 3])
    cases["several registers, permuted"] = several
    unmeasured = prepared(5, ClassicalRegister(2, "a"))
    unmeasured.measure([4, 1], [0, 1])
    cases["unmeasured qubits"] = unmeasured
    twice = prepared(3, ClassicalRegister(2, "a"))
    twice.measure([0, 1, 2, 0], [0, 0, 1, 1])
    cases["two measurements into one bit"] = twice
    wide = prepared(3, ClassicalRegister(40, "a"), ClassicalRegister(45, "b"))
    wide.measure([0, 1, 2], [84, 39, 0])
    cases["85 classical bits"] = wide
    every = prepared(6)
    every.measure_all()
    cases["measure_all"] = every
    return cases


@pytest.mark.parametrize("case", aer_circuits())
def test_counts_and_memory_are_those_of_aer(case):
    """The outcomes of all qubits, sent through the codec, give what Aer gives for the circuit."""
    circuit = aer_circuits()[case]
    everything = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.operation.name != "measure":
            everything.append(instruction)
    everything.measure_all()
    simulator = AerSimulator(method="statevector", seed_simulator=17)
    options = {"shots": 500, "memory": True, "enable_truncation": False}
    outcomes = simulator.run(everything, **options).result().get_memory()
    shots = [[int(bit) for bit in reversed(outcome.split()[0])] for outcome in outcomes]
    expected = simulator.run(circuit, **options).result()
    result = wire.result_from_response(finished(shots), circuit, shots=500, memory=True)
    assert result.get_counts() == expected.get_counts()
    assert result.get_memory() == expected.get_memory()
    # Aer pads some texts of more than 64 bits with zeros.
    assert result.data()["counts"] == {
        hex(int(key, 16)): count for key, count in expected.data()["counts"].items()
    }


def test_bits_outside_of_registers():
    """Qiskit cuts them off when it separates registers, and counts with them: so it must not."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "a"), [Clbit()])
    circuit.measure([0, 1], [1, 0])
    body = finished([[1, 0], [0, 0], [0, 1], [0, 0]])
    result = wire.result_from_response(body, circuit, shots=4, memory=True)
    assert result.get_counts() == {"10": 1, "00": 2, "01": 1}
    assert result.get_memory() == ["10", "00", "01", "00"]


def test_shared_buffers_stay_alive():
    """Samples and bit arrays do not depend on the body or on each other."""
    circuit = QuantumCircuit(2)
    circuit.measure_all()
    body = bytearray(finished([[1, 0]] * 3))
    (samples,) = wire.decode_response(bytes(body)).samples
    bits = samples.bit_array(circuit)
    del samples, body
    bits.array[0, 0] = 3
    assert bits.array.tolist() == [[3], [1], [1]]
