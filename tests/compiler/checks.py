"""What compiled circuits are measured by."""

import numpy as np
import pytest
from aqt_fast.wire.circuits import Limits, check_circuits
from qiskit import QuantumCircuit
from qiskit.quantum_info import (
    Operator,
)

pytestmark = pytest.mark.all_qiskits


LEVELS = [0, 1, 2, 3]
UNLIMITED = Limits(circuits=None, operations=10**6)


def per_qubit(circuit: QuantumCircuit) -> list[list]:
    """What happens to each qubit, in order, with angles to nine digits."""
    seen: list[list] = [[] for _ in circuit.qubits]
    for item in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in item.qubits]
        params = [round(float(param), 9) + 0.0 for param in item.params]
        for qubit in qubits:
            others = [] if item.name == "barrier" else qubits
            seen[qubit].append((item.name, others, params))
    return seen


def count(circuit: QuantumCircuit, *names: str) -> int:
    """How many operations with these names."""
    return sum(circuit.count_ops().get(name, 0) for name in names)


def assert_equivalent(compiled: QuantumCircuit, source: QuantumCircuit) -> None:
    """The same unitary, global phase included, and nothing but what devices run."""
    assert np.allclose(Operator.from_circuit(compiled).data, Operator(source).data, atol=1e-8)
    measured = compiled.copy()
    measured.measure_all()
    check_circuits(measured, UNLIMITED)
