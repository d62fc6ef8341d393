"""Makes ``hamiltonians.json``, the observables that ``hamiltonians.py`` reads.

The benches do not need it again. It runs in an environment of its own::

    uv pip install pyscf==2.14.0 openfermion==1.8.1 openfermionpyscf==0.5 qiskit==2.6.2
    python benches/support/make_hamiltonians.py

Molecules are in the STO-3G basis and mapped by Jordan and Wigner (even qubits: spin up). LiH is
tapered by its four Z2 symmetries (Bravyi et al., arXiv:1701.08213), in the sector of its
Hartree-Fock state. Each ground energy is the least eigenvalue of what is written, and compared with
PySCF's full configuration interaction for molecules.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from hamiltonians import System, bonds, qaoa
from numpy.typing import NDArray
from openfermion import MolecularData, jordan_wigner
from openfermionpyscf import run_pyscf
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector, Z2Symmetries
from scipy.optimize import minimize
from scipy.sparse.linalg import eigsh

PACKAGES = ("pyscf", "openfermion", "openfermionpyscf", "qiskit")
BEGINNINGS = 3
SMALLEST = 1e-8
"""Coefficients below are the rounding of the integrals."""

#: A cubic graph with cycles of odd length, whose largest cut is not all of its edges.
EDGES = [(q, (q + 1) % 12) for q in range(12)] + [(0, 4), (1, 9), (2, 6), (3, 7), (5, 10), (8, 11)]
WEIGHTS = [1, 3, 2, 1, 2, 3, 1, 1, 2, 3, 2, 1, 2, 1, 3, 1, 2, 1]


def molecule(atoms: list[tuple[str, tuple[float, float, float]]]) -> tuple[Any, SparsePauliOp]:
    """PySCF's results and the Hamiltonian, by Jordan and Wigner."""
    data = run_pyscf(MolecularData(atoms, "sto-3g", 1, 0), run_fci=True)
    terms = jordan_wigner(data.get_molecular_hamiltonian()).terms
    operator = SparsePauliOp.from_sparse_list(
        [
            ("".join(letter for _, letter in term), [qubit for qubit, _ in term], value.real)
            for term, value in terms.items()
        ],
        num_qubits=data.n_qubits,
    )
    return data, operator.simplify(atol=SMALLEST)


def occupied(data: Any) -> list[int]:
    """The bits of the Hartree-Fock state, qubit 0 first."""
    return [int(qubit < data.n_electrons) for qubit in range(data.n_qubits)]


def tapered(operator: SparsePauliOp, bits: list[int]) -> tuple[SparsePauliOp, list[int]]:
    """The sector of a basis state, and the bits of the qubits that are left."""
    found = Z2Symmetries.find_z2_symmetries(operator)
    values = [
        int((-1) ** sum(bit for bit, z in zip(bits, symmetry.z, strict=True) if z))
        for symmetry in found.symmetries
    ]
    found.tapering_values = values
    left = [bit for qubit, bit in enumerate(bits) if qubit not in found.sq_list]
    return found.taper(operator).simplify(atol=SMALLEST), left


def ground_energy(operator: SparsePauliOp) -> float:
    """The least eigenvalue."""
    matrix = operator.to_matrix(sparse=True).real
    return float(eigsh(matrix, k=1, which="SA", v0=np.ones(matrix.shape[0]))[0][0])


def entry(operator: SparsePauliOp, about: str, **more: Any) -> dict[str, Any]:
    """What the file has about one system."""
    terms = {label: float(value.real) for label, value in operator.to_list()}
    return {
        "about": about,
        "num_qubits": operator.num_qubits,
        "ground_energy": ground_energy(operator),
        **more,
        "terms": terms,
    }


def best_angles(
    operator: SparsePauliOp,
    circuit: Callable[[NDArray[np.float64]], QuantumCircuit],
    shape: tuple[int, int],
) -> list[list[float]]:
    """The angles with the least energy, of some random beginnings."""
    matrix = operator.to_matrix(sparse=True)

    def energy(angles: NDArray[np.float64]) -> float:
        state = Statevector(circuit(angles.reshape(shape))).data
        return float(np.vdot(state, matrix @ state).real)

    rng = np.random.default_rng(1)
    tried = [minimize(energy, rng.uniform(0, 0.5, shape[0] * shape[1])) for _ in range(BEGINNINGS)]
    best = min(tried, key=lambda found: found.fun)
    print(f"angles give {best.fun:.4f}")
    return np.round(best.x.reshape(shape), 4).tolist()


def h2() -> dict[str, Any]:
    """Hydrogen, 4 qubits."""
    data, operator = molecule([("H", (0, 0, 0)), ("H", (0, 0, 0.735))])
    made = entry(operator, "H2, 0.735 Å, STO-3G, Jordan-Wigner", reference=occupied(data))
    assert abs(made["ground_energy"] - data.fci_energy) < 1e-7
    return made | {"hartree_fock_energy": float(data.hf_energy)}


def lih() -> dict[str, Any]:
    """Lithium hydride, tapered."""
    data, operator = molecule([("Li", (0, 0, 0)), ("H", (0, 0, 1.6))])
    small, bits = tapered(operator, occupied(data))
    made = entry(
        small,
        "LiH, 1.6 Å, STO-3G, Jordan-Wigner on 12 qubits, tapered by four Z2 symmetries",
        reference=bits,
    )
    assert abs(made["ground_energy"] - data.fci_energy) < 1e-7
    return made | {"hartree_fock_energy": float(data.hf_energy)}


def heisenberg() -> dict[str, Any]:
    """XX + YY + ZZ on a chain of 12."""
    pairs = itertools.pairwise(range(12))
    operator = SparsePauliOp.from_sparse_list(
        [(2 * letter, pair, 1) for pair in pairs for letter in "XYZ"], num_qubits=12
    )
    angles = best_angles(operator, lambda layers: bonds(12, layers.tolist()), (3, 2))
    return entry(operator, "Σ XX + YY + ZZ, open chain", reference=[0, 1] * 6, angles=angles)


def maxcut() -> dict[str, Any]:
    """Σ w ZZ / 2 on a graph; the weight of a cut is half of all weights less the energy."""
    operator = SparsePauliOp.from_sparse_list(
        [("ZZ", edge, weight / 2) for edge, weight in zip(EDGES, WEIGHTS, strict=True)],
        num_qubits=12,
    )
    values = operator.to_matrix(sparse=True).diagonal().real
    best = int(values.argmin())
    edges = [[*edge, weight] for edge, weight in zip(EDGES, WEIGHTS, strict=True)]
    system = System("", "", operator, 0, [], {"edges": edges})
    return entry(
        operator,
        "Σ w ZZ / 2 over the edges of a weighted cubic graph",
        reference=[best >> qubit & 1 for qubit in range(12)],
        edges=edges,
        angles=best_angles(operator, lambda layers: qaoa(system, *layers.tolist()), (2, 3)),
        largest_cut=float(sum(WEIGHTS) / 2 - values.min()),
    )


def main() -> None:
    """Write the file."""
    content = {
        "versions": {name: version(name) for name in PACKAGES},
        "systems": {"H2": h2(), "LiH": lih(), "Heisenberg-12": heisenberg(), "QAOA-12": maxcut()},
    }
    path = Path(__file__).with_name("hamiltonians.json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    for name, system in content["systems"].items():
        print(name, system["num_qubits"], len(system["terms"]), system["ground_energy"])


if __name__ == "__main__":
    main()
