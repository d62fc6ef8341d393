"""A job as the store has it: what was saved of it, its journal, or both; and a new journal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from aqt_fast.api_client import Resource
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.caller import warn_caller
from aqt_fast.exceptions import JobNotFoundError
from aqt_fast.journal import Journal, JournalWarning
from aqt_fast.persistence import JobStore, SavedJob, get_store_path


@dataclass(frozen=True)
class StoredJob:
    """What it takes to go on with a job."""

    path: Path
    """Where it is, for messages."""
    saved: SavedJob | None
    """What ``persist()`` has saved, if it has."""
    journal: Journal | None
    """Its journal, if it has one."""
    backend_name: str
    """Name of its backend."""
    available_qubits: int
    """Size of the backend's register."""
    backend_settings: dict[str, Any]
    """What makes the backend another than the provider's default, in JSON's types."""
    options: dict[str, Any]
    """The job's options, in JSON's types."""

    def circuits(self) -> Sequence[QuantumCircuit] | Batch:
        """The circuits, or the snapshot of them that the journal has.

        Raises:
            DamagedJobError: they cannot be read.
            ValueError: the snapshot is none.
        """
        if self.saved is not None:
            return self.saved.circuits
        return Batch.from_saved(*self.journal.circuits()) if self.journal else []


def find_job(store: JobStore, job_id: str) -> StoredJob:
    """Find a job by its id or that of an API job in it.

    Raises:
        JobNotFoundError: no saved job and no journal has this id.
        DamagedJobError: what is stored of it cannot be read.
    """
    try:
        saved = store.load(job_id)
    except JobNotFoundError:
        journal = Journal.find(store.path, job_id)
        return _stored(journal.path, None, journal, journal.header)
    batch_id = saved.backend_settings.get("batch_id")
    known = None  # it may be in the default store although the job was saved in another
    if batch_id is not None:
        for root in {store.path, get_store_path()}:
            with suppress(JobNotFoundError):
                known = Journal.load(root, batch_id)
    return _stored(store.file(saved.job_id), saved, known, vars(saved))


def new_journal(
    resource: Resource, batch: Batch, options: AQTOptions, settings: dict[str, Any]
) -> Journal | None:
    """Make the journal of a new job, from which :func:`find_job` finds it; None if it has none.

    Args:
        resource: what is to run it.
        batch: its circuits.
        options: its options, which may say that it has none.
        settings: where it will live, in JSON's types, with its ``batch_id``.

    Warns:
        JournalWarning: the journal cannot be written, and there is none.
    """
    if not options.journal:
        return None
    header = {
        "batch_id": settings["batch_id"],
        "backend_name": resource.resource_id,
        "available_qubits": resource.available_qubits,
        "backend_settings": settings,
        "options": dict(options),
    }
    try:
        return Journal.create(get_store_path(), header, batch.to_bytes(), batch.headers)
    except OSError as error:
        message = f"the job is lost if this process ends, for it has no journal: {error}"
        warn_caller(message, JournalWarning)
        return None


def _stored(
    path: Path, saved: SavedJob | None, journal: Journal | None, header: dict[str, Any]
) -> StoredJob:
    return StoredJob(
        path=path,
        saved=saved,
        journal=journal,
        backend_name=header["backend_name"],
        available_qubits=header["available_qubits"],
        backend_settings=header["backend_settings"],
        options=header["options"],
    )
