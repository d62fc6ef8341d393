"""The planner of the estimator on NumPy arrays; Rust does the work (``rust/estimate``).

Terms are Hermitian Pauli products in bit masks: ``x`` and ``z`` are uint64 arrays of shape (K, W)
with W = ceil(number of qubits / 64). Bit q % 64 of word q // 64 is qubit q; a qubit with both bits
has Y. All functions are deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aqt_fast import _native

Masks: TypeAlias = NDArray[np.uint64]
"""Bits of each term, shape (K, W)."""

Sum: TypeAlias = tuple[ArrayLike, ArrayLike]
"""An observable: indices of its terms, and as many real coefficients."""

_WORD = 64


class Basis(NamedTuple):
    """A circuit after which terms are products of Z."""

    gates: list[tuple[str, tuple[int, ...]]]
    """``h``, ``s``, ``sdg``, ``cx`` and ``cz`` with their qubits, in order of time."""
    masks: Masks
    """Which measured bits' parity is the term's value; shape (K, W)."""
    signs: NDArray[np.int8]
    """1 or −1, by which the parity's value is multiplied; shape (K,)."""

    @property
    def two_qubit_gates(self) -> int:
        """Number of gates on two qubits; each takes one RXX on the device."""
        return sum(len(qubits) == 2 for _, qubits in self.gates)


class Expectations(NamedTuple):
    """What measured rows say."""

    means: NDArray[np.float64]
    """Mean of each term, with its sign; shape (sets, K)."""
    values: NDArray[np.float64]
    """Mean of each observable; shape (sets, O)."""
    variances: NDArray[np.float64]
    """Unbiased variance of a single shot of each observable, 0 for one shot; shape (sets, O)."""


def pack_bits(bits: NDArray[np.bool_]) -> Masks:
    """Pack booleans of shape (K, number of qubits), such as ``PauliList.x``, into masks."""
    bits = np.asarray(bits, dtype=bool)
    if bits.ndim != 2:
        raise ValueError(f"bits have shape {bits.shape}, but need two axes")
    terms, qubits = bits.shape
    words = max(1, -(-qubits // _WORD))
    octets = np.zeros((terms, words * 8), dtype=np.uint8)
    packed = np.packbits(bits, axis=1, bitorder="little")
    octets[:, : packed.shape[1]] = packed
    return octets.view("<u8").astype(np.uint64, copy=False)


def group_terms(
    x: Masks, z: Masks, weights: NDArray[np.float64], *, qubit_wise: bool
) -> list[NDArray[np.intp]]:
    """Divide terms into groups that are measured together.

    Chosen is the division with the smallest sum of √(Σ weights²) over groups, whose square is what
    the expected shots are proportional to (Crawford et al., Quantum 5, 385 (2021)). It has no more
    groups than greedy colouring by largest degree, Qiskit's way, unless more save 2 % of the shots.

    Args:
        x: bits of the terms.
        z: bits of the terms.
        weights: absolute values of coefficients, shape (K,).
        qubit_wise: whether the terms of a group must commute on each qubit.

    Returns:
        Ascending indices of terms for each group, in the order of their first ones.

    Raises:
        ValueError: the shapes do not fit together, or a weight is negative or not finite.
    """
    words = _words(x)
    weights = np.asarray(weights, dtype=np.float64)
    if _words(z) != words or weights.shape != (len(x),):
        raise ValueError("x, z and weights are of different shapes")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("weights must be finite and not negative")
    groups = _native.group_terms(
        _bytes(x, "<u8"),
        _bytes(z, "<u8"),
        _bytes(weights, "<f8"),
        words=words,
        qubit_wise=qubit_wise,
    )
    return [np.array(group, dtype=np.intp) for group in groups]


def diagonalise(x: Masks, z: Masks, *, num_qubits: int) -> Basis:
    """Find a Clifford circuit C with few two-qubit gates so that each C P C† is ± a product of Z.

    Terms that commute qubit by qubit need no two-qubit gates.

    Args:
        x: bits of the terms.
        z: bits of the terms.
        num_qubits: number of qubits of the circuit.

    Raises:
        ValueError: two terms do not commute, the shapes do not fit together, or a term acts on
            qubits that the circuit does not have.
    """
    words = _words(x)
    if words != max(1, -(-num_qubits // _WORD)) or _words(z) != words or len(x) != len(z):
        raise ValueError("x, z and the number of qubits do not fit together")
    if (rest := num_qubits - _WORD * (words - 1)) < _WORD and (
        ((x[:, -1] | z[:, -1]) >> np.uint64(rest)).any()
    ):
        raise ValueError(f"a term acts on more than {num_qubits} qubits")
    gates, masks, signs = _native.diagonalise(_bytes(x, "<u8"), _bytes(z, "<u8"), words=words)
    return Basis(
        gates=[(name, tuple(qubits)) for name, qubits in gates],
        masks=_masks(masks, words),
        signs=np.array(signs, dtype=np.int8),
    )


def expectations(
    rows: NDArray[np.uint8], masks: Masks, signs: NDArray[np.int8], observables: Sequence[Sum]
) -> Expectations:
    """Evaluate terms and observables from measured rows. Other threads run meanwhile.

    An observable's variance is that of its value in each shot, so it has the covariances of terms
    that were measured together. The squared standard error of ``values`` is ``variances / shots``.

    Args:
        rows: bits of shape (sets, shots, bytes), as those of a Qiskit ``BitArray``.
        masks: those of a basis.
        signs: those of a basis.
        observables: terms and coefficients of each one; terms may be shared.

    Raises:
        ValueError: there are no shots, the shapes do not fit together, or a mask has bits that the
            rows do not have.
    """
    words = _words(masks)
    rows = np.asarray(rows, dtype=np.uint8)
    if rows.ndim != 3 or signs.shape != (len(masks),):
        raise ValueError("rows need three axes, and each mask a sign")
    if rows.shape[1] < 1:
        raise ValueError("there are no shots")
    if not (np.abs(signs) == 1).all():
        raise ValueError("signs must be 1 or -1")
    means, values, variances = _native.expectations(
        _bytes(rows, "u1"),
        rows.shape,
        _bytes(masks, "<u8"),
        _bytes(signs, "i1"),
        _entries(observables),
        words=words,
    )
    sets = len(rows)
    return Expectations(
        means=_floats(means, (sets, len(masks))),
        values=_floats(values, (sets, len(observables))),
        variances=_floats(variances, (sets, len(observables))),
    )


def half_spreads(masks: Masks, observables: Sequence[Sum]) -> NDArray[np.float64]:
    """Bound the standard deviation of a single shot of each observable, whatever the state.

    The bound is half the difference between the largest and the smallest value that a shot can have
    (Popoviciu's inequality). It is exact where masks that depend on each other have a rank of at
    most 12; beyond that, it is the sum of the absolute values of their coefficients.

    Args:
        masks: those of a basis.
        observables: terms and coefficients of each one; coefficients include the terms' signs.

    Returns:
        Shape (O,).

    Raises:
        ValueError: the shapes do not fit together.
    """
    words = _words(masks)
    spreads = _native.half_spreads(_bytes(masks, "<u8"), _entries(observables), words=words)
    return np.array(spreads, dtype=np.float64)


def allocate_shots(
    variances: NDArray[np.float64], errors: NDArray[np.float64], *, minimum: int = 1
) -> NDArray[np.int64]:
    """Find the fewest shots of each group that give each observable its standard error.

    Minimises Σ N[g] so that Σ_g variances[o, g] / N[g] ≤ errors[o]² for each observable o. For one
    observable, N[g] = √V[g] Σ √V / error² (Neyman, J. R. Stat. Soc. 97, 558 (1934)), rounded to
    whole numbers.

    Args:
        variances: of a single shot, shape (O, G).
        errors: target standard errors, shape (O,).
        minimum: least number of shots of each group.

    Returns:
        Shape (G,).

    Raises:
        ValueError: a variance is negative, an error or the minimum is not positive, one is not
            finite, or the shapes do not fit together.
        OverflowError: a group needs more than 2⁵³ shots.
    """
    variances = np.asarray(variances, dtype=np.float64)
    errors = np.asarray(errors, dtype=np.float64)
    if variances.ndim != 2 or errors.shape != variances.shape[:1]:
        raise ValueError("variances need two axes, and each of their rows an error")
    if minimum < 1:
        raise ValueError(f"the minimum is {minimum}, but a group needs a shot")
    shots = _native.allocate_shots(
        _bytes(variances, "<f8"),
        _bytes(errors, "<f8"),
        groups=variances.shape[1],
        minimum=minimum,
    )
    return np.array(shots, dtype=np.int64)


def _words(masks: Masks) -> int:
    """Words of a mask."""
    if masks.ndim != 2 or masks.dtype != np.uint64 or masks.shape[1] < 1:
        raise ValueError("masks must be uint64 arrays of shape (terms, words)")
    return int(masks.shape[1])


def _bytes(array: NDArray[Any], dtype: str) -> bytes:
    return np.ascontiguousarray(array, dtype=dtype).tobytes()


def _masks(octets: bytearray, words: int) -> Masks:
    return np.frombuffer(octets, dtype="<u8").reshape(-1, words).astype(np.uint64, copy=False)


def _floats(octets: bytearray, shape: tuple[int, int]) -> NDArray[np.float64]:
    return np.frombuffer(octets, dtype="<f8").reshape(shape).astype(np.float64, copy=False)


def _entries(observables: Sequence[Sum]) -> tuple[bytes, bytes, bytes]:
    """Observables one after the other: their ends, terms and coefficients."""
    terms = [np.asarray(terms, dtype=np.int64).ravel() for terms, _ in observables]
    coefficients = [np.asarray(values, dtype=np.float64).ravel() for _, values in observables]
    if [len(part) for part in terms] != [len(part) for part in coefficients]:
        raise ValueError("an observable has different numbers of terms and coefficients")
    ends = np.cumsum([0, *map(len, terms)])
    empty = np.zeros(0)
    return (
        _bytes(ends, "<i8"),
        _bytes(np.concatenate([empty.astype(np.int64), *terms]), "<i8"),
        _bytes(np.concatenate([empty, *coefficients]), "<f8"),
    )
