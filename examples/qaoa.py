"""Cuts a weighted graph with the quantum approximate optimisation algorithm.

The estimator gives the mean weight of the cuts while SciPy looks for the best angles; then the
sampler shows the cuts themselves.
"""

from __future__ import annotations

from itertools import product

from aqt_fast.primitives import AQTEstimator, AQTSampler
from backends import chosen_backend
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize

EDGES = [(0, 1, 2), (1, 2, 1), (2, 3, 3), (3, 4, 1), (4, 5, 2), (5, 0, 1), (0, 3, 2), (1, 4, 1)]
"""Two nodes and the weight between them; one qubit a node."""
NODES = 6
LAYERS = 2


def weight(sides: str) -> int:
    """The weight of all edges between the sides; the last character is node 0."""
    return sum(value for a, b, value in EDGES if sides[-1 - a] != sides[-1 - b])


def ansatz() -> QuantumCircuit:
    """Edges turn phases, then each qubit mixes; as many times as there are layers."""
    phases, mixing = ParameterVector("γ", LAYERS), ParameterVector("β", LAYERS)
    circuit = QuantumCircuit(NODES)
    circuit.h(range(NODES))
    for layer in range(LAYERS):
        for a, b, value in EDGES:
            circuit.rzz(value * phases[layer], a, b)
        circuit.rx(2 * mixing[layer], range(NODES))
    return circuit


def main() -> None:
    """Look for the angles, sample, and print the best cut."""
    circuit = ansatz()
    # An edge is cut where ZZ is -1: its share is (1 - ZZ) / 2.
    mean_weight = SparsePauliOp.from_sparse_list(
        [("", [], sum(value for *_, value in EDGES) / 2)]
        + [("ZZ", [a, b], -value / 2) for a, b, value in EDGES],
        num_qubits=NODES,
    )
    with chosen_backend(__doc__) as backend:
        estimator = AQTEstimator(backend, {"seed_simulator": 1})

        def cost(angles: list[float]) -> float:
            job = estimator.run([(circuit, mean_weight, angles)], precision=0.1)
            return -float(job.result()[0].data.evs)

        # Parameters come in the order of their names: mixing first.
        found = minimize(
            cost, [-0.5, -0.2, 0.2, 0.4], method="COBYLA", options={"rhobeg": 0.2, "tol": 0.02}
        )
        measured = circuit.measure_all(inplace=False)
        sampler = AQTSampler(backend, {"seed_simulator": 1})
        counts = sampler.run([(measured, found.x)], shots=500).result()[0].data.meas.get_counts()
    best = max(counts, key=weight)
    largest = max(weight("".join(sides)) for sides in product("01", repeat=NODES))
    print(f"{found.nfev} evaluations, mean weight {-found.fun:.2f} of {largest}")
    print(f"best cut {best}, weight {weight(best)}, sampled {counts[best]} times of 500")


if __name__ == "__main__":
    main()
