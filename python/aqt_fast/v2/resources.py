"""The backends of the 2.x face: ours, with the peer's names, defaults and errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit

from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTDirectAccessOptions, AQTOptions, FetchOptions, RunOptions
from aqt_fast.aqt_resource import AQTDirectAccessResource, AQTResource
from aqt_fast.aqt_resource import CloudResource as _CloudResource
from aqt_fast.aqt_resource import OfflineSimulatorResource as _OfflineSimulatorResource
from aqt_fast.v2.exceptions import raised_as_v2
from aqt_fast.v2.jobs import CloudJob, DirectAccessJob, OfflineSimulatorJob
from aqt_fast.v2.persistence import JobStore
from aqt_fast.v2.restoring import restored
from aqt_fast.wire.circuits import API_LIMITS

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from typing_extensions import Unpack

    from aqt_fast.provider.jobs_table import JobsTable
    from aqt_fast.store.listing import JobCriteria

__all__ = ["CloudResource", "DirectAccessResource", "OfflineSimulatorResource"]

_API_JOB_CIRCUITS = API_LIMITS.circuits or 1
_API_JOB_SHOTS = API_LIMITS.shots or 1


class FaceOptions(AQTOptions):
    """The options of backends, with the errors of the 2.x face."""

    __slots__ = ()

    def update_options(self, **fields: Unpack[RunOptions]) -> AQTOptions:
        """Set several options: all of them, or none if one is invalid.

        Raises:
            AQTValueError: an option has an invalid value.
            AttributeError: there is no such option; the message suggests one.
        """
        with raised_as_v2():
            return super().update_options(**fields)


class DirectAccessFaceOptions(FaceOptions, AQTDirectAccessOptions):
    """The options of machines, with the errors of the 2.x face."""

    __slots__ = ()


class _Resource(AQTResource):
    """What the backends of the 2.x face have in common."""

    MAX_SHOTS = _API_JOB_SHOTS
    """Maximum number of shots in one API job, or in one run of a machine; ``run`` takes more."""

    @property
    def id(self) -> str:
        """Identifier of the resource."""
        return self.resource_id.resource_id

    @property
    def workspace_id(self) -> str:
        """Workspace through which the resource is used; ``default`` outside of the cloud."""
        return self.resource_id.workspace_id

    @property
    def max_circuits(self) -> int:
        """Number of circuits in one API job, 50; ``run`` takes any number."""
        return _API_JOB_CIRCUITS

    def retrieve_job(
        self,
        job_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit] | None = None,
        **options: Unpack[FetchOptions],
    ) -> AQTJob:
        """Return a job of this backend by its id alone: see :class:`~aqt_fast.AQTProvider`.

        Args:
            job_id: as for :meth:`AQTProvider.job <aqt_fast.AQTProvider.job>`, like the others.
            circuits: its circuits, if they are known.
            options: how to wait for it.

        Raises:
            AQTValueError: the job is of another backend.
            AQTJobNotFoundError: neither the store nor the portal has it.
            AQTRequestError: the portal refuses, or cannot be reached.
        """
        with raised_as_v2():
            return super().retrieve_job(job_id, circuits, **options)

    def set_options(self, **fields: Unpack[RunOptions]) -> None:
        """Set options of all later jobs: all of them, or none if one is invalid.

        Args:
            fields: those of :class:`~aqt_fast.RunOptions`.

        Raises:
            AQTValueError: an option has an invalid value.
            AttributeError: there is no such option; the message suggests one.
        """
        with raised_as_v2():
            super().set_options(**fields)

    def jobs(self, **criteria: Unpack[JobCriteria]) -> JobsTable:
        """List the jobs of this backend in the store, the newest first.

        Args:
            criteria: those of :meth:`AQTProvider.jobs <aqt_fast.AQTProvider.jobs>`.

        Raises:
            AQTValueError: a criterion is invalid.
            OSError: the store cannot be read.
        """
        with raised_as_v2():
            return super().jobs(**criteria)

    @classmethod
    def _default_options(cls) -> AQTOptions:
        return FaceOptions(with_progress_bar=False)


class CloudResource(_Resource, _CloudResource):
    """A quantum computer or simulator in AQT's cloud, through one workspace."""

    job_class = CloudJob

    def run(  # type: ignore[override]
        self, circuits: QuantumCircuit | Iterable[QuantumCircuit], **options: Unpack[RunOptions]
    ) -> CloudJob:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number of circuits, transpiled for this backend.
            options: ``shots`` (default: 100), ``memory``, and the others of
                :class:`~aqt_fast.RunOptions`, for this job only. None stands for the backend's own.

        Raises:
            AQTValueError: an option or a circuit cannot be used, or there are no circuits. Every
                circuit that cannot run is named. Nothing was started.
        """
        with raised_as_v2():
            job: CloudJob = super().run(circuits, **options)
        return job

    def api_job(
        self,
        job_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        **options: Unpack[RunOptions],
    ) -> CloudJob:
        """Return the handle of an API job that any program has sent; it has no journal.

        Nothing is sent but requests for its result: ``result()`` raises ``AQTRequestError`` if
        the portal does not know the identifier.

        Args:
            job_id: the portal's identifier.
            circuits: its circuits, in order.
            options: ``shots`` as it was sent; and others as for :meth:`run`.

        Raises:
            AQTValueError: ``job_id`` is not a UUID, or an option or circuit cannot have been sent.
        """
        with raised_as_v2():
            job: CloudJob = super().api_job(job_id, circuits, **options)
        return job

    def restore_job(
        self, job_id: str, *, store: JobStore | None = None, delete: bool = False
    ) -> CloudJob:
        """Restore a job that was saved by ``persist``, here or by ``qiskit-aqt-provider`` 2.0.1.

        Args:
            job_id: its identifier.
            store: where it was saved, None for :class:`~aqt_fast.v2.persistence.FileJobStore`.
            delete: whether to delete what was saved, once the job is restored.

        Raises:
            AQTJobNotFoundError: the store has no such job.
            AQTJobCorruptError: what the store has cannot be read.
            AQTJobIncompatibleError: a newer version has saved it.
            AQTJobBackendMismatchError: it belongs to another backend.
            AQTJobPersistenceError: ``job_id`` is not a UUID, or the store fails.
        """
        with raised_as_v2():
            job: CloudJob = restored(self, job_id, kind="cloud", store=store, delete=delete)
        return job


class DirectAccessResource(_Resource, AQTDirectAccessResource):
    """A quantum computer in the same network, which runs one circuit at a time."""

    job_class = DirectAccessJob

    @classmethod
    def _default_options(cls) -> AQTDirectAccessOptions:
        return DirectAccessFaceOptions(with_progress_bar=False)

    def run(  # type: ignore[override]
        self, circuits: QuantumCircuit | Iterable[QuantumCircuit], **options: Unpack[RunOptions]
    ) -> DirectAccessJob:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number of circuits, transpiled for this backend.
            options: ``shots`` (default: 100), ``memory``, and the others of
                :class:`~aqt_fast.RunOptions`, for this job only. None stands for the backend's own.

        Raises:
            AQTValueError: an option or a circuit cannot be used, or there are no circuits. Every
                circuit that cannot run is named. Nothing was started.
        """
        with raised_as_v2():
            job: DirectAccessJob = super().run(circuits, **options)
        return job

    def api_job(
        self,
        run_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        **options: Unpack[RunOptions],
    ) -> DirectAccessJob:
        """Return the handle of a run that any program has sent; it has no journal.

        Nothing is sent but requests for its result: ``result()`` raises ``AQTRequestError`` if
        the machine does not know the identifier.

        Args:
            run_id: the machine's identifier.
            circuits: its circuit.
            options: ``shots`` as it was sent; and others as for :meth:`run`.

        Raises:
            AQTValueError: ``run_id`` is not a UUID, or an option or circuit cannot have been sent.
        """
        with raised_as_v2():
            job: DirectAccessJob = super().api_job(run_id, circuits, **options)
        return job

    def restore_job(
        self, job_id: str, *, store: JobStore | None = None, delete: bool = False
    ) -> DirectAccessJob:
        """Restore a job that was saved by ``persist``: see :meth:`CloudResource.restore_job`.

        A job of several circuits that had not ended continues from its journal, which only the
        computer has that started it.
        """
        with raised_as_v2():
            job: DirectAccessJob = restored(self, job_id, kind="direct", store=store, delete=delete)
        return job


class OfflineSimulatorResource(_Resource, _OfflineSimulatorResource):
    """A simulator of an AQT device in this process."""

    job_class = OfflineSimulatorJob

    def run(  # type: ignore[override]
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        executor: Executor | None = None,
        **options: Unpack[RunOptions],
    ) -> OfflineSimulatorJob:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number of circuits, transpiled for this backend.
            executor: its workers simulate, for example a ``ProcessPoolExecutor``; None for this
                process.
            options: ``shots`` (default: 100), ``memory``, ``seed_simulator``, and the others of
                :class:`~aqt_fast.RunOptions`, for this job only. None stands for the backend's own.

        Raises:
            AQTValueError: an option or a circuit cannot be used, or there are no circuits. Every
                circuit that cannot run is named. Nothing was started.
        """
        with raised_as_v2():
            job: OfflineSimulatorJob = super().run(circuits, executor=executor, **options)
        return job

    def restore_job(
        self, job_id: str, *, store: JobStore | None = None, delete: bool = False
    ) -> OfflineSimulatorJob:
        """Run a saved job again under a new id, with its noise model and simulator options.

        The arguments and errors are those of :meth:`CloudResource.restore_job`.
        """
        with raised_as_v2():
            job: OfflineSimulatorJob = restored(
                self, job_id, kind="offline", store=store, delete=delete
            )
        return job
