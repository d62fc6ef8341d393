"""What a job is, without its circuits and results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import groupby
from types import NoneType
from typing import Any

from aqt_fast.store.checksummed_json import entry
from aqt_fast.store.location import (
    JobLocation,
    SimulatorLocation,
    location_from_json,
    location_to_json,
)
from aqt_fast.wire.plan import BatchPlan, Part


@dataclass(frozen=True)
class JobDescription:
    """The content of ``job.json``."""

    job_id: str
    """The job's own identifier, a UUID: that of the batch."""
    backend_name: str
    """Name of the backend."""
    available_qubits: int
    """Number of qubits of the backend."""
    location: JobLocation
    """Portal, machine or simulator of the job."""
    options: dict[str, Any]
    """The job's options, in JSON's types."""
    num_circuits: int
    """Number of circuits."""
    created: datetime
    """When the job was submitted, in UTC."""
    plan: BatchPlan | None = None
    """The API jobs, None for a job of an offline simulator."""
    is_copy: bool = False
    """Whether ``persist()`` wrote all of it: no process adds to it."""
    ended: bool = False
    """Whether the job had ended when the copy was written."""

    def to_json(self) -> dict[str, Any]:
        """Return everything in JSON's types."""
        plan = self.plan
        return {
            "job_id": self.job_id,
            "backend_name": self.backend_name,
            "available_qubits": self.available_qubits,
            "location": location_to_json(self.location),
            "options": self.options,
            "num_circuits": self.num_circuits,
            "created": self.created.isoformat(timespec="milliseconds"),
            "label": None if plan is None else plan.label,
            "parts": plan and [[part.start, part.stop, part.shots] for part in plan.parts],
            "by_circuit": plan is not None and plan.by_circuit,
            "is_copy": self.is_copy,
            "ended": self.ended,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> JobDescription:
        """Parse the output of :meth:`to_json`.

        Raises:
            LookupError: something is missing.
            TypeError: something has another type.
            ValueError: something has another form, or is out of its range.
            OverflowError: the moment of creation is one that Python cannot express.
        """
        options = entry(content, "options", dict)
        shots = _positive(options, "shots")
        num_circuits = _positive(content, "num_circuits")
        plan = None
        if entry(content, "parts", list, NoneType) is not None:
            plan = BatchPlan(
                entry(content, "job_id", str),
                entry(content, "label", str),
                [_part(part) for part in content["parts"]],
                entry(content, "by_circuit", bool),
            )
            if not _covers(plan.parts, num_circuits, shots):
                raise ValueError(f"its API jobs are not those of {num_circuits} circuits")
        location = location_from_json(content["location"])
        if isinstance(location, SimulatorLocation) != (plan is None):
            raise ValueError(
                f"a {location.kind}'s job has {'no' if plan is None else 'an'} API job"
            )
        return cls(
            job_id=entry(content, "job_id", str),
            backend_name=entry(content, "backend_name", str),
            available_qubits=_positive(content, "available_qubits"),
            location=location,
            options=options,
            num_circuits=num_circuits,
            created=utc(entry(content, "created", str)),
            plan=plan,
            is_copy=entry(content, "is_copy", bool),
            ended=entry(content, "ended", bool),
        )


def _positive(content: Any, name: str) -> int:
    number: int = entry(content, name, int)
    if number < 1:
        raise ValueError(f"'{name}' must be at least 1, not {number}")
    return number


def _part(numbers: Any) -> Part:
    start, stop, shots = numbers
    if {type(number) for number in numbers} != {int} or not (0 <= start < stop and shots > 0):
        raise ValueError(f"{numbers!r} is no part of a batch")
    return Part(start, stop, shots)


def _covers(parts: list[Part], num_circuits: int, shots: int) -> bool:
    """Whether each circuit has its shots, in the order that :func:`~aqt_fast.wire.plan.cut` has."""
    end = 0
    for circuits, group in groupby(parts, key=lambda part: part.circuits):
        if circuits.start != end or sum(part.shots for part in group) != shots:
            return False
        end = circuits.stop
    return end == num_circuits


def now() -> datetime:
    """Return the current time in UTC, in whole milliseconds, as the store writes it."""
    time = datetime.now(timezone.utc)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def utc_at(seconds: float) -> datetime:
    """Return a time in seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def utc(text: str) -> datetime:
    """Parse a time in ISO 8601, as local time if it has no time zone, and convert it to UTC."""
    # Python 3.10 does not parse the suffix Z.
    return datetime.fromisoformat(re.sub("Z$", "+00:00", text)).astimezone(timezone.utc)
