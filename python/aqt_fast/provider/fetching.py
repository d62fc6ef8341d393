"""Find a job by its identifier alone: in the store, or else at the portal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from aqt_fast._ids import canonical_uuid
from aqt_fast._shots import simplified
from aqt_fast.api_client import ListedResource, Resource
from aqt_fast.api_client.models import read_job_place
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.aqt_resource import AQTResource, CloudResource
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.fetched import Fetched, FetchedExecution
from aqt_fast.exceptions import (
    APIError,
    FixedOptionError,
    JobNotFoundError,
    ResponseMismatchError,
)
from aqt_fast.jobs.execution import Execution
from aqt_fast.provider.connections import Connections
from aqt_fast.provider.jobs_table import WantedJobs, list_jobs
from aqt_fast.provider.restoring import restore
from aqt_fast.store.description import JobDescription
from aqt_fast.store.job_store import JobStore
from aqt_fast.store.journal import ApiJobLog, Journal
from aqt_fast.wire.circuits import API_LIMITS, as_batch
from aqt_fast.wire.snapshot import Snapshot
from aqt_fast.wire.unknown_circuits import UnknownCircuits

_ADAPTABLE = (
    "query_period_seconds", "query_timeout_seconds", "with_progress_bar", "memory", "journal",
)  # fmt: skip
"""Options of a stored job that need not be those with which it was run."""


def job_by_id(
    job_id: str,
    circuits: QuantumCircuit | Iterable[QuantumCircuit] | None,
    options: Mapping[str, Any],
    *,
    provider: Any,
    connections: Connections,
    store_path: str | Path | None,
) -> AQTJob:
    """Return the handle of a job: see :meth:`aqt_fast.AQTProvider.job`.

    Raises:
        JobNotFoundError: neither the store nor the portal has a job with this identifier.
        DamagedJobError: the stored data cannot be read.
        ResponseMismatchError: the job has other circuits, as far as that is known yet.
        FixedOptionError: the job was run with another value of an option.
        InvalidOptionError: an option has an invalid value, or several jobs have this beginning.
        APIError: the portal cannot be asked, or has deleted the result.
    """
    store = JobStore(store_path or provider.store_path)
    batch = None if circuits is None else as_batch(circuits)

    def adapt(
        stored: Sequence[QuantumCircuit] | Snapshot, present: AQTOptions, backend: AQTResource
    ) -> AQTOptions:
        if batch is not None:
            _require_same(job_id, stored, batch)
        return _adapted(present, backend.options_of_job(options, present))

    try:
        return restore(
            _full_id(job_id, store, provider),
            provider=provider,
            connections=connections,
            store_path=store_path,
            remove_from_store=False,
            adapt=adapt,
        )
    except JobNotFoundError:
        return _from_portal(job_id, batch, options, provider, connections, store)


def _full_id(job_id: str, store: JobStore, provider: Any) -> str:
    """Complete the beginning of an identifier, or find a label, as the command line does.

    Raises:
        InvalidOptionError: several jobs have this beginning.
        JobNotFoundError: no job has it.
    """
    try:
        return canonical_uuid(job_id)
    except ValueError:
        if not isinstance(job_id, str):
            raise JobNotFoundError(str(job_id), store.path) from None
    return list_jobs(store, WantedJobs(), provider=provider).find(job_id).job_id


def _require_same(
    job_id: str, stored: Sequence[QuantumCircuit] | Snapshot, given: Sequence[QuantumCircuit]
) -> None:
    """Compare circuits as far as the portal's results show them.

    Raises:
        ResponseMismatchError: their number or their qubits differ.
    """
    if len(stored) != len(given):
        raise ResponseMismatchError(f"job {job_id} has {len(stored)} circuits, not {len(given)}")
    for index, circuit in enumerate(given):
        known = (
            stored.num_qubits(index) if isinstance(stored, Snapshot) else stored[index].num_qubits
        )
        if known != circuit.num_qubits:
            raise ResponseMismatchError(
                f"circuit {index} of job {job_id} has {known} qubits, not {circuit.num_qubits}"
            )


def _adapted(present: AQTOptions, wanted: AQTOptions) -> AQTOptions:
    """Return the options of a stored job, with those that can still be changed.

    Raises:
        FixedOptionError: another one is to be changed.
    """
    for name, value in wanted.items():
        if name not in _ADAPTABLE and value != present[name]:
            raise FixedOptionError(name, value)
    wanted.journal = present.journal  # a stored job has one, or has none
    return wanted


def _from_portal(
    job_id: str,
    circuits: Sequence[QuantumCircuit] | None,
    options: Mapping[str, Any],
    provider: Any,
    connections: Connections,
    store: JobStore,
) -> AQTJob:
    try:
        known = canonical_uuid(job_id)
    except ValueError:
        raise JobNotFoundError(str(job_id), store.path) from None
    if not connections.token:
        reason = connections.missing_token or "there is no access token"
        asked = f"AQT's portal was not asked, for {reason}"
        raise JobNotFoundError(known, store.path, asked)
    connection = connections.cloud()
    try:
        first = connection.portal.result(known, partial(Fetched.read, job_id=known))
    except APIError as error:
        if error.status_code != HTTPStatus.NOT_FOUND:
            raise
        asked = f"nor one of this access token's at {connection.portal.portal_url}"
        raise JobNotFoundError(known, store.path, asked) from error
    backend: CloudResource = provider.backend_class("device")(
        _resource(connection, first), provider=provider, connect=connections.cloud
    )
    return _job(known, circuits, options, backend, connection, first)


def _resource(connection: CloudConnection, first: Fetched) -> Resource:
    """Describe the resource of an API job, also one that is not offered any more."""
    workspace_id, resource_id = read_job_place(first.body)
    listed = ListedResource(workspace_id, resource_id, resource_id, "device")
    found = connection.portal.resources([listed], on_error=lambda *_: None)
    if found:
        return found[0]
    return Resource(workspace_id, resource_id, resource_id, "device", API_LIMITS.qubits, "unknown")


def _job(
    job_id: str,
    circuits: Sequence[QuantumCircuit] | None,
    options: Mapping[str, Any],
    backend: CloudResource,
    connection: CloudConnection,
    first: Fetched,
) -> AQTJob:
    checked = backend.options_of_job(options)
    samples = first.state.samples or []
    if samples and (circuits is None or len(samples) == len(circuits)):
        checked.shots = simplified([item.num_shots for item in samples])
    executions: list[FetchedExecution] = []

    def fetched(snapshot: Snapshot, options: AQTOptions) -> Execution:
        def keep(execution: FetchedExecution, body: bytes) -> str | None:
            return _keep(execution, body, backend, snapshot, options)

        executions.append(
            FetchedExecution(
                connection, backend.resource_id, snapshot, options, job_id, first, keep
            )
        )
        return executions[0]

    job = backend.job_class(backend, UnknownCircuits() if circuits is None else circuits, checked)
    job.submit(fetched)
    error = executions[0].state.error
    if isinstance(error, ResponseMismatchError):
        raise error
    return job


def _keep(
    execution: FetchedExecution,
    body: bytes,
    backend: CloudResource,
    snapshot: Snapshot,
    options: AQTOptions,
) -> str | None:
    """Make a journal of an API job with known circuits that has its result.

    Returns:
        Why that has failed, None if it has not, or if there is none to make.
    """
    if not options.journal:
        return None
    try:
        plan = execution.plan()
    except ValueError:
        return None
    description = JobDescription(
        job_id=plan.batch_id,
        backend_name=backend.name,
        available_qubits=backend.num_qubits,
        location=execution.location,
        options={**options, "shots": plan.parts[0].shots},
        num_circuits=len(snapshot),
        created=execution.created,
        plan=plan,
    )
    try:
        journal = Journal.create(
            backend.store_path, description, snapshot.to_bytes(), snapshot.headers
        )
        try:
            ApiJobLog(journal, 0).accepted(execution.job_id)
            journal.keep(0, body)
        finally:
            journal.close()
    except OSError as error:
        return f"the result is lost if this process ends, for it cannot be stored: {error}"
    return journal.problem
