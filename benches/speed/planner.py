"""Goal: 2000 terms are grouped within 20 ms, 5000 qubit-wise within 100 ms.

And: no more groups than Qiskit; expectation values within 0.3 ns a term and shot. Run it with
``make bench-planner``. Terms are random on 12 qubits. Qiskit's ``PauliList.group_commuting`` and
``BitArray.expectation_values`` run in the same process on the same terms and bits, in turn with
ours; medians. The exit code is 1 if a grouping has more groups than Qiskit's at equal weights, or
if values differ.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from aqt_fast.primitives.estimation import planner
from qiskit.primitives import BitArray
from qiskit.quantum_info import PauliList, SparsePauliOp, random_pauli_list
from tabulate import tabulate

NUM_QUBITS = 12
SEED = 2026

Calls = dict[str, Callable[[], Any]]


def medians(calls: Calls, rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Median seconds of calls in turn, after one round that does not count; and their values."""
    values = {name: call() for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[name]) for name in calls}, values


def grouping(size: int, *, qubit_wise: bool, rounds: int) -> tuple[list[Any], bool]:
    """A row of the table, and whether there are no more groups than Qiskit has."""
    paulis = random_pauli_list(NUM_QUBITS, size, seed=SEED, phase=False)
    x, z = planner.pack_bits(paulis.x), planner.pack_bits(paulis.z)
    weights = np.ones(size)
    times, groups = medians(
        {
            "qiskit": lambda: paulis.group_commuting(qubit_wise=qubit_wise),
            "ours": lambda: planner.group_terms(x, z, weights, qubit_wise=qubit_wise),
        },
        rounds,
    )
    way = "qubit-wise" if qubit_wise else "general"
    row = _row(f"group {size} terms, {way}", times, 1e3, "ms")
    ours, theirs = len(groups["ours"]), len(groups["qiskit"])
    return [*row, f"{ours} groups, Qiskit {theirs}"], ours <= theirs


def weighted(size: int, *, qubit_wise: bool) -> list[Any]:
    """How shots compare where weights are uneven: log-normal, with a deviation of 1."""
    paulis = random_pauli_list(NUM_QUBITS, size, seed=SEED, phase=False)
    weights = np.exp(np.random.default_rng(SEED).normal(size=size))
    ours = planner.group_terms(
        planner.pack_bits(paulis.x), planner.pack_bits(paulis.z), weights, qubit_wise=qubit_wise
    )
    theirs = [
        np.rint(group.coeffs.real).astype(int) - 1
        for group in SparsePauliOp(paulis, np.arange(1, size + 1)).group_commuting(qubit_wise)
    ]

    def cost(groups: list[Any]) -> float:
        return float(sum(np.sqrt((weights[group] ** 2).sum()) for group in groups)) ** 2

    way = "qubit-wise" if qubit_wise else "general"
    return [
        f"{size} uneven terms, {way}",
        f"{len(theirs)} groups",
        f"{len(ours)} groups",
        f"{cost(ours) / cost(theirs):.2f}",
        "ratio of expected shots",
    ]


def bases(size: int, rounds: int) -> list[Any]:
    """Circuits for all groups of terms that commute."""
    paulis = random_pauli_list(NUM_QUBITS, size, seed=SEED, phase=False)
    x, z = planner.pack_bits(paulis.x), planner.pack_bits(paulis.z)
    groups = planner.group_terms(x, z, np.ones(size), qubit_wise=False)
    times, found = medians(
        {
            "ours": lambda: [
                planner.diagonalise(x[group], z[group], num_qubits=NUM_QUBITS) for group in groups
            ]
        },
        rounds,
    )
    gates = statistics.mean(basis.two_qubit_gates for basis in found["ours"])
    microseconds = f"{times['ours'] / len(groups) * 1e6:.0f} µs"
    terms = f"{size / len(groups):.1f} terms"
    return [f"basis of a group of {terms}", "", microseconds, "", f"{gates:.1f} two-qubit gates"]


def values(num_terms: int, shots: int, rounds: int, *, one: bool) -> tuple[list[Any], bool]:
    """A row of the table, a term and shot, and whether values are equal."""
    rng = np.random.default_rng(SEED)
    array = BitArray.from_bool_array(rng.random((shots, NUM_QUBITS)) < 0.3)
    bits = rng.random((num_terms, NUM_QUBITS)) < 0.5
    coefficients = rng.normal(size=num_terms)
    terms = PauliList.from_symplectic(bits, np.zeros_like(bits))
    if one:
        diagonal: Any = SparsePauliOp(terms, coefficients)
        observables: list[planner.Sum] = [(np.arange(num_terms), coefficients)]
    else:
        diagonal = [SparsePauliOp(term) for term in terms]
        observables = []
    masks, signs = planner.pack_bits(bits), np.ones(num_terms, dtype=np.int8)
    times, found = medians(
        {
            "qiskit": lambda: array.expectation_values(diagonal),
            "ours": lambda: planner.expectations(
                array.array[np.newaxis], masks, signs, observables
            ),
        },
        rounds,
    )
    ours = found["ours"].values[0, 0] if one else found["ours"].means[0]
    what = "one sum, with its variance" if one else "each term"
    name = f"{what}: {num_terms} terms, {shots} shots"
    row = _row(name, times, 1e9 / num_terms / shots, "ns")
    return [*row, "a term and shot"], bool(np.allclose(ours, found["qiskit"]))


def _row(name: str, times: dict[str, float], scale: float, unit: str) -> list[Any]:
    """Times of both and their ratio."""
    ours, theirs = times["ours"], times["qiskit"]
    return [
        name,
        f"{theirs * scale:.3g} {unit}",
        f"{ours * scale:.3g} {unit}",
        f"{theirs / ours:.0f}×",
    ]


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Of the slow calls; others ×3.")
def main(rounds: int) -> None:
    """Print the table."""
    rows, good = [], []
    for size, qubit_wise in ((2000, False), (5000, True)):
        row, fine = grouping(size, qubit_wise=qubit_wise, rounds=rounds)
        rows.append(row)
        good.append(fine)
    rows += [weighted(2000, qubit_wise=False), weighted(2000, qubit_wise=True)]
    rows.append(bases(2000, 3 * rounds))
    for num_terms, shots, one in ((100, 1000, False), (1000, 10_000, False), (100, 10_000, True)):
        row, fine = values(num_terms, shots, 3 * rounds, one=one)
        rows.append(row)
        good.append(fine)
    print(tabulate(rows, headers=["", "Qiskit", "ours", "ratio", ""], tablefmt="github"))
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
