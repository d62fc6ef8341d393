"""Clifford gates at the end of a circuit go into the observables, if that saves two-qubit gates."""

import numpy as np
import pytest
from aqt_fast.primitives.estimation.clifford_end import clifford_end
from aqt_fast.primitives.estimation.observables import pauli_terms
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.quantum_info import (
    Operator,
    PauliList,
    SparseObservable,
    SparsePauliOp,
    random_clifford,
    random_pauli_list,
)


def operator(terms) -> np.ndarray:
    """The matrix of the only observable."""
    paulis = PauliList.from_symplectic(terms.z, terms.x)
    (part,) = terms.coefficients
    return sum(value * paulis[int(term)].to_matrix() for term, value in zip(*part, strict=True))


@pytest.mark.parametrize("size", [2, 3, 4])
def test_observables_change_with_it(size):
    """C† O C before the end is O after it, for random circuits and observables."""
    rng = np.random.default_rng(size)
    for _ in range(10):
        first, last = QuantumCircuit(size), QuantumCircuit(size)
        for qubit in range(size):
            first.rx(rng.uniform(1, 2), qubit)
        last.compose(random_clifford(size, rng).to_circuit(), inplace=True)
        last.cx(0, 1)
        end = clifford_end(first.compose(last))
        assert end.circuit.count_ops() == {"rx": size}
        assert end.two_qubit_gates >= 1
        paulis = random_pauli_list(size, 5, seed=int(rng.integers(2**31)), phase=False)
        observable = SparsePauliOp(paulis, rng.normal(size=5)).simplify()
        observable = SparseObservable.from_sparse_pauli_op(observable)
        terms = pauli_terms([observable], size)
        c = Operator(last).data
        expected = c.conj().T @ operator(terms) @ c
        assert np.allclose(operator(end.observed(terms)), expected)


def test_what_stays():
    """Angles, what is before them, what is before a barrier, and what needs no rxx anyway."""
    circuit = QuantumCircuit(3)
    circuit.ry(Parameter("a"), [0, 1, 2])
    circuit.cx(0, 1)
    circuit.rz(0.5, 1)
    circuit.cx(0, 1)
    circuit.h(2)
    end = clifford_end(circuit)
    assert end.two_qubit_gates == 1
    assert [item.operation.name for item in end.circuit.data] == ["ry"] * 3 + ["cx", "rz"]
    assert list(end.circuit.parameters) == list(circuit.parameters)
    circuit.barrier()
    circuit.h(0)
    circuit.swap(0, 1)
    assert clifford_end(circuit) is None


def test_a_clifford_circuit_stays():
    """Otherwise nothing would run."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    assert clifford_end(circuit) is None


def test_gates_are_known_by_their_class():
    """Not by a name that others may have."""
    definition = QuantumCircuit(2)
    definition.rxx(0.3, 0, 1)
    namesake = Gate("cx", 2, [])
    namesake.definition = definition
    circuit = QuantumCircuit(2)
    circuit.rx(0.1, 0)
    circuit.append(namesake, [0, 1])
    assert clifford_end(circuit) is None


def test_other_control_states():
    """A gate that is controlled by 0 is another one."""
    last = QuantumCircuit(2)
    last.cx(0, 1, ctrl_state=0)
    circuit = QuantumCircuit(2)
    circuit.rx(0.1, [0, 1])
    end = clifford_end(circuit.compose(last))
    terms = pauli_terms([SparseObservable("ZI")], 2)
    c = Operator(last).data
    assert np.allclose(operator(end.observed(terms)), c.conj().T @ operator(terms) @ c)
