"""From the PUBs of an estimator to the circuits that it runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparseObservable

from aqt_fast.aqt_options import MOST_SHOTS
from aqt_fast.primitives.estimation.broadcasting import Blocks, blocks_of
from aqt_fast.primitives.estimation.clifford_end import CliffordEnd, clifford_end
from aqt_fast.primitives.estimation.estimates import MeasuredBlocks, MeasuredPub
from aqt_fast.primitives.estimation.gate_errors import GateErrors
from aqt_fast.primitives.estimation.measurement import (
    Measurement,
    MeasurementGroup,
    plan_measurement,
)
from aqt_fast.primitives.estimation.observables import PauliTerms, pauli_terms
from aqt_fast.primitives.options import Grouping, Variances
from aqt_fast.primitives.pubs import Sweep


@dataclass(frozen=True)
class PlannedBlocks:
    """Blocks of a PUB whose observables are the same."""

    numbers: NDArray[np.intp]
    """The blocks."""
    sets: NDArray[np.intp]
    """Flat indices of their parameter sets."""
    observables: NDArray[np.intp]
    """Flat indices of the observables of their first block."""
    places: NDArray[np.intp]
    """Flat places in the result; shape (sets, observables)."""
    measurement: Measurement
    """How they are measured."""
    left_out: int
    """Number of two-qubit gates at the end of the PUB's circuit that do not run."""
    circuits: tuple[QuantumCircuit, ...]
    """The circuit of each group, with measurements."""


@dataclass(frozen=True)
class PlannedPub:
    """What runs for a PUB."""

    index: int
    """Index of the PUB."""
    pub: EstimatorPub
    """The PUB, with a precision."""
    values: NDArray[np.float64]
    """Parameter values; shape (sets, parameters)."""
    parts: tuple[PlannedBlocks, ...]
    """What is measured, in the order of the job."""

    def groups(self) -> Iterator[tuple[PlannedBlocks, MeasurementGroup, QuantumCircuit]]:
        """Yield each group of terms in the order of the job."""
        for part in self.parts:
            for group, circuit in zip(part.measurement.groups, part.circuits, strict=True):
                yield part, group, circuit

    def sweeps(self) -> Iterator[Sweep]:
        """Yield the circuits with their parameter sets in the order of the job."""
        shape = self.pub.parameter_values.shape
        for part, group, circuit in self.groups():
            if not group.shots:
                continue
            yield Sweep(circuit, self.values[part.sets], self.index, shape, part.sets)

    def shots(self) -> list[int]:
        """Return the repetitions of each circuit in the order of the job."""
        return [
            group.shots
            for part, group, _ in self.groups()
            if group.shots
            for _ in range(len(part.sets))
        ]

    def measured(self) -> MeasuredPub:
        """Return what the result needs besides outcomes."""
        return MeasuredPub(
            self.pub.parameter_values.shape,
            self.pub.observables.shape,
            self.pub.circuit.num_qubits,
            self.pub.circuit.num_clbits,
            float(self.pub.precision),
            self.pub.circuit.metadata,
            tuple(MeasuredBlocks.of(part.numbers, part.measurement) for part in self.parts),
        )

    def standard_errors(self, variances: Variances) -> NDArray[np.float64]:
        """Return the standard error of each value of the result before anything is measured.

        Args:
            variances: which variances to expect.
        """
        errors = np.zeros(math.prod(self.pub.shape))
        for part in self.parts:
            errors[part.places] = part.measurement.standard_errors(variances)
        return errors.reshape(self.pub.shape)


_LARGEST = 1e100
"""Largest coefficient: the squares of larger ones overflow."""


@dataclass
class Planner:
    """Plan PUBs. What PUBs of one circuit share is worked out once."""

    grouping: Grouping
    """See :func:`~aqt_fast.primitives.estimation.measurement.plan_measurement`."""
    variances: Variances
    """See :func:`~aqt_fast.primitives.estimation.measurement.plan_measurement`."""
    gate_errors: GateErrors
    """Error rates of two-qubit gates."""
    cut_ends: bool
    """Whether to take the Clifford gates at the end of circuits into the observables."""
    _ends: dict[int, tuple[QuantumCircuit, CliffordEnd | None]] = field(default_factory=dict)
    _measured: dict[tuple[Any, ...], QuantumCircuit] = field(default_factory=dict)

    def plan(self, index: int, pub: EstimatorPub) -> PlannedPub:
        """Plan a PUB.

        Args:
            index: its index.
            pub: a PUB with a precision greater than 0, without measurements.

        Raises:
            ValueError: an observable or a value is not finite, or too many shots are needed.
        """
        circuit = pub.circuit
        shape = pub.parameter_values.shape
        values = _values(pub).reshape(math.prod(shape), circuit.num_parameters)
        if 0 in pub.shape:
            return PlannedPub(index, pub, values, ())
        blocks = blocks_of(shape, pub.observables.shape)
        found, names = _named(pub.observables.sparse_observables_array().ravel())
        alike: dict[tuple[int, ...], list[int]] = {}
        for number, of_block in enumerate(names[blocks.observables].tolist()):
            alike.setdefault(tuple(of_block), []).append(number)
        parts = [
            self._planned(pub, blocks, np.array(numbers, np.intp), [found[name] for name in key])
            for key, numbers in alike.items()
        ]
        return PlannedPub(index, pub, values, tuple(parts))

    def _planned(
        self,
        pub: EstimatorPub,
        blocks: Blocks,
        numbers: NDArray[np.intp],
        observables: Sequence[SparseObservable],
    ) -> PlannedBlocks:
        terms = pauli_terms(observables, pub.circuit.num_qubits)
        too_many = f"the precision {pub.precision} needs more than {MOST_SHOTS} shots of a circuit"
        if any(np.any(np.abs(values) > _LARGEST) for _, values in terms.coefficients):
            raise ValueError("the coefficients of an observable are too large")
        try:
            circuit, measurement, left_out = self._measurement(
                pub.circuit, terms, float(pub.precision)
            )
        except OverflowError:
            raise ValueError(too_many) from None
        if any(group.shots > MOST_SHOTS for group in measurement.groups):
            raise ValueError(too_many)
        return PlannedBlocks(
            numbers,
            blocks.sets[numbers].ravel(),
            blocks.observables[numbers[0]],
            blocks.places[numbers].reshape(-1, len(observables)),
            measurement,
            left_out,
            tuple(self._circuit(circuit, group) for group in measurement.groups),
        )

    def _measurement(
        self, circuit: QuantumCircuit, terms: PauliTerms, precision: float
    ) -> tuple[QuantumCircuit, Measurement, int]:
        """Return the circuit that prepares the state, how to measure it, and what was left out.

        The end of the circuit is cut off if that saves two-qubit gates in all shots together, and
        neither the shots nor their mean square error in an average state increase.
        """

        def planned(of: PauliTerms) -> Measurement:
            errors = np.full(len(of.constants), precision)
            return plan_measurement(
                of,
                errors,
                grouping=self.grouping,
                variances=self.variances,
                gate_errors=self.gate_errors,
            )

        plain = planned(terms)
        end = self._end(circuit) if plain.groups else None
        if end is None:
            return circuit, plain, 0
        cut = planned(end.observed(terms))
        saves = cut.two_qubit_gates < plain.two_qubit_gates + end.two_qubit_gates * plain.shots
        if saves and cut.is_as_good_as(plain):
            return end.circuit, cut, end.two_qubit_gates
        return circuit, plain, 0

    def _end(self, circuit: QuantumCircuit) -> CliffordEnd | None:
        if not self.cut_ends:
            return None
        if id(circuit) not in self._ends:
            # The circuit is kept as well, so that no other one gets its identity.
            self._ends[id(circuit)] = circuit, clifford_end(circuit)
        return self._ends[id(circuit)][1]

    def _circuit(self, circuit: QuantumCircuit, group: MeasurementGroup) -> QuantumCircuit:
        """Return the circuit with the gates of a basis, and measurements of the qubits it reads."""
        qubits = _bits(np.bitwise_or.reduce(group.basis.masks, axis=0))
        key = (id(circuit), tuple(group.basis.gates), tuple(qubits))
        if key not in self._measured:
            self._measured[key] = _measured(circuit, group, qubits)
        return self._measured[key]


def _measured(
    circuit: QuantumCircuit, group: MeasurementGroup, qubits: Sequence[int]
) -> QuantumCircuit:
    measured = circuit.copy()
    taken = {register.name for register in circuit.cregs}
    name = "observed"
    while name in taken:
        name += "_"
    measured.add_register(ClassicalRegister(circuit.num_qubits, name))
    for gate, places in group.basis.gates:
        getattr(measured, gate)(*places)
    for qubit in qubits:
        measured.measure(qubit, circuit.num_clbits + qubit)
    return measured


def _bits(mask: NDArray[np.uint64]) -> list[int]:
    """Return the numbers of the bits that are set in the words of a mask."""
    octets = np.ascontiguousarray(mask, "<u8").view(np.uint8)
    bits: list[int] = np.flatnonzero(np.unpackbits(octets, bitorder="little")).tolist()
    return bits


def _values(pub: EstimatorPub) -> NDArray[np.float64]:
    """Return parameter values with a last axis as in ``circuit.parameters``."""
    values = pub.parameter_values.as_array(pub.circuit.parameters)
    if np.iscomplexobj(values):
        raise ValueError("parameter values must be real numbers")
    return np.asarray(values, np.float64)


def _named(
    observables: NDArray[Any],
) -> tuple[list[SparseObservable], NDArray[np.intp]]:
    """Return the distinct observables, and which of them each one is.

    Raises:
        ValueError: a coefficient is not finite.
    """
    names: dict[Any, int] = {}
    known: dict[int, int] = {}
    distinct: list[SparseObservable] = []
    numbers = np.empty(len(observables), np.intp)
    for index, observable in enumerate(observables):
        number = known.get(id(observable))
        if number is None:
            arrays = (
                observable.coeffs, observable.bit_terms, observable.indices, observable.boundaries
            )  # fmt: skip
            if not np.isfinite(arrays[0]).all():
                raise ValueError(f"a coefficient of observable {index} is not finite")
            key = tuple(np.asarray(array).tobytes() for array in arrays)
            number = known[id(observable)] = names.setdefault(key, len(names))
            if number == len(distinct):
                distinct.append(observable)
        numbers[index] = number
    return distinct, numbers
