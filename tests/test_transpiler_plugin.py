"""The translation and scheduling stages: in range, equivalent, measurements last."""

import math

import algorithms
import numpy as np
import pytest
from aqt_fast import _native
from aqt_fast.aqt_resource import make_transpiler_target
from aqt_fast.transpiler_plugin import LowerToAQT
from aqt_fast.wire.circuits import Limits, check_circuits
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.classical import expr
from qiskit.circuit.library import (
    CRXGate,
    RXXGate,
    RZGate,
    RZXGate,
    get_standard_gate_name_mapping,
)
from qiskit.circuit.random import random_circuit
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.quantum_info import Operator
from qiskit.transpiler import PassManager, PassManagerConfig, TranspilerError
from qiskit.transpiler.preset_passmanagers import level_1_pass_manager
from qiskit.transpiler.preset_passmanagers.plugin import list_stage_plugins
from qiskit_aer import AerSimulator

pytestmark = pytest.mark.all_qiskits

LIMITS = Limits(circuits=None)


def native(rng: np.random.Generator, num_qubits: int, size: int) -> QuantumCircuit:
    """A circuit of native gates with angles from everywhere, special ones often."""
    circuit = QuantumCircuit(num_qubits, global_phase=rng.uniform(0, 6))
    special = [0, 0.5, 1, 1.5, 2, -0.5, -1, -1.5, -2, 3, 1e-13, 0.5 + 1e-10]

    def angle() -> float:
        return math.pi * rng.choice(special) if rng.random() < 0.5 else rng.uniform(-20, 20)

    for _ in range(size):
        kind, qubit = rng.integers(4), int(rng.integers(num_qubits))
        if kind == 0:
            circuit.rz(angle(), qubit)
        elif kind == 1:
            circuit.r(angle(), angle(), qubit)
        elif kind == 2 and num_qubits > 1:
            pair = [int(q) for q in rng.choice(num_qubits, 2, replace=False)]
            circuit.rxx(angle(), *pair)
            if rng.random() < 0.3:
                circuit.rx(angle(), pair[0])
                circuit.rxx(angle(), *reversed(pair))
        elif rng.random() < 0.3:
            circuit.barrier()
    return circuit


@pytest.mark.parametrize("merge", [True, False])
def test_native_circuits(merge):
    """3000 circuits of native gates: same unitary with its phase, accepted by the encoder."""
    rng = np.random.default_rng(4)
    lower = PassManager([LowerToAQT(merge=merge)])
    for _ in range(3000):
        circuit = native(rng, int(rng.integers(1, 4)), int(rng.integers(0, 15)))
        lowered = lower.run(circuit)
        assert np.allclose(Operator(lowered).data, Operator(circuit).data, atol=1e-8)
        lowered.measure_all()
        check_circuits(lowered, LIMITS)
        assert lowered.count_ops().get("barrier", 0) == circuit.count_ops().get("barrier", 0) + 1


@pytest.mark.parametrize("merge", [True, False])
def test_once_is_enough(merge):
    """Lowering what was lowered changes nothing, to the last bit; measured or not."""
    rng = np.random.default_rng(6)
    lower = PassManager([LowerToAQT(merge=merge)])
    for size in range(400):
        circuit = native(rng, 3, size % 40)
        if size % 2:
            circuit.measure_all()
        once = lower.run(circuit)
        assert lower.run(once) == once
        assert lower.run(circuit) == once


def test_runs_share_their_rotations_about_x():
    """What commutes with rxx goes where it saves most: fewer operations than runs take alone."""
    rng = np.random.default_rng(12)
    circuit = QuantumCircuit(2)
    for _ in range(20):
        for qubit in range(2):
            circuit.u(*rng.uniform(0, 3, 3), qubit)
        circuit.rxx(0.5, 0, 1)
    circuit.measure_all()
    lowered = PassManager([LowerToAQT()]).run(circuit)
    ops = lowered.count_ops()
    assert ops["r"] + ops["rz"] <= 1.5 * 40 + 2
    assert ops["r"] <= 0.5 * 40 + 2
    assert math.isclose(operator_up_to_measured_phases(lowered, circuit), 1, abs_tol=1e-9)


def operator_up_to_measured_phases(first: QuantumCircuit, second: QuantumCircuit) -> float:
    """1 if both give all inputs the same probabilities of all outcomes, with the same coherences.

    Of the unitaries A and B of the circuits without their measurements, A·B† must then be diagonal.
    """
    bare = [circuit.remove_final_measurements(inplace=False) for circuit in (first, second)]
    matrices = [Operator(circuit).data for circuit in bare]
    return float(np.min(np.abs(np.diag(matrices[0] @ matrices[1].conj().T))))


def test_measured_circuits():
    """Up to phases that no measurement shows, measured circuits keep their unitary."""
    rng = np.random.default_rng(13)
    lower = PassManager([LowerToAQT()])
    for _ in range(300):
        circuit = native(rng, int(rng.integers(1, 4)), int(rng.integers(0, 25)))
        circuit.measure_all()
        assert operator_up_to_measured_phases(lower.run(circuit), circuit) > 1 - 1e-9


def test_long_circuits_do_not_drift():
    """Thousands of gates, then their inverses: nothing is left but a phase."""
    rng = np.random.default_rng(14)
    circuit = QuantumCircuit(2)
    for _ in range(3000):
        circuit.u(*rng.uniform(-3, 3, 3), int(rng.integers(2)))
        circuit.rxx(rng.uniform(-4, 4), 0, 1)
    lowered = PassManager([LowerToAQT()]).run(circuit)
    assert np.allclose(Operator(lowered).data, Operator(circuit).data, atol=1e-8)
    circuit.compose(circuit.inverse(), inplace=True)
    assert PassManager([LowerToAQT()]).run(circuit).size() == 0


def test_angles_close_to_a_bound_are_put_onto_it():
    """Within 1e-9, from either side."""
    for error in (-5e-10, 5e-10):
        circuit = QuantumCircuit(2)
        circuit.rxx(math.pi / 2 + error, 0, 1)
        circuit.barrier()
        circuit.rxx(error, 0, 1)
        circuit.r(math.pi + error, 1.0, 0)
        circuit.r(1.0, error, 1)
        lowered = PassManager([LowerToAQT()]).run(circuit)
        assert [(op.name, op.params) for op in lowered.data if op.name != "barrier"] == [
            ("rxx", [math.pi / 2]),
            ("r", [math.pi, pytest.approx(1.0)]),
            ("r", [pytest.approx(1.0), 0.0]),
        ]


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_random_circuits_of_all_standard_gates(level):
    """125 circuits a level of up to 6 qubits; ``benches/algorithms.py --random`` does more."""
    for seed in range(125):
        algorithms.check_random_circuit(seed, level)


def test_runs_become_one_rotation():
    """At most one r and one rz between two-qubit gates and barriers."""
    circuit = QuantumCircuit(1)
    for k in range(50):
        circuit.rz(0.1 * k, 0)
        circuit.r(0.2 * k, 0.3 * k, 0)
    circuit.barrier()
    circuit.r(1, 2, 0)
    circuit.r(-1, 2, 0)
    lowered = PassManager([LowerToAQT()]).run(circuit)
    assert [op.name for op in lowered.data] == ["r", "rz", "barrier"]


@pytest.mark.parametrize("translation", ["aqt_fast", "translator"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_random_circuits(level, translation):
    """Everything in Qiskit's library, through the whole transpiler."""
    target = make_transpiler_target(4)
    for seed in range(40):
        circuit = random_circuit(4, 4, max_operands=3, seed=seed)
        transpiled = transpile(
            circuit,
            target=target,
            translation_method=translation,
            scheduling_method="aqt_fast",
            optimization_level=level,
        )
        assert Operator.from_circuit(transpiled).equiv(Operator(circuit))
        transpiled.measure_all()
        check_circuits(transpiled, LIMITS)


def standard_gates() -> list[Gate]:
    """Each of Qiskit's standard gates at generic angles."""
    return [
        type(gate)(*(0.3 + k for k in range(len(gate.params)))) if gate.params else gate
        for name, gate in get_standard_gate_name_mapping().items()
        if name not in ("measure", "reset", "delay", "global_phase")
    ]


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_every_standard_gate(backend, level):
    """Each on its own, at generic angles."""
    for gate in standard_gates():
        circuit = QuantumCircuit(gate.num_qubits)
        circuit.append(gate, range(gate.num_qubits))
        small = backend.provider.get_backend(backend.name, available_qubits=gate.num_qubits)
        transpiled = transpile(circuit, small, optimization_level=level)
        assert Operator.from_circuit(transpiled).equiv(Operator(circuit)), gate.name
        transpiled.measure_all()
        check_circuits(transpiled, LIMITS)


@pytest.mark.parametrize("merge", [True, False])
def test_standard_gates_together(merge):
    """Taken apart natively with their phases, in order and on their qubits."""
    rng = np.random.default_rng(11)
    gates = standard_gates()
    lower = PassManager([LowerToAQT(merge=merge)])
    for _ in range(300):
        circuit = QuantumCircuit(4, global_phase=rng.uniform(0, 6))
        for index in rng.integers(len(gates), size=5):
            gate = gates[index]
            circuit.append(gate, rng.permutation(4)[: gate.num_qubits].tolist())
        lowered = lower.run(circuit)
        assert np.allclose(Operator(lowered).data, Operator(circuit).data, atol=1e-9)
        lowered.measure_all()
        check_circuits(lowered, LIMITS)


@pytest.mark.parametrize("level", [0, 1])
def test_pair_gates_take_one_interaction(backend, level):
    """Whatever their angles."""
    small = backend.provider.get_backend(backend.name, available_qubits=2)
    for gate in standard_gates():
        if gate.name not in ("cx", "cz", "ecr", "rzz", "ryy", "rzx", "cp", "crx", "cry", "crz"):
            continue
        circuit = QuantumCircuit(2)
        circuit.append(gate, [1, 0])
        ops = transpile(circuit, small, optimization_level=level).count_ops()
        assert ops["rxx"] == 1, gate.name


@pytest.mark.parametrize("merge", [True, False])
def test_what_is_lowered_is_left_alone(merge):
    """Another DAG is made only if there is something to do."""
    rng = np.random.default_rng(12)
    lower = LowerToAQT(merge=merge)
    same = 0
    for _ in range(300):
        circuit = native(rng, 3, int(rng.integers(0, 12)))
        circuit.measure_all()
        dag = circuit_to_dag(circuit)
        once = lower.run(dag)
        assert lower.run(once) is once
        assert (once is dag) == (dag_to_circuit(once) == circuit), circuit
        same += once is dag
    assert 0 < same < 300
    late = QuantumCircuit(2, 1)
    late.measure(0, 0)
    late.barrier()
    dag = circuit_to_dag(late)
    assert lower.run(dag) is not dag
    assert [op.name for op in dag_to_circuit(lower.run(dag)).data] == ["barrier", "measure"]


def test_every_single_qubit_gate():
    """Lowered natively, with its phase; composed of several to see the order."""
    rng = np.random.default_rng(9)
    gates = [
        gate
        for gate in get_standard_gate_name_mapping().values()
        if isinstance(gate, Gate) and gate.num_qubits == 1
    ]
    assert len(gates) >= 18
    for _ in range(500):
        circuit = QuantumCircuit(1, global_phase=rng.uniform(0, 6))
        for index in rng.integers(len(gates), size=4):
            gate = gates[index]
            circuit.append(type(gate)(*rng.uniform(-7, 7, len(gate.params))), [0])
        lowered = PassManager([LowerToAQT()]).run(circuit)
        assert np.allclose(Operator(lowered).data, Operator(circuit).data, atol=1e-9)
        assert [op.name for op in lowered.data] in (["r", "rz"], ["r"], ["rz"], [])


@pytest.mark.parametrize("merge", [True, False])
def test_what_cannot_be_lowered_stays_in_place(merge):
    """Unknown gates, unbound gates and labelled barriers, among gates that are lowered."""
    rng = np.random.default_rng(10)
    a = Parameter("a")
    own = QuantumCircuit(2, name="own")
    own.cx(0, 1)
    for _ in range(300):
        circuit = native(rng, 3, 6)
        circuit.append(own.to_gate(), [0, 1])
        circuit.rz(a, 2)
        circuit.barrier(1, 2, label="wall")
        circuit.compose(native(rng, 3, 6), inplace=True)
        lowered = PassManager([LowerToAQT(merge=merge)]).run(circuit)
        assert [op.operation.label for op in lowered.data if op.name == "barrier"].count(
            "wall"
        ) == 1
        assert lowered.count_ops()["own"] == 1
        bound = [Operator(qc.assign_parameters({a: 0.7})).data for qc in (lowered, circuit)]
        assert np.allclose(*bound, atol=1e-8)


def test_neighbouring_interactions_merge():
    """Across rotations about X only, in either order of the qubits; inverses vanish."""
    circuit = QuantumCircuit(2)
    circuit.rxx(0.4, 0, 1)
    circuit.rx(0.3, 1)
    circuit.rxx(0.5, 1, 0)
    lowered = PassManager([LowerToAQT()]).run(circuit)
    assert dict(lowered.count_ops()) == {"rxx": 1, "r": 1}
    assert np.allclose(Operator(lowered).data, Operator(circuit).data)
    circuit.rxx(-0.9, 0, 1)
    assert dict(PassManager([LowerToAQT()]).run(circuit).count_ops()) == {"r": 1}
    unmerged = PassManager([LowerToAQT(merge=False)]).run(circuit)
    assert unmerged.count_ops()["rxx"] == 3


def test_an_rz_that_nobody_sees_is_dropped():
    """Before a measurement, even with a barrier between; counts do not change."""
    circuit = QuantumCircuit(2, 1)
    circuit.r(1.0, 0.5, [0, 1])
    circuit.rz(0.7, [0, 1])
    circuit.barrier()
    circuit.measure(0, 0)
    lowered = PassManager([LowerToAQT()]).run(circuit)
    assert [(op.name, lowered.find_bit(op.qubits[0]).index) for op in lowered.data] == [
        ("r", 0),
        ("r", 1),
        ("rz", 1),
        ("barrier", 0),
        ("measure", 0),
    ]
    assert PassManager([LowerToAQT(merge=False)]).run(circuit).count_ops()["rz"] == 2


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
        by_kind = [_native.lower_dag(dag, merge=True, final_measurements=True) for dag in dags]
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
    """Refused with qubit and position."""
    circuit = QuantumCircuit(2, 2)
    circuit.measure(1, 0)
    circuit.h(1)
    message = r"operation 1 \(in topological order\) follows the measurement of qubit 1"
    with pytest.raises(TranspilerError, match=message):
        transpile(circuit, backend, optimization_level=0)


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
