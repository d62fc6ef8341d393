"""Finds the ground energy of hydrogen with the variational quantum eigensolver.

H2 at 0.735 Å in the STO-3G basis, four spin orbitals on four qubits (Jordan-Wigner). One angle
mixes the Hartree-Fock state with the doubly excited one, which is all that the ground state has.
"""

from __future__ import annotations

from aqt_fast.primitives import AQTEstimator
from backends import chosen_backend
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize

EXACT = -1.137306
"""The ground energy in Hartree: the least eigenvalue of the Hamiltonian."""

HAMILTONIAN = SparsePauliOp.from_list(
    [
        ("IIII", -0.0905789610),
        ("IIIZ", 0.1721839333),
        ("IIZI", 0.1721839333),
        ("IZII", -0.2257534923),
        ("ZIII", -0.2257534923),
        ("IIZZ", 0.1689275387),
        ("ZZII", 0.1746434307),
        ("IZIZ", 0.1209126326),
        ("ZIZI", 0.1209126326),
        ("ZIIZ", 0.1661454326),
        ("IZZI", 0.1661454326),
        ("XXYY", -0.0452327999),
        ("YYXX", -0.0452327999),
        ("XYYX", 0.0452327999),
        ("YXXY", 0.0452327999),
    ]
)


def ansatz() -> QuantumCircuit:
    """The Hartree-Fock state, then an excitation of both electrons by an angle."""
    circuit = QuantumCircuit(4)
    circuit.x([0, 1])
    circuit.append(PauliEvolutionGate(SparsePauliOp("XXXY"), Parameter("θ")), range(4))
    return circuit


def main() -> None:
    """Minimise the energy, and print it."""
    circuit = ansatz()
    with chosen_backend(__doc__) as backend:
        estimator = AQTEstimator(backend, {"seed_simulator": 1})

        def energy(angles: list[float], precision: float = 0.01) -> float:
            job = estimator.run([(circuit, HAMILTONIAN, angles)], precision=precision)
            return float(job.result()[0].data.evs)

        found = minimize(energy, [0.0], method="COBYLA", options={"rhobeg": 0.3, "tol": 0.01})
        least = energy(found.x, precision=0.003)
    print(f"{found.nfev} evaluations, angle {found.x[0]:.3f}")
    print(f"energy {least:.4f} Hartree, exact {EXACT:.4f}")


if __name__ == "__main__":
    main()
