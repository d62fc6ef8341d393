"""Figures of a job in the form that Qiskit's tools read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast._shots import Shots, total
from aqt_fast.jobs.execution import Execution
from aqt_fast.wire.time_stamps import moments


class QueueInfo(NamedTuple):
    """Where the API jobs of a job are; with direct access, its circuits."""

    position: None
    """Place in the device's queue: None, for AQT reports none."""
    unsent: int
    """How many were not accepted yet, nor refused."""
    queued: int
    """How many wait at the portal, as far as it has reported."""
    running: int
    """How many run, as far as the portal has reported."""
    ended: int
    """How many have ended, with or without a result."""


def queue_info(places: Sequence[JobStatus]) -> QueueInfo:
    """Count the API jobs at each place."""
    number = Counter(places)
    return QueueInfo(
        position=None,
        unsent=number[JobStatus.INITIALIZING],
        queued=number[JobStatus.QUEUED],
        running=number[JobStatus.RUNNING],
        ended=sum(number[status] for status in JOB_FINAL_STATES),
    )


def metrics(execution: Execution, *, num_circuits: int, shots: Shots) -> dict[str, Any]:
    """Return the figures of a job.

    Args:
        execution: the job's execution.
        num_circuits: number of its circuits.
        shots: repetitions of each circuit.

    Returns:
        ``timestamps`` (``created``, ``running``, ``finished``: ISO 8601 in UTC, or None),
        ``usage`` and ``bss`` (``seconds`` on the device), ``num_circuits``, ``executions`` (shots
        of all circuits), and ``position_in_queue``, which is None.
    """
    seconds = execution.device_seconds
    started = min(moments(execution.changes).get("ongoing", []), default=None)
    return {
        "timestamps": {
            "created": _text(execution.created),
            "running": _text(started),
            "finished": _text(execution.ended_at),
        },
        "usage": {"seconds": seconds, "quantum_seconds": seconds},
        "bss": {"seconds": seconds},
        "num_circuits": num_circuits,
        "executions": total(shots, num_circuits),
        "position_in_queue": None,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(timezone.utc).isoformat()
