"""A job in a pickle: its results if it has ended, otherwise what continues it elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast._native import Samples
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.exceptions import (
    AQTError,
    DamagedJobError,
    InvalidOptionError,
    JobNotFoundError,
    OtherProcessError,
)
from aqt_fast.jobs.backend import JobBackend
from aqt_fast.jobs.execution import Checkpoint, Execution, ExecutionState, unordered_shots
from aqt_fast.jobs.foreign import MovedJob
from aqt_fast.store.description import JobDescription
from aqt_fast.store.events import CopiedRecords, JournalState
from aqt_fast.store.journal import Journal
from aqt_fast.wire.snapshot import Snapshot


@dataclass(frozen=True)
class EndedJob:
    """All that is known of a job that has ended."""

    process: int
    """The process that has run it."""
    name: str
    """Its identifier in messages."""
    job_id: str | AQTError
    """Its identifier, or why it has none."""
    api_jobs: tuple[str | AQTError, ...]
    """The identifiers of its API jobs, or why they have none."""
    label: str | None
    """Its label on the portal."""
    state: ExecutionState
    """Its final state."""
    created: datetime
    """When it was submitted."""
    ended_at: datetime | None
    """When it has ended."""
    changes: list[tuple[str, str]]
    """The status changes that the portal has reported."""
    device_seconds: float
    """Seconds on the device."""
    places: list[JobStatus] | None
    """The status of each API job."""
    completed: list[range]
    """Its parts, in the order in which they ended."""
    results: list[ExperimentResult]
    """One entry per circuit; none if there are ``samples``."""
    checkpoint: Checkpoint | str
    """What ``persist()`` saves, or why it cannot be saved."""
    samples: list[Samples] | None = None
    """One per circuit; None unless all were evaluated, and their shots are known in order."""
    header: dict[str, Any] | None = None
    """What the header of the result holds."""

    def execution(
        self,
        backend: JobBackend,  # noqa: ARG002 - needed to continue
        snapshot: Snapshot,
        options: AQTOptions,
    ) -> Execution:
        """Make an execution that has ended."""
        return EndedExecution(self, snapshot, options)


@dataclass(frozen=True)
class RunningJob:
    """A job of the portal, which runs on without the process that has submitted it."""

    process: int
    """That process."""
    created: datetime
    """When it was submitted."""
    checkpoint: Checkpoint
    """What continues it."""

    def execution(self, backend: Any, snapshot: Snapshot, options: AQTOptions) -> Execution:
        """Make an execution that continues it, with its journal if that is on this computer.

        Where that is impossible, it has ended with the error.
        """
        journal = self._journal(backend)
        records = journal or CopiedRecords(JournalState.of_events(self.checkpoint.events))
        description = JobDescription(
            job_id=self.checkpoint.job_id,
            backend_name=backend.name,
            available_qubits=backend.num_qubits,
            location=self.checkpoint.location,
            options=dict(options),
            num_circuits=len(snapshot),
            created=self.created,
            plan=self.checkpoint.plan,
        )
        try:
            execution: Execution = backend.resumed(
                snapshot, options, MovedJob(description, records, journal)
            )
        except AQTError as error:
            job = self._out_of_reach(error, snapshot, options)
            return EndedExecution(job, snapshot, options)
        execution.created = self.created
        return execution

    def _journal(self, backend: JobBackend) -> Journal | None:
        try:
            return Journal.load(backend.store_path, self.checkpoint.job_id)
        except (JobNotFoundError, DamagedJobError, OSError):
            return None

    def _out_of_reach(self, error: AQTError, snapshot: Snapshot, options: AQTOptions) -> EndedJob:
        plan = self.checkpoint.plan
        return EndedJob(
            process=self.process,
            name=self.checkpoint.job_id,
            job_id=error,
            api_jobs=() if plan is None else (error,) * len(plan.parts),
            label=None if plan is None else plan.label,
            state=ExecutionState(JobStatus.ERROR, 0, str(error), error),
            created=self.created,
            ended_at=None,
            changes=[],
            device_seconds=0.0,
            places=None,
            completed=[],
            results=snapshot.failed(0, len(snapshot), shots=options.shots, message=str(error)),
            checkpoint=self.checkpoint,
        )


def pickled(execution: Execution) -> EndedJob | RunningJob:
    """Return what another process needs of an execution, with or without a journal.

    A job of the portal is continued there: wait until the portal has answered its submissions. Any
    other job needs this process: wait until it has ended.
    """
    if not execution.runs_alone:
        execution.wait(None)
    checkpoint: Checkpoint | str
    try:
        checkpoint = execution.checkpoint()
    except ValueError as error:
        checkpoint = str(error)
    state = execution.state
    if state.status is not JobStatus.DONE and execution.runs_alone:
        assert isinstance(checkpoint, Checkpoint)  # noqa: S101 - only simulators cannot be described
        return RunningJob(execution.process, execution.created, checkpoint)
    samples = None
    if state.status is JobStatus.DONE:
        with suppress(InvalidOptionError):
            samples = execution.samples()
    return EndedJob(
        process=execution.process,
        name=execution.name,
        job_id=_known(lambda: execution.job_id),
        api_jobs=tuple(
            _known(partial(execution.accepted_id, index)) for index in range(execution.num_api_jobs)
        ),
        label=execution.label,
        state=state,
        created=execution.created,
        ended_at=execution.ended_at,
        changes=list(execution.changes),
        device_seconds=execution.device_seconds,
        places=execution.places,
        completed=list(execution.completed),
        results=execution.results() if samples is None else [],
        checkpoint=checkpoint,
        samples=samples,
        header=execution.header,
    )


def _known(identifier: Callable[[], str]) -> str | AQTError:
    try:
        return identifier()
    except AQTError as error:
        return error


class EndedExecution(Execution):
    """A batch that another process has run to its end."""

    def __init__(self, job: EndedJob, snapshot: Snapshot, options: AQTOptions) -> None:
        """Take the results from a pickle."""
        super().__init__()
        self._job = job
        self._snapshot = snapshot
        self._memory = options.memory
        self.created = job.created
        self.header = job.header
        self._completed = job.completed
        self._finished_count = job.state.finished_count
        self._end(job.state.status, job.state.message, job.state.error)

    @property
    def name(self) -> str:
        """The job's identifier in messages."""
        return self._job.name

    @property
    def job_id(self) -> str:
        """The job's identifier.

        Raises:
            AQTError: the submission has failed.
        """
        return _accepted(self._job.job_id)

    @property
    def num_api_jobs(self) -> int:
        """Number of API jobs, 0 for an offline simulator."""
        return len(self._job.api_jobs)

    def accepted_id(self, index: int) -> str:
        """Return the identifier of an API job.

        Raises:
            AQTError: it was not accepted.
            LookupError: there are no API jobs.
        """
        if not self._job.api_jobs:
            return super().accepted_id(index)
        return _accepted(self._job.api_jobs[index])

    @property
    def label(self) -> str | None:
        """The job's label on the portal."""
        return self._job.label

    @property
    def ended_at(self) -> datetime | None:
        """When the batch has ended."""
        return self._job.ended_at

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The status changes that the portal has reported."""
        return self._job.changes

    @property
    def device_seconds(self) -> float:
        """Seconds on the device."""
        return self._job.device_seconds

    @property
    def places(self) -> list[JobStatus] | None:
        """The status of each API job."""
        return self._job.places

    def begin(self) -> None:
        """Do nothing."""

    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """Return the results that the pickle has."""
        samples = self._job.samples
        if samples is None:
            return self._job.results if part is None else self._job.results[part.start : part.stop]
        part = range(len(samples)) if part is None else part
        wanted = samples[part.start : part.stop]
        return self._snapshot.results(
            wanted,
            part.start,
            part.stop,
            shots=tuple(item.num_shots for item in wanted),
            memory=self._memory,
        )

    def samples(self, part: range | None = None) -> list[Samples]:
        """Return the outcomes that the pickle has.

        Raises:
            LookupError: a circuit was not evaluated.
            InvalidOptionError: a simulation has kept no order of shots.
        """
        if self._job.state.status is not JobStatus.DONE:
            raise LookupError(self._job.state.message or "not evaluated")
        if self._job.samples is None:
            raise unordered_shots()
        return self._job.samples if part is None else self._job.samples[part.start : part.stop]

    def cancel(self) -> bool:
        """Return False: nothing is left to cancel."""
        return False

    def checkpoint(self) -> Checkpoint:
        """Return what the pickle has.

        Raises:
            ValueError: it cannot be expressed in a file.
        """
        if isinstance(self._job.checkpoint, str):
            raise ValueError(self._job.checkpoint)
        return self._job.checkpoint

    def resubmit_failed(
        self,
        *,
        uncertain: bool,  # noqa: ARG002
        expired: bool,  # noqa: ARG002
        limits: SpendingLimits,  # noqa: ARG002
    ) -> int:
        """Submit nothing: only the process that has run the job knows what may run again.

        Raises:
            OtherProcessError: there are failed API jobs.
        """
        if self.state.status is JobStatus.ERROR:
            self._refuse()
        return 0

    def adopt(self, label: str, job_id: str) -> NoReturn:  # noqa: ARG002
        """Refuse.

        Raises:
            OtherProcessError: always.
        """
        self._refuse()

    def _refuse(self) -> NoReturn:
        checkpoint = self._job.checkpoint
        here = self._job.process == os.getpid()
        advice = f"call it {'on the job itself' if here else 'there'}"
        if not isinstance(checkpoint, str):
            advice += f", or use AQTJob.restore('{checkpoint.job_id}')"
        raise OtherProcessError("the job", self._job.process, advice)


def _accepted(known: str | AQTError) -> str:
    if isinstance(known, AQTError):
        raise known.with_traceback(None)
    return known
