"""The Clifford gates at the end of a circuit, taken into the observables."""

from __future__ import annotations

from typing import NamedTuple

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, library
from qiskit.quantum_info import Clifford, PauliList

from aqt_fast.primitives.estimation.observables import PauliTerms

_TWO_QUBIT_GATES: dict[type, int] = {
    library.CXGate: 1,
    library.CYGate: 1,
    library.CZGate: 1,
    library.ECRGate: 1,
    library.iSwapGate: 1,
    library.DCXGate: 1,
    library.SwapGate: 0,
}
"""The rxx of each two-qubit gate on a device; a swap only renames qubits."""

_CLIFFORD_GATES = (
    library.IGate,
    library.XGate,
    library.YGate,
    library.ZGate,
    library.HGate,
    library.SGate,
    library.SdgGate,
    library.SXGate,
    library.SXdgGate,
    *_TWO_QUBIT_GATES,
)


class CliffordEnd(NamedTuple):
    """A circuit cut into two: what runs, and a Clifford C that only changes the observables."""

    circuit: QuantumCircuit
    """The circuit without C."""
    clifford: Clifford
    """C."""
    two_qubit_gates: int
    """Number of rxx that C would take."""

    def observed(self, terms: PauliTerms) -> PauliTerms:
        """Return C† P C for each term P: what to measure before C instead of P after it."""
        paulis = PauliList.from_symplectic(terms.z, terms.x)
        return terms.conjugated(paulis.evolve(self.clifford, frame="h"))


def clifford_end(circuit: QuantumCircuit) -> CliffordEnd | None:
    """Cut off the gates of Qiskit's library at the end that are Clifford gates whatever they meet.

    Gates with angles stay, and so does what comes before a barrier.

    Args:
        circuit: a circuit without measurements.

    Returns:
        None if no two-qubit gate would be saved, or nothing would be left: who runs a Clifford
        circuit wants to see what the device makes of it.
    """
    blocked: set[int] = set()
    before: list[CircuitInstruction] = []
    end: list[CircuitInstruction] = []
    for item in reversed(circuit.data):
        qubits = {circuit.find_bit(qubit).index for qubit in item.qubits}
        if blocked.isdisjoint(qubits) and _is_clifford(item):
            end.append(item)
        else:
            blocked |= qubits
            before.append(item)
    saved = sum(_TWO_QUBIT_GATES.get(item.operation.base_class, 0) for item in end)
    if not saved or not any(item.operation.name != "barrier" for item in before):
        return None
    rest, last = circuit.copy_empty_like(), QuantumCircuit(circuit.num_qubits)
    for item in reversed(before):
        rest._append(item)  # noqa: SLF001 - copies instructions as they are
    for item in reversed(end):
        last.append(item.operation, [circuit.find_bit(qubit).index for qubit in item.qubits])
    return CliffordEnd(rest, Clifford(last), saved)


def _is_clifford(item: CircuitInstruction) -> bool:
    operation = item.operation
    return (
        getattr(operation, "base_class", None) in _CLIFFORD_GATES
        and not item.clbits
        and not operation.params
    )
