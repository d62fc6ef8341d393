"""What a job will take, and what it took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any

from aqt_fast.devices.device_time import DeviceTimes
from aqt_fast.devices.interval import Interval
from aqt_fast.devices.prices import Cost


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
        """Return what this job and another one on the same backend take together.

        The hashes are those of this one.
        """
        seconds, cost = None, None
        if self.device_seconds is not None and other.device_seconds is not None:
            both = zip(self.device_seconds, other.device_seconds, strict=True)
            seconds = Interval(*(mine + others for mine, others in both))
        if self.cost is not None and other.cost is not None:
            cost = self.cost.plus(other.cost)
        return replace(
            self,
            circuits=self.circuits + other.circuits,
            api_jobs=self.api_jobs + other.api_jobs,
            shots=self.shots + other.shots,
            device_seconds=seconds,
            cost=cost,
        )

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
        # Without colours of its own: it is readable on a light page and on a dark one.
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in self._rows()
        )
        return f"<table>{rows}</table>"

    def _rows(self) -> list[tuple[str, str]]:
        no_api_jobs = "none: it runs in this process"
        rows = [
            ("backend", self.backend_name),
            ("circuits", f"{self.circuits:,}"),
            ("API jobs", f"{self.api_jobs:,}" if self.api_jobs else no_api_jobs),
            ("shots", f"{self.shots:,}"),
            ("device time", _time_text(self.device_seconds)),
            ("cost", "unknown: no list of prices" if self.cost is None else str(self.cost)),
        ]
        if self.cost is not None:
            rows.append(("prices", self.cost.price_list.origin))
        if self.payload_hashes:
            number = len(self.payload_hashes)
            more = f" and {number - 1:,} more" if number > 1 else ""
            rows.append(("payloads", f"{self.payload_hashes[0]}{more}"))
        return rows


_UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0))


def _time_text(seconds: Interval | None) -> str:
    """Write an interval in the unit that suits its likely value."""
    if seconds is None:
        return "unknown"
    units = ((name, size) for name, size in _UNITS if seconds.likely >= 2 * size)
    name, size = next(units, _UNITS[-1])
    low, likely, high = (f"{value / size:.3g}" for value in seconds)
    return f"{likely} {name} ({low} to {high} {name})"
