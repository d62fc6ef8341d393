"""What an estimator is going to run, before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from aqt_fast._shots import simplified
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.estimating import job_estimate, requests_of
from aqt_fast.devices.device_time import DeviceTimes
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.prices import PriceList, amount
from aqt_fast.provider.table import Table
from aqt_fast.visualization import html
from aqt_fast.visualization.quantities import duration
from aqt_fast.wire.circuits import Limits

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
    """Likely time on the device for all shots, see :attr:`EstimationPlan.seconds`; None if unknown.
    """
    gates_of_shot: tuple[int, int] | None
    """Number of r and of rxx in one shot for the first parameter set; None if the time is unknown.
    """

    @property
    def two_qubit_gates(self) -> int:
        """Number of two-qubit gates that are appended; each becomes one rxx."""
        return sum(len(qubits) > 1 for _, qubits in self.gates)


@dataclass(frozen=True)
class Place:
    """What a plan knows of its backend."""

    backend_name: str
    """Its name."""
    api_limits: Limits | None
    """Limits of one API job there, None where there are none."""
    times: DeviceTimes | None
    """Durations there, None if they are unknown."""
    prices: PriceList | None
    """Prices there, None if they are unknown."""

    @classmethod
    def of(cls, backend: AQTResource) -> Place:
        """Take what a backend knows now."""
        return cls(backend.name, backend.api_limits, backend.device_times, backend.price_list)

    def estimate(
        self,
        gates: Sequence[tuple[int, int]],
        shots: Sequence[int],
        *,
        with_prices: bool = True,
    ) -> JobEstimate:
        """Return what a job would take.

        Args:
            gates: numbers of r and of rxx in one shot of each circuit.
            shots: repetitions of each circuit.
            with_prices: whether to tell the cost.
        """
        number = simplified(shots) if shots else 0
        return job_estimate(
            self.backend_name,
            lambda: np.array(gates, np.uint32).reshape(-1, 2),
            len(shots),
            number,
            requests_of(len(shots), number, self.api_limits),
            times=self.times,
            prices=self.prices if with_prices else None,
        )


class EstimationPlan(Table[GroupPlan]):
    """The groups of all PUBs in the order in which they run: a sequence that prints as a table."""

    HEADERS = ("PUB", "terms", "first terms", "rxx", "circuits", "shots each", "shots")
    EXPENDABLE: ClassVar[tuple[str, ...]] = ("terms", "circuits")
    SHORTENED = "first terms"

    def __init__(
        self,
        groups: Sequence[GroupPlan],
        standard_errors: Sequence[NDArray[np.float64]],
        place: Place,
    ) -> None:
        """Keep a plan.

        Args:
            groups: all groups.
            standard_errors: see :attr:`standard_errors`.
            place: the backend.
        """
        super().__init__(groups)
        self._place = place
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
        """Likely time on the device for all shots; None if it is unknown or there is no device.

        It counts the gates of the first parameter set of each group. :meth:`estimate` tells its
        bounds, and ``backend.device_times`` what it is made of.
        """
        times = [group.seconds for group in self]
        known = [time for time in times if time is not None]
        return sum(known) if len(known) == len(times) else None

    def estimate(self) -> JobEstimate:
        """Return what the job of the plan would take, by the backend's durations and prices.

        It counts the gates of the first parameter set of each group.

        Raises:
            InvalidJobError: there would be too many API jobs for one job.

        Warns:
            StalePriceWarning: the prices are old.
        """
        gates = [group.gates_of_shot or (0, 0) for group in self for _ in range(group.circuits)]
        return self._place.estimate(gates, self._shots_of_circuits())

    def _shots_of_circuits(self) -> list[int]:
        return [group.shots for group in self for _ in range(group.circuits)]

    def cost(self, *, per_shot: float, per_circuit: float = 0.0) -> float:
        """Return what the plan costs at these prices, in their currency.

        :meth:`estimate` takes the prices that the provider was given.

        Args:
            per_shot: the price of a shot.
            per_circuit: the price of a circuit with up to 2000 shots; one with more counts several
                times.
        """
        limits = self._place.api_limits
        most = limits and limits.shots
        runs = sum(-(-shots // (most or shots)) for shots in self._shots_of_circuits())
        return amount((per_shot, self.shots), (per_circuit, runs))

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self._summary()}"

    def _repr_html_(self) -> str:
        return html.block(html.table(self.HEADERS, self.rows()), html.line(self._summary()))

    def _summary(self) -> str:
        errors = [float(of_pub.max()) for of_pub in self._standard_errors if of_pub.size]
        parts = [f"{self.circuits} circuits", f"{self.shots} shots"]
        if errors:
            parts.append(f"standard error up to {max(errors):.3g}")
        if self.seconds is not None:
            parts.append(f"about {duration(self.seconds)} on the device")
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
        return type(self)(items, self._standard_errors, self._place)


_SHOWN = 4
"""Terms of a group that the table shows."""
