"""What is wrong with PUBs: all of it, by PUB and parameter set, before anything is sent."""

import math

import numpy as np
import pytest
from aqt_fast.aqt_resource import UnknownOptionWarning
from aqt_fast.exceptions import (
    InvalidCircuitError,
    InvalidInputError,
    InvalidOptionError,
    InvalidPubError,
)
from aqt_fast.primitives import AQTSampler
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.sampler_pub import SamplerPub


def good(size: int = 1) -> QuantumCircuit:
    """A circuit with a parameter."""
    circuit = QuantumCircuit(size)
    circuit.rx(Parameter("θ"), 0)
    circuit.measure_all()
    return circuit


def bad() -> QuantumCircuit:
    """A circuit that no AQT device runs."""
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("θ"), 0)
    circuit.delay(100, 0)
    circuit.rx(0.5, 0)
    circuit.measure_all()
    return circuit


def told(sampler: AQTSampler, pubs, **options) -> list[str]:
    """The problems, one text each."""
    with pytest.raises(InvalidPubError) as caught:
        sampler.run(pubs, **options)
    problems = caught.value.problems
    assert str(caught.value).split("\n")[: len(problems)] == [str(item) for item in problems[:10]]
    return [str(problem) for problem in problems]


@pytest.fixture
def sampler(device) -> AQTSampler:
    """On a device whose server records what is sent."""
    return AQTSampler(device)


def test_circuits(server, sampler):
    """What all parameter sets share is told once for the PUB, by the index that the user knows."""
    sets = np.full((2, 2, 1), 0.5)
    wide = QuantumCircuit(40)
    wide.measure_all()
    with pytest.raises(InvalidPubError) as caught:
        sampler.run(
            [(good(), sets), (bad(), np.zeros((0, 1))), (bad(), sets), (good(), [0.5], 7), wide]
        )
    first, second = caught.value.problems
    assert (first.pub, first.parameter_set, first.instruction, first.operation) == (
        2, (), 1, "delay",
    )  # fmt: skip
    assert (second.pub, second.instruction) == (4, None)
    assert str(first).startswith("PUB 2, instruction 1 (delay): ")
    assert "40" in str(second)
    assert isinstance(caught.value, InvalidCircuitError)
    assert server.jobs == []


def test_values(server, sampler):
    """Missing, too many, of other names or shapes, and no numbers."""
    two = QuantumCircuit(1)
    two.rx(Parameter("a"), 0)
    two.rx(Parameter("b"), 0)
    two.measure_all()
    fixed = QuantumCircuit(1, 1)
    fixed.measure(0, 0)
    found = told(
        sampler,
        [
            good(),
            (two, None),
            (two, [1.0, 2.0]),
            (two, [1.0, 2.0, 3.0]),
            (two, {"a": 1.0, "c": 2.0}),
            (two, {"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}),
            (two, ["x", "y"]),
            (two, [1j, 2.0]),
            (fixed, [1.0]),
            (fixed, None),
        ],
    )
    assert [text.split(":")[0] for text in found] == [
        f"PUB {number}" for number in (0, 1, 3, 4, 5, 6, 7, 8)
    ]
    assert found[0] == "PUB 0: no value for 'θ'"
    assert found[1] == "PUB 1: no value for 'a', 'b'"
    assert server.jobs == []


def test_values_that_are_not_finite(sampler):
    """Each parameter set, beside what else is wrong with the circuit."""
    sets = np.zeros((2, 3, 1))
    sets[0, 1], sets[1, 2] = math.nan, -math.inf
    assert told(sampler, [(good(), sets), (bad(), sets), (good(), [math.inf])]) == [
        "PUB 0, parameter set 0, 1: the value of 'θ' is nan, not a finite number",
        "PUB 0, parameter set 1, 2: the value of 'θ' is -inf, not a finite number",
        "PUB 1, parameter set 0, 1: the value of 'θ' is nan, not a finite number",
        "PUB 1, parameter set 1, 2: the value of 'θ' is -inf, not a finite number",
        told(sampler, [(bad(), [0.5])])[0].replace("PUB 0", "PUB 1"),
        "PUB 2: the value of 'θ' is inf, not a finite number",
    ]


def test_expressions_without_a_value(sampler):
    """Where an expression has no value, it is the parameter set that is told."""
    circuit = QuantumCircuit(1)
    circuit.rx(1 / Parameter("θ"), 0)
    circuit.measure_all()
    found = told(sampler, [(good(), [0.5]), (circuit, [[1.0], [0.0]])])
    assert len(found) == 1
    assert found[0].startswith("PUB 1")


def test_many_parameters(sampler):
    """Not all of them are named."""
    circuit = QuantumCircuit(1)
    for number in range(9):
        circuit.rx(Parameter(f"p{number}"), 0)
    circuit.measure_all()
    assert told(sampler, [circuit]) == [
        "PUB 0: no value for 'p0', 'p1', 'p2', 'p3', 'p4' and 4 more"
    ]


@pytest.mark.parametrize("shots", [0, -1, 2**31, True, 1.0, "5", math.nan, np.float64(3)])
def test_shots(server, sampler, shots):
    """Of the call: the argument. Of a PUB: the PUB."""
    with pytest.raises(InvalidOptionError, match=r"^shots must be a whole number from 1 to 2147"):
        sampler.run([(good(), [0.5])], shots=shots)
    (text,) = told(sampler, [(good(), [0.5], 5), (good(), [0.5], shots)])
    assert text.startswith("PUB 1: shots must be a whole number from 1 to 2147483647, not ")
    assert server.jobs == []


def test_shots_of_any_type(sampler):
    """NumPy's integers; a PUB's own come first; PUBs of Qiskit's class."""
    pub = SamplerPub(good(), BindingsArray({"θ": 0.0}), np.int16(3))
    other = SamplerPub(good(), BindingsArray({"θ": 0.0}))
    plain = (good(), [0.0], np.uint8(4))
    result = sampler.run([pub, other, plain], shots=np.int64(7)).result()
    assert [item.data.meas.num_shots for item in result] == [3, 7, 4]
    assert all(type(item.metadata["shots"]) is int for item in result)


def test_no_pubs_at_all(sampler):
    """Something else than PUBs, named by its type."""
    found = told(sampler, [5, None, "text", (), (good(), [0.1], 2, 3), (3, [0.1])])
    assert [text.split(":")[0] for text in found] == [f"PUB {number}" for number in range(6)]
    assert "'int'" in found[0]
    assert "4 parts" in found[4]
    for wrong in (good(), 5, None):
        with pytest.raises(InvalidInputError, match="run takes a list of PUBs"):
            sampler.run(wrong)


def test_names_of_registers(sampler):
    """A result has no place for bits under the names of its own attributes."""
    pubs = []
    for name in ("shape", "keys", "fine"):
        circuit = QuantumCircuit(1)
        circuit.add_register(ClassicalRegister(1, name))
        circuit.measure(0, 0)
        pubs.append(circuit)
    assert told(sampler, pubs) == [
        "PUB 0: no result can have a register called 'shape'",
        "PUB 1: no result can have a register called 'keys'",
    ]


def test_the_first_are_shown(sampler):
    """All are in the error."""
    with pytest.raises(InvalidPubError) as caught:
        sampler.run([good()] * 15)
    assert len(caught.value.problems) == 15
    assert str(caught.value).endswith("\nand 5 more problems")


def test_executor(sampler):
    """Only simulations in this process have workers."""
    sampler.options.executor = object()
    with pytest.warns(UnknownOptionWarning, match="'executor' is for offline simulators only"):
        sampler.run([(good(), [0.5])]).result()
