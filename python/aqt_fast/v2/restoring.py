"""From a saved job of the 2.x face to its handle."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from qiskit.exceptions import QiskitError

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.exceptions import (
    DamagedJobError,
    InvalidInputError,
    JobNotFoundError,
    SpendingLimitError,
)
from aqt_fast.jobs.foreign import MovedJob
from aqt_fast.store.checksummed_json import UNUSABLE
from aqt_fast.store.events import ApiJobRecord, CopiedRecords, JournalState
from aqt_fast.store.job_store import JobStore as OurStore
from aqt_fast.store.loading import ResumableJob, load_job
from aqt_fast.v2.exceptions import AQTJobCorruptError, AQTJobPersistenceError
from aqt_fast.v2.persistence import (
    BatchSnapshot,
    JobKind,
    JobSnapshot,
    JobStore,
    delete_job,
    restore_job,
)


def restored(
    backend: Any, job_id: str, *, kind: JobKind, store: JobStore | None, delete: bool
) -> Any:
    """Restore a saved job: see :meth:`aqt_fast.v2.resources.CloudResource.restore_job`.

    Args:
        backend: the backend to which the job belongs.
        job_id: the identifier under which it is saved.
        kind: where the backend runs circuits.
        store: where the job is saved.
        delete: whether to delete it once it is restored.
    """
    snapshot = restore_job(job_id, store=store, backend_kind=kind, backend_name=backend.name)
    try:
        job = _handle(backend, snapshot)
    except (SpendingLimitError, AQTJobPersistenceError):
        raise
    except (InvalidInputError, QiskitError, *UNUSABLE) as error:
        raise AQTJobPersistenceError(f"job {job_id} cannot be restored: {error}") from error
    if delete:
        delete_job(job_id, store)
    return job


def _handle(backend: Any, snapshot: JobSnapshot) -> Any:
    known = _with_journal(backend, snapshot)
    if known is None and isinstance(snapshot, BatchSnapshot):
        known = MovedJob(snapshot.description, _records(snapshot))
    if known is None:
        if snapshot.backend_kind == "direct" and len(snapshot.circuits) != 1:
            number = len(snapshot.circuits)
            raise AQTJobCorruptError(f"a run of a machine has one circuit, not {number}")
        return backend.api_job(
            str(snapshot.job_id), snapshot.circuits, shots=snapshot.shots, memory=snapshot.memory
        )
    job = backend.job_class(backend, snapshot.circuits, AQTOptions(**known.description.options))
    job.submit(partial(backend.resumed, job=known))
    return job


def _with_journal(backend: Any, snapshot: JobSnapshot) -> ResumableJob | None:
    """Return the job as our journal has it, if this computer has one: it knows the results."""
    with suppress(JobNotFoundError, DamagedJobError):
        found = load_job(
            OurStore(backend.store_path), str(snapshot.job_id), journals=backend.store_path
        )
        if found.journal is not None and found.description.backend_name == backend.name:
            return found
    return None


def _records(snapshot: BatchSnapshot) -> CopiedRecords | None:
    if snapshot.description.plan is None:
        return None
    state = JournalState()
    for event in snapshot.events:
        state.records.setdefault(event["job"], ApiJobRecord()).apply(event)
    return CopiedRecords(state)
