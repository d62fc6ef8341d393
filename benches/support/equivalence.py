"""Do two circuits do the same? MQT QCEC first, and a random state where it does not know."""

from __future__ import annotations

from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Statevector, random_statevector
from qiskit.transpiler import TranspileLayout
from qiskit_aer import AerSimulator

#: Of amplitudes, phases aligned; rounding of 10⁵ gates stays below.
TOLERANCE = 1e-7


def put_back(circuit: QuantumCircuit, layout: TranspileLayout | None) -> QuantumCircuit:
    """The circuit with SWAPs at its end that bring all qubits back to where they began."""
    back = circuit.copy()
    back._layout = None  # noqa: SLF001
    if layout is None:
        return back
    assert layout.initial_index_layout() == list(range(circuit.num_qubits))
    ends = layout.final_index_layout()
    for qubit in range(len(ends)):
        while (end := ends[qubit]) != qubit:
            back.swap(qubit, end)
            ends = [{qubit: end, end: qubit}.get(place, place) for place in ends]
    return back


def verdict(one: QuantumCircuit, other: QuantumCircuit, seconds: float) -> str:
    """How two circuits of standard gates compare, up to a global phase.

    Decision diagrams alone: ZX rewriting leaves rotations undecided, and without a tolerance
    rounding keeps equal nodes apart. It also misleads them in circuits of thousands of gates, so
    whatever they do not call equivalent is settled by what both make of a random state: that is the
    same for different unitaries with probability 0.

    Returns:
        ``not_equivalent``, or who says that they are equivalent.
    """
    from mqt import qcec

    found = qcec.verify(
        one, other, timeout=seconds, run_zx_checker=False, numerical_tolerance=1e-10
    ).equivalence.name
    if found in ("equivalent", "equivalent_up_to_global_phase"):
        return "equivalent by QCEC"
    if same_on_a_random_state(one, other):
        return f"same on a random state (QCEC: {found})"
    return "not_equivalent"


def same_on_a_random_state(one: QuantumCircuit, other: QuantumCircuit) -> bool:
    """Whether both make the same of a random state, up to a phase."""
    start = random_statevector(2**one.num_qubits, seed=1)
    first, second = (evolved(circuit, start) for circuit in (one, other))
    return first.equiv(second, rtol=0, atol=TOLERANCE)


def evolved(circuit: QuantumCircuit, start: Statevector) -> Statevector:
    """What a circuit makes of a state, by Aer."""
    whole = QuantumCircuit(circuit.num_qubits)
    whole.set_statevector(start)
    whole.compose(circuit, inplace=True)
    whole.save_statevector()
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)
    whole = transpile(whole, simulator, optimization_level=0)  # Aer lacks some standard gates
    return simulator.run(whole).result().get_statevector()
