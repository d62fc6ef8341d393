"""A batch as API jobs, whoever takes them: what becomes of them adds up, is kept and told."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast import wire
from aqt_fast.api_job import ApiJob, Taker, saved_record
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.chunks import BatchPlan, again_label
from aqt_fast.exceptions import APIConnectionError, AQTError, ChunkFailure, JournalError
from aqt_fast.execution import Execution, Session
from aqt_fast.job_record import JobRecord, Records, SavedRecords
from aqt_fast.journal import JobLog, Journal


class BatchExecution(Execution):
    """A batch, cut into API jobs.

    Args:
        session: the connection, and the threads that do the waiting.
        taker: who takes the API jobs.
        batch: the circuits.
        options: of the job.
        plan: the API jobs.
        labels: what they are called, one each, in order.
        journal: where to note what happens to them, None for nowhere.
        records: what has happened to them in another process, None for a new batch.
    """

    def __init__(
        self,
        session: Session,
        taker: Taker,
        batch: Batch,
        options: AQTOptions,
        plan: BatchPlan,
        labels: Sequence[str],
        *,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Sends nothing yet."""
        super().__init__()
        self._session = session
        self._batch = batch
        self._options = options
        self._plan = plan
        self._others_work = False
        """Whether another process works on the batch, and this one only looks on."""
        self._journal = journal
        self._records = records
        self._jobs = [
            ApiJob(
                taker,
                batch,
                chunk,
                label,
                options.query_period_seconds,
                self._changed,
                self._note,
                JobLog(journal, index),
            )
            for index, (chunk, label) in enumerate(zip(plan.chunks, labels, strict=True))
        ]
        # The API jobs that share circuits, whose shots add up.
        self._groups = [
            list(group) for _, group in groupby(self._jobs, lambda job: job.chunk.circuits)
        ]
        self._group_of = {job: group for group in self._groups for job in group}
        self._done = dict.fromkeys(self._group_starts(), 0)
        # Of each group, how many have not ended, and of how many no circuit is done.
        self._open_in = {group[0].chunk.start: len(group) for group in self._groups}
        self._behind = dict(self._open_in)
        self._ahead: set[ApiJob] = set()
        self._finished_count = 0
        self._open = set(self._jobs)
        self._completed: list[range] = []

    @abstractmethod
    def _bring_forward(self, jobs: Sequence[ApiJob]) -> None:
        """Submit API jobs that have no identifier yet, and ask for all until they have ended.

        Raises:
            APIConnectionError: that cannot be begun.
        """

    @abstractmethod
    def _reason(self, failures: Sequence[ChunkFailure]) -> tuple[str, AQTError | None]:
        """What to say, and what to raise, if some API jobs have ended without a result."""

    def _asks_for(self, job: ApiJob) -> bool:  # noqa: ARG002
        """Whether to ask for what another process has submitted.

        If not, and it has not ended, it is looked at again later.
        """
        return True

    def begin(self) -> None:
        """Submit, or go on where another process has stopped."""
        if self._records is None:
            self._bring_forward(self._jobs)
        else:
            self._take_up(self._records, list(enumerate(self._jobs)))

    def _take_up(self, records: Records, pending: list[tuple[int, ApiJob]]) -> None:
        """Take API jobs over, also later on from a process that still works on them."""
        self._others_work = not records.own()
        replay = records.replay()
        left, accepted = [], []
        for index, job in pending:
            record = replay.records.get(index, JobRecord())
            if not job.take_up(record, settled=not self._others_work, damaged=replay.doubtful):
                left.append((index, job))
            elif job.ended:
                continue
            elif self._asks_for(job):
                accepted.append(job)
            elif not job.ended:
                left.append((index, job))
        if accepted:
            self._bring_forward(accepted)
        if left:
            self._session.dispatcher.call(
                lambda: self._guarded(lambda: self._take_up(records, left)),
                after=self._options.query_period_seconds,
            )

    @property
    def unsent(self) -> list[str]:
        """Labels of the API jobs that nobody has accepted or refused yet."""
        if self._others_work:
            return []
        return [
            job.label
            for job in self._jobs
            if job.status is JobStatus.INITIALIZING and not job.cancelled
        ]

    def told_as_lost(self) -> str:
        """With the way to go on, if there is a journal."""
        lost = super().told_as_lost()
        if self._journal is None:
            return lost
        return f"{lost}; AQTJob.restore('{self._plan.batch_id}').resubmit_failed() goes on"

    def abandon(self, reason: str) -> None:
        """End here and now; what was accepted stays where it is.

        What the closed connection has answered is taken in first.
        """

        def answered() -> bool:
            return all(job.job_id or job.ended for job in self._jobs if job.sending)

        with self._changed:
            self._changed.wait_for(answered, self._session.SETTLING_SECONDS)
        for job in self._jobs:
            job.abandon(reason)

    @property
    def label(self) -> str:
        """What the portal shows with the job; those of several API jobs have numbers added."""
        return self._plan.label

    @property
    def finished_count(self) -> int:
        """Circuits of which all shots were taken, as far as is known."""
        return self._finished_count

    @property
    def completed(self) -> list[range]:
        """Parts of the batch that have ended, in the order in which they did."""
        return self._completed

    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """One entry a circuit, in order; those that were not evaluated have ``success=False``."""
        groups: Iterable[list[ApiJob]] = self._groups
        if part is not None:
            groups = (group for group in self._groups if group[0].chunk.circuits == part)
        return [entry for group in groups for entry in self._group_results(group)]

    def resubmit_failed(self, *, uncertain: bool, expired: bool) -> int:
        """Submit those API jobs once more that have failed by now, and return their number."""
        self._require_process()
        with self._changed:
            failed = [
                job
                for job in self._jobs
                if job.status is JobStatus.ERROR
                and job.may_be_repeated(uncertain=uncertain, expired=expired)
            ]
            if not failed:
                return 0
            self._own_journal()
            for job in failed:
                job.reset(again_label(job.label))
            self._reopen(failed)
        self._bring_forward(failed)
        return len(failed)

    def adopt(self, label: str, job_id: str) -> None:
        """Take the identifier of an API job whose submission was uncertain."""
        self._require_process()
        with self._changed:
            found = [job for job in self._jobs if job.label == label and job.uncertain]
            if not found:
                raise LookupError(f"no uncertain submission has the label '{label}'")
            (job,) = found  # labels have numbers
            for other in self._jobs:
                if other.job_id == job_id:
                    raise ValueError(f"{job_id} is the identifier of '{other.label}'")
            self._own_journal()
            self._reopen([job])
            job.adopted(job_id)
        self._bring_forward([job])

    def go_on(self) -> None:
        """Ask again for what was accepted, and submit what was certainly not."""
        self._require_process()
        with self._changed:
            again = [job for job in self._jobs if job.retriable]
            if not again or self._session.closed:
                return
            if any(job.job_id is None for job in again):
                self._own_journal()
            else:
                with suppress(JournalError):  # whoever has it stores the results
                    self._own_journal()
            self._reopen(again)
            for job in again:
                job.reopen()
        try:
            self._bring_forward(again)
        except APIConnectionError as error:
            self.abandon(str(error))

    @property
    def problem(self) -> str | None:
        """What the journal could not keep, None if all is well."""
        return None if self._journal is None else self._journal.problem

    def _group_starts(self) -> Iterable[int]:
        return (group[0].chunk.start for group in self._groups)

    def _note(self, job: ApiJob) -> None:
        """Take over what has changed in an API job."""
        with self._changed:
            group = self._group_of[job]
            start = job.chunk.start
            if job.finished_count and job not in self._ahead:
                self._ahead.add(job)
                self._behind[start] -= 1
            if not self._behind[start]:  # the others are looked at only then: there may be many
                done = min(member.finished_count for member in group)
                self._finished_count += done - self._done[start]
                self._done[start] = done
            if job.ended and job in self._open:
                self._open.discard(job)
                self._open_in[start] -= 1
                if not self._open_in[start]:
                    self._completed.append(job.chunk.circuits)
            if not self._open:
                self._conclude()
                self._release_journal()
            elif job.status is not JobStatus.QUEUED and job.job_id is not None:
                self._status = JobStatus.RUNNING
            self._changed.notify_all()

    def _conclude(self) -> None:
        """All API jobs have ended: what does that make of the batch?"""
        failures = [
            ChunkFailure(index, job.chunk.circuits, job.label, job.message or "", job.error)
            for index, job in enumerate(self._jobs)
            if job.status is not JobStatus.DONE
        ]
        if not failures:
            self._end(JobStatus.DONE)
            return
        failed = any(job.status is JobStatus.ERROR for job in self._jobs)
        self._end(JobStatus.ERROR if failed else JobStatus.CANCELLED, *self._reason(failures))

    def _own_journal(self) -> None:
        if self._journal is not None:
            self._journal.own_again()
            self._others_work = False

    def _release_journal(self) -> None:
        """Let others go on with the batch if nothing can happen here any more."""
        with self._changed:
            idle = self.ended and not any(job.sending for job in self._jobs)
            if self._journal is not None and idle:
                self._journal.close()

    def _reopen(self, jobs: Sequence[ApiJob]) -> None:
        """The batch has not ended after all."""
        for job in jobs:
            if job not in self._open:
                self._open.add(job)
                self._open_in[job.chunk.start] += 1
        again = {job.chunk.circuits for job in jobs}
        self._completed = [part for part in self._completed if part not in again]
        self._error = self._message = None
        self._status = JobStatus.QUEUED

    def _group_results(self, group: list[ApiJob]) -> list[ExperimentResult]:
        circuits = group[0].chunk.circuits
        shots = self._options.shots
        if any(job.status is not JobStatus.DONE for job in group):
            message = next((job.message for job in group if job.message), "not evaluated yet")
            return self._batch.failed(circuits.start, circuits.stop, shots=shots, message=message)
        parts = [job.state.samples or [] for job in group if job.state]
        samples = parts[0]
        if len(parts) > 1:
            samples = [wire.Samples.concatenate(runs) for runs in zip(*parts, strict=True)]
        return self._batch.results(
            samples, circuits.start, circuits.stop, shots=shots, memory=self._options.memory
        )


def saved_records(settings: dict[str, Any], journal: Journal | None) -> Records:
    """What is known of a batch of another process.

    Args:
        settings: what its ``settings()`` has returned.
        journal: its journal, which knows more, if there is one.
    """
    return journal or SavedRecords([saved_record(entry) for entry in settings["jobs"]])
