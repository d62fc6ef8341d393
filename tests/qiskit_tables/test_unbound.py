"""Elements of a parameter vector without a value: refused or kept, with every Qiskit."""

import pytest
from aqt_fast import compile as compile_circuits
from aqt_fast.exceptions import InvalidCircuitError
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import efficient_su2

pytestmark = pytest.mark.all_qiskits


@pytest.fixture
def unbound() -> QuantumCircuit:
    """A circuit of AQT's gates with an element of a vector."""
    circuit = QuantumCircuit(2)
    circuit.r(ParameterVector("t", 2)[1], 0.0, 0)
    circuit.rxx(0.5, 0, 1)
    circuit.measure_all()
    return circuit


def test_refused(backend, unbound):
    """By run and compile, with its name."""
    for refuse in (backend.run, lambda circuit: compile_circuits(circuit, backend)):
        with pytest.raises(InvalidCircuitError, match=r"unbound parameters: t\[1\]"):
            refuse(unbound)


@pytest.mark.parametrize("level", range(4))
def test_transpiled(backend, level):
    """Bound after transpiling, an ansatz runs; all its parameters are there until then."""
    ansatz = efficient_su2(2, reps=1)
    ansatz.measure_all()
    transpiled = transpile(ansatz, backend, optimization_level=level)
    assert set(transpiled.parameters) == set(ansatz.parameters)
    bound = transpiled.assign_parameters([0.0] * transpiled.num_parameters)
    assert backend.run(bound, shots=20).result().get_counts() == {"00": 20}
