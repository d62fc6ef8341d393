"""Summaries of stored jobs, made without reading circuits and without asking the portal."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypedDict, TypeVar

from aqt_fast._shots import Shots
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError
from aqt_fast.store import locks
from aqt_fast.store.accepted_ids import Answers
from aqt_fast.store.api_job_fate import api_job_fate
from aqt_fast.store.checksummed_json import UNUSABLE
from aqt_fast.store.description import utc_at
from aqt_fast.store.job_directory import JobDirectory, may_be_journal
from aqt_fast.store.job_store import JobStore
from aqt_fast.store.journal import Journal
from aqt_fast.store.states import ENDED, ApiJobState, StoredJobState

JobT = TypeVar("JobT", covariant=True)
"""Type of a job's handle."""


class JobRestorer(Protocol[JobT]):
    """Restores stored jobs: a provider."""

    def restore(
        self, job_id: str, *, store_path: Any = None, remove_from_store: bool = True
    ) -> JobT:
        """Restore a stored job: see :meth:`aqt_fast.AQTProvider.restore`."""


class JobCriteria(TypedDict, total=False):
    """Which stored jobs are wanted: see :meth:`AQTProvider.jobs <aqt_fast.AQTProvider.jobs>`."""

    state: StoredJobState | re.Pattern[str] | None
    """Its state. A text must be equal; a compiled pattern must match at the start."""

    label: str | re.Pattern[str] | None
    """Its label on the portal, matched like ``state``."""

    workspace: str | re.Pattern[str] | None
    """The workspace of its backend, matched like ``state``."""

    tags: Iterable[str]
    """Only jobs that have all of them."""

    since: datetime | None
    """Only jobs made at this time or later; local time if it has no time zone."""

    before: datetime | None
    """Only jobs made before this time."""

    limit: int | None
    """Maximum number of jobs, 1 or more."""

    store_path: str | Path | None
    """Directory of saved jobs and journals, None for the provider's."""


@dataclass(frozen=True)
class StoredApiJob:
    """One API job of a stored job."""

    circuits: range
    """Indices of its circuits."""
    shots: Shots
    """Repetitions of each circuit: one number for all, or one for each."""
    label: str
    """Its label on the portal."""
    job_id: str | None
    """The portal's identifier, None if it is unknown."""
    state: ApiJobState
    """Its state, see :data:`~aqt_fast.store.states.ApiJobState`."""
    message: str | None
    """Why it has no result."""


@dataclass(frozen=True)
class StoredJob(Generic[JobT]):
    """A job as the store knows it."""

    job_id: str
    """What ``job.job_id()`` returns, or the batch's identifier if the portal's is unknown."""
    batch_id: str | None
    """The batch's own identifier, None for jobs of offline simulators."""
    kind: Literal["journal", "saved", "both"]
    """Whether the job has a journal, was saved by ``persist()``, or both."""
    state: StoredJobState
    """The job's state, see :data:`~aqt_fast.store.states.StoredJobState`."""
    created: datetime
    """When the job was submitted. For damaged data, when it was last changed. In UTC."""
    store: JobStore = field(repr=False, compare=False)
    """The store that has the job."""
    provider: JobRestorer[JobT] = field(repr=False, compare=False)
    """The provider that restores the job."""
    backend: str | None = None
    """Name of the backend."""
    num_circuits: int | None = None
    """Number of circuits."""
    shots: Shots | None = None
    """Repetitions of each circuit: one number for all, or one for each."""
    label: str | None = None
    """The job's label on the portal."""
    tags: tuple[str, ...] = ()
    """The texts to find the job by."""
    workspace: str | None = None
    """The workspace of its backend, None for machines and offline simulators."""
    active: bool | None = False
    """Whether a process works on the job now, None if the system cannot tell."""
    portal_url: str | None = None
    """URL of the job's portal or machine."""
    api_jobs: tuple[StoredApiJob, ...] = field(default=(), repr=False)
    """The API jobs in order, empty for jobs of offline simulators."""
    problem: str | None = None
    """What cannot be read."""

    @property
    def ended(self) -> bool:
        """Whether the state is final and no process works on the job."""
        return self.state in ENDED and not self.active

    @property
    def counts(self) -> dict[ApiJobState, int]:
        """Number of API jobs in each state."""
        return dict(Counter(job.state for job in self.api_jobs))

    def restore(self, *, remove_from_store: bool = True) -> JobT:
        """Restore the job: :meth:`AQTProvider.restore <aqt_fast.AQTProvider.restore>`.

        Args:
            remove_from_store: delete what ``persist()`` has saved. Journals stay.

        Returns:
            The job's handle.
        """
        return self.provider.restore(
            self.batch_id or self.job_id,
            store_path=self.store.path,
            remove_from_store=remove_from_store,
        )

    def remove(self) -> None:
        """Delete the job from the store; nothing changes at the portal.

        Raises:
            JournalError: a process works on the job.
            OSError: a file cannot be deleted.
        """
        self.store.remove(self.batch_id or self.job_id)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON's types only: times in ISO 8601, circuits as first and last index."""
        api_jobs = [
            {
                **asdict(job),
                "circuits": [job.circuits.start, job.circuits.stop - 1],
                "shots": _in_json(job.shots),
            }
            for job in self.api_jobs
        ]
        return {
            "job_id": self.job_id,
            "batch_id": self.batch_id,
            "kind": self.kind,
            "state": self.state,
            "active": self.active,
            "backend": self.backend,
            "num_circuits": self.num_circuits,
            "shots": self.shots and _in_json(self.shots),
            "label": self.label,
            "tags": list(self.tags),
            "workspace": self.workspace,
            "created": self.created.isoformat(),
            "portal_url": self.portal_url,
            "problem": self.problem,
            "api_jobs": api_jobs,
        }


def _in_json(shots: Shots) -> int | list[int]:
    return shots if isinstance(shots, int) else list(shots)


def stored_jobs(store: JobStore, provider: JobRestorer[JobT]) -> list[StoredJob[JobT]]:
    """List all jobs of a store, the newest first, including damaged ones.

    Args:
        store: the store.
        provider: for :attr:`StoredJob.provider`.

    Raises:
        OSError: the directory exists but cannot be read.
    """
    jobs: list[StoredJob[JobT]] = []
    answers = Answers(store.path)
    for job_id in store.job_ids():
        with suppress(JobNotFoundError, FileNotFoundError):  # removed in the meantime
            jobs.append(_stored_job(store, job_id, provider, answers))
    return sorted(jobs, key=lambda job: (-job.created.timestamp(), job.job_id))


def _stored_job(
    store: JobStore, job_id: str, provider: JobRestorer[JobT], answers: Answers
) -> StoredJob[JobT]:
    """Summarise a stored job.

    Raises:
        JobNotFoundError: the job does not exist.
        FileNotFoundError: the job was just removed.
    """
    # Check the lock first: if its holder has ended by now, everything it wrote is read below.
    active = locks.is_held(store.path / job_id)
    try:
        directory = JobDirectory.load(store.path, job_id)
        # Again, because a job that was just made was locked before it could be found.
        active = active or locks.is_held(directory.path)
        api_jobs, problem = _api_jobs(directory, answers, active=bool(active))
    except (DamagedJobError, OSError, *UNUSABLE) as error:
        with suppress(DamagedJobError):
            JobDirectory.load(store.path, job_id)  # while it is removed, it is not damaged
        path = store.path / job_id
        return StoredJob(
            job_id=job_id,
            batch_id=None,
            kind="journal" if may_be_journal(path) else "saved",
            state="damaged",
            created=_changed(path),
            store=store,
            provider=provider,
            active=active,
            problem=_reason(error),
        )
    description = directory.description
    plan = description.plan
    # With a machine each circuit is an API job, and the job has the batch's identifier.
    only_id = api_jobs[0].job_id if plan and len(api_jobs) == 1 and not plan.by_circuit else None
    kind: Literal["journal", "saved", "both"] = "saved"
    if not description.is_copy:
        kind = "both" if directory.has_circuits else "journal"
    return StoredJob(
        job_id=only_id or job_id,
        batch_id=job_id if plan else None,
        kind=kind,
        state=_state(api_jobs, active=bool(active)) if plan else "saved",
        created=description.created,
        store=store,
        provider=provider,
        backend=description.backend_name,
        num_circuits=description.num_circuits,
        shots=description.shots,
        label=plan.label if plan else description.options.get("label"),
        tags=tuple(description.options.get("tags", ())),
        workspace=getattr(description.location, "workspace_id", None),
        active=active if plan else False,
        portal_url=description.location.url,
        api_jobs=api_jobs,
        problem=problem,
    )


def _reason(error: Exception) -> str:
    """Say why data is damaged."""
    if isinstance(error, DamagedJobError):
        return error.reason
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _changed(path: Path) -> datetime:
    """When the directory or file of damaged data was changed last."""
    if not os.path.lexists(path):
        path = path.with_suffix(".json")
    return utc_at(path.lstat().st_mtime)


def _api_jobs(
    directory: JobDirectory, answers: Answers, *, active: bool
) -> tuple[tuple[StoredApiJob, ...], str | None]:
    """Return the API jobs of a batch, and what is wrong with its journal.

    Args:
        directory: the batch on the disk.
        answers: what the store's list of identifiers has.
        active: whether a process works on it.

    Raises:
        DamagedJobError: the events cannot be read.
        OSError: the directory cannot be read.
    """
    plan = directory.description.plan
    if plan is None:
        return (), None
    journal = Journal(directory).replay(answers)
    stored = directory.stored_results()
    jobs = []
    for index, part in enumerate(plan.parts):
        record = journal.record(index)
        state = api_job_fate(record, stored=index in stored, active=active)
        jobs.append(
            StoredApiJob(
                circuits=part.circuits,
                shots=part.shots,
                label=record.label or plan.part_label(index),
                job_id=record.job_id,
                state=state,
                message=record.message,
            )
        )
    return tuple(jobs), journal.problem


def _state(api_jobs: Sequence[StoredApiJob], *, active: bool) -> StoredJobState:
    states = {job.state for job in api_jobs}
    if "uncertain" in states:
        return "uncertain"
    if states & {"unsent", "submitting"}:
        return "submitting" if active else "incomplete"
    if "submitted" in states:
        return "submitted"
    if "failed" in states:
        return "failed"
    return "cancelled" if "cancelled" in states else "done"
