"""pytket-qiskit: circuits in both directions, and the description of a backend."""

from __future__ import annotations

import pytest
from pytket.circuit import Circuit, OpType
from pytket.extensions.qiskit import process_characterisation, qiskit_to_tk, tk_to_qiskit
from pytket.passes import AutoRebase, FullPeepholeOptimise, SequencePass
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Operator


def _ghz() -> Circuit:
    circuit = Circuit(3)
    circuit.H(0)
    circuit.CX(0, 1)
    circuit.Ry(0.7, 2)
    circuit.CX(1, 2)
    circuit.T(2)
    return circuit


def test_compiled_by_pytket(ideal):
    """A circuit in PhasedX, Rz and XXPhase runs as it is, at whatever angles."""
    circuit = _ghz()
    expected = circuit.get_unitary()
    gates = {OpType.Rz, OpType.PhasedX, OpType.XXPhase}
    SequencePass([FullPeepholeOptimise(), AutoRebase(gates)]).apply(circuit)
    native = tk_to_qiskit(circuit)
    assert set(native.count_ops()) <= {"rz", "r", "rxx"}
    # The first qubit of pytket is the highest bit of its index.
    assert Operator(native.reverse_bits()).equiv(Operator(expected))

    native.measure_all()
    counts = ideal.run(native, shots=4000).result().get_counts()
    for index, probability in enumerate(abs(expected[:, 0]) ** 2):
        outcome = f"{index:03b}"[::-1]
        assert counts.get(outcome, 0) / 4000 == pytest.approx(probability, abs=0.04)


def test_transpiled_and_back(ideal):
    """A transpiled circuit survives the way to pytket and back."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cp(1.1, 1, 2)
    circuit.ry(-0.4, 2)
    transpiled = transpile(circuit, ideal)
    back = tk_to_qiskit(qiskit_to_tk(transpiled))
    assert Operator(back).equiv(Operator(circuit))
    transpiled.measure_all()
    back.measure_all()
    runs = ideal.run([transpiled, transpile(back, ideal)], shots=1000)
    first, second = runs.result().get_counts()
    assert set(first) == set(second)


@pytest.mark.parametrize("name", ["ideal", "noisy"])
def test_characterisation(request, name):
    """All pairs are connected; errors of gates are those of the noise.

    pytket-qiskit 0.79 doubles those of every other direction, with any backend.
    """
    backend = request.getfixturevalue(name)
    described = process_characterisation(backend)
    size = backend.num_qubits
    assert len(described["Architecture"].coupling) == size * (size - 1)
    errors = {error for gates in described["EdgeErrors"].values() for error in gates.values()}
    assert errors == ({0.0} if name == "ideal" else {0.0075, 0.015})
