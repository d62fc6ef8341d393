"""A batch on its way through AQT's cloud, in as many API jobs as it takes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast import wire
from aqt_fast.api_client import Resource
from aqt_fast.api_job import ApiJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.chunks import BatchPlan, Chunk, again_label
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    ChunkFailure,
    IncompleteBatchError,
    JournalError,
)
from aqt_fast.execution import Execution
from aqt_fast.job_timing import JobTiming, job_timing
from aqt_fast.journal import JobLog, JobRecord, Journal, Records

if TYPE_CHECKING:
    from aqt_fast.cloud import CloudSession


class CloudExecution(Execution):
    """A batch, cut into API jobs that are submitted in order and several at the same time.

    Args:
        session: the portal that takes it, and the threads that do the waiting.
        resource: what is to run it.
        batch: its circuits.
        options: its options.
        plan: its API jobs.
        journal: where to note what happens to them, None for nowhere.
        records: what has happened to them in another process, None for a new batch.
    """

    def __init__(
        self,
        session: CloudSession,
        resource: Resource,
        batch: Batch,
        options: AQTOptions,
        plan: BatchPlan,
        *,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Sends nothing yet."""
        super().__init__()
        self._session = session
        self._resource = resource
        self._batch = batch
        self._options = options
        self._plan = plan
        self._journal = journal
        self._records = records
        self._others_work = False
        """Whether another process works on the batch, and this one only looks on."""
        self._cancel_lock = threading.Lock()
        self._jobs = [self._job(index, chunk) for index, chunk in enumerate(plan.chunks)]
        # The API jobs that share circuits, whose shots add up.
        self._groups = [
            list(group) for _, group in groupby(self._jobs, lambda job: job.chunk.circuits)
        ]
        self._group_of = {job: group for group in self._groups for job in group}
        self._done = dict.fromkeys(self._group_starts(), 0)
        self._finished_count = 0
        self._open = set(self._jobs)
        self._completed: list[range] = []
        self._unsent: deque[ApiJob] = deque()

    def begin(self) -> None:
        """Submit, or go on where another process has stopped."""
        if self._records is None:
            self._submit(self._jobs)
        else:
            self._take_up(self._records, list(enumerate(self._jobs)))

    def _take_up(self, records: Records, pending: list[tuple[int, ApiJob]]) -> None:
        """Take API jobs over, also later on from a process that still works on them."""
        self._others_work = not records.own()
        replay = records.replay()
        left = []
        for index, job in pending:
            record = replay.records.get(index, JobRecord())
            if not job.take_up(record, settled=not self._others_work, damaged=bool(replay.damaged)):
                left.append((index, job))
            elif job.job_id is not None and not job.ended:
                self._watch(job)
        if left:
            self._session.dispatcher.call(
                lambda: self._guarded(lambda: self._take_up(records, left)),
                after=self._options.query_period_seconds,
            )

    @property
    def name(self) -> str:
        """The portal's identifier of a single API job if there is one, or the label."""
        if len(self._jobs) > 1:
            return self._plan.batch_id
        return self._jobs[0].job_id or self._plan.label

    @property
    def unsent(self) -> list[str]:
        """Labels of the API jobs that nobody has accepted or refused yet."""
        if self._others_work:
            return []
        return [job.label for job in self._jobs if job.status is JobStatus.INITIALIZING]

    def abandon(self, reason: str) -> None:
        """End here and now; what is with the portal stays there."""
        for job in self._jobs:
            job.abandon(reason)

    @property
    def label(self) -> str:
        """What the portal shows with the job; those of several API jobs have numbers added."""
        return self._plan.label

    @property
    def job_id(self) -> str:
        """The portal's identifier of a single API job, else the batch's own.

        Waits until the submission of a single API job was answered.

        Raises:
            AQTError: the submission has failed.
        """
        if len(self._jobs) > 1:
            return self._plan.batch_id
        self._require_process()
        (job,) = self._jobs
        with self._changed:
            self._changed.wait_for(lambda: job.job_id is not None or self.ended)
        if job.job_id is None:
            raise job.error or APIError(job.message or "the job was not submitted")
        return job.job_id

    @property
    def finished_count(self) -> int:
        """Circuits of which all shots were taken, as far as the portal has told."""
        return self._finished_count

    @property
    def timing(self) -> JobTiming | None:
        """Where the time went, None before the portal has told."""
        changes = [change for job in self._jobs if job.state for change in job.state.timing or []]
        return job_timing(changes) if changes else None

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

    def cancel(self) -> bool:
        """Stop what has not run; False if there is nothing left to stop.

        Raises:
            APIError: the portal refuses, or cannot be asked.
        """
        self._require_process()
        with self._cancel_lock, ThreadPoolExecutor(self._session.max_parallel_requests) as threads:
            wishes = [threads.submit(job.cancel) for job in self._jobs]
        for job, wish in zip(self._jobs, wishes, strict=True):
            if wish.exception() is None and wish.result() and job.job_id is not None:
                self._session.poller.hurry(job)
        # Every error is told, even if others could be cancelled.
        cancelled = [wish.result() for wish in wishes]
        return any(cancelled)

    def resubmit_failed(self, *, uncertain: bool) -> int:
        """Submit those API jobs once more that have failed by now, and return their number."""
        with self._changed:
            failed = [
                job
                for job in self._jobs
                if job.status is JobStatus.ERROR
                # What the portal has accepted and not ended may still run.
                and (job.error is None or (job.job_id is None and (uncertain or not job.uncertain)))
            ]
            if not failed:
                return 0
            self._own_journal()
            for job in failed:
                job.reset(again_label(job.label))
            self._reopen(failed)
        self._submit(failed)
        return len(failed)

    def adopt(self, label: str, job_id: str) -> None:
        """Take the portal's identifier for an API job whose submission was uncertain."""
        with self._changed:
            found = [job for job in self._jobs if job.label == label and job.uncertain]
            if not found:
                raise LookupError(f"no uncertain submission has the label '{label}'")
            (job,) = found  # labels have numbers
            self._own_journal()
            self._reopen([job])
            job.adopted(job_id)
        self._watch(job)

    def go_on(self) -> None:
        """Ask again for what is with the portal, and submit what it has certainly not accepted."""
        self._require_process()
        with self._changed:
            again = [job for job in self._jobs if job.retriable]
            if not again or self._session.closed:
                return
            unsent = [job for job in again if job.job_id is None]
            if unsent:
                self._own_journal()
            else:
                with suppress(JournalError):  # whoever has it stores the results
                    self._own_journal()
            self._reopen(again)
            for job in again:
                job.reopen()
        try:
            for job in again:
                if job.job_id is not None:
                    self._watch(job)
            self._submit(unsent)
        except APIConnectionError as error:
            self.abandon(str(error))

    def settings(self) -> dict[str, Any]:
        """Where the job lives. Waits until all submissions were answered."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(job.job_id is not None or job.ended for job in self._jobs)
            )
        settings = batch_settings(self._session.portal.portal_url, self._resource, self._plan)
        return {**settings, "jobs": [job.saved() for job in self._jobs]}

    @property
    def problem(self) -> str | None:
        """What the journal could not keep, None if all is well."""
        return None if self._journal is None else self._journal.problem

    def _job(self, index: int, chunk: Chunk) -> ApiJob:
        return ApiJob(
            self._session.portal,
            self._resource,
            self._batch,
            chunk,
            self._plan.chunk_label(index),
            self._options.query_period_seconds,
            self._changed,
            self._note,
            JobLog(self._journal, index),
        )

    def _group_starts(self) -> Iterable[int]:
        return (group[0].chunk.start for group in self._groups)

    def _submit(self, jobs: Sequence[ApiJob]) -> None:
        """Submit API jobs in order; each that was answered makes room for another."""
        self._unsent.extend(jobs)
        for _ in range(min(self._session.max_parallel_requests, len(jobs))):
            self._session.submissions.call(lambda: self._guarded(self._submit_next))

    def _submit_next(self) -> None:
        try:
            job = self._unsent.popleft()
        except IndexError:
            return
        try:
            job.submit()
            if job.job_id is not None:
                self._watch(job)
        finally:
            self._release_journal()
            self._session.submissions.call(lambda: self._guarded(self._submit_next))

    def _watch(self, job: ApiJob) -> None:
        self._session.poller.watch(self._resource.resource_id, job)

    def _note(self, job: ApiJob) -> None:
        """Take over what has changed in an API job."""
        with self._changed:
            group = self._group_of[job]
            start = job.chunk.start
            done = min(member.finished_count for member in group)
            self._finished_count += done - self._done[start]
            self._done[start] = done
            if all(member.ended for member in group):
                self._completed.append(job.chunk.circuits)
            if job.ended:
                self._open.discard(job)
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
        status = JobStatus.ERROR if failed else JobStatus.CANCELLED
        if len(self._jobs) == 1:
            self._end(status, failures[0].message, failures[0].error)
            return
        serious = [failure for failure in failures if failure.error is not None]
        error = IncompleteBatchError(serious) if serious else None
        self._end(status, "; ".join(str(failure) for failure in failures), error)

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
        self._open.update(jobs)
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


def batch_settings(portal_url: str, resource: Resource, plan: BatchPlan) -> dict[str, Any]:
    """What it takes to find a batch at the portal again, in JSON's types."""
    return {
        "portal_url": portal_url,
        "workspace_id": resource.workspace_id,
        "resource_name": resource.resource_name,
        "resource_type": resource.resource_type,
        **plan.settings(),
    }
