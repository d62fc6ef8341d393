"""Random circuits of AQT's gates."""

import math

import numpy as np
import pytest
from aqt_fast.wire.circuits import Limits
from qiskit import QuantumCircuit

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
