"""How to measure the observables of a circuit: groups of terms, bases and shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from aqt_fast.primitives.estimation.gate_errors import GateErrors
from aqt_fast.primitives.estimation.observables import PauliTerms
from aqt_fast.primitives.estimation.planner import (
    Basis,
    allocate_shots,
    diagonalise,
    group_terms,
    half_spreads,
    pack_bits,
)
from aqt_fast.primitives.options import Grouping, Variances


@dataclass(frozen=True)
class MeasurementGroup:
    """Terms that are measured in the same shots."""

    terms: NDArray[np.intp]
    """Indices of its terms, ascending."""
    basis: Basis
    """Gates to append to the circuit, and the bits whose parity gives each term."""
    parts: tuple[tuple[NDArray[np.intp], NDArray[np.float64]], ...]
    """What it makes up of each observable: places in ``terms``, and coefficients."""
    half_spreads: NDArray[np.float64]
    """Half the difference of an observable's extreme values in a shot, for each observable."""
    shots: int = 0
    """Repetitions for each parameter set."""

    def average_variances(self) -> NDArray[np.float64]:
        """Return the variance of a shot in an average state, Σ c², for each observable."""
        return np.array([float(values @ values) for _, values in self.parts])


@dataclass(frozen=True)
class Measurement:
    """How the observables of a circuit are measured for each of its parameter sets."""

    terms: PauliTerms
    """The terms, as they are at the end of the circuit that runs."""
    groups: tuple[MeasurementGroup, ...]
    """Each term is in one of them."""
    errors: NDArray[np.float64]
    """Target standard error of each observable."""

    @property
    def shots(self) -> int:
        """Shots for each parameter set, of all groups."""
        return sum(group.shots for group in self.groups)

    @property
    def two_qubit_gates(self) -> int:
        """Two-qubit gates of all bases, once for each shot."""
        return sum(group.basis.two_qubit_gates * group.shots for group in self.groups)

    def standard_errors(self, variances: Variances) -> NDArray[np.float64]:
        """Return the standard error of each observable, for variances that are not yet known.

        Args:
            variances: ``"bound"`` for the largest possible, ``"average"`` for an average state.
        """
        total = np.zeros(len(self.errors))
        for group in self.groups:
            known = group.half_spreads**2 if variances == "bound" else group.average_variances()
            total += known / group.shots
        return np.sqrt(total)

    def is_as_good_as(self, other: Measurement) -> bool:
        """Whether it needs no more shots than another one, nor has a larger error per shot.

        The error is that of each observable in an average state, with the same number of shots.
        """
        mine, others = (one.standard_errors("average") ** 2 * one.shots for one in (self, other))
        return self.shots <= other.shots and bool(np.all(mine <= others * (1 + _TIE)))


def plan_measurement(
    terms: PauliTerms,
    errors: NDArray[np.float64],
    *,
    grouping: Grouping,
    variances: Variances,
    gate_errors: GateErrors,
) -> Measurement:
    r"""Group the terms of observables, and share shots among the groups.

    **Shots.** The standard error of an observable is :math:`\sqrt{\sum_g v_g / N_g}`, with the
    variance :math:`v_g` of a shot and the shots :math:`N_g` of group :math:`g`. The fewest shots
    that keep it below the target :math:`p` are :math:`N_g = \sqrt{v_g} \sum_h \sqrt{v_h} / p^2`
    (Lagrange; Crawford et al., Quantum 5, 385 (2021)). What :math:`v_g` is depends on the
    state:

    - ``bound``: no more than the square of half the spread of the group's values, whatever the
      state is (Popoviciu's inequality). The target is met with certainty.
    - ``average``: :math:`\sum_k c_k^2`, the mean over all states, up to a part in
      :math:`2^n`: terms are then uncorrelated and have the mean 0. The target is met by an average
      state; terms that are correlated make the error larger, at most by the square root of the
      number of terms.

    **Grouping.** ``auto`` takes groups of terms that commute in general instead of qubit by qubit
    if all of that holds:

    - they need no more shots, and
    - with as many shots as the others need, their mean square error,
      :math:`m \sum_g v_g / N_g + b^2`, is less for each observable. Here :math:`v_g` is that of an
      average state, and the margin :math:`m = 1.6` is for states that are not: terms that commute
      only in general are often correlated in the states that one prepares, which makes up for fewer
      groups (a Heisenberg chain in its ground state takes 1.6 times as many shots with general
      groups as with qubit-wise ones, where an average state would take 1.5 times fewer). The gates
      that they append shrink what a group measures by a factor of :math:`f_g`, the product of
      :math:`1 - \tfrac{4}{3} \epsilon` over its two-qubit gates with error rates :math:`\epsilon`
      (depolarising noise of the same average fidelity: Magesan et al., Phys. Rev. Lett. 106,
      180504 (2011)); this moves the value by no more than
      :math:`b = \sum_g (1 - f_g) h_g`, with half the spread :math:`h_g` of the group's values.

    Args:
        terms: the terms of all observables.
        errors: target standard error of each observable, greater than 0.
        grouping: ``"qubit_wise"`` groups terms that commute on each qubit; ``"general"`` all
            that commute, by appending two-qubit gates; ``"auto"`` chooses one of them;
            ``"none"`` measures each term alone.
        variances: which variances the shots are for.
        gate_errors: error rates of two-qubit gates.

    Raises:
        OverflowError: the errors need more than 2⁵³ shots.
    """
    return _planned_once(_Task(terms, errors, grouping, variances, gate_errors))


@dataclass(frozen=True, eq=False)
class _Task:
    """The arguments of :func:`plan_measurement`, equal if their contents are."""

    terms: PauliTerms
    errors: NDArray[np.float64]
    grouping: Grouping
    variances: Variances
    gate_errors: GateErrors

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that the plan depends on."""
        terms = self.terms
        arrays = [terms.x, terms.z, terms.constants, self.errors]
        arrays += [array for part in terms.coefficients for array in part]
        errors = self.gate_errors
        return (
            *[(array.shape, array.tobytes()) for array in arrays],
            self.grouping,
            self.variances,
            errors.otherwise,
            tuple(errors.of_pairs.items()),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Task) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


@lru_cache(maxsize=32)
def _planned_once(task: _Task) -> Measurement:
    """Plan a measurement; who minimises a value asks for the same plan again and again."""
    terms, errors, variances = task.terms, task.errors, task.variances
    if task.grouping != "auto":
        return _planned(terms, errors, task.grouping, variances)
    plain = _planned(terms, errors, "qubit_wise", variances)
    if len(plain.groups) < 2:  # nothing to be saved
        return plain
    general = _planned(terms, errors, "general", variances)
    return general if _is_better(general, plain, task.gate_errors) else plain


def _is_better(general: Measurement, plain: Measurement, gate_errors: GateErrors) -> bool:
    if general.shots > plain.shots:
        return False
    biases = np.zeros(len(plain.errors))
    for group in general.groups:
        biases += (1 - gate_errors.signal(group.basis.gates)) * group.half_spreads
    variances = general.standard_errors("average") ** 2 * general.shots / plain.shots
    before = plain.standard_errors("average") ** 2
    after = _MARGIN * variances + biases**2
    # An observable of which nothing is measured has no error in either.
    return bool(np.all(after <= before) and np.any(after < before * (1 - _TIE)))


_MARGIN = 1.6
"""How many times smaller the variance of general groups must be in an average state."""

_TIE = 1e-9
"""Relative difference below which two errors are the same but for rounding."""


def _planned(
    terms: PauliTerms, errors: NDArray[np.float64], grouping: Grouping, variances: Variances
) -> Measurement:
    groups = [_group(terms, indices) for indices in _grouped(terms, grouping)]
    return Measurement(terms, _with_shots(groups, errors, variances), errors)


def _grouped(terms: PauliTerms, grouping: Grouping) -> list[NDArray[np.intp]]:
    if not len(terms):
        return []
    if grouping == "none":
        return [np.array([index]) for index in range(len(terms))]
    x, z = pack_bits(terms.x), pack_bits(terms.z)
    return group_terms(x, z, terms.weights(), qubit_wise=grouping == "qubit_wise")


def _group(terms: PauliTerms, indices: NDArray[np.intp]) -> MeasurementGroup:
    x, z = pack_bits(terms.x[indices]), pack_bits(terms.z[indices])
    basis = diagonalise(x, z, num_qubits=terms.num_qubits)
    parts = terms.of_group(indices)
    signed = [(places, values * basis.signs[places]) for places, values in parts]
    return MeasurementGroup(indices, basis, tuple(parts), half_spreads(basis.masks, signed))


def _with_shots(
    groups: Sequence[MeasurementGroup], errors: NDArray[np.float64], variances: Variances
) -> tuple[MeasurementGroup, ...]:
    if not groups:
        return ()
    known = [
        group.half_spreads**2 if variances == "bound" else group.average_variances()
        for group in groups
    ]
    shots = allocate_shots(np.array(known).T, errors).tolist()
    return tuple(
        replace(group, shots=int(number)) for group, number in zip(groups, shots, strict=True)
    )
