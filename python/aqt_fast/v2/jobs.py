"""The jobs of the 2.x face: ours, but a job without a result raises, and is saved in a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from qiskit.providers import JobStatus
from qiskit.result import Result

from aqt_fast.aqt_job import AQTDirectAccessJob, AQTJob
from aqt_fast.aqt_options import AQTOptions, DirectAccessJobOptions, JobOptions, RunOptions
from aqt_fast.jobs.execution import Execution
from aqt_fast.v2.exceptions import (
    AQTJobFailedError,
    AQTJobInvalidStateError,
    AQTJobPersistenceError,
    raised_as_v2,
)
from aqt_fast.v2.persistence import JobKind, JobSnapshot, JobStore, persist_job, snapshot_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["CloudJob", "DirectAccessJob", "OfflineSimulatorJob"]


class FaceJobOptions(JobOptions):
    """The options of jobs, with the errors of the 2.x face."""

    __slots__ = ()

    @classmethod
    def of_machines(cls) -> type[JobOptions]:
        """Return the class of the options of jobs on machines."""
        return DirectAccessFaceJobOptions

    def update_options(self, **fields: Unpack[RunOptions]) -> AQTOptions:
        """Set several options: all of them, or none if one is invalid.

        Raises:
            AQTValueError: an option has an invalid value, or can no longer be changed.
            AttributeError: there is no such option; the message suggests one.
        """
        with raised_as_v2():
            return super().update_options(**fields)


class DirectAccessFaceJobOptions(FaceJobOptions, DirectAccessJobOptions):
    """The options of jobs on machines, with the errors of the 2.x face."""

    __slots__ = ()


class _Job(AQTJob):
    """What the jobs of the 2.x face have in common."""

    _options_class = FaceJobOptions
    _kind: ClassVar[JobKind]
    _failed: ClassVar[str] = "Job failed"

    def submit(self, execution: Callable[[Any, AQTOptions], Execution] | None = None) -> None:
        """Raise: the backend's ``run`` has submitted the job.

        Raises:
            RuntimeError: the job was already submitted.
        """
        if self._execution is not None:
            raise RuntimeError(
                f"Job is already submitted via backend.run() (ID: {self._execution.name})"
            )
        with raised_as_v2():
            super().submit(execution)

    def job_id(self) -> str:
        """Return the portal's identifier of the job, or the identifier of its batch.

        Wait until the portal has answered the submission.

        Raises:
            AQTRequestError: the portal refuses the submission, or cannot be reached.
            AQTCredentialsError: the access token is missing or not accepted.
            AQTApiError: the portal has failed, or it is unknown whether it has accepted the job.
        """
        with raised_as_v2():
            return super().job_id()

    def api_job_id(self, index: int = 0) -> str:
        """Return the identifier of one API job: see :meth:`aqt_fast.AQTJob.api_job_id`.

        Args:
            index: which API job, from 0.

        Raises:
            AQTValueError: there is no API job with this index.
            LookupError: the job of an offline simulator has no API jobs.
            AQTError: it was not accepted, or it is unknown whether it was.
        """
        with raised_as_v2():
            return super().api_job_id(index)

    def result(
        self, timeout: float | None = None, wait: float | None = 5, *, partial: bool = False
    ) -> Result:
        """Wait until every circuit was evaluated and return all results in input order.

        Args:
            timeout: seconds to wait at most, None for no limit but the option
                ``query_timeout_seconds``.
            wait: has no effect: the portal is asked in the background, every
                ``query_period_seconds`` (an option of the backend).
            partial: return the known results instead of raising an error, also after the time-out.

        Raises:
            AQTJobFailedError: the job has failed; ``partial=True`` gives the results that exist.
            AQTValueError: ``timeout`` or ``wait`` is not a time.
            AQTJobInvalidStateError: the job was cancelled.
            JobTimeoutError: the job has not ended in time; it continues.
            AQTRequestError: the portal refuses a request, or cannot be reached.
            AQTCredentialsError: the access token is missing or not accepted.
            AQTApiError: the portal has failed, or has deleted the result, or it is unknown whether
                it has accepted the job.
        """
        with raised_as_v2():
            result = super().result(timeout, wait, partial=partial)
            result.job_id = self._id_of_result(result)
        if result.success or partial:
            return result
        if self.status() is JobStatus.CANCELLED:
            raise AQTJobInvalidStateError(
                f"Unable to retrieve result for job {result.job_id}. Job is cancelled."
            )
        raise AQTJobFailedError(f"{self._failed}: {result.status}")

    def cancel(self) -> bool:
        """Cancel what has not run yet. Return False if there was nothing left to cancel.

        Raises:
            AQTRequestError: the portal refuses, or cannot be reached.
            AQTApiError: the portal has failed.
        """
        with raised_as_v2():
            return super().cancel()

    def persist(self, *, store: JobStore | None = None) -> None:  # type: ignore[override]
        """Save the job for another process to restore with the backend's ``restore_job``.

        Wait until portal or machine has answered all submissions. A job that is one API job has the
        format of ``qiskit-aqt-provider`` 2.0.1; a larger one has a format of ours.

        Args:
            store: where to save it, None for :class:`~aqt_fast.v2.persistence.FileJobStore`.

        Raises:
            AQTJobPersistenceError: the job cannot be saved.
            AQTError: the submission has failed.
        """
        with raised_as_v2():
            persist_job(self._to_snapshot(), store)

    def _to_snapshot(self) -> JobSnapshot:
        execution = self._submitted()
        job_id = self.job_id()
        try:
            checkpoint = execution.checkpoint()
            circuits = self.circuits
            if not self._snapshot.is_of(circuits):
                raise ValueError("a circuit was changed after the job was made")
        except ValueError as error:
            raise AQTJobPersistenceError(f"cannot save job {job_id}: {error}") from error
        return snapshot_of(
            checkpoint,
            circuits,
            self._options,
            kind=self._kind,
            backend_name=self._backend.name,
            num_qubits=self._backend.num_qubits,
        )

    def _id_of_result(self, result: Result) -> str:
        return str(result.job_id)


class CloudJob(_Job):
    """A job on a resource of AQT's cloud."""

    _kind = "cloud"


class DirectAccessJob(_Job, AQTDirectAccessJob):
    """A job on a machine in the same network, which runs its circuits one after the other.

    The identifier of a job with one circuit is the machine's, that of a larger job is our own.
    """

    _kind = "direct"
    _failed = "Job failed with error"

    def job_id(self) -> str:
        """Return the machine's identifier of a single circuit, or the identifier of the batch.

        Wait until the machine has accepted a single circuit.

        Raises:
            AQTRequestError: the machine refuses the circuit, or cannot be reached.
            AQTApiError: the machine has failed, or it is unknown whether it has the circuit.
        """
        if self._execution is None or self._execution.num_api_jobs != 1:
            return super().job_id()
        with raised_as_v2():
            return self.api_job_id()

    def _id_of_result(self, result: Result) -> str:
        execution = self._submitted()
        known = execution.num_api_jobs == 1 and result.success
        return execution.accepted_id(0) if known else str(result.job_id)


class OfflineSimulatorJob(_Job):
    """A simulation in this process."""

    _kind = "offline"
