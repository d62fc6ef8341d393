"""JSON of the cloud interface's responses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from aqt_fast.server.jobs import Job
from aqt_fast.server.workspaces import Characterisation, Resource, Workspace


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
    resource: Resource, created: float, characterisation: Characterisation
) -> dict[str, Any]:
    """Return the response to ``GET /resources/{id}``.

    Args:
        resource: a machine; only a device has a characterisation.
        created: when the server was created, in seconds since the epoch.
        characterisation: how much of it devices publish.
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
    if resource.type == "device" and characterisation != "none":
        figures = _characterisation(resource, _iso(created))
        if characterisation == "mean":
            del figures["two_qubit_gate_fidelity"]
        details["characterisation"] = figures
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


def _characterisation(resource: Resource, updated_at: str) -> dict[str, Any]:
    """Return fidelities in percent that fit the noise model, and times typical of an ion trap.

    A depolarising channel of strength p on d levels has the average gate fidelity 1 − p (1 − 1/d).
    """
    single = {"value": 99.85, "uncertainty": 0.01}
    double = {"value": 99.25, "uncertainty": 0.05}
    qubits = range(resource.available_qubits)
    return {
        "single_qubit_gate_fidelity": {str(qubit): single for qubit in qubits},
        "mean_two_qubit_gate_fidelity": double,
        "two_qubit_gate_fidelity": [
            {"qubits": [low, high], **double} for high in qubits for low in range(high)
        ],
        "spam_fidelity_lower_bound": 99.7,
        "t1_s": {"value": 1.14, "uncertainty": 0.06},
        "t2_coherence_time_s": {"value": 0.45, "uncertainty": 0.07},
        "readout_time_micros": resource.durations.readout,
        "single_qubit_gate_duration_micros": resource.durations.single_qubit_gate,
        "two_qubit_gate_duration_micros": resource.durations.two_qubit_gate,
        "updated_at": updated_at,
    }
