"""Resets and initialisations of qubits that are still in |0⟩: dropped or synthesised."""

import math

import numpy as np
import pytest
from aqt_fast import execute
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.primitives import AQTSampler
from aqt_fast.transpiler_plugin import LowerToAQT, RefusedCircuitError
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import PermutationGate, StatePreparation
from qiskit.quantum_info import Statevector, random_statevector
from qiskit.transpiler import PassManager
from qiskit_aer import AerSimulator

pytestmark = pytest.mark.all_qiskits


def resets(circuit: QuantumCircuit) -> None:
    """Resets at the beginning, twice, beside gates on other qubits."""
    circuit.reset(0)
    circuit.barrier()
    circuit.reset(0)
    circuit.x(0)
    circuit.reset([1, 2])
    circuit.cx(0, 1)


def inside(circuit: QuantumCircuit) -> None:
    """Resets inside of an instruction, two levels deep."""
    inner = QuantumCircuit(2, name="inner")
    inner.reset(1)
    inner.ry(2.0, 1)
    outer = QuantumCircuit(3, name="outer")
    outer.h(0)
    outer.append(inner.to_instruction(), [0, 2])
    outer.cx(2, 1)
    circuit.append(outer.to_instruction(), [2, 0, 1])


def initialised(circuit: QuantumCircuit) -> None:
    """Amplitudes on all qubits."""
    circuit.initialize(random_statevector(8, seed=3), circuit.qubits)


def by_label(circuit: QuantumCircuit) -> None:
    """Labels and integers, on qubits that are free although others are in use."""
    circuit.h(0)
    circuit.initialize("+", 1)
    circuit.initialize(1, [2])
    circuit.cx(0, 1)


def prepared(circuit: QuantumCircuit) -> None:
    """A state preparation has no reset, and may stand anywhere."""
    circuit.h(0)
    circuit.append(StatePreparation(random_statevector(4, seed=4)), [0, 2])


CASES = [resets, inside, initialised, by_label, prepared]


@pytest.mark.parametrize("build", CASES)
@pytest.mark.parametrize("level", range(4))
def test_state(backend, build, level):
    """Of the transpiled circuit: the one that Aer finds for the source."""
    circuit = QuantumCircuit(3)
    build(circuit)
    source = transpile(circuit, AerSimulator(), optimization_level=0)
    source.save_statevector()
    wanted = AerSimulator().run(source).result().get_statevector()
    transpiled = transpile(circuit, backend, optimization_level=level)
    assert set(transpiled.count_ops()) <= {"r", "rz", "rxx", "barrier"}
    final = transpiled.layout.final_index_layout() if transpiled.layout else [0, 1, 2]
    found = Statevector(transpiled)
    undo = QuantumCircuit(transpiled.num_qubits)
    undo.append(_moved(final, transpiled.num_qubits), undo.qubits)
    assert Statevector(wanted).equiv(found.evolve(undo))


def _moved(final: list[int], num_qubits: int):
    """The permutation that takes each wire back to its qubit."""
    return PermutationGate([*final, *(k for k in range(num_qubits) if k not in final)])


@pytest.mark.parametrize("build", CASES)
def test_ways_of_running(backend, build):
    """``execute``, ``run`` with compiling and the sampler measure the source's probabilities."""
    circuit = QuantumCircuit(3)
    build(circuit)
    source = transpile(circuit, AerSimulator(), optimization_level=0)
    source.save_statevector()
    wanted = AerSimulator().run(source).result().get_statevector().probabilities()
    circuit.measure_all()
    shots = 4000
    found = [
        execute(circuit, backend, shots=shots, seed_simulator=1).result().get_counts(),
        backend.run(circuit, optimization_level=1, shots=shots, seed_simulator=1)
        .result()
        .get_counts(),
        AQTSampler(backend).run([circuit], shots=shots).result()[0].data.meas.get_counts(),
    ]
    for counts in found:
        frequencies = [counts.get(format(k, "03b"), 0) / shots for k in range(8)]
        assert np.allclose(frequencies, wanted, atol=5 * math.sqrt(0.25 / shots))


def late_reset(circuit: QuantumCircuit) -> None:
    """After a gate."""
    circuit.x(1)
    circuit.reset(1)


def late_initialisation(circuit: QuantumCircuit) -> None:
    """After a gate, on one of two qubits."""
    circuit.h(1)
    circuit.initialize([0, 1, 0, 0], [0, 1])


def measured_reset(circuit: QuantumCircuit) -> None:
    """After a measurement: a qubit used twice."""
    circuit.measure(1, 0)
    circuit.reset(1)


@pytest.mark.parametrize("build", [late_reset, late_initialisation, measured_reset])
def test_elsewhere(backend, build):
    """Refused by all of them, with circuit, instruction, qubit and what to do."""
    circuit = QuantumCircuit(3, 3, name="again")
    build(circuit)
    name = circuit.data[-1].operation.name
    circuit.measure(0, 0)
    fine = QuantumCircuit(1, 1)
    fine.measure(0, 0)
    message = "AQT devices reset qubits at the beginning of a circuit only (on qubit 1)"
    for level in range(4):
        with pytest.raises(RefusedCircuitError) as refused:
            transpile(circuit, backend, optimization_level=level)
        assert str(refused.value) == (
            f"circuit 'again', reset: {message}; use a qubit that no operation has used"
        )
    for refuse in (
        lambda: execute([fine, circuit], backend),
        lambda: backend.run([fine, circuit], optimization_level=0),
        lambda: AQTSampler(backend).run([fine, circuit]).result(),
    ):
        with pytest.raises(InvalidCircuitError) as caught:
            refuse()
        (problem,) = caught.value.problems
        assert (problem.circuit, problem.instruction, problem.operation) == (1, 1, name)
        assert problem.reason == message
        assert problem.qubits == (1,)
        assert problem.mend == "use a qubit that no operation has used"


def test_qubits_that_do_not_begin_in_zero():
    """They keep their resets, if the transpiler is told so."""
    circuit = QuantumCircuit(1)
    circuit.reset(0)
    assert PassManager([LowerToAQT()]).run(circuit).count_ops() == {}
    assert PassManager([LowerToAQT(drop_resets=False)]).run(circuit).count_ops() == {"reset": 1}
    simulator = AerSimulator()
    for begins, count in ((True, {}), (False, {"reset": 1})):
        kept = transpile(
            circuit,
            simulator,
            translation_method="aqt_fast",
            qubits_initially_zero=begins,
            optimization_level=0,
        )
        assert kept.count_ops() == count
