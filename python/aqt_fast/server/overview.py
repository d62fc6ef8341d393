"""What the page and ``/control`` show of the server, in JSON's types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from aqt_fast.server.jobs import Job, Status
from aqt_fast.server.workspaces import Resource, Workspace

_LONGEST_TEXT = 500
"""Most characters that are shown of a label or a message, which may be as long as a body."""


def overview(
    workspaces: Iterable[Workspace], jobs: Iterable[Job], running: Mapping[str, Job]
) -> dict[str, Any]:
    """Describe workspaces and resources, and count the jobs; call this under the portal's lock.

    Args:
        workspaces: all of them.
        jobs: those that the portal remembers.
        running: the job of each machine that runs one; the portal may have forgotten it.
    """
    statuses = dict.fromkeys(get_args(Status), 0)
    queued: Counter[str] = Counter()
    for job in jobs:
        statuses[job.status] += 1
        if job.status == "queued":
            queued[job.resource.id] += 1
    listed = list(workspaces)
    resources = {resource.id: resource for entry in listed for resource in entry.resources}
    return {
        "jobs": statuses,
        "workspaces": [
            {
                "id": workspace.id,
                "accepting_job_submissions": workspace.accepting_job_submissions,
                "jobs_being_processed": workspace.jobs_being_processed,
                "resources": [resource.id for resource in workspace.resources],
            }
            for workspace in listed
        ],
        "resources": [
            _resource(resource, queued[resource.id], running.get(resource.id))
            for resource in resources.values()
        ],
    }


def job_summary(job: Job) -> dict[str, Any]:
    """Describe a job in a line; call this under the portal's lock."""
    ongoing = [when for status, when in job.changes if status == "ongoing"]
    return {
        "job_id": job.job_id,
        "number": job.number,
        "label": _shown(job.label),
        "workspace_id": job.workspace_id,
        "resource_id": job.resource.id,
        "status": job.status,
        "cancelling": job.cancelling,
        "circuits": len(job.sizes),
        "finished_count": job.finished_count,
        "shots": sum(shots for shots, _ in job.sizes),
        "qubits": max((qubits for _, qubits in job.sizes), default=0),
        "accepted": job.changes[0][1],
        "started": ongoing[0] if ongoing else None,
        "ended": job.changes[-1][1] if job.ended.done() else None,
        "message": _shown(job.message),
        "fetches": job.fetches,
        "has_result": job.result is not None,
        "has_circuits": job.body is not None,
    }


def _resource(resource: Resource, queued: int, running: Job | None) -> dict[str, Any]:
    return {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "status": resource.status,
        "available_qubits": resource.available_qubits,
        "max_shots": resource.max_shots,
        "noisy": resource.noisy,
        "queued": queued,
        "running": None if running is None else running.job_id,
        "finished_count": 0 if running is None else running.finished_count,
        "circuits": 0 if running is None else len(running.sizes),
    }


def _shown(text: str | None) -> str | None:
    if text is None or len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[: _LONGEST_TEXT - 1]}…"
