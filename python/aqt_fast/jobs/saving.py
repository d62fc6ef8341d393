"""What ``persist()`` writes: a job as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qiskit import QuantumCircuit

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.jobs.backend import JobBackend
from aqt_fast.jobs.execution import Execution
from aqt_fast.store.description import JobDescription
from aqt_fast.store.job_store import SavedJob
from aqt_fast.wire.qpy_archive import circuits_to_qpy
from aqt_fast.wire.snapshot import Snapshot


def saved_job(
    execution: Execution,
    backend: JobBackend,
    snapshot: Snapshot,
    circuits: Sequence[QuantumCircuit] | None,
    options: AQTOptions,
    evaluation: dict[str, Any] | None = None,
) -> SavedJob:
    """Describe a job for another process. Wait until what that needs is known.

    Args:
        execution: the job's execution.
        backend: its backend.
        snapshot: the snapshot of its circuits.
        circuits: the circuits themselves; None to save the snapshot instead.
        options: its options.
        evaluation: what a primitive makes of the outcomes.

    Raises:
        ValueError: a circuit has changed since the snapshot, or something cannot be expressed in a
            file.
    """
    checkpoint = execution.checkpoint()
    if circuits is not None and not snapshot.is_of(circuits):
        raise ValueError("a circuit was changed after the job was made")
    description = JobDescription(
        job_id=checkpoint.job_id,
        backend_name=backend.name,
        available_qubits=backend.num_qubits,
        location=checkpoint.location,
        options=dict(options),
        num_circuits=len(snapshot),
        created=execution.created,
        plan=checkpoint.plan,
        is_copy=True,
        ended=checkpoint.ended,
    )
    return SavedJob(
        description,
        None if circuits is None else circuits_to_qpy(circuits),
        checkpoint.events,
        (snapshot.to_bytes(), snapshot.headers) if circuits is None else None,
        evaluation,
    )
