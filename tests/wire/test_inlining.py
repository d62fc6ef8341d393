"""Operations that are no standard gates, but consist of AQT's gates or equal one: taken exactly."""

import math

import pytest
from aqt_fast import wire
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.snapshot import Snapshot
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Instruction, Parameter
from qiskit.circuit.library import RXXGate
from wire.examples import with_gate

pytestmark = pytest.mark.all_qiskits


def made_of(name: str, num_qubits: int, params: list, build) -> Gate:
    """A gate with a definition."""
    gate = Gate(name, num_qubits, params)
    gate.definition = QuantumCircuit(num_qubits, global_phase=0.3)
    build(gate.definition)
    return gate


def own_r(theta: float, phi: float) -> Gate:
    """R as OpenQASM 2 and 3 define it."""
    return made_of(
        "r", 1, [theta, phi], lambda c: c.u(theta, phi - math.pi / 2, math.pi / 2 - phi, 0)
    )


def own_rxx(theta: float) -> Gate:
    """RXX as OpenQASM 3 defines it."""

    def build(circuit: QuantumCircuit) -> None:
        circuit.h([0, 1])
        circuit.cx(0, 1)
        circuit.rz(theta, 1)
        circuit.cx(0, 1)
        circuit.h([0, 1])

    return made_of("rxx", 2, [theta], build)


def native_parts(circuit: QuantumCircuit) -> None:
    """Three native gates and a barrier."""
    circuit.r(0.2, 0.3, 1)
    circuit.barrier()
    circuit.rxx(0.4, 1, 0)
    circuit.rz(-7, 0)


def composite(name: str) -> Instruction:
    """A composite of native gates that also contains an own R, two levels deep."""
    inner = QuantumCircuit(2, name="inner")
    native_parts(inner)
    inner.append(own_r(0.5, 0.6), [1])
    outer = QuantumCircuit(3, name=name)
    outer.rz(0.1, 2)
    outer.append(inner.to_instruction(), [2, 0])
    return outer.to_instruction()


def expanded(circuit: QuantumCircuit) -> None:
    """What :func:`composite` does on qubits 1, 2, 0."""
    circuit.rz(0.1, 0)
    circuit.r(0.2, 0.3, 1)
    circuit.rxx(0.4, 1, 0)
    circuit.rz(-7, 0)
    circuit.r(0.5, 0.6, 1)


CASES = {
    "own r": (lambda c: c.append(own_r(1, 2), [1]), lambda c: c.r(1, 2, 1)),
    "own rxx": (lambda c: c.append(own_rxx(0.7), [2, 0]), lambda c: c.rxx(0.7, 2, 0)),
    "composite": (lambda c: c.append(composite("x"), [1, 2, 0]), expanded),
    "named like a native gate": (lambda c: c.append(composite("r"), [1, 2, 0]), expanded),
    "named like a measurement": (lambda c: c.append(composite("measure"), [1, 2, 0]), expanded),
    "rz that is r": (
        lambda c: c.append(made_of("rz", 1, [0.1], lambda d: d.r(1, 2, 0)), [2]),
        lambda c: c.r(1, 2, 2),
    ),
    "nothing": (lambda c: c.append(made_of("h", 1, [], lambda _: None), [2]), lambda _: None),
    "label": (
        lambda c: c.append(RXXGate(0.7, label="mine"), [2, 0]),
        lambda c: c.rxx(0.7, 2, 0),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_payload(case):
    """That of the circuit of native gates."""
    append, by_hand = CASES[case]
    assert wire.encode_job([with_gate(append)], 7) == wire.encode_job([with_gate(by_hand)], 7)


def test_header_and_changes():
    """Results are those of the user's circuit, and later changes to it are noticed."""
    circuit = with_gate(CASES["composite"][0])
    circuit.name, circuit.metadata = "mine", {"k": 1}
    snapshot = Snapshot([circuit], API_LIMITS)
    assert (snapshot.headers[0]["name"], snapshot.headers[0]["metadata"]) == ("mine", {"k": 1})
    assert snapshot.is_of([circuit])
    circuit.measure(1, 0)
    assert not snapshot.is_of([circuit])


REFUSED = {
    "other gates": (made_of("two", 1, [], lambda c: c.h(0)), "two", "not an operation of AQT"),
    "another meaning": (
        made_of("rz", 1, [0.1], lambda c: c.sx(0)),
        "rz",
        "in spite of its name: its definition is not made of them .on qubit 2.; transpile",
    ),
    "no definition": (Gate("r", 1, [0.1, 0.2]), "r", "neither a definition nor a matrix"),
    "other numbers": (made_of("r", 1, [0.1], lambda c: c.x(0)), "r", "in spite of its name"),
    "nan": (
        made_of("mine", 1, [], lambda c: c.r(math.nan, 0, 0)),
        "mine",
        "theta is NaN, not a finite number",
    ),
    "unbound": (
        made_of("mine", 1, [], lambda c: c.rz(Parameter("a"), 0)),
        "mine",
        "unbound parameters: a",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    """By the instruction's own name, index and qubit, although others were taken apart before."""
    gate, name, reason = REFUSED[case]

    def append(circuit: QuantumCircuit) -> None:
        circuit.append(composite("first"), [0, 1, 2])
        circuit.append(gate, [2])

    with pytest.raises(InvalidCircuitError, match=reason) as caught:
        wire.encode_job([with_gate(append)], 1)
    (problem,) = caught.value.problems
    assert (problem.circuit, problem.instruction, problem.operation) == (0, 2, name)
    assert problem.qubits == (2,)


def test_a_definition_that_contains_itself():
    """Refused, not followed for ever."""
    gate = Gate("endless", 1, [])
    gate.definition = QuantumCircuit(1)
    gate.definition.append(gate, [0])
    gate.definition.append(gate, [0])
    with pytest.raises(InvalidCircuitError, match="not an operation of AQT"):
        wire.encode_job([with_gate(lambda c: c.append(gate, [0]))], 1)


def test_a_definition_that_fails():
    """Like one that is not there."""

    class Broken(Gate):
        """A gate whose class cannot make a definition."""

        def __init__(self) -> None:
            super().__init__("broken", 1, [])

        def _define(self) -> None:
            raise RuntimeError("no idea")

    with pytest.raises(InvalidCircuitError, match="not an operation of AQT"):
        wire.encode_job([with_gate(lambda c: c.append(Broken(), [0]))], 1)


def test_a_composite_after_a_measurement():
    """Comes after it, as its parts do."""
    circuit = QuantumCircuit(3, 1)
    circuit.measure(0, 0)
    circuit.append(composite("late"), [0, 1, 2])
    with pytest.raises(InvalidCircuitError, match=r"1 \(late\): comes after a measurement"):
        wire.encode_job([circuit], 1)


def test_the_limit_counts_parts():
    """Operations of the payload count, not instructions."""
    circuit = QuantumCircuit(3)
    for _ in range(400):
        circuit.append(composite("five"), [0, 1, 2])
    circuit.measure_all()
    with pytest.raises(InvalidCircuitError, match="2001 operations"):
        wire.encode_job([circuit], 1)
