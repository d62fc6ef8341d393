"""``compile``: what cannot be compiled, and what only the transpiler can."""

import math

import aqt_fast
import numpy as np
import pytest
from aqt_fast.compiler import FallbackWarning
from aqt_fast.exceptions import InvalidCircuitError, InvalidInputError, InvalidOptionError
from compiler.checks import LEVELS, assert_equivalent
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import (
    Gate,
    Parameter,
)
from qiskit.circuit.equivalence_library import SessionEquivalenceLibrary
from qiskit.circuit.library import (
    CRZGate,
    GlobalPhaseGate,
    PauliEvolutionGate,
    RXXGate,
    RZGate,
    RZZGate,
    UnitaryGate,
)
from qiskit.quantum_info import (
    Clifford,
    Operator,
    SparsePauliOp,
    random_clifford,
)

pytestmark = pytest.mark.all_qiskits


def culprits(circuits: list, backend) -> list[tuple]:
    """Circuit, instruction and operation of all problems."""
    with pytest.raises(InvalidCircuitError) as caught:
        aqt_fast.compile(circuits, backend)
    problems = caught.value.problems
    return [(it.circuit, it.instruction, it.operation, it.reason) for it in problems]


def test_all_offenders_are_listed(provider):
    """Each with its place, its qubits and the reason."""
    backend = provider.get_backend("offline_simulator_no_noise", available_qubits=3)

    def circuit(build) -> QuantumCircuit:
        made = QuantumCircuit(3, 3)
        made.h(0)
        build(made)
        return made

    def late(made: QuantumCircuit) -> None:
        made.measure(1, 0)
        made.cx(2, 1)

    def twice(made: QuantumCircuit) -> None:
        inner = QuantumCircuit(2, name="inner")
        inner.h(0)
        inner.reset(0)
        made.append(inner.to_instruction(), [2, 1])

    def branch(made: QuantumCircuit) -> None:
        with made.if_test((made.clbits[0], 1)):
            made.x(1)

    a, b = Parameter("a"), Parameter("b")
    found = culprits(
        [
            circuit(branch),
            circuit(lambda made: made.x(1)),
            circuit(lambda made: made.reset(0)),
            circuit(lambda made: made.delay(100, 2)),
            circuit(lambda made: made.rzz(b + a, 0, 2)),
            circuit(late),
            circuit(twice),
            QuantumCircuit(4),
            "no circuit",
            circuit(lambda made: made.rx(math.nan, 1)),
            circuit(lambda made: made.cu(1, 2, math.inf, 3, 1, 2)),
        ],
        backend,
    )
    after = "comes after a measurement; measurements must be the last operations"
    reset = "AQT devices reset qubits at the beginning of a circuit only"
    assert found == [
        (0, 1, "if_else", "AQT devices have no control flow (on qubit 1)"),
        (2, 1, "reset", f"{reset} (on qubit 0)"),
        (3, 1, "delay", "AQT devices have no delays (on qubit 2)"),
        (4, 1, "rzz", "unbound parameters: a, b (on qubits 0, 2)"),
        (5, 2, "cx", f"{after} (on qubit 1)"),
        (6, 1, "inner", f"{reset} (on qubit 2)"),
        (7, None, None, "4 qubits, but the resource has 3"),
        (8, None, None, "not a QuantumCircuit but of type 'str'"),
        (9, 1, "rx", "parameter 0 is NaN, not a finite number (on qubit 1)"),
        (10, 1, "cu", "parameter 2 is inf, not a finite number (on qubits 1, 2)"),
    ]


def test_offenders_of_large_batches(backend):
    """Wherever they stand."""
    circuits = [QuantumCircuit(1) for _ in range(300)]
    for index in (0, 64, 150, 299):
        circuits[index].rx(Parameter("a"), 0)
    assert [place[0] for place in culprits(circuits, backend)] == [0, 64, 150, 299]


def test_unbound_composite(backend):
    """Parameters inside of a composite gate are named, too."""
    inner = QuantumCircuit(1, name="inner")
    inner.rx(Parameter("angle"), 0)
    circuit = QuantumCircuit(1)
    circuit.append(inner.to_gate(), [0])
    assert culprits([circuit], backend) == [
        (0, 0, "inner", "unbound parameters: angle (on qubit 0)")
    ]


def test_phase_of_the_alternative(backend):
    """What a plugin makes of a circuit may have another global phase than the circuit."""
    operator = SparsePauliOp(["XY", "II", "XZ"], [0.3, 0.5, 0.3])
    gate = PauliEvolutionGate(operator, time=0.3)
    circuit = QuantumCircuit(2, global_phase=0.25)
    circuit.append(gate, [0, 1])
    wanted = Operator(gate.definition).data * np.exp(0.25j)
    for level in LEVELS:
        compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
        assert np.allclose(Operator.from_circuit(compiled).data, wanted, atol=1e-9)


def test_global_phases_without_a_value(backend):
    """No outcome depends on them: they stay in the result, those of definitions too."""
    angle = Parameter("angle")
    inner = QuantumCircuit(1, name="inner", global_phase=math.nan)
    outer = QuantumCircuit(1)
    outer.append(inner.to_gate(), [0])
    circuits = [
        QuantumCircuit(1, global_phase=math.nan),
        QuantumCircuit(1, global_phase=math.inf),
        QuantumCircuit(1, global_phase=2 * angle),
        QuantumCircuit(1, global_phase=angle).assign_parameters([0.5]),
        outer,
    ]
    phases = [it.global_phase for it in aqt_fast.compile(circuits, backend)]
    assert [math.isnan(phases[index]) for index in (0, 1, 4)] == [True] * 3
    assert phases[2:4] == [2 * angle, 0.5]


@pytest.mark.parametrize("phase", [math.nan, math.inf, 2 * Parameter("angle")])
def test_global_phases_without_a_value_run(backend, phase):
    """The same counts by every way."""
    backend.set_options(with_progress_bar=False, shots=10)
    circuit = QuantumCircuit(1, 1, global_phase=phase)
    inner = QuantumCircuit(1, name="inner", global_phase=phase)
    inner.r(math.pi, 0, 0)
    circuit.append(inner.to_gate(), [0])
    circuit.measure(0, 0)
    by_gate = circuit.copy()
    by_gate.append(GlobalPhaseGate(phase), [])
    assert backend.run(by_gate, optimization_level=2).result().get_counts() == {"1": 10}
    assert aqt_fast.execute(by_gate, backend).result().get_counts() == {"1": 10}
    for job in (
        backend.run(circuit),
        backend.run(circuit, optimization_level=1),
        backend.run(aqt_fast.compile(circuit, backend)),
        aqt_fast.execute(circuit, backend),
    ):
        assert job.result().get_counts() == {"1": 10}


@pytest.mark.parametrize("level", LEVELS)
def test_resets_of_qubits_that_are_still_zero(backend, level):
    """Neither a barrier nor a diagonal gate takes a qubit out of |0⟩."""
    backend.set_options(with_progress_bar=False, shots=10)
    circuit = QuantumCircuit(2, 2)
    circuit.x(1)
    circuit.rz(0.3, 0)
    circuit.barrier()
    circuit.cz(0, 1)
    circuit.reset(0)
    circuit.x(0)
    circuit.measure([0, 1], [0, 1])
    for ran in (
        aqt_fast.compile(circuit, backend, optimization_level=level),
        transpile(circuit, backend, optimization_level=level),
    ):
        assert "reset" not in ran.count_ops()
        assert backend.run(ran).result().get_counts() == {"11": 10}


class Opaque(Gate):
    """A gate without a definition."""

    def __init__(self) -> None:
        super().__init__("opaque", 3, [])


class Unbuildable(QuantumCircuit):
    """A circuit that cannot be built when it is asked for."""

    @property
    def data(self):
        """As circuits of Qiskit's library that are not configured."""
        raise AttributeError("not configured")


def test_circuits_that_cannot_be_built(backend):
    """Are problems next to others."""
    early = QuantumCircuit(1)
    early.delay(100, 0)
    found = culprits([QuantumCircuit(1), early, Unbuildable(1)], backend)
    assert [place[0] for place in found] == [1, 2]
    assert found[1][3].startswith("cannot be built: ")


class Matrix(Gate):
    """A gate that has nothing but a matrix."""

    def __init__(self, num_qubits: int, rows: list) -> None:
        super().__init__("matrix", num_qubits, [])
        self.rows = rows

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.rows, dtype=dtype)


class Defined(Gate):
    """A gate with the name of Qiskit's matrices and any definition, or none that can be had."""

    def __init__(self, num_qubits: int, inner: QuantumCircuit | None) -> None:
        super().__init__("unitary", num_qubits, [])
        self.inner = inner

    def _define(self) -> None:
        if self.inner is None:
            raise ZeroDivisionError("by zero")
        self.definition = self.inner


def test_operations_without_a_meaning(backend):
    """Each is a problem of its circuit and keeps no other one from being checked."""

    def circuit(gate: Gate) -> QuantumCircuit:
        made = QuantumCircuit(3)
        made.h(0)
        made.append(gate, range(gate.num_qubits))
        return made

    def variable() -> QuantumCircuit:
        made = QuantumCircuit(1)
        made.add_var("a", False)
        return made

    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    nan = np.eye(8)
    nan[0, 0] = math.nan
    found = culprits(
        [
            circuit(Matrix(1, [[math.nan, 0], [0, 1]])),
            circuit(Matrix(1, [[2, 0], [0, 1]])),
            circuit(Matrix(1, [[1, 0], [0, 1]])),
            circuit(UnitaryGate(np.ones((4, 4)), check_input=False)),
            circuit(UnitaryGate(nan, check_input=False)),
            circuit(UnitaryGate(np.ones((8, 8)), check_input=False)),
            circuit(Matrix(2, [[1, 0], [0, 1]])),
            circuit(Defined(1, None)),
            circuit(Defined(2, bell)),
            circuit(Defined(3, bell)),
            variable(),
        ],
        backend,
    )
    places = {place[0]: place for place in found}
    assert list(places) == [0, 1, 3, 4, 5, 6, 7, 9, 10]
    for index in (0, 1, 3, 4, 5):
        name = "unitary" if index > 2 else "matrix"
        assert places[index] == (index, 1, name, "its matrix is not unitary")
    assert places[6] == (6, 1, "matrix", "its matrix does not fit its qubits")
    raised = "cannot be taken apart: ZeroDivisionError: by zero"
    assert places[7] == (7, 1, "unitary", raised)
    fit = "its definition has other numbers of bits than the operation"
    assert places[9] == (9, 1, "unitary", fit)
    assert places[10] == (10, 0, "store", "AQT devices have no classical variables")
    assert_equivalent(aqt_fast.compile(circuit(Defined(2, bell)), backend), circuit(bell.to_gate()))


class Recursive(Gate):
    """A gate that is made of itself."""

    def __init__(self) -> None:
        super().__init__("recursive", 1, [])

    def _define(self) -> None:
        self.definition = QuantumCircuit(1)
        self.definition.append(Recursive(), [0])


def test_fallback(backend, monkeypatch):
    """What only the transpiler knows goes to the transpiler, with a warning."""
    equivalent = QuantumCircuit(3)
    equivalent.ccx(0, 1, 2)
    library = SessionEquivalenceLibrary
    circuit = QuantumCircuit(4)
    circuit.h(0)
    circuit.append(Opaque(), [3, 1, 0])
    plain = QuantumCircuit(1)
    plain.h(0)
    with (
        pytest.warns(
            FallbackWarning, match=r"circuit 1, instruction 1 \(opaque\): 'opaque' has neither"
        ),
        pytest.raises(InvalidCircuitError, match="circuit 1, instruction 1"),
    ):
        aqt_fast.compile([plain, circuit], backend)
    unbound = QuantumCircuit(1)
    unbound.rx(Parameter("angle"), 0)
    with pytest.warns(FallbackWarning):
        found = culprits([unbound, circuit, "no circuit"], backend)
    reason = "'opaque' has neither a definition nor a matrix, and qiskit.transpile fails with "
    assert [place[:3] for place in found] == [(0, 0, "rx"), (1, 1, "opaque"), (2, None, None)]
    assert found[1][3] == reason + "TranspilerError (on qubits 3, 1, 0)"
    monkeypatch.setattr(library, "_store", {}, raising=False)
    library.add_equivalence(Opaque(), equivalent)
    with pytest.warns(FallbackWarning, match="circuit 1, instruction 1"):
        _, compiled = aqt_fast.compile([plain, circuit], backend)
    source = QuantumCircuit(4)
    source.h(0)
    source.ccx(3, 1, 0)
    assert Operator.from_circuit(compiled).equiv(Operator(source))


def test_a_definition_that_contains_itself(backend):
    """Is told, and does not end the process."""
    circuit = QuantumCircuit(1)
    circuit.append(Recursive(), [0])
    with pytest.raises(InvalidCircuitError, match="the definition of 'recursive' contains itself"):
        aqt_fast.compile(circuit, backend)


def test_arguments(backend):
    """Refused by name."""
    with pytest.raises(InvalidInputError, match="AQT backend"):
        aqt_fast.compile(QuantumCircuit(1), object())
    with pytest.raises(InvalidOptionError, match="optimization_level must be"):
        aqt_fast.compile(QuantumCircuit(1), backend, optimization_level=4)
    with pytest.raises(InvalidInputError):
        aqt_fast.compile(3, backend)


def test_empty_circuits(backend):
    """Nothing becomes nothing; a global phase stays."""
    for circuit in (QuantumCircuit(), QuantumCircuit(2, 1), QuantumCircuit(1, global_phase=0.3)):
        compiled = aqt_fast.compile(circuit, backend)
        assert compiled == circuit
        assert compiled is not circuit


def test_clifford_is_a_clifford(backend):
    """Synthesised by Qiskit, recognised by Qiskit."""
    clifford = random_clifford(4, seed=14)
    circuit = QuantumCircuit(4)
    circuit.append(clifford, range(4))
    compiled = aqt_fast.compile(circuit, backend)
    assert Clifford.from_operator(Operator.from_circuit(compiled)) == clifford


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("angle", [1e15, 3.3e16, 1e20, -7.7e22])
def test_huge_angles(backend, level, angle):
    """All of them are doubles, so their sines are known; small angles beside them count."""
    circuit = QuantumCircuit(2, global_phase=0.1)
    for gate in (RXXGate(angle), RXXGate(0.3), CRZGate(angle), RZZGate(0.2), RZGate(angle)):
        circuit.append(gate, range(gate.num_qubits))
    compiled = aqt_fast.compile(circuit, backend, optimization_level=level)
    assert np.allclose(Operator.from_circuit(compiled).data, Operator(circuit).data, atol=1e-9)
