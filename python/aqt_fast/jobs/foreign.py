"""Jobs that no store here has: from a pickle, a file of the 2.x face, or another program."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.store.description import JobDescription, now
from aqt_fast.store.events import ApiJobRecord, CopiedRecords, JournalState, Records
from aqt_fast.store.journal import Journal
from aqt_fast.store.location import JobLocation
from aqt_fast.wire.plan import BatchPlan, whole


@dataclass(frozen=True)
class MovedJob:
    """A job from elsewhere, with everything needed to continue it."""

    description: JobDescription
    """What the job is."""
    records: Records | None
    """Records of the API jobs, None for an offline simulator."""
    journal: Journal | None = None
    """The job's journal, if this computer has it."""


def foreign_job(
    job_id: str,
    options: AQTOptions,
    *,
    backend_name: str,
    available_qubits: int,
    location: JobLocation,
    num_circuits: int,
) -> MovedJob:
    """Describe a single API job that another program has sent.

    Args:
        job_id: the identifier that portal or machine has given, a UUID in canonical form.
        options: the options with which it was sent.
        backend_name: name of its backend.
        available_qubits: number of qubits of its backend.
        location: where it runs.
        num_circuits: number of its circuits.
    """
    label = options.label or f"job {job_id}"
    plan = BatchPlan(str(uuid.uuid4()), label, [whole(num_circuits, options.shots)])
    description = JobDescription(
        job_id=plan.batch_id,
        backend_name=backend_name,
        available_qubits=available_qubits,
        location=location,
        options=dict(options),
        num_circuits=num_circuits,
        created=now(),
        plan=plan,
    )
    record = ApiJobRecord(job_id=job_id, foreign=True)
    return MovedJob(description, CopiedRecords(JournalState({0: record})))
