"""A batch on a machine that takes one circuit at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from qiskit.providers import JobStatus

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.direct.connection import DirectConnection
from aqt_fast.backends.direct.endpoint import DirectEndpoint
from aqt_fast.exceptions import (
    APIConnectionError,
    AQTError,
    IncompleteBatchError,
    NotSubmittedError,
    PartFailure,
    SubmissionUncertainError,
)
from aqt_fast.jobs.api_job import ApiJob
from aqt_fast.jobs.execution import Checkpoint
from aqt_fast.jobs.remote import Admit, RemoteExecution
from aqt_fast.jobs.repeating import NOT_ACCEPTED, is_uncertain
from aqt_fast.store.events import Records
from aqt_fast.store.journal import Journal
from aqt_fast.store.location import MachineLocation
from aqt_fast.visualization.timeline import ApiJobTimes
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot


class DirectExecution(RemoteExecution):
    """Sends one circuit after the other, each once the previous one has its result.

    More shots than the machine takes at once are several runs of the circuit. A circuit that fails
    on the machine does not stop the others. A circuit that was refused, or whose fate is unknown,
    does.

    Args:
        connection: the connection to the machine; all its jobs share one circuit in flight.
        location: the machine, as the store describes it.
        snapshot: the circuits.
        options: the job's options.
        plan: the API jobs: runs of one circuit each.
        admit: called before API jobs are sent again.
        store_path: directory of all jobs.
        journal: where to record events, None for nowhere.
        records: events of another process, None for a new batch.
    """

    def __init__(
        self,
        connection: DirectConnection,
        location: MachineLocation,
        snapshot: Snapshot,
        options: AQTOptions,
        plan: BatchPlan,
        *,
        admit: Admit,
        store_path: Path,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Send nothing yet."""
        self._line: deque[ApiJob] = deque()
        """The API jobs that wait for their turn."""
        super().__init__(
            connection,
            DirectEndpoint(connection.client),
            location,
            snapshot,
            options,
            plan,
            admit=admit,
            store_path=store_path,
            journal=journal,
            records=records,
        )

    @property
    def name(self) -> str:
        """The batch's own identifier."""
        return self._plan.batch_id

    @property
    def job_id(self) -> str:
        """The batch's own identifier; the machine identifies single circuits only."""
        return self._plan.batch_id

    @property
    def unsent(self) -> list[str]:
        """The job's label while circuits are unsent, or while no journal keeps the results."""
        if self.state.ended or self._others_work:
            return []
        sent = all(job.job_id is not None or job.ended for job in self._jobs)
        return [] if sent and self._journal is not None else [self._plan.label]

    @property
    def api_job_times(self) -> list[ApiJobTimes]:
        """When each run was made. The machine tells no times: one begins as the last has ended."""
        found, last = [], self.created
        for job, times in zip(self._jobs, super().api_job_times, strict=True):
            sent = job.job_id is not None
            found.append(times._replace(started_at=last) if sent else times)
            last = times.ended_at or last
        return found

    def wait_submitted(self, deadline: float) -> None:
        """Do not wait: the remaining circuits take as long as the machine needs."""

    def losses(self, unsent: Sequence[str]) -> list[str]:
        """Return what to tell of a job that has not ended: it needs this process."""
        uncertain = [job.label for job in self._jobs if is_uncertain(job)]
        return super().losses([*unsent, *uncertain])

    def cancel(self) -> bool:
        """Stop after the running circuit. Return False if nothing can be stopped.

        This is the case once the last circuit was sent, and while another process works on the job.
        """
        self._require_process()
        with self._changed:
            if self._others_work:
                return False
            waiting = self._drop_unsent()
        cancelled = [job.cancel() for job in self._jobs]
        for job in waiting:
            job.submit()  # sends nothing, and records the cancellation
        return any(cancelled)

    def checkpoint(self) -> Checkpoint:
        """Return what another process needs; without a journal, wait until the job has ended."""
        if self._journal is None:
            self.wait(None)
        return super().checkpoint()

    @property
    def _asks(self) -> bool:
        """Only the process that works on the job queries the machine."""
        return not self._others_work

    def _start(self, jobs: Sequence[ApiJob]) -> None:
        """Queue API jobs behind those of earlier jobs, accepted ones first."""
        with self._changed:
            self._line.extend(sorted(jobs, key=lambda job: job.job_id is None))
        self._connection.dispatcher.call(self._work)

    def _work(self) -> None:
        """Run one circuit after the other until its end."""
        while not self._connection.closed:
            with self._changed:
                if not self._line:
                    return
                job = self._line.popleft()
            try:
                job.submit()
                self._release_journal()
                while not job.poll():
                    pass  # the machine has not answered within the read timeout
            except BaseException as error:
                job.fail(error)
                if not isinstance(error, Exception):
                    with suppress(APIConnectionError):  # closed: it ends what is left
                        self._connection.dispatcher.call(self._work)
                    raise

    def _stop(self, error: AQTError) -> None:
        """Send no more circuits: they end with the same error if a retry may help."""
        for job in self._drop_unsent():
            reason = error if isinstance(error, NOT_ACCEPTED) else NotSubmittedError()
            job.end(JobStatus.ERROR, str(reason), reason)

    def _drop_unsent(self) -> list[ApiJob]:
        """Remove the circuits that were not sent from the queue."""
        unsent = [job for job in self._line if job.job_id is None]
        self._line = deque(job for job in self._line if job.job_id is not None)
        return unsent

    def _on_change(self, job: ApiJob) -> None:
        """Stop the following circuits after an error; accepted circuits continue."""
        if job.failure is not None and job.failure.error is not None:
            self._stop(job.failure.error)  # before a reader of the end can submit them again
        super()._on_change(job)
        with self._changed:
            if job.job_id is not None and not self.state.ended:
                self._status = JobStatus.RUNNING

    def _reason(self, failures: Sequence[PartFailure]) -> tuple[str, AQTError | None]:
        """Return the error that stopped the others; all errors if several circuits may run."""
        message = "; ".join(self._descriptions(failures))
        serious = [failure for failure in failures if failure.error is not None]
        if not serious:
            return message, None
        errors = [
            failure.error for failure in serious if not isinstance(failure.error, NotSubmittedError)
        ]
        uncertain = [error for error in errors if isinstance(error, SubmissionUncertainError)]
        if not errors or len(uncertain) > 1:
            return message, IncompleteBatchError(serious)
        return message, (uncertain or errors)[0]

    def _descriptions(self, failures: Sequence[PartFailure]) -> list[str]:
        """Describe failed circuits; neighbours with the same message share a sentence."""
        described = []
        # Several runs of one circuit may have failed for the same reason.
        distinct = dict.fromkeys((failure.circuits[0], failure.message) for failure in failures)
        fates = groupby(enumerate(distinct), lambda entry: (entry[1][1], entry[1][0] - entry[0]))
        for (message, _), group in fates:
            circuits = [circuit for _, (circuit, _) in group]
            which = f"circuit {circuits[0]} ({self._snapshot.name(circuits[0])})"
            if len(circuits) > 1:
                which = f"circuits {circuits[0]} to {circuits[-1]}"
            described.append(f"{which}: {message}")
        return described
