"""A batch on its way through a machine that takes one circuit at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import groupby

from qiskit.providers import JobStatus

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.direct.connection import DirectConnection
from aqt_fast.backends.direct.endpoint import DirectEndpoint
from aqt_fast.exceptions import (
    AQTError,
    IncompleteBatchError,
    NotSubmittedError,
    PartFailure,
    SubmissionUncertainError,
)
from aqt_fast.jobs.api_job import ApiJob
from aqt_fast.jobs.execution import Checkpoint
from aqt_fast.jobs.remote import RemoteExecution
from aqt_fast.jobs.repeating import NOT_ACCEPTED
from aqt_fast.store.events import Records
from aqt_fast.store.journal import Journal
from aqt_fast.store.location import MachineLocation
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot


class DirectExecution(RemoteExecution):
    """Circuits that are sent one after the other, each when the one before has its result.

    A circuit that fails on the machine does not keep the others from running. One that is refused,
    or whose fate is not known, does.

    Args:
        connection: the machine, with one circuit in flight for all jobs.
        location: where the job lives.
        snapshot: the circuits.
        options: of the job.
        plan: the API jobs, with one circuit each.
        journal: where to note what happens to them, None for nowhere.
        records: what has happened to them in another process, None for a new batch.
    """

    def __init__(
        self,
        connection: DirectConnection,
        location: MachineLocation,
        snapshot: Snapshot,
        options: AQTOptions,
        plan: BatchPlan,
        *,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Sends nothing yet."""
        self._line: deque[ApiJob] = deque()
        """The circuits whose turn is still to come."""
        super().__init__(
            connection,
            DirectEndpoint(connection.client),
            location,
            snapshot,
            options,
            plan,
            journal=journal,
            records=records,
        )

    @property
    def name(self) -> str:
        """The batch's own identifier."""
        return self._plan.batch_id

    @property
    def job_id(self) -> str:
        """The batch's own identifier; the machine knows single circuits only."""
        return self._plan.batch_id

    @property
    def unsent(self) -> list[str]:
        """The job's label as long as there is something to send, or nothing keeps its results."""
        if self.state.ended or self._others_work:
            return []
        sent = all(job.job_id is not None or job.ended for job in self._jobs)
        return [] if sent and self._journal is not None else [self._plan.label]

    def wait_submitted(self, deadline: float) -> None:
        """Nothing to wait for: the rest takes as long as the machine takes."""

    def cancel(self) -> bool:
        """Stop after the circuit in hand; False if there is nothing that can be stopped.

        That is so after its last circuit was sent, and while another process works on the job.
        """
        self._require_process()
        with self._changed:
            if self._others_work:
                return False
            waiting = self._drop_unsent()
        cancelled = [job.cancel() for job in self._jobs]
        for job in waiting:
            job.submit()  # sends nothing, and notes why
        return any(cancelled)

    def checkpoint(self) -> Checkpoint:
        """Waits until the job has ended if it has no journal."""
        if self._journal is None:
            self.wait(None)
        return super().checkpoint()

    @property
    def _reads_results(self) -> bool:
        """True: a machine can be asked by one process only, and all others find its results."""
        return True

    @property
    def _asks(self) -> bool:
        """The process that works on the job asks the machine."""
        return not self._others_work

    def _start(self, jobs: Sequence[ApiJob]) -> None:
        """Queue behind the jobs that came before; what was accepted comes first."""
        with self._changed:
            self._line.extend(sorted(jobs, key=lambda job: job.job_id is None))
        self._connection.dispatcher.call(lambda: self._guarded(self._work))

    def _work(self) -> None:
        """Bring one circuit after the other to its end."""
        while not self._connection.closed:
            with self._changed:
                if not self._line:
                    return
                job = self._line.popleft()
            if job.job_id is None:
                job.submit()
                self._release_journal()
            while not job.poll():
                pass  # the machine has not answered within the read time-out

    def _stop(self, error: AQTError) -> None:
        """Send nothing more; what can go on later goes on with all that is left."""
        for job in self._drop_unsent():
            reason = error if isinstance(error, NOT_ACCEPTED) else NotSubmittedError()
            job.end(JobStatus.ERROR, str(reason), reason)

    def _drop_unsent(self) -> list[ApiJob]:
        """Take the circuits that were not sent out of the line."""
        unsent = [job for job in self._line if job.job_id is None]
        self._line = deque(job for job in self._line if job.job_id is not None)
        return unsent

    def _on_change(self, job: ApiJob) -> None:
        """An error stops the circuits that come after it; what the machine has accepted runs."""
        if job.failure is not None and job.failure.error is not None:
            self._stop(job.failure.error)  # before anybody can see the end and send them again
        super()._on_change(job)
        with self._changed:
            if job.job_id is not None and not self.state.ended:
                self._status = JobStatus.RUNNING

    def _reason(self, failures: Sequence[PartFailure]) -> tuple[str, AQTError | None]:
        """The error of the circuit that has stopped the others; all, if several may be running."""
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
        """What has become of circuits; neighbours with the same fate in one sentence."""
        described = []
        fates = groupby(
            enumerate(failures), lambda entry: (entry[1].message, entry[1].part - entry[0])
        )
        for (message, _), group in fates:
            parts = [failure.part for _, failure in group]
            which = f"circuit {parts[0]} ({self._snapshot.name(parts[0])})"
            if len(parts) > 1:
                which = f"circuits {parts[0]} to {parts[-1]}"
            described.append(f"{which}: {message}")
        return described
