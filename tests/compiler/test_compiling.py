"""``compile``: what comes out does what goes in."""

import json

import aqt_fast
import numpy as np
import pytest
import workloads
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_fast import wire
from compiler.checks import LEVELS, assert_equivalent, count, per_qubit
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    InverseModifier,
)
from qiskit.circuit.library import (
    CXGate,
    DCXGate,
    EfficientSU2,
    Initialize,
    MCXGate,
    ModularAdderGate,
    MultiplierGate,
    PauliEvolutionGate,
    PermutationGate,
    QFTGate,
    RYGate,
    UnitaryGate,
    XGate,
    efficient_su2,
    quantum_volume,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import (
    Operator,
    SparsePauliOp,
    Statevector,
    random_clifford,
    random_unitary,
)

pytestmark = pytest.mark.all_qiskits


@pytest.mark.parametrize("level", LEVELS)
def test_random_circuits(backend, level):
    """100 circuits of up to 5 qubits from Qiskit's whole library; once is enough."""
    rng = np.random.default_rng(level)
    for _ in range(100):
        num_qubits, size = int(rng.integers(1, 6)), int(rng.integers(0, 20))
        circuit = workloads.mixed(rng, num_qubits, size)
        compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
        assert_equivalent(compiled, circuit)
        again = aqt_fast.compile(compiled, backend, optimization_level=level)
        assert per_qubit(again) == per_qubit(compiled)
        assert_equivalent(again, circuit)


def test_aqt_takes_what_comes_out(backend):
    """The encoder, and the models of AQT's own client."""
    rng = np.random.default_rng(3)
    circuits = [workloads.mixed(rng, 4, 15) for _ in range(20)]
    for circuit in circuits:
        circuit.measure_all()
    body = wire.encode_job(aqt_fast.compile(circuits, backend), 100)
    request = SubmitJobRequest.model_validate_json(body)
    assert request.model_dump(mode="json") == json.loads(body)


INTERACTIONS = {
    0: dict.fromkeys(["cx", "cy", "cz", "ch", "cs", "csdg", "csx", "ecr"], 1)
    | dict.fromkeys(["cp", "crx", "cry", "crz", "cu", "cu1", "cu3"], 1)
    | dict.fromkeys(["rxx", "ryy", "rzz", "rzx"], 1)
    | {"dcx": 2, "iswap": 2, "swap": 3, "xx_plus_yy": 2, "xx_minus_yy": 2}
    | {"ccx": 5, "ccz": 5, "cswap": 7, "rccx": 3, "c3sx": 13, "rcccx": 6},
    1: {"dcx": 1, "iswap": 1, "swap": 0},
    2: {"cswap": 6},
}


@pytest.mark.parametrize("level", LEVELS)
def test_every_standard_gate(backend, level):
    """With the fewest RXX that are known, on qubits in any order."""
    rng = np.random.default_rng(7)
    expected = {}
    for number in range(level + 1):
        expected |= INTERACTIONS.get(number, {})
    gates = workloads.standard_gates()
    assert set(expected) == {name for name, gate in gates.items() if gate.num_qubits > 1}
    for name, gate in gates.items():
        params = rng.uniform(0.1, 1.5, len(gate.params))
        circuit = QuantumCircuit(5)
        qubits = [int(qubit) for qubit in rng.permutation(5)[: gate.num_qubits]]
        circuit.append(type(gate)(*params) if gate.params else gate, qubits)
        compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
        assert_equivalent(compiled, circuit)
        assert count(compiled, "rxx") == expected.get(name, 0), name


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # Qiskit's own
@pytest.mark.parametrize("level", LEVELS)
def test_what_python_must_explain(backend, level):
    """Composite and high-level operations, unitaries, other control states."""
    inner = QuantumCircuit(2, global_phase=0.4, name="inner")
    inner.h(0)
    inner.cx(0, 1)
    outer = QuantumCircuit(3, name="outer")
    outer.append(inner.to_gate(), [2, 0])
    outer.append(inner.to_instruction(), [0, 1])
    evolution = PauliEvolutionGate(SparsePauliOp(["XXI", "ZZI", "IIZ"], [1, 0.5, 0.25]), 0.7)
    operations = [
        outer.to_instruction(),
        inner.to_gate().control(1, annotated=False),
        inner.to_gate().power(2),
        CXGate(ctrl_state=0),
        XGate().control(3, annotated=False),
        MCXGate(4),
        RYGate(0.3).control(2, ctrl_state=1, annotated=False),
        UnitaryGate(random_unitary(2, seed=1)),
        UnitaryGate(random_unitary(4, seed=2)),
        UnitaryGate(random_unitary(8, seed=3)),
        PermutationGate([2, 0, 1, 3]),
        AnnotatedOperation(RYGate(0.4), [InverseModifier(), ControlModifier(2)]),
        random_clifford(3, seed=4),
        QFTGate(4),
        ModularAdderGate(2),
        evolution,
    ]
    rng = np.random.default_rng(8)
    for operation in operations:
        circuit = QuantumCircuit(5, global_phase=0.2)
        circuit.ry(0.3, range(5))
        qubits = [int(qubit) for qubit in rng.permutation(5)[: operation.num_qubits]]
        circuit.append(operation, qubits)
        assert_equivalent(aqt_fast.compile(circuit, backend, optimization_level=level), circuit)


def test_definitions_come_before_plugins(backend):
    """Where Qiskit's plugin makes another unitary."""
    gate = MultiplierGate(2)
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    assert_equivalent(aqt_fast.compile(circuit, backend), gate.definition)


def test_permutations_are_free(backend):
    """Every ion reaches every other one."""
    circuit = QuantumCircuit(5)
    circuit.h(range(5))
    circuit.append(PermutationGate([2, 0, 1, 4, 3]), range(5))
    circuit.swap(0, 4)
    compiled = aqt_fast.compile(circuit, backend, optimization_level=1)
    assert count(compiled, "rxx") == 0
    assert_equivalent(compiled, circuit)


def test_unitaries_take_three_interactions(backend):
    """And fewer where fewer do, with the names of the qubits exchanged if that helps."""
    for target, interactions in [
        (random_unitary(4, seed=5), 3),
        (Operator(UnitaryGate(random_unitary(2, seed=6)).control(1, annotated=False)), 1),
        (Operator.from_label("XY"), 0),
        (Operator.from_label("HS"), 0),
    ]:
        circuit = QuantumCircuit(2)
        circuit.append(UnitaryGate(target), [1, 0])
        for level in LEVELS:
            compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
            assert_equivalent(compiled, circuit)
            assert count(compiled, "rxx") == interactions
    exchanged = QuantumCircuit(2)
    exchanged.unitary(Operator(DCXGate()), [0, 1])
    for level, interactions in [(0, 2), (1, 1), (2, 1), (3, 1)]:
        compiled = aqt_fast.compile(exchanged, backend, optimization_level=level)
        assert_equivalent(compiled, exchanged)
        assert count(compiled, "rxx") == interactions


def test_runs_are_made_anew_from_level_2_on(backend):
    """Any number of gates on one pair takes three RXX at most."""
    rng = np.random.default_rng(9)
    circuit = QuantumCircuit(2)
    for _ in range(6):
        circuit.u(*rng.uniform(0, 6, 3), 0)
        circuit.u(*rng.uniform(0, 6, 3), 1)
        circuit.cz(0, 1)
    for level, interactions in [(0, 6), (1, 6), (2, 3), (3, 3)]:
        compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
        assert_equivalent(compiled, circuit)
        assert count(compiled, "rxx") == interactions


def test_commuting_interactions_meet(backend):
    """Also with others between them."""
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for target in (1, 2, 3, 1):
        circuit.cx(0, target)
        circuit.rx(0.3, target)
    circuit.rzz(0.4, 2, 3)
    compiled = aqt_fast.compile(circuit, backend)
    assert_equivalent(compiled, circuit)
    assert count(compiled, "rxx") == 3


@pytest.mark.parametrize("level", LEVELS)
def test_not_worse_than_the_transpiler(backend, level):
    """Of algorithms, no more RXX, pulses and operations in all."""
    circuits = [quantum_volume(4, 4, seed=1), efficient_su2(4, reps=2)]
    circuits[1] = circuits[1].assign_parameters(np.linspace(0, 3, circuits[1].num_parameters))
    circuits += [random_circuit(5, 6, max_operands=4, seed=seed) for seed in range(12)]
    ours = aqt_fast.compile(circuits, backend, optimization_level=level)
    theirs = transpile(circuits, backend, optimization_level=level)
    for names in (["rxx"], ["rxx", "r"], ["rxx", "r", "rz"]):
        totals = [sum(count(circuit, *names) for circuit in each) for each in (ours, theirs)]
        assert totals[0] <= totals[1]


def test_swaps_become_a_layout(backend):
    """As the transpiler tells it at level 2; operators and observables follow it."""
    circuit = QuantumCircuit(QuantumRegister(2, "a"), QuantumRegister(1, "b"))
    circuit.h(0)
    circuit.swap(0, 1)
    circuit.cx(1, 2)
    circuit.swap(0, 2)
    compiled = aqt_fast.compile(circuit, backend, optimization_level=1)
    theirs = transpile(circuit, backend, optimization_level=2)
    assert count(compiled, "rxx") == 1
    assert compiled.layout.final_index_layout() == theirs.layout.final_index_layout() == [2, 0, 1]
    assert compiled.layout.routing_permutation() == theirs.layout.routing_permutation()
    assert compiled.layout.initial_index_layout() == [0, 1, 2]
    assert_equivalent(compiled, circuit)
    observable = SparsePauliOp(["XZI", "IYY", "ZZZ"], [1, 2, 3])
    moved = observable.apply_layout(compiled.layout)
    values = [
        Statevector(qc).expectation_value(op)
        for qc, op in [(circuit, observable), (compiled, moved)]
    ]
    assert np.isclose(*values)
    unmoved = aqt_fast.compile(circuit, backend, optimization_level=0)
    assert unmoved.layout is None
    assert_equivalent(unmoved, circuit)


def test_layouts_add_up(backend):
    """Compiled, extended and compiled again, the layout still belongs to the first circuit."""
    rng = np.random.default_rng(11)
    for _ in range(20):
        first, second = workloads.mixed(rng, 4, 5), workloads.mixed(rng, 4, 5)
        first.swap(0, 1)
        first.swap(1, 3)
        second.swap(2, 3)
        compiled = aqt_fast.compile(first, backend)
        extended = compiled.compose(second, compiled.layout.final_index_layout())
        extended._layout = compiled.layout  # noqa: SLF001 - Qiskit has no public way
        both = first.compose(second)
        assert np.allclose(Operator.from_circuit(extended).data, Operator(both).data)
        assert_equivalent(aqt_fast.compile(extended, backend), both)


@pytest.mark.parametrize("level", LEVELS)
def test_outcomes_stay(backend, level):
    """Measured where qubits end, into the bits that were asked for; registers and names stay."""
    register = ClassicalRegister(3, "out")
    circuit = QuantumCircuit(QuantumRegister(4, "ions"), register, name="mine", metadata={"k": 1})
    circuit.x(0)
    circuit.swap(0, 2)
    circuit.measure(1, 0)
    circuit.cx(2, 3)
    circuit.iswap(2, 0)
    circuit.measure(0, 2)
    circuit.measure(3, 1)
    compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
    assert backend.run(compiled, shots=20).result().get_counts() == {"110": 20}
    assert (compiled.name, compiled.metadata) == ("mine", {"k": 1})
    assert (compiled.qregs, compiled.cregs) == (circuit.qregs, circuit.cregs)
    assert compiled.metadata is not circuit.metadata
    assert [item.name for item in compiled.data][-3:] == ["measure"] * 3


def test_what_no_measurement_sees_is_dropped(backend):
    """Phases of basis states in front of the measurement of all qubits that have them."""
    circuit = QuantumCircuit(4, 3)
    circuit.h(range(4))
    circuit.cx(0, 1)
    circuit.cz(0, 1)
    circuit.barrier()
    circuit.ccz(0, 1, 2)
    circuit.swap(1, 2)
    circuit.cp(0.3, 0, 2)
    circuit.crz(0.3, 0, 3)
    circuit.measure([0, 1, 2], [0, 1, 2])
    kept = aqt_fast.compile(circuit, backend, optimization_level=0)
    assert count(kept, "rxx") == 1 + 1 + 5 + 3 + 1 + 1
    for level in (1, 2, 3):
        compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
        # CRZ reaches a qubit that is not measured, and everything on its control stays.
        assert count(compiled, "rxx") < count(kept, "rxx")
        seen = [
            Statevector(qc.remove_final_measurements(inplace=False)).probabilities(qubits)
            for qc, qubits in [(circuit, [0, 1, 2]), (compiled, [0, 2, 1])]
        ]
        assert np.allclose(*seen)


def test_barriers_are_walls(backend):
    """With their labels, on the wires that their qubits are on; nothing is merged across them."""
    circuit = QuantumCircuit(3)
    circuit.rzz(0.3, 0, 1)
    circuit.swap(1, 2)
    circuit.barrier(0, 2, label="wall")
    circuit.rzz(0.3, 0, 2)
    circuit.barrier()
    circuit.rzz(-0.6, 0, 2)
    for level in LEVELS:
        compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
        walls = [item for item in compiled.data if item.name == "barrier"]
        assert [wall.operation.label for wall in walls] == ["wall", None]
        assert [compiled.find_bit(qubit).index for qubit in walls[0].qubits] == (
            [0, 1] if level else [0, 2]
        )
        assert count(compiled, "rxx") == (3 if level else 6)
        assert_equivalent(compiled, circuit)


def test_many_circuits_are_as_one(backend):
    """Batches are compiled by several threads, with the same result."""
    rng = np.random.default_rng(12)
    circuits = [workloads.brickwork(rng, 8, 6) for _ in range(150)]
    circuits += [workloads.mixed(rng, 5, 10) for _ in range(30)]
    together = aqt_fast.compile(circuits, backend)
    assert isinstance(together, list)
    assert together == [aqt_fast.compile(circuit, backend) for circuit in circuits]


def test_the_source_stays_as_it_is(backend):
    """Compiling makes new circuits."""
    circuit = workloads.mixed(np.random.default_rng(13), 4, 10)
    before = circuit.copy()
    compiled = aqt_fast.compile([circuit, circuit], backend)
    assert circuit == before
    compiled[0].x(0)
    assert compiled[1] != compiled[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_circuits_of_the_library(backend):
    """Those that build themselves when asked."""
    circuit = EfficientSU2(3, reps=1)
    bound = circuit.assign_parameters(np.linspace(0, 2, circuit.num_parameters))
    compiled = aqt_fast.compile(bound, backend)
    assert type(compiled) is QuantumCircuit
    assert_equivalent(compiled, bound)


def test_resets_at_the_beginning(backend):
    """A device prepares all qubits anyway, so that states can be initialised."""
    circuit = QuantumCircuit(3)
    circuit.h(2)
    circuit.append(Initialize([0.6, 0, 0, 0.8j]), [1, 0])
    compiled = aqt_fast.compile(circuit, backend)
    expected = np.kron([1, 1] / np.sqrt(2), [0.6, 0, 0, 0.8j])
    assert Statevector(compiled).equiv(Statevector(expected))


def test_nested_measurements(backend):
    """Of instructions that measure into classical bits of the outer circuit."""
    inner = QuantumCircuit(2, 2)
    inner.x(1)
    inner.measure([0, 1], [1, 0])
    circuit = QuantumCircuit(3, 3)
    circuit.append(inner.to_instruction(), [2, 0], [2, 1])
    compiled = aqt_fast.compile(circuit, backend)
    assert backend.run(compiled, shots=10).result().get_counts() == {"100": 10}
