"""A stored job, with everything needed to continue it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aqt_fast.exceptions import JobNotFoundError
from aqt_fast.store.description import JobDescription
from aqt_fast.store.events import CopiedRecords, Records
from aqt_fast.store.job_directory import JobDirectory
from aqt_fast.store.job_store import JobStore, get_store_path
from aqt_fast.store.journal import Journal


class ResumableJob(Protocol):
    """A job as the backend that continues it sees it."""

    @property
    def description(self) -> JobDescription:
        """What the job is."""

    @property
    def journal(self) -> Journal | None:
        """The job's journal, if it has one: it is more complete than a copy."""

    @property
    def records(self) -> Records | None:
        """Records of the API jobs, None for an offline simulator."""


@dataclass(frozen=True)
class LoadedJob:
    """A job that was found in the store."""

    directory: JobDirectory
    """Directory of the job."""
    journal: Journal | None = None
    """The job's journal, if it has one: it is more complete than a copy."""
    records: Records | None = None
    """Records of the API jobs, None for an offline simulator."""

    @property
    def description(self) -> JobDescription:
        """What the job is."""
        return self.directory.description


def load_job(store: JobStore, job_id: str, *, journals: Path | None = None) -> LoadedJob:
    """Find a job by its identifier, or by that of one of its API jobs.

    Args:
        store: where to look.
        job_id: the identifier.
        journals: where the job's journal may be if ``store`` has a copy of the job; None stands
            for the default directory.

    Raises:
        JobNotFoundError: no job has this identifier.
        DamagedJobError: the stored data cannot be read.
    """
    directory = store.find(job_id)
    description = directory.description
    if description.plan is None:
        return LoadedJob(directory)
    found = Journal(directory)
    if not description.is_copy:
        return LoadedJob(directory, found, found)
    with suppress(JobNotFoundError):
        journal = Journal.load(get_store_path(journals), description.job_id)
        if not journal.directory.description.is_copy:
            return LoadedJob(directory, journal, journal)
    return LoadedJob(directory, None, CopiedRecords(found.replay()))
