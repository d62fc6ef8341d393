"""A job as it is found in the store, with what it takes to go on with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from aqt_fast.exceptions import JobNotFoundError
from aqt_fast.store.description import JobDescription
from aqt_fast.store.events import CopiedRecords, Records
from aqt_fast.store.job_directory import JobDirectory
from aqt_fast.store.job_store import JobStore, get_store_path
from aqt_fast.store.journal import Journal


@dataclass(frozen=True)
class LoadedJob:
    """A job that was found."""

    directory: JobDirectory
    """Where it was found."""
    journal: Journal | None = None
    """Its journal, if there is one: it knows more than a copy."""
    records: Records | None = None
    """What is known of its API jobs, None offline."""

    @property
    def description(self) -> JobDescription:
        """What it is."""
        return self.directory.description


def load_job(store: JobStore, job_id: str) -> LoadedJob:
    """Find a job by its identifier, or by that of an API job in it.

    Raises:
        JobNotFoundError: no job has this identifier.
        DamagedJobError: what is stored of it cannot be read.
    """
    directory = store.find(job_id)
    description = directory.description
    if description.plan is None:
        return LoadedJob(directory)
    found = Journal(directory)
    if not description.is_copy:
        return LoadedJob(directory, found, found)
    with suppress(JobNotFoundError):
        # The journal may be in the default store although the job was saved in another.
        journal = Journal.load(get_store_path(), description.job_id)
        if not journal.directory.description.is_copy:
            return LoadedJob(directory, journal, journal)
    return LoadedJob(directory, None, CopiedRecords(found.replay()))
