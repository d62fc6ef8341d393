"""What the store tells about its jobs without their circuits, and without asking the portal."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aqt_fast import file_lock
from aqt_fast.api_job import saved_record
from aqt_fast.aqt_job import AQTJob
from aqt_fast.chunks import BatchPlan
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError
from aqt_fast.job_record import JobRecord, Replay
from aqt_fast.job_states import ENDED, ApiJobState, JobState
from aqt_fast.journal import Journal, is_id
from aqt_fast.persistence import JobStore

if TYPE_CHECKING:
    from aqt_fast.aqt_provider import AQTProvider

_UNUSABLE = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
"""What taking readable but wrong data apart can raise."""


@dataclass(frozen=True)
class ApiJobSummary:
    """One API job of a job in the cloud."""

    circuits: range
    """Indices of its circuits."""
    shots: int
    """Repetitions of each."""
    label: str
    """What the portal shows with it."""
    job_id: str | None
    """The portal's identifier, None if none is known."""
    state: ApiJobState
    """Where it stands."""
    message: str | None
    """Why it has no result."""


@dataclass(frozen=True)
class JobSummary:
    """A job as the store knows it."""

    job_id: str
    """What ``job.job_id()`` returns; the batch's identifier if the portal's is not known."""
    batch_id: str | None
    """The batch's own identifier, None for jobs of offline simulators."""
    kind: Literal["journal", "saved", "both"]
    """Whether the job has a journal, was saved by ``persist()``, or both."""
    state: JobState
    """Where it stands, see :data:`~aqt_fast.job_states.JobState`."""
    created: datetime
    """When it was submitted or, if it has no journal, saved; of damaged data, when it was changed
    last. In UTC."""
    store: JobStore = field(repr=False, compare=False)
    """Where it is."""
    provider: AQTProvider | None = field(default=None, repr=False, compare=False)
    """Through which it is restored, None for a new one."""
    backend: str | None = None
    """Name of its backend."""
    num_circuits: int | None = None
    """How many circuits it has."""
    shots: int | None = None
    """Repetitions of each."""
    label: str | None = None
    """What the portal shows with it."""
    active: bool | None = False
    """Whether a process works on it just now, None if the system cannot tell."""
    portal_url: str | None = None
    """The portal or the machine that it is with."""
    api_jobs: tuple[ApiJobSummary, ...] = field(default=(), repr=False)
    """Its API jobs in order, none for jobs of offline simulators."""
    problem: str | None = None
    """What cannot be read."""
    saved_ids: tuple[str, ...] = field(default=(), repr=False)
    """What ``persist()`` has saved it as, the newest first."""

    @property
    def ended(self) -> bool:
        """Whether nothing happens to it any more by itself."""
        return self.state in ENDED and not self.active

    @property
    def counts(self) -> dict[ApiJobState, int]:
        """How many API jobs there are in each state."""
        return dict(Counter(job.state for job in self.api_jobs))

    def names(self) -> Iterator[str]:
        """All identifiers that it can be found by, that of :attr:`job_id` first."""
        yield self.job_id
        if self.batch_id is not None:
            yield self.batch_id
        yield from self.saved_ids
        for job in self.api_jobs:
            if job.job_id is not None:
                yield job.job_id

    def restore(self, *, remove_from_store: bool = True) -> AQTJob:
        """Go on with the job: :meth:`AQTJob.restore <aqt_fast.AQTJob.restore>`.

        Args:
            remove_from_store: delete what ``persist()`` has saved. Journals stay.
        """
        return AQTJob.restore(
            (*self.saved_ids, self.batch_id or self.job_id)[0],
            provider=self.provider,
            store_path=self.store.path,
            remove_from_store=remove_from_store,
        )

    def remove(self) -> None:
        """Delete everything that the store has of it; nothing happens at the portal.

        Raises:
            JournalError: a process works on it.
            OSError: a file cannot be deleted.
        """
        if self.batch_id is not None and self.kind != "saved":
            journal = Journal(self.store.path / self.batch_id, {})
            try:
                journal.remove()
            except DamagedJobError:
                shutil.rmtree(journal.path)  # nobody can work on what has no lock
        for saved_id in self.saved_ids:
            self.store.remove(saved_id)

    def to_dict(self) -> dict[str, Any]:
        """Everything in JSON's types, times in ISO 8601, circuits as the first and the last."""
        api_jobs = [
            {**asdict(job), "circuits": [job.circuits.start, job.circuits.stop - 1]}
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
            "shots": self.shots,
            "label": self.label,
            "created": self.created.isoformat(),
            "portal_url": self.portal_url,
            "problem": self.problem,
            "api_jobs": api_jobs,
        }


def stored_jobs(store: JobStore, provider: AQTProvider | None = None) -> list[JobSummary]:
    """All jobs of a store, the newest first. What cannot be read is among them.

    Args:
        store: where to look.
        provider: for :attr:`JobSummary.provider`.

    Raises:
        OSError: the directory is there and cannot be read.
    """
    batch_ids, saved_ids = _names(store.path)
    saved: list[JobSummary] = []
    for job_id in saved_ids:
        with suppress(FileNotFoundError):  # removed while we look
            saved.append(_saved_job(store, job_id))
    saved.sort(key=_age)
    jobs: list[JobSummary] = []
    for batch_id in batch_ids:
        with suppress(JobNotFoundError, FileNotFoundError):
            jobs.append(_journalled_job(store, batch_id))
    known = {job.batch_id: index for index, job in enumerate(jobs)}
    for job in saved:
        index = known.get(job.batch_id) if job.batch_id else None
        if index is None:
            jobs.append(job)
        else:
            ids = (*jobs[index].saved_ids, *job.saved_ids)
            jobs[index] = replace(jobs[index], kind="both", saved_ids=ids)
    return [replace(job, provider=provider) for job in sorted(jobs, key=_age)]


def _age(job: JobSummary) -> tuple[float, str]:
    return -job.created.timestamp(), job.job_id


def _names(directory: Path) -> tuple[list[str], list[str]]:
    """Identifiers of the journals, and of the saved jobs."""
    try:
        names = [entry.name for entry in directory.iterdir()]
    except FileNotFoundError:
        return [], []
    saved = [name.removesuffix(".json") for name in names if name.endswith(".json")]
    return list(filter(is_id, names)), list(filter(is_id, saved))


def _journalled_job(store: JobStore, batch_id: str) -> JobSummary:
    """What a journal tells.

    Raises:
        JobNotFoundError: there is none.
    """
    path = store.path / batch_id
    # First of all: what a process that has ended by then has done is seen below.
    active = file_lock.is_held(path / "journal")
    try:
        journal = Journal.load(store.path, batch_id)
        replay, stored = journal.replay(), journal.stored_results()
        header = journal.header
        settings = header["backend_settings"]
        api_jobs = _api_jobs(settings, replay, stored, active=bool(active))
        return JobSummary(
            job_id=(len(api_jobs) == 1 and api_jobs[0].job_id) or batch_id,
            batch_id=batch_id,
            kind="journal",
            state=_state(api_jobs, active=bool(active)),
            store=store,
            backend=header["backend_name"],
            num_circuits=header["num_circuits"],
            shots=header["options"]["shots"],
            label=settings["label"],
            created=_utc(header["created"]),
            active=active,
            portal_url=settings.get("portal_url") or settings.get("machine_url"),
            api_jobs=api_jobs,
            problem=_doubts(replay),
        )
    except (DamagedJobError, OSError, *_UNUSABLE) as error:
        if isinstance(error, JobNotFoundError) or not (path / "batch.json").exists():
            raise JobNotFoundError(batch_id, store.path) from error
        found = _damaged_job(store, batch_id, path, error)
        return replace(found, batch_id=batch_id, kind="journal", active=active)


def _saved_job(store: JobStore, job_id: str) -> JobSummary:
    """What ``persist()`` has saved, without what a journal may know in addition.

    Raises:
        FileNotFoundError: there is no such file any more.
    """
    try:
        job = store.description(job_id)
        settings = job["backend_settings"]
        api_jobs: tuple[ApiJobSummary, ...] = ()
        if "jobs" in settings:
            records = {i: saved_record(entry) for i, entry in enumerate(settings["jobs"])}
            api_jobs = _api_jobs(settings, Replay(records), (), active=False)
        return JobSummary(
            job_id=job_id,
            batch_id=settings.get("batch_id"),
            kind="saved",
            state=_state(api_jobs, active=False) if api_jobs else "saved",
            store=store,
            backend=job["backend_name"],
            num_circuits=job["num_circuits"],
            shots=job["options"]["shots"],
            label=settings.get("label") or job["options"].get("label"),
            created=_utc(job["saved_at"]),
            portal_url=settings.get("portal_url") or settings.get("machine_url"),
            api_jobs=api_jobs,
            saved_ids=(job_id,),
        )
    except (DamagedJobError, *_UNUSABLE) as error:
        return _damaged_job(store, job_id, store.file(job_id), error)


def _damaged_job(store: JobStore, job_id: str, path: Path, error: Exception) -> JobSummary:
    reason = error.reason if isinstance(error, DamagedJobError) else None
    return JobSummary(
        job_id=job_id,
        batch_id=None,
        kind="saved",
        state="damaged",
        store=store,
        created=datetime.fromtimestamp(path.stat().st_mtime, timezone.utc),
        problem=reason or f"its content cannot be used: {type(error).__name__}: {error}",
        saved_ids=(job_id,) if path.is_file() else (),
    )


def _api_jobs(
    settings: dict[str, Any], replay: Replay, stored: Iterable[int], *, active: bool
) -> tuple[ApiJobSummary, ...]:
    """The API jobs of a batch.

    Args:
        settings: what makes the batch's backend, with the plan.
        replay: what happened to them.
        stored: numbers of those whose results are stored.
        active: whether a process works on the batch.
    """
    plan = BatchPlan.saved(settings)
    jobs = []
    for index, chunk in enumerate(plan.chunks):
        record = replay.records.get(index, JobRecord())
        jobs.append(
            ApiJobSummary(
                circuits=chunk.circuits,
                shots=chunk.shots,
                label=record.label or plan.chunk_label(index),
                job_id=record.job_id,
                state=_api_job_state(
                    record,
                    stored=index in stored,
                    active=active,
                    damaged=replay.doubtful,
                ),
                message=record.message,
            )
        )
    return tuple(jobs)


def _api_job_state(record: JobRecord, *, stored: bool, active: bool, damaged: bool) -> ApiJobState:
    """Where an API job stands; ``AQTJob.restore`` comes to the same conclusions."""
    if record.status in ("ERROR", "CANCELLED"):
        return "failed" if record.status == "ERROR" else "cancelled"
    if stored:
        return "done"
    if record.job_id is not None:
        return "submitted"
    if record.uncertain:
        # While it is on its way, there is no message yet.
        return "submitting" if active and record.message is None else "uncertain"
    if damaged:
        return "uncertain"
    return "failed" if record.refused else "unsent"


def _state(api_jobs: Sequence[ApiJobSummary], *, active: bool) -> JobState:
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


def _doubts(replay: Replay) -> str | None:
    if replay.damaged:
        return f"damaged lines of its journal: {', '.join(map(str, replay.damaged))}"
    return "lines of its journal are missing" if replay.missing else None


def _utc(text: str) -> datetime:
    # Python 3.10 does not read the letter.
    return datetime.fromisoformat(re.sub("Z$", "+00:00", text)).astimezone(timezone.utc)
