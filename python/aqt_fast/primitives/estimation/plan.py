"""What an estimator is going to run, before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from aqt_fast.provider.table import Table

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class GroupPlan:
    """Pauli terms that are measured in the same shots."""

    pub: int
    """Index of the PUB."""
    terms: tuple[str, ...]
    """The terms, as Qiskit writes them, at the end of the circuit that runs: if the Clifford gates
    at the circuit's end are left out, terms are what these gates make of those of the observables.
    """
    gates: tuple[tuple[str, tuple[int, ...]], ...]
    """Names and qubits of the gates that are appended before the measurement."""
    left_out: int
    """Number of two-qubit gates at the circuit's end that are left out."""
    circuits: int
    """Number of circuits: one for each parameter set."""
    shots: int
    """Repetitions of each circuit."""
    seconds: float | None
    """Time on the device for all shots, see :attr:`EstimationPlan.seconds`; None if unknown."""

    @property
    def two_qubit_gates(self) -> int:
        """Number of two-qubit gates that are appended; each becomes one rxx."""
        return sum(len(qubits) > 1 for _, qubits in self.gates)


class EstimationPlan(Table[GroupPlan]):
    """The groups of all PUBs in the order in which they run: a sequence that prints as a table."""

    HEADERS = ("PUB", "terms", "first terms", "rxx", "circuits", "shots each", "shots")
    EXPENDABLE: ClassVar[tuple[str, ...]] = ("terms", "circuits")
    SHORTENED = "first terms"

    def __init__(
        self, groups: Sequence[GroupPlan], standard_errors: Sequence[NDArray[np.float64]]
    ) -> None:
        """Keep a plan.

        Args:
            groups: all groups.
            standard_errors: see :attr:`standard_errors`.
        """
        super().__init__(groups)
        self._standard_errors = tuple(standard_errors)

    @property
    def standard_errors(self) -> tuple[NDArray[np.float64], ...]:
        """For each PUB, the standard error to be expected of each value, in the PUB's shape.

        No state exceeds it if the option ``variances`` is ``"bound"``; for ``"average"`` it is that
        of an average state. Results tell the errors that were measured.
        """
        return self._standard_errors

    @property
    def circuits(self) -> int:
        """Number of circuits that run."""
        return sum(group.circuits for group in self)

    @property
    def shots(self) -> int:
        """Number of shots of all circuits together."""
        return sum(group.circuits * group.shots for group in self)

    @property
    def seconds(self) -> float | None:
        """Time on the device for all shots, None if the backend does not tell its durations.

        It is the sum of the operations' durations, one after the other, for the first parameter set
        of each group. Cooling and preparation come on top: no backend tells how long they take.
        """
        times = [group.seconds for group in self]
        known = [time for time in times if time is not None]
        return sum(known) if len(known) == len(times) else None

    def cost(self, *, per_shot: float, per_circuit: float = 0.0) -> float:
        """Return what the plan costs.

        No resource tells its rates: they are those of your contract, in any currency.

        Args:
            per_shot: the price of a shot.
            per_circuit: the price of a circuit, whatever its shots.
        """
        return self.shots * per_shot + self.circuits * per_circuit

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self._summary()}"

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<p>{self._summary()}</p>"

    def _summary(self) -> str:
        errors = [float(of_pub.max()) for of_pub in self._standard_errors if of_pub.size]
        parts = [f"{self.circuits} circuits", f"{self.shots} shots"]
        if errors:
            parts.append(f"standard error up to {max(errors):.3g}")
        if self.seconds is not None:
            parts.append(f"at least {self.seconds:.3g} s on the device")
        return ", ".join(parts)

    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per group, with the columns of ``HEADERS``."""
        return [
            (
                group.pub,
                len(group.terms),
                " ".join(group.terms[:_SHOWN]) + (" …" if len(group.terms) > _SHOWN else ""),
                group.two_qubit_gates - group.left_out,
                group.circuits,
                group.shots,
                group.circuits * group.shots,
            )
            for group in self
        ]

    def _part(self, items: Sequence[GroupPlan]) -> Self:
        return type(self)(items, self._standard_errors)


_SHOWN = 4
"""Terms of a group that the table shows."""
