"""What ``persist()`` writes: a job as it is now."""

from __future__ import annotations

from collections.abc import Sequence

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
    circuits: Sequence[QuantumCircuit],
    options: AQTOptions,
) -> SavedJob:
    """Describe a job for another process. Wait until what that needs is known.

    Args:
        execution: the job's execution.
        backend: its backend.
        snapshot: the snapshot of its circuits.
        circuits: the circuits themselves.
        options: its options.

    Raises:
        ValueError: a circuit has changed since the snapshot, or something cannot be expressed in a
            file.
    """
    checkpoint = execution.checkpoint()
    if not snapshot.is_of(circuits):
        raise ValueError("a circuit was changed after the job was made")
    description = JobDescription(
        job_id=checkpoint.job_id,
        backend_name=backend.name,
        available_qubits=backend.num_qubits,
        location=checkpoint.location,
        options=dict(options),
        num_circuits=len(circuits),
        created=execution.created,
        plan=checkpoint.plan,
        is_copy=True,
        ended=checkpoint.ended,
    )
    return SavedJob(description, circuits_to_qpy(circuits), checkpoint.events)
