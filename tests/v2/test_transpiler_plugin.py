"""Passes of the 2.x face, judged by Qiskit's ``Operator``."""

from __future__ import annotations

import math

import pytest
from aqt_fast.aqt_resource import make_transpiler_target
from aqt_fast.v2.transpiler_plugin import (
    EnsureSingleFinalMeasurement,
    RewriteRxAsR,
    TranspilerMixin,
    WrapRxxAngles,
)
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Parameter
from qiskit.providers import BackendV2, Options
from qiskit.quantum_info import Operator
from qiskit.transpiler import PassManager
from qiskit.transpiler.exceptions import TranspilerError
from qiskit.transpiler.passes import Decompose

ANGLES = [k * math.pi / 4 + shift for k in range(-20, 21) for shift in (0, 1e-3, -1e-3)] + [
    1e3,
    -1e3,
]


@pytest.mark.parametrize("theta", ANGLES)
def test_rx(theta):
    """Rx is r with θ in [0, π], the same unitary with its phase."""
    circuit = QuantumCircuit(2)
    circuit.rx(theta, 1)
    found = PassManager([RewriteRxAsR()]).run(circuit)
    assert Operator(found) == Operator(circuit)
    (instruction,) = found.data
    assert instruction.operation.name == "r"
    assert 0 <= instruction.operation.params[0] <= math.pi
    assert 0 <= instruction.operation.params[1] <= 2 * math.pi


@pytest.mark.parametrize("theta", ANGLES)
def test_rxx(theta):
    """Rxx is one instruction with one rxx in range, the same unitary with its phase."""
    circuit = QuantumCircuit(2)
    circuit.rxx(theta, 0, 1)
    wrapped = PassManager([WrapRxxAngles()]).run(circuit)
    assert Operator(wrapped) == Operator(circuit)
    (instruction,) = wrapped.data
    if 0 <= theta <= math.pi / 2:
        assert wrapped == circuit
        return
    assert instruction.operation.name.startswith(f"{WrapRxxAngles.SUBSTITUTE_GATE_NAME}(")
    gates = Decompose([f"{WrapRxxAngles.SUBSTITUTE_GATE_NAME}*"])(wrapped)
    assert Operator(gates) == Operator(circuit)
    assert gates.count_ops()["rxx"] == 1
    assert set(gates.count_ops()) <= {"r", "rz", "rxx"}
    (angle,) = (item.operation.params[0] for item in gates.data if item.operation.name == "rxx")
    assert 0 <= angle <= math.pi / 2


@pytest.mark.parametrize("gate", ["rx", "rxx"])
def test_unbound(gate):
    """An angle without a value is named."""
    circuit = QuantumCircuit(2)
    getattr(circuit, gate)(Parameter("angle"), *range(circuit.num_qubits)[: len(gate) - 1])
    with pytest.raises(TranspilerError, match="unbound parameter angle"):
        PassManager([RewriteRxAsR(), WrapRxxAngles()]).run(circuit)


class TestMeasurements:
    """Measurements come last."""

    @staticmethod
    def run(circuit):
        """Run the pass alone."""
        return PassManager([EnsureSingleFinalMeasurement()]).run(circuit)

    def test_already_last(self):
        """A circuit that ends with measurements stays as it is."""
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.measure_all()
        assert self.run(circuit) == circuit

    def test_repeated(self):
        """A repeated measurement is dropped, one into another bit is not."""
        circuit = QuantumCircuit(
            QuantumRegister(2), ClassicalRegister(2, "a"), ClassicalRegister(1, "b")
        )
        for bit in (0, 1, 0, 2):
            circuit.measure(0 if bit != 1 else 1, bit)
        found = self.run(circuit)
        pairs = [
            (found.find_bit(item.qubits[0]).index, found.find_bit(item.clbits[0]).index)
            for item in found.data
        ]
        assert sorted(pairs) == [(0, 0), (0, 2), (1, 1)]

    def test_overwritten_bit(self):
        """The last measurement into a bit stays the last."""
        circuit = QuantumCircuit(2, 1)
        circuit.x(0)
        circuit.measure(0, 0)
        circuit.measure(1, 0)
        circuit.measure(0, 0)
        found = self.run(circuit)
        last = [item for item in found.data if item.operation.name == "measure"][-1]
        assert found.find_bit(last.qubits[0]).index == 0

    def test_gates_on_other_qubits(self):
        """A gate on a qubit that was not measured comes before all measurements."""
        circuit = QuantumCircuit(2, 2)
        circuit.measure(0, 0)
        circuit.barrier()
        circuit.h(1)
        circuit.measure(1, 1)
        found = self.run(circuit)
        assert [item.operation.name for item in found.data] == ["h", "measure", "measure"]

    def test_gate_behind(self):
        """A gate behind the measurement of its qubit is refused."""
        circuit = QuantumCircuit(1, 1)
        circuit.measure(0, 0)
        circuit.h(0)
        with pytest.raises(TranspilerError, match="'h' follows"):
            self.run(circuit)


class Resource(TranspilerMixin, BackendV2):
    """A backend of a user's own."""

    @property
    def target(self):
        """AQT's gates."""
        return make_transpiler_target(3)

    @property
    def max_circuits(self):
        """No limit."""
        return

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, circuits, **options):
        """Not used."""
        raise NotImplementedError


@pytest.mark.parametrize("level", range(4))
def test_mixin(level):
    """``transpile`` uses our stages for a user's backend."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.rxx(-3, 1, 2)
    found = transpile(circuit, Resource(), optimization_level=level)
    assert set(found.count_ops()) <= {"r", "rz", "rxx"}
    assert Operator.from_circuit(found).equiv(Operator(circuit))
    for item in found.data:
        if item.operation.name == "rxx":
            assert 0 <= item.operation.params[0] <= math.pi / 2
