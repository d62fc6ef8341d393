"""What a job is, without its circuits and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain, groupby
from types import NoneType
from typing import Any

from aqt_fast._shots import Shots, each, shots_of
from aqt_fast._times import from_iso
from aqt_fast.api_client.models import MOST_QUBITS
from aqt_fast.store.checksummed_json import entry
from aqt_fast.store.location import (
    JobLocation,
    SimulatorLocation,
    location_from_json,
    location_to_json,
)
from aqt_fast.wire.plan import BatchPlan, Part

_MOST_CIRCUITS = 10_000_000
"""Maximum number of circuits of a job: more than its API jobs can have."""


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

    @property
    def shots(self) -> Shots:
        """Repetitions of the circuits."""
        shots: Shots = self.options["shots"]
        return shots

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
            "parts": plan and [_part_to_json(part) for part in plan.parts],
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
        num_circuits = _positive(content, "num_circuits", _MOST_CIRCUITS)
        shots = _shots(entry(content, "options", dict), num_circuits)
        _check_texts(content["options"])
        options = {**content["options"], "shots": shots}
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
            if plan.by_circuit and not all(map(_is_one_run, plan.parts)):
                raise ValueError("an API job of a machine has one circuit, and one run of it")
        location = location_from_json(content["location"])
        if isinstance(location, SimulatorLocation) != (plan is None):
            raise ValueError(
                f"a {location.kind}'s job has {'no' if plan is None else 'an'} API job"
            )
        return cls(
            job_id=entry(content, "job_id", str),
            backend_name=entry(content, "backend_name", str),
            available_qubits=_positive(content, "available_qubits", MOST_QUBITS),
            location=location,
            options=options,
            num_circuits=num_circuits,
            created=utc(entry(content, "created", str)),
            plan=plan,
            is_copy=entry(content, "is_copy", bool),
            ended=entry(content, "ended", bool),
        )


def _positive(content: Any, name: str, most: int = 2**63 - 1) -> int:
    number: int = entry(content, name, int)
    if not 1 <= number <= most:
        raise ValueError(f"'{name}' must be from 1 to {most}, not {number}")
    return number


def _check_texts(options: Any) -> None:
    """Check the options that the list of jobs shows.

    Raises:
        TypeError: one has another type.
    """
    if not isinstance(options.get("label"), str | NoneType):
        raise TypeError(f"'label' must be a text, not {options['label']!r}")
    tags = options.get("tags", ())
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        raise TypeError(f"'tags' must be texts, not {tags!r}")


def _shots(options: Any, num_circuits: int) -> Shots:
    shots = entry(options, "shots", int, list, tuple)
    if isinstance(shots, int):
        return _positive(options, "shots")
    if len(shots) != num_circuits or not _are_numbers(shots):
        raise ValueError(f"'shots' must be one number for each of {num_circuits} circuits")
    return tuple(shots)


def _part_to_json(part: Part) -> list[Any]:
    """First circuit, the one after the last, and repetitions: a number if all circuits have it.

    Otherwise they are a list with an entry for each circuit: a number if it is one run, and a list
    with a number for each run if there are several.
    """
    repetitions: Any = part.repetitions
    if not isinstance(repetitions, int):
        repetitions = [runs[0] if len(runs) == 1 else list(runs) for runs in repetitions]
    return [part.start, part.stop, repetitions]


def _part(content: Any) -> Part:
    start, stop, repetitions = content
    if isinstance(repetitions, list):
        repetitions = tuple(
            tuple(runs) if isinstance(runs, list) else (runs,) for runs in repetitions
        )
        runs = [*chain.from_iterable(repetitions)]
        fitting = all(repetitions) and len(repetitions) == stop - start
    else:
        runs, fitting = [repetitions], True
    in_order = type(start) is type(stop) is int and 0 <= start < stop
    if not (in_order and fitting and _are_numbers(runs)):
        raise ValueError(f"{content!r} is no part of a batch")
    return Part(start, stop, repetitions)


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(type(value) is int and value > 0 for value in values)


def _is_one_run(part: Part) -> bool:
    return len(part.circuits) == 1 and isinstance(part.repetitions, int)


def _covers(parts: list[Part], num_circuits: int, shots: Shots) -> bool:
    """Whether each circuit has its shots, in the order that :func:`~aqt_fast.wire.plan.cut` has."""
    end = 0
    for circuits, group in groupby(parts, key=lambda part: part.circuits):
        wanted, of_parts = shots_of(shots, circuits), [part.shots for part in group]
        alike = all(isinstance(numbers, int) for numbers in (wanted, *of_parts))
        number = 1 if alike else len(circuits)
        by_circuit = zip(*(each(numbers, number) for numbers in of_parts), strict=True)
        if circuits.start != end or tuple(map(sum, by_circuit)) != each(wanted, number):
            return False
        end = circuits.stop
    return end == num_circuits


def now() -> datetime:
    """Return the current time in UTC, in whole milliseconds, as the store writes it."""
    time = datetime.now(timezone.utc)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def utc_at(seconds: float) -> datetime:
    """Return a time in seconds since the epoch, in UTC; the nearest that Python can express."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError, ValueError):
        if seconds > 0:
            return datetime.max.replace(tzinfo=timezone.utc)
        return datetime.min.replace(tzinfo=timezone.utc)


def utc(text: str) -> datetime:
    """Parse a time in ISO 8601, as local time if it has no time zone, and convert it to UTC."""
    return from_iso(text).astimezone(timezone.utc)
