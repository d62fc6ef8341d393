"""What the server tells about the jobs that it accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aqt_fast.server.jobs import Job, Status


@dataclass(frozen=True)
class AcceptedJob:
    """One accepted job at the time of asking."""

    job_id: str
    label: str | None
    workspace_id: str
    resource_id: str
    sha256: str
    """Hexadecimal digest of the request body, byte for byte."""
    status: Status
    repetitions: tuple[int, ...]
    """Shots of each circuit."""
    digests: tuple[str, ...] | None
    """Digest of each circuit; None if circuits are not identified."""
    runs: tuple[int, ...]
    """How many times each circuit ran; never more than once."""
    fetches: int
    """How many times a client got the result."""


def accepted_job(job: Job) -> AcceptedJob:
    """Describe a job as it is now; call this under the portal's lock."""
    return AcceptedJob(
        job_id=job.job_id,
        label=job.label,
        workspace_id=job.workspace_id,
        resource_id=job.resource.id,
        sha256=job.sha256,
        status=job.status,
        repetitions=tuple(repetitions for repetitions, _ in job.sizes),
        digests=None if job.digests is None else tuple(job.digests),
        runs=tuple(job.runs),
        fetches=job.fetches,
    )


def record_as_json(record: Sequence[AcceptedJob]) -> dict[str, Any]:
    """Convert to JSON's types: ``{"jobs": [{…}]}`` with the fields of :class:`AcceptedJob`."""
    return {"jobs": [asdict(job) for job in record]}


def count_runs(record: Iterable[AcceptedJob]) -> Counter[str]:
    """Count how many times each circuit ran, by its digest.

    Runs of equal circuits add up, also across jobs.

    Raises:
        LookupError: circuits are not identified; ``AcceptedJob.runs`` counts by index.
    """
    total: Counter[str] = Counter()
    for job in record:
        if job.digests is None:
            raise LookupError("start the server with identify_circuits=True")
        for digest, runs in zip(job.digests, job.runs, strict=True):
            total[digest] += runs
    return total
