"""Lowering: gates become AQT's, and do what they did."""

import math

import algorithms
import numpy as np
import pytest
from aqt_fast.aqt_resource import make_transpiler_target
from aqt_fast.transpiler_plugin import LowerToAQT
from aqt_fast.wire.circuits import check_circuits
from example_counts import examples
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import (
    get_standard_gate_name_mapping,
)
from qiskit.circuit.random import random_circuit
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.quantum_info import Operator
from qiskit.transpiler import PassManager
from transpiler_plugin.random_circuits import LIMITS, native

pytestmark = pytest.mark.all_qiskits


@pytest.mark.parametrize("merge", [True, False])
def test_native_circuits(merge):
    """3000 circuits of native gates: same unitary with its phase, accepted by the encoder."""
    rng = np.random.default_rng(4)
    lower = PassManager([LowerToAQT(merge=merge)])
    for _ in range(examples(3000)):
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
    """125 circuits a level of up to 6 qubits; ``make bench-mqt`` does more."""
    for seed in range(examples(125)):
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
