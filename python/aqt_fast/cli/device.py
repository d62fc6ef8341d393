"""One backend for people and for scripts: status, limits, characterisation."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from aqt_fast._texts import one_line
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.cli.colours import coloured
from aqt_fast.store.description import utc
from aqt_fast.visualization.quantities import local_time


def device_as_text(backend: AQTResource) -> str:
    """Write a table of a backend."""
    resource = backend.resource_id
    qubits = "1 qubit" if backend.num_qubits == 1 else f"{backend.num_qubits} qubits"
    heading = f"{resource.resource_id} ({resource.workspace_id}): {resource.resource_name}"
    since = _local(resource.status_since)
    rows = [
        ("status", f"{resource.status} since {since}" if since else resource.status),
        *([("workspace", resource.obstacle)] if resource.obstacle else []),
        ("type", f"{resource.resource_type}, {qubits}"),
        ("a job", f"{backend.limits}"),
    ]
    if backend.api_limits is not None:
        rows.append(("an API job", f"{backend.api_limits}"))
    width = max(len(label) for label, _ in rows)
    lines = [one_line(heading), ""]
    for label, text in rows:
        shown = coloured(one_line(text)) if label == "status" else one_line(text)
        lines.append(f"{label:{width}}  {shown}")
    known = backend.characterisation
    if known is None:
        return "\n".join([*lines, "", "no characterisation"])
    _, _, *figures = str(known).splitlines()
    times = {"updated": known.updated_at, "fetched": known.fetched_at}
    ages = ", ".join(f"{word} {local_time(time)}" for word, time in times.items() if time)
    return "\n".join([*lines, "", f"characterisation: {ages or 'no date'}", *figures])


def device_as_json(backend: AQTResource) -> dict[str, Any]:
    """Describe a backend in JSON's types."""
    resource = backend.resource_id
    known = backend.characterisation
    limits = backend.api_limits
    return {
        "workspace": resource.workspace_id,
        "resource_id": resource.resource_id,
        "description": resource.resource_name,
        "type": resource.resource_type,
        "qubits": backend.num_qubits,
        "status": resource.status,
        "status_since": resource.status_since,
        "accepting_job_submissions": resource.accepting_job_submissions,
        "jobs_being_processed": resource.jobs_being_processed,
        "limits": asdict(backend.limits),
        "api_job_limits": None if limits is None else asdict(limits),
        "characterisation": None if known is None else known.to_dict(),
    }


def _local(stamp: str | None) -> str | None:
    """Write a time stamp of the portal's as local time; as it came if it is none."""
    with suppress(ValueError):
        return stamp and local_time(utc(stamp))
    return stamp
