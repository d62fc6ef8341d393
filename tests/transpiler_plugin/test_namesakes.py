"""Gates that bear a standard gate's name and mean something else, or the same."""

import math
from importlib.metadata import entry_points

import aqt_fast
import numpy as np
import pytest
import qiskit
from aqt_fast import execute
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.transpiler_plugin import RefusedCircuitError
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import CONTROL_FLOW_OP_NAMES, Gate, Parameter
from qiskit.circuit.library import RXXGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

pytestmark = pytest.mark.all_qiskits

NAMES = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if isinstance(gate, Gate) and gate.num_qubits
}

# Qiskit 2.5 may lock up at levels 2 and 3 in its own first stage, when its search for commuting
# gates asks Python for the matrix of a gate.
LEVELS = range(2 if qiskit.__version__.startswith("2.5.") else 4)

SMALL = [name for name, gate in NAMES.items() if gate.num_qubits < 3]
LARGE = [name for name, gate in NAMES.items() if gate.num_qubits >= 3]


def namesake(name: str, num_qubits: int, num_params: int = 0) -> Gate:
    """A gate of a user's own, with an unlikely meaning."""
    gate = Gate(name, num_qubits, [0.3 + 0.1 * index for index in range(num_params)])
    gate.definition = QuantumCircuit(num_qubits, global_phase=0.3)
    for qubit in range(num_qubits):
        gate.definition.ry(0.7 + qubit, qubit)
        gate.definition.rz(0.3, qubit)
    for qubit in range(1, num_qubits):
        gate.definition.cx(qubit - 1, qubit)
        gate.definition.ry(0.2, qubit)
    return gate


def with_namesakes(name: str) -> QuantumCircuit:
    """Namesakes at the top, next to each other, and inside of a composite gate."""
    num_qubits = NAMES[name].num_qubits
    gate = namesake(name, num_qubits, len(NAMES[name].params))
    inner = QuantumCircuit(num_qubits + 1, name="inner")
    inner.append(gate, range(1, num_qubits + 1))
    inner.x(0)
    circuit = QuantumCircuit(num_qubits + 1)
    circuit.h(range(num_qubits + 1))
    circuit.append(gate, range(num_qubits))
    circuit.append(gate, range(num_qubits))
    circuit.append(inner.to_gate(), range(num_qubits, -1, -1))
    circuit.append(NAMES[name].to_mutable(), range(num_qubits))
    values = dict.fromkeys(circuit.parameters, 0.4)
    return circuit.assign_parameters(values)


def of_size(backend, circuit: QuantumCircuit):
    """The simulator with as many qubits as the circuit."""
    return backend.provider.get_backend(backend.name, available_qubits=circuit.num_qubits)


@pytest.mark.parametrize("name", SMALL)
def test_another_meaning(backend, name):
    """It counts, beside the gate that the name stands for, at all levels."""
    circuit = with_namesakes(name)
    backend = of_size(backend, circuit)
    wanted = Operator(circuit)
    for level in LEVELS:
        transpiled = transpile(circuit, backend, optimization_level=level)
        assert Operator.from_circuit(transpiled).equiv(wanted), level
    assert Operator.from_circuit(aqt_fast.compile(circuit, backend)).equiv(wanted)


@pytest.mark.parametrize("name", LARGE)
def test_another_meaning_of_a_large_gate(backend, name):
    """Levels 2 and 3 of ``transpile`` translate these by name before any stage of ours."""
    circuit = with_namesakes(name)
    backend = of_size(backend, circuit)
    wanted = Operator(circuit)
    for level in range(2):
        transpiled = transpile(circuit, backend, optimization_level=level)
        assert Operator.from_circuit(transpiled).equiv(wanted), level
    assert Operator.from_circuit(aqt_fast.compile(circuit, backend)).equiv(wanted)
    probabilities = Operator(circuit).data[:, 0]
    circuit.measure_all()
    for level in LEVELS:
        ran = execute(
            circuit, backend, optimization_level=level, shots=1, with_progress_bar=False
        ).circuits[0]
        ran.remove_final_measurements()
        found = Operator.from_circuit(ran).data[:, 0]
        assert np.allclose(abs(found), abs(probabilities), atol=1e-7), level


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_meaning(backend, level):
    """An own R is Qiskit's R: nothing is added, and the phase of the definition counts."""
    own = Gate("r", 1, [0.4, 0.5])
    own.definition = QuantumCircuit(1, global_phase=0.25)
    own.definition.u(0.4, 0.5 - math.pi / 2, math.pi / 2 - 0.5, 0)
    circuit = QuantumCircuit(1)
    circuit.append(own, [0])
    transpiled = transpile(circuit, of_size(backend, circuit), optimization_level=level)
    assert [(item.operation.name, item.operation.params) for item in transpiled.data] == [
        ("r", pytest.approx([0.4, 0.5]))
    ]
    assert transpiled.data[0].is_standard_gate()
    assert np.allclose(Operator(transpiled).data, Operator(circuit).data)


def test_a_matrix_only(backend):
    """A gate without a definition is its matrix."""

    class Turned(Gate):
        """A gate that is called rz and is Y."""

        def __init__(self) -> None:
            super().__init__("rz", 1, [0.3])

        def __array__(self, dtype=None, copy=None):
            return np.array([[0, -1j], [1j, 0]], dtype=dtype)

    circuit = QuantumCircuit(1)
    circuit.append(Turned(), [0])
    for level in LEVELS:
        transpiled = transpile(circuit, of_size(backend, circuit), optimization_level=level)
        assert Operator(transpiled).equiv(Operator([[0, -1j], [1j, 0]]))


def test_unbound_parameters(backend):
    """They wait in the definition."""
    angle = Parameter("angle")
    own = Gate("rz", 1, [angle])
    own.definition = QuantumCircuit(1)
    own.definition.ry(angle, 0)
    circuit = QuantumCircuit(1)
    circuit.append(own, [0])
    for level in LEVELS:
        transpiled = transpile(circuit, of_size(backend, circuit), optimization_level=level)
        bound = transpiled.assign_parameters({angle: 0.7})
        assert Operator(bound).equiv(Operator(circuit.assign_parameters({angle: 0.7})))


def test_no_meaning(backend):
    """Neither definition nor matrix: refused in our words, by ``transpile`` and by ``execute``."""
    circuit = QuantumCircuit(2, 1, name="odd")
    circuit.append(Gate("rz", 1, [0.3]), [1])
    circuit.measure(1, 0)
    reason = "'rz' has neither a definition nor a matrix (on qubit 1); give it a definition"
    with pytest.raises(RefusedCircuitError) as refused:
        transpile(circuit, backend, optimization_level=1)
    assert str(refused.value) == f"circuit 'odd', rz: {reason}"
    fine = QuantumCircuit(1)
    fine.measure_all()
    with pytest.raises(InvalidCircuitError) as caught:
        execute([fine, circuit], backend)
    (problem,) = caught.value.problems
    assert (problem.circuit, problem.operation, problem.qubits) == (1, "rz", (1,))
    assert str(problem) == f"circuit 1, instruction 0 (rz): {reason}"


def test_controlled(backend):
    """The control of a namesake is named like a standard gate, too."""
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.append(namesake("x", 1).control(1), [0, 1])
    assert circuit.data[-1].operation.name == "cx"
    for level in LEVELS:
        transpiled = transpile(circuit, of_size(backend, circuit), optimization_level=level)
        assert Operator.from_circuit(transpiled).equiv(Operator(circuit)), level


def test_a_definition_that_needs_synthesis(backend):
    """A namesake made of a large gate and another namesake."""
    outer = Gate("rxx", 2, [0.1])
    outer.definition = QuantumCircuit(2)
    outer.definition.append(namesake("rz", 1, 1), [0])
    outer.definition.unitary(RXXGate(0.3).to_matrix(), [1, 0])
    circuit = QuantumCircuit(2)
    circuit.append(outer, [1, 0])
    for level in LEVELS:
        transpiled = transpile(circuit, of_size(backend, circuit), optimization_level=level)
        assert Operator.from_circuit(transpiled).equiv(Operator(circuit)), level


PLUGINS = {point.name.partition(".")[0] for point in entry_points(group="qiskit.synthesis")}

QISKITS_NAMES = sorted(
    {*get_standard_gate_name_mapping(), *CONTROL_FLOW_OP_NAMES, *PLUGINS}
    | {"barrier", "initialize", "kraus", "mcphase", "pauli", "state_preparation", "unitary"}
)


def turned(name: str, num_qubits: int) -> Gate:
    """A gate that is H on each qubit."""
    inner = QuantumCircuit(num_qubits, name=name)
    inner.h(range(num_qubits))
    return inner.to_gate()


def minus_read_by(name: str, *, nested: bool) -> QuantumCircuit:
    """H, Z, and H under another name: all outcomes are 1."""
    circuit = QuantumCircuit(6, 6)
    circuit.h(range(6))
    circuit.z(range(6))
    for first, num_qubits in ((0, 1), (1, 2), (3, 3)):
        gate = turned(name, num_qubits)
        if nested:
            inner = QuantumCircuit(num_qubits, name="nested")
            inner.append(gate, range(num_qubits))
            gate = inner.to_gate()
        circuit.append(gate, range(first, first + num_qubits))
    circuit.measure(range(6), range(6))
    return circuit


@pytest.mark.parametrize("name", QISKITS_NAMES)
def test_names_that_passes_go_by(backend, name):
    """At the top and inside of a composite gate, at all levels; the definition alone counts."""
    backend.set_options(with_progress_bar=False, shots=20)
    batch = [minus_read_by(name, nested=nested) for nested in (False, True)]
    jobs = [execute(batch, backend, optimization_level=level) for level in LEVELS]
    jobs.append(backend.run(aqt_fast.compile(batch, backend)))
    for job in jobs:
        assert job.result().get_counts() == [{"111111": 20}] * 2


@pytest.mark.parametrize("name", ["rz", "measure", "permutation", "IntComp"])
def test_annotated(backend, name):
    """The gate that is annotated counts by its definition, too."""
    backend.set_options(with_progress_bar=False, shots=20)
    circuit = QuantumCircuit(2, 2)
    circuit.x(1)
    circuit.h(0)
    circuit.z(0)
    circuit.append(turned(name, 1).control(1, annotated=True), [1, 0])
    circuit.measure([0, 1], [0, 1])
    jobs = [execute(circuit, backend, optimization_level=level) for level in LEVELS]
    jobs.append(backend.run(aqt_fast.compile(circuit, backend)))
    for job in jobs:
        assert job.result().get_counts() == {"11": 20}


@pytest.mark.parametrize("level", LEVELS)
def test_names_that_passes_go_by_in_primitives(backend, level):
    """The sampler and the estimator go by meanings, too."""
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.z(0)
    circuit.append(turned("measure", 1), [0])
    options = {"optimization_level": level}
    estimator = AQTEstimator(backend, options=options)
    assert estimator.run([(circuit, "Z")]).result()[0].data.evs == -1
    circuit.measure_all()
    sampler = AQTSampler(backend, options=options)
    counts = sampler.run([circuit], shots=20).result()[0].data.meas.get_counts()
    assert counts == {"1": 20}


def test_no_meaning_but_a_name_that_ends_qiskit(backend):
    """A gate that one of Qiskit's passes fails on is a problem of its circuit."""
    circuit = QuantumCircuit(2, 2)
    circuit.append(Gate("permutation", 2, []), [0, 1])
    circuit.measure([0, 1], [0, 1])
    with pytest.raises(InvalidCircuitError, match="permutation"):
        execute(circuit, backend, optimization_level=2)
