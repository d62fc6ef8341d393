"""A batch as API jobs at a portal or on a machine: combines their states, keeps a journal.

Longer than 400 lines: all that changes the batch's state, under one lock, stands here.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast._ids import is_canonical_uuid
from aqt_fast._native import Samples
from aqt_fast._shots import shots_of
from aqt_fast._texts import one_line
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTError,
    InvalidInputError,
    JournalError,
    PartFailure,
)
from aqt_fast.jobs.api_job import ApiJob
from aqt_fast.jobs.connection import CLOSED, Connection
from aqt_fast.jobs.endpoint import Endpoint
from aqt_fast.jobs.execution import Checkpoint, Execution
from aqt_fast.jobs.group import grouped
from aqt_fast.jobs.known_ids import ApiJobIds
from aqt_fast.jobs.repeating import is_uncertain, may_be_repeated, may_be_retried
from aqt_fast.jobs.timing import api_job_times, job_timing
from aqt_fast.store.events import Records
from aqt_fast.store.journal import ApiJobLog, Journal
from aqt_fast.store.location import JobLocation
from aqt_fast.visualization.timeline import ApiJobTimes
from aqt_fast.wire.plan import BatchPlan, Part, again_label
from aqt_fast.wire.snapshot import Snapshot

_PATIENCE_AT_END_SECONDS = 1.0
"""How long the end of a connection waits for submissions that have no thread."""

Admit: TypeAlias = Callable[[Sequence[Part], SpendingLimits], None]
"""Refuses API jobs, by an exception, if they may not be sent.

Takes all that have been sent and are to be sent, one for each time; and the limits that take the
place of the job's own.
"""


class RemoteExecution(Execution):
    """A batch, cut into API jobs.

    Args:
        connection: shared by all jobs, with the threads that submit and poll.
        endpoint: where the API jobs run.
        location: portal or machine, as the store describes it.
        snapshot: the circuits.
        options: the job's options.
        plan: the API jobs.
        admit: called before API jobs are sent that were not part of the new job, or were sent
            before.
        store_path: directory of all jobs.
        journal: where to record events, None for nowhere.
        records: events of another process, None for a new batch.
    """

    def __init__(
        self,
        connection: Connection,
        endpoint: Endpoint,
        location: JobLocation,
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
        super().__init__()
        self._admit = admit
        self._limits = SpendingLimits()
        """Limits that take the place of the job's own."""
        self._connection = connection
        self._endpoint = endpoint
        self._location = location
        self._snapshot = snapshot
        self._options = options
        self._plan = plan
        self._others_work = False
        """Whether another process works on the batch, and this one only observes."""
        self._journal = journal
        self._records = records
        store_path = store_path if journal is None else journal.path.parent
        self._restoring = "AQTJob.restore"
        """What gets the job in another process."""
        self._jobs = [
            ApiJob(
                endpoint,
                snapshot,
                part,
                plan.part_label(index),
                lambda: options.query_period_seconds,
                self._changed,
                self._on_change,
                ApiJobLog(journal, index),
                ApiJobIds(connection.known_ids, store_path, journal, plan.batch_id, index),
            )
            for index, part in enumerate(plan.parts)
        ]
        self._groups = grouped(self._jobs)
        self._group_of = {job: group for group in self._groups for job in group.jobs}
        self._num_open = len(self._groups)
        """Number of groups that have not ended."""
        if journal is not None:
            self.created = journal.directory.description.created
        self._due = list(self._jobs) if records is None else []
        """The API jobs that are to be started."""
        connection.register(self)

    @abstractmethod
    def _start(self, jobs: Sequence[ApiJob]) -> None:
        """Submit the API jobs without identifier, and poll all until they have ended.

        May be called again for the same ones, after an interrupt.

        Raises:
            APIConnectionError: the connection is closed.
        """

    @abstractmethod
    def _reason(self, failures: Sequence[PartFailure]) -> tuple[str, AQTError | None]:
        """Combine the failures of API jobs: the batch's message, and the error to raise."""

    @property
    def _asks(self) -> bool:
        """Whether to poll API jobs of another process, instead of rereading its journal."""
        return True

    @property
    def label(self) -> str:
        """The job's label on the portal; several API jobs append numbers to it."""
        return self._plan.label

    @property
    def _advice_in_fork(self) -> str:
        if self._journal is None:
            return super()._advice_in_fork
        return f"{self._restoring}('{self._plan.batch_id}') follows it from here"

    @property
    def problem(self) -> str | None:
        """What the journal could not store, None if it has everything."""
        return None if self._journal is None else self._journal.problem

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The status changes that the portal has reported: pairs of status and time stamp."""
        return [change for job in self._jobs for change in job.changes]

    @property
    def device_seconds(self) -> float:
        """Seconds on the device of all API jobs, as far as the portal has reported."""
        timings = [job_timing(job.changes) for job in self._jobs]
        return sum(timing.running for timing in timings if timing.running is not None)

    @property
    def places(self) -> list[JobStatus]:
        """The status of each API job, ``INITIALIZING`` until it is accepted."""
        if self._forked and self.state.ended:
            return [job.status for job in self._jobs]
        with self._changed:
            return [job.status for job in self._jobs]

    @property
    def api_job_times(self) -> list[ApiJobTimes]:
        """When each API job has changed its state, in the order of the circuits."""
        return [
            api_job_times(job.label, job.status, job.changes, job.ended_at) for job in self._jobs
        ]

    @property
    def sent_parts(self) -> list[Part]:
        """The API jobs that were sent and may have run, each as often as that."""
        return [job.part for job in self._jobs for _ in range(job.earlier + job.may_run)]

    @property
    def ended_at(self) -> datetime | None:
        """When the last API job has ended, as the portal reports it; None if not all have ended."""
        if not self.state.ended:
            return None
        return max((job.ended_at for job in self._jobs if job.ended_at), default=self._ended_at)

    @property
    def advice(self) -> str:
        """What to tell a user who does not wait any more: the job's name, and how to go on."""
        known = self.name if is_canonical_uuid(self.name) else self._plan.batch_id
        elsewhere = f"{self._restoring}('{known}') gets it in another process"
        if self._journal is None:
            elsewhere = f"persist() saves it, so that {elsewhere}"
        return f"job {self.name} goes on: result() waits again, cancel() stops it; {elsewhere}"

    @property
    def batch_id(self) -> str:
        """The job's own identifier."""
        return self._plan.batch_id

    def keep_evaluation(self, evaluation: Callable[[], dict[str, Any]]) -> None:
        """Store what a primitive makes of the outcomes, in the journal of a new job."""
        self._restoring = "AQTPrimitiveJob.restore"
        if self._journal is not None and self._records is None:
            self._journal.keep_evaluation(evaluation())

    def begin(self) -> None:
        """Submit the API jobs, or continue those of another process.

        Raises:
            APIConnectionError: the connection was closed before; nothing is submitted.
        """
        if self._records is None and self._connection.closed:
            self.abandon(CLOSED)
            raise APIConnectionError(f"{CLOSED}; nothing is submitted")
        if self._records is not None:
            try:
                self._resume_from(self._records, list(enumerate(self._jobs)))
            except Exception as error:
                self._fail(error)  # nobody gets the job: closing need not wait for it
                raise
        self._go_on()

    def _go_on(self) -> None:
        """Start what is due. On a closed connection, where nobody polls any more, it ends."""
        due: list[ApiJob] = []
        try:
            with self._changed:
                due, self._due = self._due, []
            if due:
                with suppress(APIConnectionError):
                    self._start(due)
        except BaseException:  # an interrupt: whoever asks for the result goes on
            with self._changed:
                self._due += [job for job in due if job not in self._due]
            raise
        if self._connection.closed:  # not before: it ends what was registered until it is closed
            self.abandon(CLOSED)

    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """Return one entry per circuit, in order; ``success=False`` if it was not evaluated."""
        results: list[ExperimentResult] = []
        for group in self._groups:
            circuits = group.circuits
            if part not in (None, circuits):
                continue
            shots = shots_of(self._options.shots, circuits)
            message = group.message
            if message is None:
                results += self._snapshot.results(
                    group.samples(),
                    circuits.start,
                    circuits.stop,
                    shots=shots,
                    memory=self._options.memory,
                )
            else:
                results += self._snapshot.failed(
                    circuits.start, circuits.stop, shots=shots, message=message
                )
        return results

    def samples(self, part: range | None = None) -> list[Samples]:
        """Return the outcomes of all qubits of each circuit, with all of its shots, in order.

        Raises:
            LookupError: a circuit was not evaluated.
        """
        samples: list[Samples] = []
        for group in self._groups:
            if part in (None, group.circuits):
                if group.message is not None:
                    raise LookupError(group.message)
                samples += group.samples()
        return samples

    def checkpoint(self) -> Checkpoint:
        """Return what another process needs to continue, as far as it is known now."""
        self._require_process()
        with self._changed:
            events = [
                event
                for index, job in enumerate(self._jobs)
                for event in job.record().events(index)
            ]
            return Checkpoint(
                job_id=self._plan.batch_id,
                location=self._location,
                plan=self._plan,
                events=tuple(events),
                ended=self.state.ended,
            )

    def resubmit_failed(self, *, uncertain: bool, expired: bool, limits: SpendingLimits) -> int:
        """Submit again the API jobs that have failed so far, and return their number."""
        self._require_process()

        def find() -> list[ApiJob]:
            return [
                job
                for job in self._jobs
                if job.status is JobStatus.ERROR
                and may_be_repeated(job, uncertain=uncertain, expired=expired)
            ]

        limits = self._limits.replaced_by(limits)
        with self._admitted(find, limits, anew=True) as failed:
            if not failed:
                return 0
            self._own_journal()
            if self._connection.closed:
                self._release_journal()
                raise APIConnectionError(f"{CLOSED}; nothing is submitted")
            self._limits = limits
            self._reopen(failed, lambda job: job.reopen(again_label(job.label)))
        self._go_on()
        return len(failed)

    @contextmanager
    def _admitted(
        self, find: Callable[[], list[ApiJob]], limits: SpendingLimits, *, anew: bool
    ) -> Iterator[list[ApiJob]]:
        """Find API jobs to go on with, and have those admitted that are to be sent.

        The lock is held while the caller reopens them, but not before: the portal may be asked.
        What has changed meanwhile is admitted anew.

        Args:
            find: finds API jobs that have ended.
            limits: take the place of the job's own.
            anew: whether those that were accepted are sent again, too.
        """
        admitted: list[Part] | None = None
        while True:
            with self._changed:
                found = find()
                unsent = [job.part for job in found if anew or job.job_id is None]
                parts = [*self.sent_parts, *unsent]
                if not unsent or parts == admitted:
                    yield found
                    return
            self._admit(parts, limits)
            admitted = parts

    def adopt(self, label: str, job_id: str) -> None:
        """Set the identifier of an API job whose submission was uncertain.

        Another one that has this identifier, and cannot prove it by its label, becomes uncertain.
        """
        self._require_process()
        with self._changed:
            found = [job for job in self._jobs if job.label == label and is_uncertain(job)]
            if not found:
                raise LookupError(f"no uncertain submission has the label {label!r}")
            (job,) = found  # numbers make labels unique within the batch
            holder = job.ids.holder(job_id, label)
            if holder is not None:
                here = [repr(other.label) for other in self._jobs if other.job_id == job_id]
                raise InvalidInputError(f"{job_id} is the identifier of {(*here, holder)[0]}")
            self._own_journal()
            self._reopen([job], lambda job: job.adopt(job_id))
        for execution in self._connection.executions:
            execution.give_up(job_id, f"it was adopted for {label!r}", keep=job)
        self._go_on()

    def give_up(self, job_id: str, reason: str, *, keep: object) -> None:
        """Take an identifier back from the API job that has it: that becomes uncertain.

        Args:
            job_id: the identifier.
            reason: why it is another's.
            keep: the API job that may have it.
        """
        with self._changed:
            for job in self._jobs:
                if job.job_id == job_id and job is not keep and not job.foreign:
                    with suppress(JournalError):  # its owner reads it in the store
                        self._own_journal()
                    self._reopen([job], lambda job: job.reopen())
                    self._due.remove(job)
                    job.take_back(job_id, reason)

    def retry(self) -> None:
        """Poll accepted API jobs again, and submit those that were certainly not accepted."""
        if self._forked and self.state.ended:
            return
        self._require_process()
        if self._due:
            self._go_on()

        def find() -> list[ApiJob]:
            return [job for job in self._jobs if may_be_retried(job)]

        with self._admitted(find, self._limits, anew=False) as again:
            if not again or self._connection.closed:
                return
            if any(job.job_id is None for job in again):
                self._own_journal()
            else:
                with suppress(JournalError):  # its owner stores the results
                    self._own_journal()
            self._reopen(again, lambda job: job.reopen())
        self._go_on()

    @property
    def num_api_jobs(self) -> int:
        """Number of API jobs."""
        return len(self._jobs)

    def accepted_id(self, index: int) -> str:
        """Return the identifier of an API job; wait until it was accepted or has ended.

        Args:
            index: index of the API job in the batch.

        Raises:
            AQTError: it was not accepted.
        """
        job = self._jobs[index]
        if job.job_id is not None:
            return job.job_id
        self._require_process()
        self._wait_for(lambda: job.job_id is not None or job.ended, math.inf)
        if job.job_id is None:
            message, error = job.failure or ("", None)
            raise error or APIError(message or "the job was not submitted")
        return job.job_id

    @property
    def unsent(self) -> list[str]:
        """Labels of the API jobs that were neither accepted nor refused yet."""
        if self._others_work:
            return []
        return [
            job.label
            for job in self._jobs
            if job.status is JobStatus.INITIALIZING and not job.cancelled
        ]

    @property
    def stall(self) -> str | None:
        """Why nothing goes on for want of a thread, None if all is well."""
        return self._connection.stall

    def wait_submitted(self, deadline: float) -> None:
        """Wait until every API job was accepted or refused, or ``time.monotonic() >= deadline``.

        If no thread can be started for that, wait a second only.
        """
        with suppress(APIConnectionError):
            self._wait_for(lambda: not self.unsent, deadline, self.vigil(_PATIENCE_AT_END_SECONDS))

    def abandon(self, reason: str, deadline: float = 0.0) -> None:
        """End now; accepted API jobs stay where they are.

        First wait for the threads that process the closed connection's last answers.

        Args:
            reason: why it ends.
            deadline: when ``time.monotonic()`` is there, wait no longer.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: all(job.answered for job in self._jobs),
                max(0.0, deadline - time.monotonic()),
            )
        for job in self._jobs:
            job.abandon(reason)
        self._release_journal()

    def losses(self, unsent: Sequence[str]) -> list[str]:
        """Return what to tell of API jobs after the end, and how to continue: one line each.

        Args:
            unsent: what was :attr:`unsent` when the end began.
        """
        uncertain = [job for job in self._jobs if is_uncertain(job) and job.label in unsent]
        there = {job.label for job in self._jobs if job.job_id is not None or is_uncertain(job)}
        lost = [label for label in unsent if label not in there]
        again = f"{self._restoring}('{self._plan.batch_id}')"
        kept = self._journal is not None
        lines = []
        for job in uncertain:
            line = str(job.failure and job.failure.error)
            here = f"{again}.adopt('{job.label}', ID) if {self._endpoint.name} shows this label"
            ways = f"; {here}, else {again}.resubmit_failed(uncertain=True)"
            lines.append(line + ways * kept)
        if lost:
            first, *others = lost
            line = f"'{first}' was not submitted, or not to its end"
            if others:
                line = f"'{first}' and {len(others)} more were not submitted, or not to their end"
            lines.append(line + f"; {again}.resubmit_failed() goes on" * kept)
        return lines

    def _resume_from(self, records: Records, pending: list[tuple[int, ApiJob]]) -> None:
        """Continue another process's API jobs; check again later those that it still works on."""
        pending = [(index, job) for index, job in pending if not job.ended]
        if not pending:
            return  # closed meanwhile
        self._others_work = not records.own()
        state = records.replay()
        left, accepted = [], []
        for index, job in pending:
            resumed = job.resume_from(
                state.record(index),
                settled=not self._others_work,
            )
            if job.ended:
                continue
            if resumed and self._asks:
                accepted.append(job)
            else:
                left.append((index, job))
        if accepted:
            self._start(accepted)
        if left:
            self._connection.dispatcher.call(
                lambda: self._guarded(lambda: self._resume_from(records, left)),
                after=self._options.query_period_seconds,
            )
        self._release_journal()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a step in the background. Any error ends the API jobs that are not being sent."""
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - a background thread has nowhere to raise
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End the API jobs that are not being sent."""
        for job in self._jobs:
            with suppress(Exception):
                job.fail(error)

    def look_after(self) -> None:
        """Notice that all API jobs have ended, if an exception has kept the batch from it."""
        if not self.state.ended and all(job.ended for job in self._jobs):
            with self._changed:
                if all(job.ended for job in self._jobs):
                    self._recount()

    def _on_change(self, job: ApiJob) -> None:
        """Update the batch after a change of an API job."""
        with self._changed:
            try:
                try:
                    self._update(job)
                except Exception:  # noqa: BLE001 - otherwise the batch would never end
                    self._recount()
            except Exception as error:  # noqa: BLE001
                reason = f"the job cannot go on: {type(error).__name__}: {error}"
                self._end(JobStatus.ERROR, reason, APIError(reason))
            self._changed.notify_all()

    def _update(self, job: ApiJob) -> None:
        group = self._group_of[job]
        finished, ended = group.finished_count, group.ended
        group.update(job)
        self._finished_count += group.finished_count - finished
        if group.ended and not ended:
            self._num_open -= 1
            self._completed.append(group.circuits)
        self._derive_status(job)

    def _recount(self) -> None:
        """Derive the batch's state from all of its API jobs, after an exception or an interrupt."""
        for group in self._groups:
            group.recount()
        self._num_open = sum(not group.ended for group in self._groups)
        self._finished_count = sum(group.finished_count for group in self._groups)
        completed = [group.circuits for group in self._groups if group.ended]
        known = [part for part in self._completed if part in completed]
        self._completed = [*known, *(part for part in completed if part not in known)]
        for job in self._jobs if self._num_open else self._jobs[:1]:
            self._derive_status(job)

    def _derive_status(self, job: ApiJob) -> None:
        if not self._num_open:
            self._conclude()
            self._release_journal()
        elif job.status is not JobStatus.QUEUED and job.job_id is not None:
            self._status = JobStatus.RUNNING

    def _conclude(self) -> None:
        """Derive the batch's final status from its API jobs, which have all ended."""
        failures = [
            PartFailure(index, job.part.circuits, job.label, *job.failure)
            for index, job in enumerate(self._jobs)
            if job.failure is not None
        ]
        if not failures:
            self._end(JobStatus.DONE)
            return
        failed = any(job.status is JobStatus.ERROR for job in self._jobs)
        message, error = self._reason(failures)
        self._end(JobStatus.ERROR if failed else JobStatus.CANCELLED, one_line(message), error)

    def _reopen(self, jobs: Sequence[ApiJob], reopen: Callable[[ApiJob], None]) -> None:
        """Undo the end of API jobs, and of the batch. They are to be started again."""
        self._due = [*self._due, *jobs]
        self.reopened += 1
        try:
            for job in jobs:
                group = self._group_of[job]
                self._num_open += group.ended
                group.reopen(job)
                reopen(job)
            again = {job.part.circuits for job in jobs}
            self._completed = [part for part in self._completed if part not in again]
            self._error = self._message = None
            self._status = JobStatus.QUEUED
        except BaseException:  # an interrupt
            self._recount()
            raise

    def _own_journal(self) -> None:
        if self._journal is not None:
            self._journal.own_again()
            self._others_work = False

    def _release_journal(self) -> None:
        """Release the journal to other processes once nothing can happen here any more."""
        with self._changed:
            idle = self.state.ended and not any(job.submission.sending for job in self._jobs)
            if self._journal is not None and idle:
                with suppress(OSError):
                    self._journal.close()
