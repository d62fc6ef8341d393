"""Classical registers of any arrangement, read by the sampler."""

import numpy as np
import oracle
import pytest
import strategies
from aqt_fast import AQTProvider
from aqt_fast.primitives import AQTSampler
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit, Parameter, Qubit
from qiskit.primitives import StatevectorSampler


@pytest.fixture(scope="module")
def simulator():
    """The ideal simulator."""
    simulator = AQTProvider.for_restoring("").get_backend("offline_simulator_no_noise")
    simulator.set_options(with_progress_bar=False)
    return simulator


def woven(parameter: Parameter | None = None) -> QuantumCircuit:
    """Registers with every other bit, with all bits backwards, and with bits of both."""
    bits = [Clbit() for _ in range(10)]
    circuit = QuantumCircuit([Qubit() for _ in range(10)], bits)
    circuit.add_register(ClassicalRegister(name="even", bits=bits[::2]))
    circuit.add_register(ClassicalRegister(name="backwards", bits=bits[::-1]))
    circuit.add_register(ClassicalRegister(name="middle", bits=bits[3:7]))
    circuit.add_register(ClassicalRegister(name="all_bits", bits=[bits[9], bits[0]]))
    circuit.x([0, 1, 4, 9])
    if parameter is not None:
        circuit.rx(parameter, 2)
    circuit.measure(range(10), range(10))
    return circuit


def bits_of(result) -> dict[str, list[str]]:
    """The outcomes in each register."""
    return {name: list(bits.get_bitstrings()) for name, bits in result.data.items()}


def test_bits_anywhere(simulator):
    """Known bits, beside circuits whose registers are neat."""
    neat = QuantumCircuit(2)
    neat.x(1)
    neat.measure_all()
    job = AQTSampler(simulator).run([neat, woven(), neat], shots=3)
    first, second, third = job.result()
    assert bits_of(first) == bits_of(third) == {"meas": ["10"] * 3}
    assert bits_of(second) == {
        # bits 0, 1, 4 and 9 are set
        "even": ["00101"] * 3,
        "backwards": ["1100100001"] * 3,
        "middle": ["0010"] * 3,
        "all_bits": ["11"] * 3,
    }
    assert second.metadata == {"shots": 3, "circuit_metadata": {}}
    assert first.data.meas.array.dtype == second.data.even.array.dtype == np.uint8


def test_parameters(simulator):
    """The arrays have the shape of the parameters."""
    angle = Parameter("θ")
    values = np.array([[[0.0], [np.pi]], [[2 * np.pi], [-np.pi]]])
    pub = (woven(angle), values, 5)
    found, exact = (
        sampler.run([pub]).result()[0] for sampler in (AQTSampler(simulator), StatevectorSampler())
    )
    assert found.data.keys() == exact.data.keys()
    for name, bits in found.data.items():
        assert bits.shape == (2, 2)
        assert bits == exact.data[name]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(strategies.register_layouts(), st.integers(0, 31)), min_size=1, max_size=6)
)
def test_any_arrangement(simulator, cases):
    """Each register has its own bits: judged bit by bit."""
    pubs, expected = [], []
    for circuit, word in cases:
        shot = [(word >> qubit) & 1 for qubit in range(circuit.num_qubits)]
        flipped = circuit.copy_empty_like()
        for qubit in range(circuit.num_qubits):
            flipped.rx(shot[qubit] * np.pi, qubit)
        pubs.append(flipped.compose(circuit))
        bits = oracle.classical_bits(circuit, shot)
        expected.append(
            {
                register.name: [
                    "".join(str(bits[circuit.find_bit(b).index]) for b in register)[::-1]
                ]
                for register in circuit.cregs
            }
        )
    with_registers = [index for index, pub in enumerate(pubs) if pub.cregs]
    if with_registers:
        result = AQTSampler(simulator).run([pubs[index] for index in with_registers], shots=1)
        assert [bits_of(item) for item in result.result()] == [
            expected[index] for index in with_registers
        ]
