"""The job of a primitive: a job of its backend, and what the primitive makes of the outcomes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aqt_fast._forks import ForkSafeLock
from aqt_fast._native import Samples
from aqt_fast._pickles import AnyProtocol, Single
from aqt_fast.aqt_job import AQTJob, Progress, provider_for_restoring
from aqt_fast.aqt_options import AQTOptions, checked_seconds
from aqt_fast.aqt_resource import OfflineSimulatorResource
from aqt_fast.backends.admission import Besides
from aqt_fast.devices.estimate import JobEstimate, added
from aqt_fast.devices.usage import DeviceUsage
from aqt_fast.exceptions import (
    DamagedJobError,
    InvalidOptionError,
    JobNotFoundError,
    OtherProcessError,
    UnsavableJobError,
)
from aqt_fast.jobs.execution import Execution
from aqt_fast.primitives.batch import Batch
from aqt_fast.primitives.continuation import Continuation
from aqt_fast.primitives.evaluation import Evaluation
from aqt_fast.primitives.evaluations import evaluation_from_json, evaluation_to_json
from aqt_fast.primitives.page import as_html
from aqt_fast.store.checksummed_json import UNUSABLE
from aqt_fast.store.job_directory import JobDirectory
from aqt_fast.store.job_store import JobStore
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from typing_extensions import Self

    from aqt_fast import AQTProvider


class AQTPrimitiveJob(Single, AnyProtocol, BasePrimitiveJob[PrimitiveResult[Any], JobStatus]):
    """The job of ``AQTSampler.run`` and ``AQTEstimator.run``: one job of the backend.

    That of an adaptive estimator is two: a pilot, and a second job that this process submits in the
    background once the pilot has ended. Until then it counts as running. If the process ends
    before, the pilot alone is left. If the pilot fails, its circuits can be submitted again as with
    any job; an error that prevents the second job is final.

    A copy by ``copy.copy`` or ``copy.deepcopy`` is the same job. It is pickled as
    :class:`~aqt_fast.AQTJob` is: a job in the cloud continues where it is unpickled; any other is
    waited for, and the pickle holds its outcomes. A pilot is always waited for.
    """

    def __init__(self, job: AQTJob | None, evaluation: Evaluation) -> None:
        """Use :meth:`start` or :meth:`restore`.

        Args:
            job: the job of the backend, submitted; None if there is nothing to run.
            evaluation: makes the result of the outcomes.
        """
        super().__init__(str(uuid.uuid4()) if job is None else job.batch_id)
        self._job = job
        self._evaluation = evaluation
        self._continuation: Continuation | None = None
        self._result: PrimitiveResult[Any] | None = None
        self._lock = ForkSafeLock()

    @classmethod
    def start(cls, batch: Batch, evaluation: Evaluation, *, besides: Besides | None = None) -> Self:
        """Submit circuits and return at once.

        Args:
            batch: the circuits; if there are none, nothing is submitted.
            evaluation: makes the result of the outcomes.
            besides: estimates another job that counts for this one's limits, too.

        Raises:
            InvalidOptionError: the backend cannot use the executor.
            InvalidJobError: a device would need too many API jobs.
            SpendingLimitError: a limit would be exceeded.
            DeviceNotOnlineError: the device takes no jobs, and ``require_online`` is set.
            AQTCredentialsError: there is no token for the backend's portal.
        """
        backend, snapshot, options, executor = batch
        if not len(snapshot):
            return cls(None, evaluation)
        job = backend.job_class(
            backend, snapshot, options, evaluation=partial(evaluation_to_json, evaluation)
        )
        make: Callable[[Snapshot, AQTOptions], Execution]
        make = partial(backend.execution, besides=besides)
        if executor is not None and isinstance(backend, OfflineSimulatorResource):
            make = partial(backend.execution, executor=executor, besides=besides)
        job.submit(make)
        return cls(job, evaluation)

    @classmethod
    def restore(
        cls,
        job_id: str,
        *,
        access_token: str | None = None,
        store_path: str | Path | None = None,
        remove_from_store: bool = True,
        provider: AQTProvider | None = None,
    ) -> Self:
        """Restore the job of a primitive that was saved, or that has a journal.

        It continues as with :meth:`AQTJob.restore <aqt_fast.AQTJob.restore>`, which restores it,
        too, as a job with counts. The result is the primitive's. What JSON cannot express is
        missing in its metadata.

        Of an adaptive estimator's job, either identifier gets the second job, whose result has the
        shots of both. If that was not submitted, or is not in the store, the result is that of the
        pilot's shots, with their errors; the metadata of its PUBs has ``pilot``, which is True.

        Args:
            job_id: :meth:`job_id`, or the id of any API job in it.
            access_token: as for :class:`~aqt_fast.AQTProvider`.
            store_path: directory of saved jobs and journals, None for the default one.
            remove_from_store: after loading, delete what :meth:`persist` has saved. It is saved
                again if the portal fails to deliver the outcomes. Journals stay.
            provider: whose connections to use instead of ``access_token``; None makes a new one.

        Raises:
            JobNotFoundError: no saved job and no journal has this id.
            InvalidOptionError: the job is not of a primitive.
            DamagedJobError: the saved data cannot be read; it stays as it is.
            APIError: the job belongs to another portal or machine, or there is no access token for
                it.
        """
        provider = provider or provider_for_restoring(access_token)
        store = JobStore(store_path or provider.store_path)
        directory = store.find(job_id)
        later = directory.continued_by()
        if later is not None:
            with suppress(JobNotFoundError):
                restored = cls.restore(
                    later,
                    store_path=store.path,
                    remove_from_store=remove_from_store,
                    provider=provider,
                )
                if remove_from_store and directory.description.is_copy:
                    directory.remove()
                return restored
        content = directory.evaluation()
        if content is None:
            raise InvalidOptionError(
                "job_id",
                job_id,
                "that of a sampler's or an estimator's job; AQTJob has restore, too",
            )
        try:
            evaluation = evaluation_from_json(content)
            if evaluation.num_circuits != directory.description.num_circuits:
                raise ValueError(f"it is of {evaluation.num_circuits} circuits")
            if directory.has_snapshot:
                _, headers = directory.snapshot()
                evaluation.check([header["memory_slots"] for header in headers])
        except UNUSABLE as error:
            reason = f"its evaluation cannot be used: {type(error).__name__}: {error}"
            raise DamagedJobError(directory.path, reason) from error
        job = provider.restore(job_id, store_path=store_path, remove_from_store=remove_from_store)
        return cls(job, evaluation)

    def __repr__(self) -> str:
        name = type(self).__name__
        try:
            finished, total = self.progress()
            return (
                f"<{name} {self._job_id!r}: {self.status().name}, {finished} of {total} circuits>"
            )
        except OtherProcessError as error:
            return f"<{name} {self._job_id!r}: in process {error.process}>"

    def _repr_html_(self) -> str:
        return as_html(self._job_id, type(self).__name__, self.jobs, self._result)

    def __reduce__(self) -> tuple[Any, ...]:
        """Wait as for the pickle of :attr:`job`."""
        return _unpickled, (
            type(self), self._job, self._evaluation, self._job_id, self.metadata,
            self._continuation,
        )  # fmt: skip

    def continue_with(
        self, make: Callable[[Snapshot, list[Samples]], AQTPrimitiveJob | None]
    ) -> None:
        """Submit another job in the background as soon as this one has ended, as a part of it.

        Called once, before anybody else has the job.

        Args:
            make: called in another thread, with this job's circuits and outcomes. It submits the
                job whose result is that of both, or returns None if this one is enough.
        """
        first = self._job
        if first is None:
            return

        def second(snapshot: Snapshot, samples: list[Samples]) -> tuple[AQTJob, Evaluation] | None:
            later = make(snapshot, samples)
            if later is None or later._job is None:  # noqa: SLF001 - of this class
                return None
            # Without a journal there is nothing to note it in; without the note, its own
            # identifier still restores it.
            with suppress(JobNotFoundError, DamagedJobError, OSError):
                _note_continuation(JobStore(first.backend().store_path), first, later._job)  # noqa: SLF001
            return later._job, later._evaluation  # noqa: SLF001

        self._continuation = Continuation(first, second)

    @property
    def job(self) -> AQTJob | None:
        """The job of the backend: counts, timing, the portal's identifiers, resubmitting.

        The last one, if there are two. None if nothing had to be run.
        """
        return self.jobs[-1] if self.jobs else None

    @property
    def jobs(self) -> tuple[AQTJob, ...]:
        """The jobs of the backend, as far as they were submitted: none, one, or a pilot and one."""
        if self._job is None:
            return ()
        if self._continuation is None or self._continuation.second is None:
            return (self._job,)
        return self._job, self._continuation.second[0]

    def job_id(self) -> str:
        """Return the job's own identifier, which is known at once and which :meth:`restore` takes.

        It is that of the pilot, if there is one. The portal's identifiers are
        ``job.api_job_id(0)`` and so on, of :attr:`job`.
        """
        return str(self._job_id)

    def result(self, timeout: float | None = None) -> PrimitiveResult[Any]:
        """Wait for the result.

        Args:
            timeout: seconds to wait at most, from 0; None for the option ``query_timeout_seconds``.

        Raises:
            InvalidOptionError: ``timeout`` is not a time.
            JobTimeoutError: the time has passed. The job continues.
            JobFailedError: the job failed or was cancelled.
            AQTError: the job was not submitted, or its outcomes cannot be fetched.
            OtherProcessError: called in a fork of the process that runs the job.
        """
        if self._result is None:
            evaluation, snapshot, samples = self._outcomes(timeout)
            with self._lock:
                if self._result is None:
                    self._result = evaluation.result(snapshot, samples)
        return self._result

    def _outcomes(self, timeout: float | None) -> tuple[Evaluation, Snapshot, list[Samples]]:
        """Wait for what the result is made of."""
        job, evaluation = self._job, self._evaluation
        if job is None:
            return evaluation, Snapshot([], API_LIMITS), []
        if self._continuation is not None:
            if timeout is not None:
                checked_seconds("timeout", timeout, zero=True)
            limit = job.options.query_timeout_seconds if timeout is None else timeout
            begun = time.monotonic()
            job, evaluation = self._continuation.last(limit) or (job, evaluation)
            timeout = None if limit is None else max(0.0, limit - (time.monotonic() - begun))
        samples = job.samples(timeout)
        return evaluation, job.snapshot, samples

    def status(self) -> JobStatus:
        """Return one status for all circuits; ``RUNNING`` between a pilot and the second job."""
        if self._continuation is not None:
            return self._continuation.status()
        return JobStatus.DONE if self._job is None else self._job.status()

    def progress(self) -> Progress:
        """Return the numbers of evaluated circuits and of all circuits.

        Those of a second job come in addition once it was submitted.
        """
        parts = [job.progress() for job in self.jobs]
        return Progress(
            sum(part.finished_count for part in parts), sum(part.total_count for part in parts)
        )

    def usage(self) -> DeviceUsage:
        """Return the seconds on the device, as far as the portal has reported: a ``float``.

        As :meth:`AQTJob.usage <aqt_fast.AQTJob.usage>` it has ``estimate``, ``ratio`` and ``cost``;
        of two jobs, for both together.
        """
        known = [job.usage() for job in self.jobs]

        def expected() -> JobEstimate | None:
            estimates = [usage.estimate for usage in known]
            return added([item for item in estimates if item is not None])

        return DeviceUsage(sum(known), expected)

    def metrics(self) -> dict[str, Any]:
        """Return time stamps, usage and sizes, as Qiskit's tools read them; {} without a job.

        Of two jobs, it has the sums of usage and sizes, and the end of the second one.
        """
        known = [job.metrics() for job in self.jobs]
        if not known:
            return {}
        seconds = sum(item["usage"]["seconds"] for item in known)
        finished = known[-1]["timestamps"]["finished"] if self.in_final_state() else None
        return {
            **known[0],
            "timestamps": {**known[0]["timestamps"], "finished": finished},
            "usage": {"seconds": seconds, "quantum_seconds": seconds},
            "bss": {"seconds": seconds},
            "num_circuits": sum(item["num_circuits"] for item in known),
            "executions": sum(item["executions"] for item in known),
        }

    def done(self) -> bool:
        """Return whether every circuit was evaluated."""
        return self.status() is JobStatus.DONE

    def running(self) -> bool:
        """Return whether circuits run."""
        return self.status() is JobStatus.RUNNING

    def cancelled(self) -> bool:
        """Return whether the job was cancelled and has ended."""
        return self.status() is JobStatus.CANCELLED

    def in_final_state(self) -> bool:
        """Return whether the job has ended."""
        return self.status() in JOB_FINAL_STATES

    def cancel(self) -> bool:
        """Cancel what has not run yet, on the portal too. Return False if nothing was left.

        A second job that was not submitted yet will not be.

        Raises:
            APIError: the portal refuses or cannot be reached.
        """
        withheld = self._continuation is not None and self._continuation.withhold()
        return (self.job is not None and self.job.cancel()) or withheld

    def wait_for_final_state(self, timeout: float | None = None) -> None:
        """Wait until the job has ended.

        Args:
            timeout: seconds to wait at most, None for no limit.

        Raises:
            JobTimeoutError: the job has not ended in time; it continues.
        """
        if self._continuation is not None:
            begun = time.monotonic()
            self._continuation.wait(timeout)
            timeout = None if timeout is None else max(0.0, timeout - (time.monotonic() - begun))
        if self.job is not None:
            self.job.wait_for_final_state(timeout)

    def persist(self, *, store_path: str | Path | None = None) -> Path:
        """Save the job for another process to :meth:`restore`.

        A job with a journal needs this only to be copied to another directory. Otherwise it is as
        :meth:`AQTJob.persist <aqt_fast.AQTJob.persist>`; a job of an offline simulator runs again.
        Both of two jobs are saved; a second one that was not submitted yet is not.

        Args:
            store_path: directory of saved jobs, None for that of the backend's provider.

        Returns:
            The job's directory inside ``store_path``: that of the pilot, if there is one.

        Raises:
            UnsavableJobError: nothing had to be run, or the simulator has options that cannot be
                saved.
            AQTError: the submission has failed.
            OSError: the directory or a file cannot be written.
        """
        if self._job is None:
            raise UnsavableJobError(self.job_id(), "it has no circuits")
        first, *others = self.jobs
        path = AQTJob.persist(first, store_path=store_path)
        for second in others:
            AQTJob.persist(second, store_path=store_path)
            _note_continuation(JobStore(path.parent), first, second)
        return path


def _note_continuation(store: JobStore, first: AQTJob, second: AQTJob) -> None:
    """Note with a stored job which one continues it.

    Raises:
        JobNotFoundError: the first job is not in the store.
        DamagedJobError: it cannot be read.
        OSError: the note cannot be written.
    """
    JobDirectory.load(store.path, first.batch_id).note_continuation(second.batch_id)


def _unpickled(
    kind: type[AQTPrimitiveJob],
    job: AQTJob | None,
    evaluation: Evaluation,
    job_id: str,
    metadata: dict[str, Any],
    continuation: Continuation | None = None,
) -> AQTPrimitiveJob:
    copied = kind(job, evaluation)
    copied._job_id = job_id  # noqa: SLF001 - of this module's class
    copied.metadata = metadata
    copied._continuation = continuation  # noqa: SLF001
    return copied
