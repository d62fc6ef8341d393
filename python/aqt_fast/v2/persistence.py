"""Saved jobs of the 2.x face, as bytes in any store that has keys and values.

A job that is one API job is a line of JSON (``format_version`` 1) followed by its circuits in QPY:
what ``qiskit-aqt-provider`` 2.0.1 writes and reads, in the same directory. A larger job, or one of
an offline simulator, has a ``format_version`` of ours, which 2.0.1 refuses with a clear message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable
from uuid import UUID

import orjson
from qiskit import QuantumCircuit

from aqt_fast._files import make_directory, read_file, write_file
from aqt_fast._shots import Shots
from aqt_fast.aqt_options import AQTOptions, checked_shots
from aqt_fast.jobs.execution import Checkpoint
from aqt_fast.store.checksummed_json import UNUSABLE, entry
from aqt_fast.store.description import JobDescription, now
from aqt_fast.v2.exceptions import (
    AQTJobBackendMismatchError,
    AQTJobCorruptError,
    AQTJobIncompatibleError,
    AQTJobNotFoundError,
    AQTJobPersistenceError,
    AQTValueError,
)
from aqt_fast.wire.qpy_archive import circuits_from_qpy, circuits_to_qpy

__all__ = [
    "FileJobStore",
    "JobBackendMismatchError",
    "JobCorruptError",
    "JobIncompatibleError",
    "JobNotFoundError",
    "JobPersistenceError",
    "JobSnapshot",
    "JobStore",
    "decode_job",
    "delete_job",
    "encode_job",
    "persist_job",
    "restore_job",
]

JobPersistenceError = AQTJobPersistenceError
JobNotFoundError = AQTJobNotFoundError
JobCorruptError = AQTJobCorruptError
JobIncompatibleError = AQTJobIncompatibleError
JobBackendMismatchError = AQTJobBackendMismatchError

JobKind: TypeAlias = Literal["cloud", "direct", "offline"]
"""Where a job runs."""

_PLAIN = 1
"""``format_version`` of 2.0.1."""

_BATCH = "aqt-fast 1"
"""``format_version`` of jobs that 2.0.1 cannot express."""

_SHOTS_FOR_EACH = "aqt-fast 2"
"""``format_version`` of those whose circuits have different shots, which 0.2 cannot express."""


@runtime_checkable
class JobStore(Protocol):
    """Saves the bytes of jobs under their identifiers."""

    def save(self, job_id: str, payload: bytes) -> None:
        """Save a job, or replace it."""

    def load(self, job_id: str) -> bytes:
        """Return a job; raise :class:`JobNotFoundError` if there is none."""

    def delete(self, job_id: str) -> None:
        """Delete a job, if it is there."""


@dataclass(frozen=True)
class FileJobStore:
    """A directory with one file for each job, which only its owner can read.

    Args:
        root: the directory, None for the one that ``qiskit-aqt-provider`` 2.0.1 uses: its jobs are
            found.
    """

    root: Path = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        root: Path | None = self.root
        if root is None:
            import platformdirs

            root = Path(platformdirs.user_data_dir("qiskit_aqt_provider")) / "jobs"
        object.__setattr__(self, "root", Path(root))

    def save(self, job_id: str, payload: bytes) -> None:
        """Save a job, or replace it; a reader finds the old file or the new one.

        Raises:
            AQTJobPersistenceError: ``job_id`` is no file name, or the file cannot be written.
        """
        path = self._path(job_id)
        try:
            make_directory(path.parent)
            write_file(path, payload)
        except OSError as error:
            raise AQTJobPersistenceError(f"cannot save job {job_id} as {path}: {error}") from error

    def load(self, job_id: str) -> bytes:
        """Return a job.

        Raises:
            AQTJobNotFoundError: there is none.
            AQTJobPersistenceError: ``job_id`` is no file name, or the file cannot be read.
        """
        path = self._path(job_id)
        try:
            return read_file(path)
        except FileNotFoundError as error:
            raise AQTJobNotFoundError(f"no job '{job_id}' in {self.root}") from error
        except OSError as error:
            raise AQTJobPersistenceError(f"cannot read job {job_id}: {error}") from error

    def delete(self, job_id: str) -> None:
        """Delete a job, if it is there.

        Raises:
            AQTJobPersistenceError: ``job_id`` is no file name, or the file cannot be deleted.
        """
        try:
            self._path(job_id).unlink(missing_ok=True)
        except OSError as error:
            raise AQTJobPersistenceError(f"cannot delete job {job_id}: {error}") from error

    def _path(self, job_id: str) -> Path:
        usable = isinstance(job_id, str) and job_id not in ("", ".", "..")
        if not usable or any(char in job_id for char in "/\\\0"):
            raise AQTJobPersistenceError(f"{job_id!r} is no job's identifier")
        return self.root / f"{job_id}.aqt-job"


@dataclass(frozen=True)
class JobSnapshot:
    """What is needed to make the handle of a submitted job again."""

    job_id: UUID
    """The identifier that portal or machine has given, or that of a batch."""
    backend_kind: JobKind
    """Where the job runs."""
    backend_name: str
    """Name of the backend."""
    shots: Shots
    """Repetitions of each circuit: one number for all, or one for each."""
    memory: bool
    """Whether the result has the outcome of each shot."""
    circuits: list[QuantumCircuit]
    """The circuits, in order."""


@dataclass(frozen=True)
class BatchSnapshot(JobSnapshot):
    """A job that is not a single API job."""

    description: JobDescription
    """The API jobs, options, and place of the job."""
    events: tuple[dict[str, Any], ...]
    """What has happened to the API jobs."""


def encode_job(snapshot: JobSnapshot) -> bytes:
    """Encode a job.

    Raises:
        AQTValueError: there are no circuits, or one of them cannot be saved.
    """
    if not snapshot.circuits:
        raise AQTValueError("a saved job has at least one circuit")
    header: dict[str, Any] = {
        "format_version": _PLAIN,
        "job_id": str(snapshot.job_id),
        "backend_kind": snapshot.backend_kind,
        "backend_name": snapshot.backend_name,
        "shots": snapshot.shots,
        "memory": snapshot.memory,
        "circuit_count": len(snapshot.circuits),
    }
    if isinstance(snapshot, BatchSnapshot):
        header.update(
            format_version=_BATCH if isinstance(snapshot.shots, int) else _SHOTS_FOR_EACH,
            description=snapshot.description.to_json(),
            events=snapshot.events,
        )
    try:
        return orjson.dumps(header) + b"\n" + circuits_to_qpy(snapshot.circuits)
    except (TypeError, ValueError) as error:  # orjson raises a TypeError of its own
        raise AQTValueError(f"job {snapshot.job_id} cannot be saved: {error}") from error


def decode_job(payload: bytes) -> JobSnapshot:
    """Decode the output of :func:`encode_job`, also that of ``qiskit-aqt-provider`` 2.0.1.

    Raises:
        AQTJobCorruptError: it cannot be read.
        AQTJobIncompatibleError: it has a format of another version.
    """
    line, _, archive = payload.partition(b"\n")
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise AQTJobCorruptError(f"the saved job has no readable first line: {error}") from error
    if not isinstance(header, dict):
        raise AQTJobCorruptError("the first line of the saved job is no object")
    version = header.get("format_version")
    if version not in (_PLAIN, _BATCH, _SHOTS_FOR_EACH):
        raise AQTJobIncompatibleError(f"the saved job has the unknown format version {version!r}")
    try:
        facts = _facts(header, version)
        circuits = circuits_from_qpy(archive)
        if len(circuits) != entry(header, "circuit_count", int) or not circuits:
            raise ValueError(f"there are {len(circuits)} circuits")
        if version == _PLAIN:
            return JobSnapshot(*facts, circuits)
        description = JobDescription.from_json(entry(header, "description", dict))
        return BatchSnapshot(*facts, circuits, description, tuple(entry(header, "events", list)))
    except UNUSABLE as error:
        raise AQTJobCorruptError(f"the saved job cannot be read: {error}") from error


def _facts(header: Mapping[str, Any], version: str | int) -> tuple[UUID, JobKind, str, Shots, bool]:
    kind = header["backend_kind"]
    if kind not in ("cloud", "direct", "offline"):
        raise ValueError(f"{kind!r} is no kind of backend")
    form = list if version == _SHOTS_FOR_EACH else int
    number = entry(dict(header), "circuit_count", int)
    shots = checked_shots(entry(dict(header), "shots", form), circuits=number)
    return (
        UUID(entry(dict(header), "job_id", str)),
        kind,
        entry(dict(header), "backend_name", str),
        shots,
        entry(dict(header), "memory", bool),
    )


def persist_job(snapshot: JobSnapshot, store: JobStore | None = None) -> None:
    """Save a job in a store, None for :class:`FileJobStore`.

    Raises:
        AQTValueError: it cannot be encoded.
        AQTJobPersistenceError: it cannot be written.
    """
    _store(store).save(str(snapshot.job_id), encode_job(snapshot))


def restore_job(
    job_id: str, *, store: JobStore | None = None, backend_kind: JobKind, backend_name: str
) -> JobSnapshot:
    """Load a job and check that it belongs to a backend.

    Args:
        job_id: its identifier.
        store: where it is, None for :class:`FileJobStore`.
        backend_kind: where the backend runs circuits.
        backend_name: name of the backend.

    Raises:
        AQTJobNotFoundError: there is no such job.
        AQTJobCorruptError: it cannot be read, or is another job.
        AQTJobIncompatibleError: it has a format of another version.
        AQTJobBackendMismatchError: it belongs to another backend.
        AQTJobPersistenceError: ``job_id`` is not a UUID, or the store fails.
    """
    snapshot = decode_job(_store(store).load(job_id))
    try:
        wanted = UUID(job_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise AQTJobPersistenceError(f"{job_id!r} is no job's identifier: a UUID") from error
    if snapshot.job_id != wanted:
        raise AQTJobCorruptError(f"what is saved as {wanted} is job {snapshot.job_id}")
    found = (snapshot.backend_kind, snapshot.backend_name)
    if found != (backend_kind, backend_name):
        raise AQTJobBackendMismatchError(
            f"job {wanted} belongs to the {found[0]} backend '{found[1]}', "
            f"not to the {backend_kind} backend '{backend_name}'"
        )
    return snapshot


def delete_job(job_id: str, store: JobStore | None = None) -> None:
    """Delete a job from a store, None for :class:`FileJobStore`; it need not be there.

    Raises:
        AQTJobPersistenceError: it cannot be deleted.
    """
    _store(store).delete(job_id)


def snapshot_of(
    checkpoint: Checkpoint,
    circuits: Sequence[QuantumCircuit],
    options: AQTOptions,
    *,
    kind: JobKind,
    backend_name: str,
    num_qubits: int,
) -> JobSnapshot:
    """Describe a submitted job: as 2.0.1 does if it is one API job with the same shots throughout.

    Args:
        checkpoint: what another process needs to continue it.
        circuits: its circuits.
        options: its options.
        kind: where it runs.
        backend_name: name of its backend.
        num_qubits: number of qubits of its backend.
    """
    plan = checkpoint.plan
    ids = [event["job_id"] for event in checkpoint.events if event["event"] == "accepted"]
    single = plan is not None and len(plan.parts) == 1 and len(ids) == 1
    job_id = UUID(ids[0] if single else checkpoint.job_id)
    if single and isinstance(options.shots, int):
        facts = (kind, backend_name, options.shots, options.memory)
        return JobSnapshot(job_id, *facts, list(circuits))
    description = JobDescription(
        job_id=checkpoint.job_id,
        backend_name=backend_name,
        available_qubits=num_qubits,
        location=checkpoint.location,
        options=dict(options),
        num_circuits=len(circuits),
        created=now(),
        plan=plan,
        is_copy=True,
        ended=checkpoint.ended,
    )
    return BatchSnapshot(
        job_id=job_id,
        backend_kind=kind,
        backend_name=backend_name,
        shots=options.shots,
        memory=options.memory,
        circuits=list(circuits),
        description=description,
        events=checkpoint.events,
    )


def _store(store: JobStore | None) -> JobStore:
    return FileJobStore() if store is None else store
