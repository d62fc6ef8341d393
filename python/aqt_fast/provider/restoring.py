"""Restore the handle of a stored job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

from aqt_fast.api_client import Resource
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import APIError, DamagedJobError, SpendingLimitError
from aqt_fast.jobs.execution import Checkpoint, Execution
from aqt_fast.provider.connections import Connections
from aqt_fast.provider.discovery import DEFAULT_WORKSPACE, Discovery, WantedBackends
from aqt_fast.store.checksummed_json import UNUSABLE
from aqt_fast.store.description import JobDescription
from aqt_fast.store.job_store import JobStore, SavedJob
from aqt_fast.store.loading import LoadedJob, load_job
from aqt_fast.store.location import MachineLocation, PortalLocation
from aqt_fast.wire.qpy_archive import circuits_from_qpy
from aqt_fast.wire.snapshot import Snapshot

Adapt: TypeAlias = Callable[
    [Sequence[QuantumCircuit] | Snapshot, AQTOptions, AQTResource], AQTOptions
]
"""Return the options of a restored job from its circuits, its stored options and its backend."""


def restore(
    job_id: str,
    *,
    provider: Any,
    connections: Connections,
    store_path: str | Path | None,
    remove_from_store: bool,
    adapt: Adapt | None = None,
) -> AQTJob:
    """Restore a stored job: see :meth:`aqt_fast.AQTJob.restore`.

    Args:
        job_id: the id of the job, or of any API job in it.
        provider: becomes the provider of the backend.
        connections: the connections to use.
        store_path: directory of jobs, None for the provider's.
        remove_from_store: delete what ``persist()`` has saved after it was loaded.
        adapt: called before the job is made; what it raises is raised.

    Raises:
        JobNotFoundError: no job has this id.
        DamagedJobError: the stored data cannot be read; it stays as it is.
        APIError: the job belongs to another portal or machine, or there is no access token.
    """
    store = JobStore(store_path or provider.store_path)
    found = load_job(store, job_id, journals=provider.store_path)
    directory = found.directory
    evaluation: dict[str, Any] | None = None
    with suppress(DamagedJobError):  # without it, the job still has its counts
        evaluation = directory.evaluation()
    with _damage_named(directory.file):
        options = AQTOptions(**found.description.options)
        backend = _backend(found.description, provider, connections)
    with _damage_named(directory.path):
        circuits = _circuits(found)
    if adapt is not None:
        options = adapt(circuits, options, backend)
    with _damage_named(directory.path):
        job: AQTJob = backend.job_class(
            backend,
            circuits,
            options,
            rescue=_rescue(store, found, evaluation) if remove_from_store else None,
            evaluation=None if evaluation is None else partial(dict, evaluation),
        )

        def continued(snapshot: Snapshot, options: AQTOptions) -> Execution:
            execution = backend.resumed(snapshot, options, found)
            if found.description.plan is not None:  # an offline job runs again, as a new one
                execution.created = found.description.created
            return execution

        job.submit(continued)
    if remove_from_store:
        if found.description.is_copy:
            directory.remove()
        else:
            directory.remove_circuits()
    return job


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Tell which file, or which directory, has the data from which no job can be made.

    Raises:
        DamagedJobError: the stored data cannot be used.
    """
    try:
        yield
    except (APIError, DamagedJobError, SpendingLimitError):
        raise
    except (*UNUSABLE, OSError, QiskitError) as error:
        raise DamagedJobError(path, f"{type(error).__name__}: {error}") from error


def _rescue(
    store: JobStore, found: LoadedJob, evaluation: dict[str, Any] | None
) -> Callable[[Checkpoint], object] | None:
    """What writes again what is removed now, so that a job that fails is not lost.

    None if nothing is removed.

    Raises:
        DamagedJobError: the circuits cannot be read.
    """
    directory = found.directory
    if not (found.description.is_copy or directory.has_circuits):
        return None
    circuits = directory.circuits() if directory.has_circuits else None
    snapshot = directory.snapshot() if circuits is None else None

    def write(known: Checkpoint) -> None:
        description = replace(found.description, is_copy=True, ended=known.ended)
        store.save(SavedJob(description, circuits, known.events, snapshot, evaluation))

    return write


def _circuits(found: LoadedJob) -> list[QuantumCircuit] | Snapshot:
    """The circuits that ``persist()`` saved, or the snapshot that the journal has.

    Raises:
        DamagedJobError: they cannot be read.
        ValueError: a newer Qiskit has written them, or they are other circuits.
    """
    circuits: list[QuantumCircuit] | Snapshot
    if found.directory.has_circuits or not found.directory.has_snapshot:
        circuits = circuits_from_qpy(found.directory.circuits())
    else:
        circuits = Snapshot.from_saved(*found.directory.snapshot())
    if len(circuits) != found.description.num_circuits:
        expected = found.description.num_circuits
        raise ValueError(f"there are {len(circuits)} circuits instead of {expected}")
    return circuits


def _backend(description: JobDescription, provider: Any, connections: Connections) -> AQTResource:
    """Make the backend of a stored job without contacting portal or machine.

    Raises:
        APIError: the job belongs to another portal or machine, or there is no token.
    """
    location = description.location
    if isinstance(location, PortalLocation):
        connections.cloud_at(location.portal_url)
        resource = Resource(
            workspace_id=location.workspace_id,
            resource_id=description.backend_name,
            resource_name=location.resource_name,
            resource_type=location.resource_type,
            available_qubits=description.available_qubits,
        )
        cloud: AQTResource = provider.backend_class("device")(
            resource, provider=provider, connect=connections.cloud
        )
        return cloud
    if isinstance(location, MachineLocation):
        connections.known_machine(location.machine_url)
        resource = Resource(
            workspace_id=DEFAULT_WORKSPACE,
            resource_id=description.backend_name,
            resource_name=location.resource_name,
            resource_type="direct_access",
            available_qubits=description.available_qubits,
        )
        machine: AQTResource = provider.backend_class("direct_access")(
            resource,
            provider=provider,
            connect=partial(connections.machine, location.machine_url),
            max_shots=location.max_shots,
        )
        return machine
    if location.twin is not None:
        from aqt_fast.backends.offline.device_noise import DeviceNoise
        from aqt_fast.backends.offline.twin import NoiseTwin

        return NoiseTwin(DeviceNoise.from_dict(location.twin), provider=provider)
    wanted = WantedBackends(description.backend_name, "offline_simulator")
    simulators = Discovery(provider, connections).offline(wanted, description.available_qubits)
    if not simulators:
        raise ValueError(f"there is no offline simulator '{description.backend_name}'")
    return simulators[0]
