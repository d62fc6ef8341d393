"""Angles outside AQT's ranges: folded exactly up to global phase, with the fewest pulses."""

import math

import numpy as np
import orjson
import pytest
from aqt_fast import wire
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.wire.circuits import Limits
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

LIMITS = Limits(operations=10_000)

SPECIAL = st.integers(-16, 16).map(lambda k: k * math.pi / 4)
ANGLES = SPECIAL | st.floats(-1e3, 1e3) | st.floats(-7, 7) | st.floats(-1e17, 1e17)


@st.composite
def circuits(draw) -> QuantumCircuit:
    """Up to four qubits, without measurements."""
    size = draw(st.integers(1, 4))
    circuit = QuantumCircuit(size)
    for _ in range(draw(st.integers(0, 20))):
        kind = draw(st.sampled_from(["rz", "r", "rxx"]))
        first, *others = draw(st.permutations(range(size)))
        if kind == "rz":
            circuit.rz(draw(ANGLES), first)
        elif kind == "r":
            circuit.r(draw(ANGLES), draw(ANGLES), first)
        elif others:
            circuit.rxx(draw(ANGLES), first, others[0])
    return circuit


def sent(circuit: QuantumCircuit) -> tuple[list[dict], QuantumCircuit]:
    """The gates that a device gets, and a circuit of them."""
    body = orjson.loads(wire.encode_job(measured(circuit), 1, limits=LIMITS))
    *gates, _ = body["payload"]["circuits"][0]["quantum_circuit"]
    read = QuantumCircuit(circuit.num_qubits)
    for gate in gates:
        if gate["operation"] == "RZ":
            read.rz(gate["phi"] * math.pi, gate["qubit"])
        elif gate["operation"] == "R":
            assert 0 <= gate["theta"] <= 1
            assert 0 <= gate["phi"] <= 2
            read.r(gate["theta"] * math.pi, gate["phi"] * math.pi, gate["qubit"])
        else:
            assert 0 <= gate["theta"] <= 0.5
            read.rxx(gate["theta"] * math.pi, *gate["qubits"])
    return gates, read


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with all qubits measured."""
    return circuit.measure_all(inplace=False)


def least_pulses(circuit: QuantumCircuit) -> int:
    """The fewest R that folding leaves: those there are, but for whole turns (0 stays as written).

    One more on a qubit that has none and is left with an X: RXX by more than a right angle, an odd
    number of times.
    """
    pulses = [0] * circuit.num_qubits
    flips = [False] * circuit.num_qubits
    for item in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in item.qubits]
        written = item.operation.params[0]
        angle = math.remainder(written, 2 * math.pi)
        if item.operation.name == "r" and (abs(angle) > 1e-9 or abs(written) <= 1e-9):
            pulses[qubits[0]] += 1
        elif item.operation.name == "rxx" and abs(angle) > math.pi / 2 + 1e-9:
            for qubit in qubits:
                flips[qubit] ^= True
    return sum(max(number, flip) for number, flip in zip(pulses, flips, strict=True))


class TestFolding:
    """Of whole circuits."""

    @given(circuits())
    def test_unitary(self, circuit):
        """The device gets the same unitary, up to global phase."""
        gates, read = sent(circuit)
        assert Operator(read).equiv(Operator(circuit), atol=1e-6)
        assert sum(gate["operation"] == "RXX" for gate in gates) <= circuit.count_ops().get(
            "rxx", 0
        )

    @given(circuits())
    def test_pulses(self, circuit):
        """No pulse but where a qubit has none that could absorb it."""
        moderate = circuit.copy_empty_like()
        for item in circuit.data:
            if all(abs(angle) < 1e4 for angle in item.operation.params):
                moderate.append(item)
        gates, _ = sent(moderate)
        assert sum(gate["operation"] == "R" for gate in gates) <= least_pulses(moderate)

    @pytest.mark.parametrize("seed", range(20))
    def test_bound_late(self, seed):
        """In range: exactly the operations that strict angles give."""
        rng = np.random.default_rng(seed)
        circuit = QuantumCircuit(3)
        for _ in range(20):
            first, second = map(int, rng.choice(3, 2, replace=False))
            circuit.r(rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi), first)
            circuit.rxx(rng.uniform(0, math.pi / 2), first, second)
            circuit.rz(rng.uniform(-10, 10), second)
        batch = measured(circuit)
        assert wire.encode_job(batch, 1) == wire.encode_job(batch, 1, strict_angles=True)


def gates_of(build) -> list[tuple]:
    """The gates of a circuit on two qubits, angles in units of π."""
    circuit = QuantumCircuit(2)
    build(circuit)
    gates, _ = sent(circuit)
    order = ("operation", "qubit", "qubits", "theta", "phi")
    return [tuple(gate[key] for key in order if key in gate) for gate in gates]


class TestSingleGates:
    """Known results."""

    @pytest.mark.parametrize(
        ("theta", "phi", "expected"),
        [
            (-math.pi / 2, 0, [("R", 0, 0.5, 1)]),
            (-math.pi / 2, 3 * math.pi / 2, [("R", 0, 0.5, 0.5)]),
            (math.pi / 2, -math.pi / 2, [("R", 0, 0.5, 1.5)]),
            (5 * math.pi / 2, 0, [("R", 0, 0.5, 0)]),
            (2 * math.pi, 1, []),
        ],
    )
    def test_r(self, theta, phi, expected):
        """A pulse stays a pulse; a whole turn is none."""
        assert gates_of(lambda c: c.r(theta, phi, 0)) == expected

    def test_rxx_backwards(self):
        """Two virtual RZ, no pulse."""
        assert gates_of(lambda c: c.rxx(-math.pi / 4, 0, 1)) == [
            ("RZ", 0, 1),
            ("RXX", [0, 1], 0.25),
            ("RZ", 0, 1),
        ]

    def test_half_turn_of_rxx(self):
        """X on each qubit and no interaction; a pulse absorbs one of them."""
        assert gates_of(lambda c: c.rxx(math.pi, 0, 1)) == [("R", 0, 1, 0), ("R", 1, 1, 0)]

        def build(circuit):
            circuit.rxx(math.pi, 0, 1)
            circuit.r(math.pi / 4, 0, 1)

        assert gates_of(build) == [("R", 1, 0.75, 1), ("R", 0, 1, 0)]

    def test_large_rz(self):
        """RZ by an angle whose quotient by π has too few digits for its parity."""
        circuit = QuantumCircuit(1)
        circuit.h(0)
        circuit.rz(1e17, 0)
        expected = Operator(circuit)
        ((_, _, phi),) = gates_of(lambda c: c.rz(1e17, 0))
        read = QuantumCircuit(1)
        read.h(0)
        read.rz(phi * math.pi, 0)
        assert Operator(read).equiv(expected)


class TestRefusals:
    """What cannot be folded, and what a user does not want folded."""

    @pytest.mark.parametrize("angle", [math.nan, math.inf, -math.inf])
    def test_not_finite(self, angle):
        """The angle is named."""
        circuit = QuantumCircuit(1)
        circuit.r(angle, 0, 0)
        with pytest.raises(InvalidCircuitError, match="not a finite number"):
            wire.encode_job(measured(circuit), 1)

    def test_strict_run(self, backend):
        """``strict_angles`` refuses all offenders, by run or by backend."""
        circuit = QuantumCircuit(2)
        circuit.rxx(-1, 0, 1)
        batch = [measured(circuit)] * 2
        with pytest.raises(InvalidCircuitError, match="strict_angles is set") as caught:
            backend.run(batch, strict_angles=True)
        assert [problem.circuit for problem in caught.value.problems] == [0, 1]
        backend.set_options(strict_angles=True)
        with pytest.raises(InvalidCircuitError):
            backend.run(batch)
        assert backend.run(batch, strict_angles=False).result().success

    def test_too_long(self):
        """The limit holds for what the device gets."""
        circuit = QuantumCircuit(2)
        for _ in range(2):
            circuit.rxx(-1, 0, 1)
            circuit.r(1, 1, 0)
        with pytest.raises(InvalidCircuitError, match="operations, the final measurement"):
            wire.encode_job(measured(circuit), 1, limits=Limits(operations=5))
