"""What a job is, without its circuits and results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aqt_fast.store.location import JobLocation, location_from_json, location_to_json
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
    """When the job was submitted, or saved if it has no journal. In UTC."""
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
            LookupError: a key is missing.
            TypeError: a value has the wrong type.
            ValueError: a value is invalid.
        """
        parts = content["parts"]
        plan = None
        if parts is not None:
            plan = BatchPlan(
                content["job_id"],
                content["label"],
                [Part(*part) for part in parts],
                content["by_circuit"],
            )
        return cls(
            job_id=content["job_id"],
            backend_name=content["backend_name"],
            available_qubits=content["available_qubits"],
            location=location_from_json(content["location"]),
            options=content["options"],
            num_circuits=content["num_circuits"],
            created=utc(content["created"]),
            plan=plan,
            is_copy=content["is_copy"],
            ended=content["ended"],
        )


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(timezone.utc)


def utc(text: str) -> datetime:
    """Parse a time in ISO 8601, as local time if it has no time zone, and convert it to UTC."""
    # Python 3.10 does not parse the suffix Z.
    return datetime.fromisoformat(re.sub("Z$", "+00:00", text)).astimezone(timezone.utc)
