"""``execute``, ``run`` and compiling tell of the same offenders, in our words."""

from __future__ import annotations

import math
import pickle

import aqt_fast
import pytest
from aqt_fast import execute
from aqt_fast.compiler import FallbackWarning
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError, InvalidInputError
from aqt_fast.primitives import AQTSampler
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit.circuit import Gate, Parameter
from qiskit.transpiler import TranspilerError
from qiskit_aer.library import SaveState

pytestmark = pytest.mark.all_qiskits


def delayed(circuit: QuantumCircuit) -> None:
    """A delay."""
    circuit.delay(100, 2)


def branching(circuit: QuantumCircuit) -> None:
    """Control flow."""
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)


def repeating(circuit: QuantumCircuit) -> None:
    """A loop."""
    with circuit.for_loop(range(3)):
        circuit.x(1)


def waiting(circuit: QuantumCircuit) -> None:
    """A loop until an outcome."""
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.x(1)


def boxed(circuit: QuantumCircuit) -> None:
    """A box."""
    with circuit.box():
        circuit.x(1)


def used_again(circuit: QuantumCircuit) -> None:
    """A reset of a qubit in use."""
    circuit.reset(0)


def measured_early(circuit: QuantumCircuit) -> None:
    """A gate after a measurement of one of its qubits."""
    circuit.measure(1, 1)
    circuit.rxx(0.3, 2, 1)


OFFENDERS = {
    delayed: (1, "delay", (2,), "AQT devices have no delays", "leave it out"),
    branching: (1, "if_else", (1,), "AQT devices have no control flow", "run a circuit for each"),
    repeating: (1, "for_loop", (1,), "AQT devices have no control flow", "unroll the loop"),
    waiting: (1, "while_loop", (1,), "AQT devices have no control flow", "unroll the loop"),
    boxed: (1, "box", (1,), "AQT devices have no control flow", "append what is in the box"),
    used_again: (1, "reset", (0,), "AQT devices reset qubits at the beginning", "use a qubit that"),
    measured_early: (2, "rxx", (1,), "comes after a measurement", "use another qubit, or measure"),
}


def variable(circuit: QuantumCircuit) -> None:
    """A classical variable."""
    circuit.add_var("mine", False)


def opaque(circuit: QuantumCircuit) -> None:
    """A gate that nobody knows."""
    circuit.append(Gate("opaque", 1, []), [1])


def wrapped(circuit: QuantumCircuit) -> None:
    """Such a gate inside of another one."""
    inner = QuantumCircuit(1, name="wrapped")
    inner.append(Gate("opaque", 1, []), [0])
    circuit.append(inner.to_gate(), [1])


def saved(circuit: QuantumCircuit) -> None:
    """An instruction of Aer's."""
    circuit.append(SaveState(3), [0, 1, 2])


UNKNOWN = "'opaque' has neither a definition nor a matrix"

WITHOUT_MEANING = {
    variable: (1, "store", (), "AQT devices have no classical variables", "remove the variable"),
    opaque: (1, "opaque", (1,), UNKNOWN, "give it a definition"),
    wrapped: (1, "wrapped", (1,), UNKNOWN, "give it a definition"),
    saved: (1, "save_state", (0, 1, 2), "AQT devices have no such instruction", "remove it"),
}


def circuit_with(build=None) -> QuantumCircuit:
    """A rotation, then what is built, then a measurement; all in AQT's gates."""
    circuit = QuantumCircuit(3, 3)
    circuit.r(math.pi, 0, 0)
    if build is not None:
        build(circuit)
    circuit.measure(0, 0)
    return circuit


def problems_of(refuse) -> tuple[CircuitProblem, ...]:
    """What a call refuses."""
    with pytest.raises(InvalidCircuitError) as caught:
        refuse()
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert copy.problems == caught.value.problems
    return caught.value.problems


BATCH = [circuit_with(build) for build in (None, *OFFENDERS, None, *OFFENDERS)]

WAYS = {
    "run": lambda backend: backend.run(BATCH),
    "run, compiled": lambda backend: backend.run(BATCH, optimization_level=1),
    "compile": lambda backend: aqt_fast.compile(BATCH, backend),
    **{
        f"execute at level {level}": lambda backend, level=level: execute(
            BATCH, backend, optimization_level=level
        )
        for level in range(4)
    },
    "sampler": lambda backend: AQTSampler(backend).run(BATCH).result(),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_offenders(backend, way):
    """All of them: circuit, instruction, operation, qubits, reason and what to do."""
    found = problems_of(lambda: WAYS[way](backend))
    assert [problem.circuit for problem in found] == [*range(1, 8), *range(9, 16)]
    for problem, wanted in zip(found, [*OFFENDERS.values()] * 2, strict=True):
        instruction, operation, qubits, reason, mend = wanted
        assert (problem.instruction, problem.operation) == (instruction, operation)
        assert problem.qubits == qubits
        assert problem.reason.startswith(reason)
        assert problem.mend.startswith(mend)


@pytest.mark.filterwarnings("ignore::aqt_fast.compiler.FallbackWarning")
@pytest.mark.parametrize("build", WITHOUT_MEANING)
def test_what_no_transpiler_knows(backend, build):
    """The same words by every way, and no advice to transpile."""
    circuit = circuit_with(build)
    instruction, operation, qubits, reason, mend = WITHOUT_MEANING[build]
    ways = [
        lambda: backend.run(circuit),
        lambda: backend.run(circuit, optimization_level=1),
        lambda: aqt_fast.compile(circuit, backend),
        lambda: execute(circuit, backend, optimization_level=0),
        lambda: execute(circuit, backend, optimization_level=2),
    ]
    for way in ways:
        (problem,) = problems_of(way)
        assert (problem.instruction, problem.operation) == (instruction, operation)
        assert (problem.qubits, problem.mend) == (qubits, mend)
        assert problem.reason.startswith(reason)
        assert ("(on qubit" in problem.reason) == bool(qubits)
        assert "http" not in str(problem)


def test_variables_after_transpiling(backend):
    """Refused by name by ``transpile`` itself."""
    with pytest.raises(TranspilerError, match="no classical variables; remove the variable"):
        transpile(circuit_with(variable), backend)


def test_a_mend_for_each_problem(backend):
    """Whatever cannot run, the message says what to do."""
    angle = circuit_with(lambda circuit: circuit.rz(math.inf, 0))
    mends = {
        "add one, with measure or measure_all": QuantumCircuit(1),
        "use fewer qubits, or a larger backend": QuantumCircuit(21),
        "give it a finite value": angle,
    }
    for mend, circuit in mends.items():
        for options in ({}, {"optimization_level": 1}):
            (problem,) = problems_of(lambda: backend.run(circuit, **options))  # noqa: B023
            assert problem.mend == mend
    strict = circuit_with(lambda circuit: circuit.rxx(3, 0, 1))
    (problem,) = problems_of(lambda: backend.run(strict, strict_angles=True))
    assert problem.mend.startswith("run without strict_angles")


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("build", [delayed, used_again, measured_early])
def test_transpile(backend, build, level):
    """Has the circuit's name, the operation, its qubit, the same reason and the same mend.

    Qiskit itself refuses control flow, before any stage of ours.
    """
    circuit = circuit_with(build)
    circuit.name = "mine"
    _, operation, qubits, reason, mend = OFFENDERS[build]
    with pytest.raises(TranspilerError) as caught:
        transpile([circuit_with(), circuit], backend, optimization_level=level)
    (problem,) = caught.value.problems
    assert (problem.circuit, problem.circuit_name) == (None, "mine")
    assert problem.operation in {operation, "r"}
    assert problem.qubits == qubits
    assert problem.reason.startswith(reason)
    assert problem.mend.startswith(mend)
    assert str(caught.value).startswith("circuit 'mine', ")


def test_offenders_of_both_steps(backend):
    """What cannot be transpiled, and what cannot run although it can be transpiled."""
    backend = backend.provider.get_backend(backend.name, available_qubits=3)
    unbound, unmeasured = circuit_with(), QuantumCircuit(1)
    unbound.rx(Parameter("angle"), 1)
    opaque = circuit_with(lambda circuit: circuit.append(Gate("opaque", 1, []), [1]))
    batch = [circuit_with(delayed), unbound, unmeasured, opaque, circuit_with(), QuantumCircuit(4)]
    found = problems_of(lambda: execute(batch, backend))
    assert [problem.circuit for problem in found] == [0, 1, 2, 3, 5]
    assert [problem.instruction for problem in found] == [1, 2, None, 1, None]
    assert "unbound parameters: angle" in str(found[1])
    assert str(found[2]) == "circuit 2: no measurement; add one, with measure or measure_all"
    assert str(found[3]) == (
        "circuit 3, instruction 1 (opaque): 'opaque' has neither a definition nor a matrix"
        " (on qubit 1); give it a definition"
    )
    assert str(found[4]) == (
        "circuit 5: 4 qubits, but the resource has 3; use fewer qubits, or a larger backend"
    )


def test_what_runs_only_after_transpiling(backend):
    """It is no offender of a batch in which others are."""
    dropped = circuit_with()
    dropped.id(0)
    found = problems_of(
        lambda: execute([dropped, circuit_with(delayed)], backend, optimization_level=1)
    )
    assert [problem.circuit for problem in found] == [1]


def test_no_advice_that_was_followed(backend):
    """After transpiling or compiling, nobody is told to transpile."""
    batch = [*BATCH, QuantumCircuit(1), QuantumCircuit(21)]
    batch.append(circuit_with(lambda circuit: circuit.rx(Parameter("angle"), 1)))
    batch.append(circuit_with(lambda circuit: circuit.append(Gate("rz", 1, [0.1]), [1])))
    with pytest.warns(FallbackWarning, match="'rz' has neither a definition nor a matrix"):
        compiling = problems_of(lambda: backend.run(batch, optimization_level=2))
    executing = problems_of(lambda: execute(batch, backend))
    for found in (compiling, executing):
        assert [problem.circuit for problem in found] == [*range(1, 8), *range(9, 20)]
        assert found[-1].mend == "give it a definition"
        for problem in found:
            assert "transpile the" not in str(problem)


TEXT = qasm2.dumps(circuit_with())


@pytest.mark.parametrize(
    "use",
    [
        lambda backend, circuits: backend.run(circuits),
        lambda backend, circuits: backend.run(circuits, optimization_level=1),
        lambda backend, circuits: execute(circuits, backend),
        lambda backend, circuits: aqt_fast.compile(circuits, backend),
    ],
)
def test_a_text_is_no_circuit(backend, use):
    """One message, not one for each of its characters."""
    with pytest.raises(InvalidInputError, match=r"a text; load OpenQASM with QuantumCircuit\.from"):
        use(backend, TEXT)
    for other in (TEXT.encode(), {"a": circuit_with()}):
        with pytest.raises(InvalidInputError, match="not an object of type"):
            use(backend, other)
    (problem,) = problems_of(lambda: use(backend, [circuit_with(), TEXT]))
    assert (problem.circuit, problem.reason) == (1, "not a QuantumCircuit but of type 'str'")
    assert "load OpenQASM" in problem.mend
