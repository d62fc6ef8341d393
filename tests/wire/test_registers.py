"""Outcomes split into registers: registers that share bits, loose bits, bits in any order."""

import oracle
import pytest
import strategies
from aqt_fast import wire
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.results import result_header
from aqt_fast.wire.snapshot import Snapshot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit, Qubit
from qiskit_aer import AerSimulator
from wire.examples import finished

pytestmark = pytest.mark.all_qiskits


def aliased_and_loose() -> QuantumCircuit:
    """Two registers over the same bit beside a loose one: three bits in all, of two."""
    bits = [Clbit(), Clbit(), Clbit()]
    circuit = QuantumCircuit([Qubit(), Qubit(), Qubit()], bits)
    circuit.add_register(ClassicalRegister(name="a", bits=bits[:2]))
    circuit.add_register(ClassicalRegister(name="b", bits=bits[1:2]))
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def reversed_register() -> QuantumCircuit:
    """A register of all bits, the last first."""
    bits = [Clbit(), Clbit()]
    circuit = QuantumCircuit([Qubit(), Qubit()], bits)
    circuit.add_register(ClassicalRegister(name="a", bits=bits[::-1]))
    circuit.measure([0, 1], [0, 1])
    return circuit


def interleaved() -> QuantumCircuit:
    """Two registers that have every other bit."""
    bits = [Clbit() for _ in range(4)]
    circuit = QuantumCircuit([Qubit() for _ in range(4)], bits)
    circuit.add_register(ClassicalRegister(name="even", bits=bits[::2]))
    circuit.add_register(ClassicalRegister(name="odd", bits=bits[1::2]))
    circuit.measure(range(4), range(4))
    return circuit


def split(circuit: QuantumCircuit, shot: list[int]) -> str:
    """An outcome as Qiskit writes it, slow and obvious: the last bit and register first."""
    bits = oracle.classical_bits(circuit, shot)
    places = [circuit.find_bit(bit).index for register in circuit.cregs for bit in register]
    if places != list(range(circuit.num_clbits)):
        return "".join(str(bit) for bit in reversed(bits))
    return " ".join(
        "".join(str(bits[circuit.find_bit(bit).index]) for bit in reversed(list(register)))
        for register in reversed(circuit.cregs)
    )


def flips(circuit: QuantumCircuit, shot: list[int]) -> QuantumCircuit:
    """The circuit, after flips that make ``shot`` its only outcome."""
    flipped = circuit.copy_empty_like()
    for qubit, bit in enumerate(shot):
        if bit:
            flipped.x(qubit)
    return flipped.compose(circuit)


@settings(max_examples=1000, deadline=None)
@example(aliased_and_loose(), 5)
@example(reversed_register(), 1)
@example(interleaved(), 6)
@given(strategies.register_layouts(), st.integers(0))
def test_no_bit_is_lost_or_moved(circuit, seed):
    """Each shot keeps all bits, and is split where the registers are the bits in order."""
    shots = [
        [(seed >> place * 5 + qubit) & 1 for qubit in range(circuit.num_qubits)]
        for place in range(4)
    ]
    result = wire.result_from_response(finished(shots), circuit, shots=4, memory=True)
    texts = [split(circuit, shot) for shot in shots]
    assert result.get_memory() == texts
    assert result.get_counts() == {text: texts.count(text) for text in texts}


@settings(max_examples=200, deadline=None)
@given(strategies.register_layouts(), st.integers(0, 31))
def test_split_as_aer_does(circuit, seed):
    """Wherever outcomes are split, the counts are those of Aer."""
    shot = [(seed >> qubit) & 1 for qubit in range(circuit.num_qubits)]
    result = wire.result_from_response(finished([shot]), circuit, shots=1)
    header = result.results[0].header
    if header["creg_sizes"]:
        exact = AerSimulator().run(flips(circuit, shot), shots=1).result()
        assert result.get_counts() == exact.get_counts()
        assert header["creg_sizes"] == exact.results[0].header["creg_sizes"]


@settings(max_examples=300, deadline=None)
@given(strategies.register_layouts())
def test_rebuilt_circuits_are_split_alike(circuit):
    """A circuit from a journal has the same outcomes as the original, in the same registers."""
    circuit.name = "layout"
    snapshot = Snapshot([circuit], API_LIMITS)
    saved = Snapshot.from_saved(snapshot.to_bytes(), snapshot.headers)
    rebuilt = saved.circuit(0)
    for shot in ([0] * circuit.num_qubits, [1, 0, 1, 0, 1][: circuit.num_qubits]):
        assert split(rebuilt, shot) == split(circuit, shot)
    assert result_header(rebuilt)["creg_sizes"] == result_header(circuit)["creg_sizes"]
