"""What is wrong with the PUBs of one call of ``run``: all of it, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import (
    CircuitProblem,
    InvalidCircuitError,
    InvalidInputError,
    InvalidPubError,
)
from aqt_fast.primitives.templates import Template, snapshot_of
from aqt_fast.wire.snapshot import Snapshot

_BAD_INPUT = (QiskitError, LookupError, TypeError, ValueError, ArithmeticError)
"""Errors that bad input may cause in Qiskit's classes and in expressions of parameters."""


class Sweep(NamedTuple):
    """A circuit with parameter sets of a PUB."""

    circuit: QuantumCircuit
    """The circuit, with final measurements."""
    values: NDArray[np.float64]
    """Shape (number of sets, number of parameters), columns as in ``circuit.parameters``."""
    pub: int
    """Index of the PUB, from 0."""
    shape: tuple[int, ...]
    """Shape of the PUB's parameter sets."""
    numbers: NDArray[np.intp] | None = None
    """Flat index of each set in ``shape``; None for all sets in order."""

    def parameter_set(self, row: int) -> tuple[int, ...]:
        """Return the index of a set in the PUB's array; empty if there is no array."""
        number = row if self.numbers is None else int(self.numbers[row])
        return tuple(int(index) for index in np.unravel_index(number, self.shape))


class PubProblems:
    """Collects what is wrong with PUBs."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._problems: dict[CircuitProblem, None] = {}  # each once, in order

    def __bool__(self) -> bool:
        return bool(self._problems)

    def add(self, pub: int, reason: str, parameter_set: tuple[int, ...] = ()) -> None:
        """Note a problem.

        Args:
            pub: index of the PUB.
            reason: what is wrong, in words.
            parameter_set: index of the parameter set, empty for all of them.
        """
        problem = CircuitProblem(
            pub, None, None, None, reason, pub=pub, parameter_set=parameter_set
        )
        self._problems[problem] = None

    def add_circuits(self, problems: Iterable[CircuitProblem], sweep: Sweep) -> None:
        """Note problems of circuits; those that all parameter sets share are told once.

        Args:
            problems: each with the index of its parameter set in the sweep.
            sweep: the parameter sets.
        """
        alike: dict[CircuitProblem, set[int]] = {}
        for problem in problems:
            shared = _of_pub(problem, sweep.pub)
            alike.setdefault(shared, set()).add(problem.circuit or 0)
        for shared, rows in alike.items():
            if len(rows) == len(sweep.values):
                self._problems[shared] = None
            else:
                for row in sorted(rows):
                    problem = replace(shared, parameter_set=sweep.parameter_set(row))
                    self._problems[problem] = None

    @contextmanager
    def of_pub(self, index: int) -> Iterator[None]:
        """Note an error of bad input in the block as a problem of a PUB, and end the block.

        Args:
            index: index of the PUB.
        """
        try:
            yield
        except InvalidCircuitError as error:
            for problem in error.problems:
                self._problems[_of_pub(problem, index)] = None
        except _BAD_INPUT as error:
            text = error.message if isinstance(error, QiskitError) else str(error)
            self.add(index, text.rstrip("."))

    def finite(self, sweep: Sweep) -> Sweep:
        """Note each parameter set with a value that is not finite, and return the others.

        Args:
            sweep: the parameter sets.
        """
        right = np.isfinite(sweep.values)
        rows = np.asarray(right.all(axis=1))
        if rows.all():
            return sweep
        for row in np.flatnonzero(~rows).tolist():
            first = int(np.argmin(right[row]))
            name, value = sweep.circuit.parameters[first].name, sweep.values[row, first]
            reason = f"the value of '{name}' is {value}, not a finite number"
            self.add(sweep.pub, reason, sweep.parameter_set(row))
        numbers = np.arange(len(rows)) if sweep.numbers is None else sweep.numbers
        return sweep._replace(values=sweep.values[rows], numbers=numbers[rows])

    def raise_any(self) -> None:
        """Raise an error if there is a problem.

        Raises:
            InvalidPubError: lists them, in the order of the PUBs.
        """
        if self._problems:
            raise InvalidPubError(sorted(self._problems, key=lambda problem: problem.pub or 0))


def _of_pub(problem: CircuitProblem, pub: int) -> CircuitProblem:
    """Place a problem in a PUB: among the circuits that the user has given, it has this index."""
    return replace(problem, circuit=pub, pub=pub, parameter_set=())


def listed_pubs(pubs: Any) -> list[Any]:
    """List the argument of ``run``.

    Raises:
        InvalidInputError: it is a single circuit, or cannot be listed.
    """
    if isinstance(pubs, QuantumCircuit):
        raise InvalidInputError("run takes a list of PUBs: run([circuit]) for a single circuit")
    try:
        return list(pubs)
    except TypeError:
        found = type(pubs).__name__
        raise InvalidInputError(
            f"run takes a list of PUBs, not an object of type '{found}'"
        ) from None


def check_bound(circuit: QuantumCircuit, values: Any) -> None:
    """Check that the parameters of a PUB's circuit have values.

    Args:
        circuit: the circuit.
        values: what the PUB has for them, None for nothing.

    Raises:
        ValueError: there are parameters, and no values.
    """
    if values is None and circuit.num_parameters:
        names = [f"'{parameter.name}'" for parameter in circuit.parameters[:_SHOWN]]
        others = circuit.num_parameters - len(names)
        text = ", ".join(names) + (f" and {others} more" if others else "")
        raise ValueError(f"no value for {text}")


_SHOWN = 5
"""How many parameters are told by name."""


def snapshot_of_sweeps(
    sweeps: Sequence[Sweep], backend: AQTResource, level: int, problems: PubProblems
) -> Snapshot:
    """Compile circuits for all of their parameter sets.

    Args:
        sweeps: the circuits, in the order of the job. One that comes several times is compiled
            once.
        backend: where they will run.
        level: that of :func:`aqt_fast.compile`.
        problems: what is wrong with other PUBs. Values that are not finite are added.

    Returns:
        The circuits of the job.

    Raises:
        InvalidPubError: lists what is wrong with all PUBs.
    """
    templates: dict[int, Template | InvalidCircuitError] = {}
    ready = []
    for sweep in map(problems.finite, sweeps):
        known = templates.get(id(sweep.circuit))
        if known is None:
            try:
                known = Template(sweep.circuit, backend, level)
            except InvalidCircuitError as error:
                known = error
            templates[id(sweep.circuit)] = known
        if isinstance(known, Template):
            ready.append((known, sweep))
        else:
            with problems.of_pub(sweep.pub):
                raise known
    failure: Exception | None = None
    if not problems:
        try:
            return snapshot_of([(known, sweep.values) for known, sweep in ready], backend.limits)
        except _BAD_INPUT as error:
            failure = error
    for template, sweep in ready:
        if not len(sweep.values):
            continue
        with problems.of_pub(sweep.pub):
            try:
                snapshot_of([(template, sweep.values)], backend.limits)
            except InvalidCircuitError as error:
                problems.add_circuits(error.problems, sweep)
    problems.raise_any()
    assert failure is not None  # noqa: S101 - without problems, a snapshot was tried
    raise failure
