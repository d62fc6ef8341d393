"""The stages: measurements last, other targets, and what waits."""

import math

import numpy as np
import pytest
from aqt_fast import _native
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.transpiler_plugin import LowerToAQT
from aqt_fast.wire.circuits import check_circuits
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr
from qiskit.circuit.library import (
    CRXGate,
    RXXGate,
    RZGate,
    RZXGate,
)
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.quantum_info import Operator
from qiskit.transpiler import PassManager, PassManagerConfig, TranspilerError
from qiskit.transpiler.preset_passmanagers import level_1_pass_manager
from qiskit.transpiler.preset_passmanagers.plugin import list_stage_plugins
from qiskit_aer import AerSimulator
from transpiler_plugin.random_circuits import native

pytestmark = pytest.mark.all_qiskits


def test_measurements_come_last(backend):
    """In their order, whatever the order on other qubits; metadata and registers stay."""
    circuit = QuantumCircuit(3, 3, name="mine", metadata={"k": 1})
    circuit.measure(0, 2)
    circuit.h(1)
    circuit.measure(1, 0)
    circuit.measure(0, 1)
    circuit.h(2)
    lowered = transpile(circuit, backend, optimization_level=0)
    names = [op.name for op in lowered.data]
    assert names.index("measure") == len(names) - 3
    assert (lowered.name, lowered.metadata) == ("mine", {"k": 1})
    assert lowered.cregs == circuit.cregs
    check_circuits(lowered, backend.limits)


def _lowered(dag: DAGCircuit):
    return _native.lower_dag(
        dag, merge=True, final_measurements=True, drop_resets=True, only_standard=False
    )


def test_the_native_dag_equals_pythons():
    """The DAG that is built natively has the operations of the one that Python builds.

    A label makes the difference: the C API has none.
    """
    rng = np.random.default_rng(16)
    for _ in range(50):
        plain = native(rng, 3, 10)
        plain.barrier(2, 0)
        plain.rx(1.5, 0)
        labelled = plain.copy()
        labelled.barrier(0, 1, label="mine")
        plain.barrier(0, 1)
        for circuit in (plain, labelled):
            circuit.measure_all()
        dags = [circuit_to_dag(circuit) for circuit in (plain, labelled)]
        by_kind = [_lowered(dag) for dag in dags]
        assert [isinstance(lowered, DAGCircuit) for lowered in by_kind] == [True, False]
        ours, pythons = (dag_to_circuit(LowerToAQT().run(dag)) for dag in dags)
        assert ours.global_phase == pythons.global_phase
        assert [
            (item.operation.name, item.operation.params, item.qubits, item.clbits)
            for item in ours.data
        ] == [
            (item.operation.name, item.operation.params, item.qubits, item.clbits)
            for item in pythons.data
        ]


def conditional() -> QuantumCircuit:
    """A qubit that is flipped if another one has read 1, which it has, and measured."""
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    return circuit


def overwritten() -> QuantumCircuit:
    """A classical bit that reads 1, then 0, by an instruction that is not known."""
    late = QuantumCircuit(1, 1, name="late")
    late.x(0)
    late.measure(0, 0)
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    circuit.append(late.to_instruction(), [1], [0])
    return circuit


@pytest.mark.parametrize("make", [conditional, overwritten])
def test_what_may_depend_on_a_measurement_comes_after_it(make):
    """Others than AQT run that; AQT's interface refuses it on submission."""
    circuit = make()
    simulator = AerSimulator()
    outcomes = {
        outcome
        for lowered in (circuit, PassManager([LowerToAQT()]).run(circuit))
        for outcome in simulator.run(transpile(lowered, simulator), shots=50).result().get_counts()
    }
    assert len(outcomes) == 1


def test_a_store_stays_behind_its_measurement():
    """Aer cannot run it."""
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.store(circuit.add_var("value", expr.lift(False)), circuit.clbits[0])
    lowered = PassManager([LowerToAQT()]).run(circuit)
    names = [op.name for op in lowered.data]
    assert names.index("measure") < len(names) - 1 - names[::-1].index("store")


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_other_targets(level):
    """The translation stage serves them, too, mid-circuit measurements included."""
    simulator = AerSimulator()
    circuit = QuantumCircuit(2, 3)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.rz(0.3, 1)
    circuit.measure(1, 1)
    circuit.x(0)
    circuit.measure(0, 2)
    translated = transpile(
        circuit, simulator, translation_method="aqt_fast", optimization_level=level
    )
    counts = simulator.run(translated, shots=200).result().get_counts()
    assert set(counts) == {"100", "011"}


def test_what_does_nothing_after_a_measurement(backend):
    """It is dropped by the translation stage, so nothing follows the measurement."""
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.id(0)
    assert transpile(circuit, backend, optimization_level=1).data[-1].name == "measure"


def test_nothing_to_translate_to():
    """Without target and basis, Qiskit's own stage is empty; so is ours."""
    config = PassManagerConfig(translation_method="aqt_fast")
    circuit = QuantumCircuit(1)
    circuit.h(0)
    assert level_1_pass_manager(config).run(circuit).count_ops() == {"h": 1}


@pytest.mark.parametrize("angle", [1e15, 3.3e16, 1e17, 1e20, -7.7e22])
def test_huge_angles(angle):
    """All of them are doubles, so their sines are known; phases of other gates stay."""
    circuit = QuantumCircuit(2, global_phase=0.1)
    for gate in (RXXGate(angle), RXXGate(0.3), RZXGate(angle), CRXGate(angle), RZGate(angle)):
        circuit.append(gate, range(gate.num_qubits))
    lowered = PassManager([LowerToAQT()]).run(circuit)
    assert np.allclose(Operator(lowered).data, Operator(circuit).data, atol=1e-9)


def test_once_is_enough_with_small_angles():
    """As far as their products stay away from the tolerance, 1e-9."""
    rng = np.random.default_rng(15)
    lower = PassManager([LowerToAQT()])
    changed = 0
    for _ in range(1500):
        circuit = QuantumCircuit(2)
        for _ in range(int(rng.integers(2, 7))):
            small = 10 ** rng.uniform(-2.5, -1)
            angle = float(rng.choice([small, math.pi / 2, rng.uniform(-3, 3)]))
            axis = float(rng.choice([0, small, 0.3, math.pi / 2]))
            circuit.r(angle, axis, int(rng.integers(2)))
            circuit.rxx(float(rng.choice([small, 1.0, 2.8])), 0, 1)
        once = lower.run(circuit)
        changed += lower.run(once) != once
    assert changed == 0


def test_gate_after_measurement(backend):
    """Refused with circuit, operation and qubit: all of them, as Qiskit's error and as ours."""
    circuit = QuantumCircuit(2, 2, name="early")
    circuit.measure(1, 0)
    circuit.measure(0, 0)
    circuit.h(1)
    circuit.h(0)
    with pytest.raises(TranspilerError) as caught:
        transpile(circuit, backend, optimization_level=0)
    assert isinstance(caught.value, InvalidCircuitError)
    late = "comes after a measurement; measurements must be the last operations"
    mend = "use another qubit, or measure at the end"
    assert str(caught.value).splitlines() == [
        f"circuit 'early', r: {late} (on qubit 0); {mend}",
        f"circuit 'early', r: {late} (on qubit 1); {mend}",
    ]


def test_unbound_parameters_wait(backend):
    """They pass; bound later and lowered, the circuit is right."""
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.rx(a, 0)
    circuit.rxx(a + b, 0, 1)
    circuit.rz(b, 1)
    backend = backend.provider.get_backend(backend.name, available_qubits=2)
    transpiled = transpile(circuit, backend, optimization_level=1)
    assert transpiled.parameters == {a, b}
    values = {a: -2.5, b: 9.0}
    bound = PassManager([LowerToAQT()]).run(transpiled.assign_parameters(values))
    assert Operator.from_circuit(bound).equiv(Operator(circuit.assign_parameters(values)))


def test_registered():
    """Qiskit finds the stages by their name, next to the peer's."""
    for stage in ("translation", "scheduling"):
        assert "aqt_fast" in list_stage_plugins(stage)
