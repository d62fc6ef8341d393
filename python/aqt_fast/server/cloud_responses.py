"""JSON of the cloud interface's responses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from statistics import fmean
from typing import Any

from aqt_fast.server.figures import Figures
from aqt_fast.server.jobs import Job
from aqt_fast.server.workspaces import Characterisation, Durations, Resource, Workspace


def workspace_list(workspaces: Iterable[Workspace]) -> list[dict[str, Any]]:
    """Return the response to ``GET /workspaces``."""
    return [
        {
            "id": workspace.id,
            "accepting_job_submissions": workspace.accepting_job_submissions,
            "jobs_being_processed": workspace.jobs_being_processed,
            "resources": [
                {"id": resource.id, "name": resource.name, "type": resource.type}
                for resource in workspace.resources
            ],
        }
        for workspace in workspaces
    ]


def resource_details(
    resource: Resource, created: float, figures: Figures | None, shape: Characterisation
) -> dict[str, Any]:
    """Return the response to ``GET /resources/{id}``.

    Args:
        resource: a machine.
        created: when the server was created, in seconds since the epoch.
        figures: what it measures of itself; None for a simulator, which has no characterisation.
        shape: how much of them it publishes, unless the resource says something else.
    """
    updated = resource.status_updated_at
    details: dict[str, Any] = {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "status": resource.status,
        "available_qubits": resource.available_qubits,
        "status_updated_at": _iso(created if updated is None else updated),
    }
    if figures is not None:
        wanted = shape if resource.characterisation is None else resource.characterisation
        if not isinstance(wanted, str):
            details["characterisation"] = dict(wanted)
        elif wanted != "none":
            details["characterisation"] = _characterisation(figures, resource.durations, wanted)
    return details


def job_metadata(job: Job) -> dict[str, Any]:
    """Return the part ``job`` of a response."""
    return {
        "job_id": job.job_id,
        "job_type": "quantum_circuit",
        "label": job.label,
        "resource_id": job.resource.id,
        "workspace_id": job.workspace_id,
    }


def timing_data(job: Job) -> list[dict[str, str]]:
    """Return the job's status changes with their times, in ISO 8601."""
    return [{"new_status": status, "timestamp": _iso(when)} for status, when in list(job.changes)]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def _characterisation(
    figures: Figures, durations: Durations, shape: Characterisation
) -> dict[str, Any]:
    """Return fidelities in percent, and times typical of an ion trap."""
    double = figures.double.values()
    found: dict[str, Any] = {
        "single_qubit_gate_fidelity": {
            str(qubit): _fidelity(error, 0.01) for qubit, error in enumerate(figures.single)
        },
        "mean_two_qubit_gate_fidelity": _fidelity(fmean(double) if double else 0.0, 0.05),
        "spam_fidelity_lower_bound": _per_cent(figures.spam),
        "t1_s": {"value": 1.14, "uncertainty": 0.06},
        "t2_coherence_time_s": {"value": round(figures.t2, 3), "uncertainty": 0.07},
        "readout_time_micros": durations.readout,
        "single_qubit_gate_duration_micros": durations.single_qubit_gate,
        "two_qubit_gate_duration_micros": durations.two_qubit_gate,
        "updated_at": _iso(figures.updated_at),
    }
    if shape == "pairs":
        found["two_qubit_gate_fidelity"] = [
            {"qubits": list(pair), **_fidelity(error, 0.05)}
            for pair, error in figures.double.items()
        ]
    return found


def _fidelity(error: float, uncertainty: float) -> dict[str, float]:
    """Return a fidelity in percent; with its uncertainty, it is at most 100."""
    fidelity = _per_cent(error)
    return {"value": fidelity, "uncertainty": round(min(uncertainty, 100 - fidelity), 4)}


def _per_cent(error: float) -> float:
    return round(100 * (1 - error), 4)
