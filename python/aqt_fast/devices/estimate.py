"""What a job will take, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aqt_fast._texts import one_line
from aqt_fast.devices.device_time import DeviceTimes
from aqt_fast.devices.interval import Interval
from aqt_fast.devices.prices import Cost, amount
from aqt_fast.visualization import html


@dataclass(frozen=True)
class JobEstimate:
    """What a job will take, as far as it is known.

    Prints as text, and as a table in notebooks.
    """

    backend_name: str
    """Where it would run."""
    circuits: int
    """Number of circuits."""
    api_jobs: int
    """Number of API jobs; with direct access, of runs on the machine; 0 in this process."""
    shots: int
    """Number of shots of all circuits together."""
    device_seconds: Interval | None
    """Seconds on the device, without the queue; None if there is no device, or no durations."""
    cost: Cost | None
    """What it costs; None without a list of prices."""
    payload_hashes: tuple[str, ...] = ()
    """SHA-256 of each request body, in hexadecimal; empty unless the bodies were made."""
    device_times: DeviceTimes | None = None
    """The durations that the seconds are from; None without seconds."""

    def plus(self, other: JobEstimate) -> JobEstimate:
        """Return what this job and another one on the same backend take together."""
        return added([self, other]) or self

    def to_dict(self) -> dict[str, Any]:
        """Return all figures in JSON's types."""
        seconds, times = self.device_seconds, self.device_times
        return {
            "backend_name": self.backend_name,
            "circuits": self.circuits,
            "api_jobs": self.api_jobs,
            "shots": self.shots,
            "device_seconds": None if seconds is None else seconds._asdict(),
            "cost": None if self.cost is None else self.cost.to_dict(),
            "payload_hashes": list(self.payload_hashes),
            "device_times": None if times is None else times.to_dict(),
        }

    def __str__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def _repr_html_(self) -> str:
        return html.block(html.facts(self._rows()))

    def _rows(self) -> list[tuple[str, str]]:
        api_jobs, time = "none: it runs in this process", "none"
        if self.api_jobs:
            api_jobs, time = f"{self.api_jobs:,}", "unknown"
        if self.device_seconds is not None:
            time = _time_text(self.device_seconds)
        rows = [
            ("backend", one_line(self.backend_name)),
            ("circuits", f"{self.circuits:,}"),
            ("API jobs", api_jobs),
            ("shots", f"{self.shots:,}"),
            ("device time", time),
            ("cost", "unknown: no list of prices" if self.cost is None else str(self.cost)),
        ]
        if self.cost is not None:
            rows.append(("prices", self.cost.price_list.origin))
        if self.payload_hashes:
            number = len(self.payload_hashes)
            more = f" and {number - 1:,} more" if number > 1 else ""
            rows.append(("payloads", f"{self.payload_hashes[0]}{more}"))
        return rows


def added(estimates: Sequence[JobEstimate]) -> JobEstimate | None:
    """Return what jobs of one backend take together; None if there are none.

    What is unknown of one of them is unknown of all.
    """
    if not estimates:
        return None
    first = estimates[0]
    seconds = [item.device_seconds for item in estimates if item.device_seconds is not None]
    costs = [item.cost for item in estimates if item.cost is not None]
    cost = None
    if len(costs) == len(estimates) and len({each.price_list for each in costs}) == 1:
        total = amount(*((each.amount, 1) for each in costs))
        cost = Cost(total, costs[0].currency, costs[0].price_list)
    return JobEstimate(
        backend_name=first.backend_name,
        circuits=sum(item.circuits for item in estimates),
        api_jobs=sum(item.api_jobs for item in estimates),
        shots=sum(item.shots for item in estimates),
        device_seconds=(
            Interval(*map(sum, zip(*seconds, strict=True)))
            if len(seconds) == len(estimates)
            else None
        ),
        cost=cost,
        payload_hashes=tuple(digest for item in estimates for digest in item.payload_hashes),
        device_times=first.device_times,
    )


_UNITS = (("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def _time_text(seconds: Interval) -> str:
    """Write an interval in the unit that suits its likely value."""
    units = ((name, size) for name, size in _UNITS if seconds.likely >= 2 * size)
    name, size = next(units, _UNITS[-1])
    low, likely, high = (_three_digits(value / size) for value in seconds)
    return f"{likely} {name} ({low} to {high} {name})"


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
