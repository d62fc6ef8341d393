"""Observables as sums of Pauli terms, which several observables share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import PauliList, SparseObservable

MOST_TERMS = 2**20
"""Maximum number of Pauli terms that the projectors of an observable may expand to."""


@dataclass(frozen=True)
class PauliTerms:
    """Distinct Pauli terms other than the identity, and what each observable makes of them."""

    x: NDArray[np.bool_]
    """Whether a term has X or Y on a qubit; shape (terms, qubits)."""
    z: NDArray[np.bool_]
    """Whether a term has Z or Y on a qubit; shape (terms, qubits)."""
    coefficients: tuple[tuple[NDArray[np.intp], NDArray[np.float64]], ...]
    """For each observable, indices of its terms, ascending, and their coefficients, not 0."""
    constants: NDArray[np.float64]
    """Coefficient of the identity in each observable."""

    def __len__(self) -> int:
        return len(self.x)

    @property
    def num_qubits(self) -> int:
        """Number of qubits of the observables."""
        return int(self.x.shape[1])

    def weights(self) -> NDArray[np.float64]:
        """Return the largest magnitude of each term's coefficients."""
        weights = np.zeros(len(self))
        for terms, values in self.coefficients:
            weights[terms] = np.maximum(weights[terms], np.abs(values))
        return weights

    def of_group(
        self, group: NDArray[np.intp]
    ) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]]:
        """Return the part of each observable that a group of terms makes up.

        Args:
            group: indices of terms.

        Returns:
            For each observable, places in the group, and coefficients.
        """
        place = np.full(len(self), -1, np.intp)
        place[group] = np.arange(len(group))
        parts = []
        for terms, values in self.coefficients:
            places = place[terms]
            inside = places >= 0
            parts.append((places[inside], values[inside]))
        return parts

    def labels(self, group: NDArray[np.intp]) -> list[str]:
        """Return the terms of a group as Qiskit writes them: qubit 0 is the last character."""
        labels: list[str] = PauliList.from_symplectic(self.z[group], self.x[group]).to_labels()
        return labels

    def conjugated(self, paulis: PauliList) -> PauliTerms:
        """Return the same observables in other terms.

        Args:
            paulis: what takes the place of each term; distinct, with a sign.
        """
        signs = 1.0 - paulis.phase.astype(np.float64)  # phase 2 is −1
        return PauliTerms(
            paulis.x,
            paulis.z,
            tuple((terms, values * signs[terms]) for terms, values in self.coefficients),
            self.constants,
        )


def pauli_terms(observables: Sequence[SparseObservable], num_qubits: int) -> PauliTerms:
    """Read observables; equal terms merge, projectors become sums of Paulis.

    A projector is (1 ± P) / 2 for a Pauli P: n of them in one term make 2ⁿ terms.

    Args:
        observables: Hermitian ones, all with ``num_qubits`` qubits.
        num_qubits: number of qubits.

    Raises:
        ValueError: projectors would make more than :data:`MOST_TERMS` terms.
    """
    plain = [_without_projectors(observable) for observable in observables]
    lengths = [len(observable) for observable in plain]
    total = sum(lengths)
    x = np.zeros((total, num_qubits), np.bool_)
    z = np.zeros((total, num_qubits), np.bool_)
    coefficients = np.zeros(total)
    start = 0
    for observable, length in zip(plain, lengths, strict=True):
        rows = start + _terms_of_letters(observable)
        letters = np.asarray(observable.bit_terms)
        x[rows, observable.indices] = letters & _X != 0
        z[rows, observable.indices] = letters & _Z != 0
        coefficients[start : start + length] = np.real(observable.coeffs)
        start += length
    firsts, names = _distinct(x, z)
    is_identity = ~(x[firsts] | z[firsts]).any(axis=1)
    kept = np.flatnonzero(~is_identity)
    renumbered = np.full(len(firsts), -1, np.intp)
    renumbered[kept] = np.arange(len(kept))
    numbers = renumbered[names]
    parts = []
    constants = np.zeros(len(plain))
    bounds = np.concatenate(([0], np.cumsum(lengths, dtype=np.intp)))
    for index in range(len(plain)):
        of_terms = numbers[bounds[index] : bounds[index + 1]]
        values = coefficients[bounds[index] : bounds[index + 1]]
        constants[index] = values[of_terms < 0].sum()
        terms, places = np.unique(of_terms[of_terms >= 0], return_inverse=True)
        sums = np.bincount(places, values[of_terms >= 0], len(terms))
        parts.append((terms[sums != 0], sums[sums != 0]))
    # A term may have coefficient 0 everywhere.
    used = np.unique(np.concatenate([terms for terms, _ in parts] or [np.zeros(0, np.intp)]))
    renumbered = np.zeros(len(kept), np.intp)
    renumbered[used] = np.arange(len(used))
    chosen = firsts[kept[used]]
    return PauliTerms(
        x[chosen],
        z[chosen],
        tuple((renumbered[terms], values) for terms, values in parts),
        constants,
    )


_X, _Z, _PROJECTOR = 0b10, 0b01, 0b1100
"""Bits of Qiskit's ``SparseObservable.BitTerm``."""


def _without_projectors(observable: SparseObservable) -> SparseObservable:
    is_projector = np.asarray(observable.bit_terms) & _PROJECTOR != 0
    if not is_projector.any():
        return observable
    numbers = np.bincount(_terms_of_letters(observable), is_projector, len(observable))
    size = float(np.exp2(numbers).sum())
    if size > MOST_TERMS:
        raise ValueError(
            f"the projectors of an observable make {size:.3g} Pauli terms, more than {MOST_TERMS}"
        )
    return observable.as_paulis().simplify()


def _terms_of_letters(observable: SparseObservable) -> NDArray[np.intp]:
    """Return the index of the term that each letter of an observable belongs to."""
    ends = np.asarray(observable.boundaries, np.intp)
    return np.repeat(np.arange(len(ends) - 1), ends[1:] - ends[:-1])


def _distinct(
    x: NDArray[np.bool_], z: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where each distinct term comes first, in this order, and the number of each term."""
    packed = np.packbits(np.concatenate((x, z), axis=1), axis=1)
    if not packed.size:
        count = min(len(x), 1)
        return np.zeros(count, np.intp), np.zeros(len(x), np.intp)
    keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, firsts, names = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(firsts, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return firsts[order], rank[names.ravel()]


def problems_of(observables: object) -> list[tuple[tuple[int, ...], str]]:
    """Return what is wrong with each of an array of observables, with its place.

    Args:
        observables: what ``ObservablesArray`` has refused.
    """
    try:
        array = ObservablesArray(
            observables, num_qubits=0, validate=False
        ).sparse_observables_array()
    except Exception:  # noqa: BLE001 - the array as a whole is wrong, and its error tells so
        return []
    found = []
    for place, observable in np.ndenumerate(array):
        try:
            ObservablesArray.coerce_observable(observable)
        except Exception as error:  # noqa: BLE001, PERF203 - many classes raise what they like
            found.append((place, str(error)))
    return found
