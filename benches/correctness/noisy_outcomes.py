"""Goal: no difference between the native sampler's outcomes and Aer's density matrix.

Random circuits of one to eight qubits with random noise (mixtures of Paulis, rotations and resets
by qubit and by ordered pair, readout errors), 50 000 shots each by both native methods. Chi-squared
of the counts against the probabilities of the density matrix: the p-values of all circuits must be
uniform (Kolmogorov and Smirnov), and none below 0.001 divided by their number. Run it with
``make bench-noisy-outcomes``.
"""

from __future__ import annotations

import itertools
import math
import sys
import warnings

import click
import numpy as np
from aqt_fast import _native
from aqt_fast.backends.offline.mixtures import Mixtures
from qiskit import QuantumCircuit
from qiskit.circuit import Reset
from qiskit.circuit.library import RGate, RXXGate, XGate, YGate, ZGate
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError
from scipy.stats import chi2, kstest

SHOTS = 50_000
BASIS = ["rz", "r", "rxx"]


def random_circuit(rng: np.random.Generator, num_qubits: int) -> QuantumCircuit:
    """AQT's gates on random qubits, without measurements."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(int(rng.integers(1, 12 * num_qubits))):
        qubits = [int(qubit) for qubit in rng.permutation(num_qubits)]
        kind = rng.integers(3 if num_qubits > 1 else 2)
        if kind == 0:
            circuit.rz(rng.uniform(-3, 3), qubits[0])
        elif kind == 1:
            circuit.r(rng.uniform(0, math.pi), rng.uniform(0, 6), qubits[0])
        else:
            circuit.rxx(rng.uniform(0, math.pi / 2), *qubits[:2])
    return circuit


def random_error(rng: np.random.Generator, num_qubits: int) -> QuantumError:
    """Up to five terms of up to three operations."""
    terms = []
    for weight in rng.dirichlet([20, 1, 1, 1, 1][: int(rng.integers(1, 6))]):
        circuit = QuantumCircuit(num_qubits)
        circuit.id(0)
        for _ in range(int(rng.integers(0, 4))):
            qubits = [int(qubit) for qubit in rng.permutation(num_qubits)]
            gates = [XGate(), YGate(), ZGate(), Reset(), RGate(*rng.uniform(0, 1, 2).tolist())]
            if num_qubits == 2:
                gates.append(RXXGate(rng.uniform(0, 1)))
            gate = gates[rng.integers(len(gates))]
            circuit.append(gate, qubits[: gate.num_qubits])
        terms.append((circuit, weight))
    return QuantumError(terms)


def random_noise(rng: np.random.Generator, num_qubits: int) -> NoiseModel:
    """Errors of all qubits, and others of some of them."""
    noise = NoiseModel(BASIS)
    for name in ("rz", "r"):
        if rng.random() < 0.7:
            noise.add_all_qubit_quantum_error(random_error(rng, 1), [name])
        for qubit in range(num_qubits):
            if rng.random() < 0.3:
                noise.add_quantum_error(random_error(rng, 1), [name], [qubit], warnings=False)
    if rng.random() < 0.7:
        noise.add_all_qubit_quantum_error(random_error(rng, 2), ["rxx"])
    for pair in itertools.permutations(range(num_qubits), 2):
        if rng.random() < 0.3:
            noise.add_quantum_error(random_error(rng, 2), ["rxx"], list(pair), warnings=False)
    return noise


def probabilities(circuit: QuantumCircuit, noise: NoiseModel) -> np.ndarray:
    """Those of all outcomes before readout, from Aer's density matrix."""
    saved = circuit.copy()
    saved.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=noise, fusion_enable=False)
    state = simulator.run(saved).result().data()["density_matrix"]
    return np.real(np.diag(state.data)).clip(0)


def misread(found: np.ndarray, readouts: list[np.ndarray]) -> np.ndarray:
    """Probabilities after readout."""
    for qubit, rows in enumerate(readouts):
        found = np.einsum("asb,st->atb", found.reshape(-1, 2, 2**qubit), rows).reshape(-1)
    return found


def p_value(counts: np.ndarray, expected: np.ndarray) -> float:
    """Of chi-squared; outcomes expected less than ten times count as one."""
    rare = expected < 10
    observed = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    possible = expected > 1e-6
    if observed[~possible].any():
        return 0.0
    if possible.sum() < 2:
        return 1.0
    differences = (observed - expected)[possible] ** 2 / expected[possible]
    return float(chi2.sf(differences.sum(), possible.sum() - 1))


def p_values(rng: np.random.Generator, num_qubits: int, seed: int) -> list[float]:
    """Of a random circuit, by each method."""
    circuit, noise = random_circuit(rng, num_qubits), random_noise(rng, num_qubits)
    exact = probabilities(circuit, noise)
    readouts = []
    for qubit in range(num_qubits):
        wrong = rng.uniform(0, 0.2, 2) * (rng.random() < 0.5)
        rows = np.array([[1 - wrong[0], wrong[0]], [wrong[1], 1 - wrong[1]]])
        noise.add_readout_error(ReadoutError(rows), [qubit])
        readouts.append(rows)
    expected = SHOTS * misread(exact, readouts)
    circuit.measure_all()
    snapshot = _native.Snapshot([circuit], max_qubits=20, max_operations=10_000)
    found = []
    for method in ("trajectories", "density_matrix"):
        (samples,) = _native.sample_trajectories(
            snapshot, 0, 1, Mixtures.of(noise).native, shots=SHOTS, seeds=[seed], method=method
        )
        outcomes = np.frombuffer(samples.rows, dtype=np.uint8)
        found.append(p_value(np.bincount(outcomes, minlength=2**num_qubits), expected))
    return found


@click.command()
@click.option("--circuits", default=400, show_default=True, help="Random circuits.")
@click.option("--seed", default=1, show_default=True)
def main(circuits: int, seed: int) -> None:
    """Compare, and fail if anything differs."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(seed)
    found = np.array([p_values(rng, 1 + index % 8, index) for index in range(circuits)])
    failed = False
    for name, values in zip(("trajectories", "density matrix"), found.T, strict=True):
        lowest, uniform = values.min(), kstest(values[values < 1], "uniform").pvalue
        failed |= lowest < 0.001 / circuits or uniform < 0.001
        click.echo(
            f"{name}: {circuits} circuits of 1 to 8 qubits, {SHOTS} shots: lowest p-value "
            f"{lowest:.2g}, p-value of their uniformity {uniform:.2g}"
        )
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
