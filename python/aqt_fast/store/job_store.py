"""The directory of all jobs on this computer, the same for all versions of the package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqt_fast._files import remove_stale
from aqt_fast._ids import canonical_uuid, is_canonical_uuid
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, JournalError
from aqt_fast.store.description import JobDescription
from aqt_fast.store.event_lines import file_of
from aqt_fast.store.job_directory import JobDirectory, may_be_journal, was_never_written
from aqt_fast.store.journal import Journal, remove_job


def get_store_path(override: str | Path | None = None) -> Path:
    """Return the directory of all jobs.

    It is ``override``, else the environment variable ``AQT_STORE_PATH``, else the platform's
    directory for user data.
    """
    if override is not None:
        return Path(override)
    if os.environ.get("AQT_STORE_PATH"):
        return Path(os.environ["AQT_STORE_PATH"]).expanduser()
    import platformdirs

    return platformdirs.user_data_path("aqt-fast", appauthor=False) / "jobs"


@dataclass(frozen=True)
class SavedJob:
    """Everything that ``persist()`` writes."""

    description: JobDescription
    """What the job is."""
    circuits: bytes | None
    """The circuits in QPY, None if there is a snapshot instead."""
    events: tuple[dict[str, Any], ...] = ()
    """Journal events that describe the API jobs."""
    snapshot: tuple[bytes, list[dict[str, Any]]] | None = None
    """The snapshot of the circuits, and the headers of their results."""
    evaluation: dict[str, Any] | None = None
    """What a primitive makes of the outcomes."""


class JobStore:
    """The jobs in a directory."""

    def __init__(self, store_path: str | Path | None = None) -> None:
        """The directory is created on saving; None stands for the default one."""
        self.path = get_store_path(store_path)

    def save(self, job: SavedJob) -> Path:
        """Write a job, replace an older copy of it, and return its directory.

        If the job's journal is in this store, add only the circuits: the journal has the rest.

        Raises:
            TypeError: JSON cannot express the description.
            DamagedJobError: the job may have a journal here, which cannot be read; it stays as it
                is.
            OSError: a file cannot be written.
        """
        journal = self._journal(job.description.job_id)
        if journal is not None:
            if job.circuits is not None:
                journal.add_circuits(job.circuits)
            return journal.path
        remote = job.description.plan is not None
        directory = JobDirectory.create(
            self.path,
            job.description,
            snapshot=job.snapshot,
            circuits=job.circuits,
            evaluation=job.evaluation,
            events=file_of(job.events, job.description.job_id) if remote else None,
        )
        return directory.path

    def find(self, job_id: str) -> JobDirectory:
        """Find a job by its identifier, or by that of one of its API jobs.

        Raises:
            JobNotFoundError: no job has this identifier.
            DamagedJobError: the job cannot be read; it stays as it is.
        """
        try:
            return JobDirectory.load(self.path, job_id)
        except JobNotFoundError:
            return Journal.find(self.path, job_id).directory

    def remove(self, job_id: str) -> None:
        """Delete a job, if it exists.

        Raises:
            JobNotFoundError: the identifier is not a UUID.
            JournalError: a process works on the job.
            OSError: a file cannot be deleted.
        """
        try:
            path = self.path / canonical_uuid(job_id)
        except ValueError:
            raise JobNotFoundError(str(job_id), self.path) from None
        remove_job(path)
        path.with_suffix(".json").unlink(missing_ok=True)  # of a version before 0.2

    def tidy(self) -> None:
        """Delete what interrupted processes have left, as far as that is possible.

        These are temporary files, and jobs that were not written to their ends: nothing of them was
        sent. What is younger than an hour stays.
        """
        for job_id in self.job_ids():
            path = self.path / job_id
            with suppress(JournalError, OSError):
                if was_never_written(path):
                    remove_job(path)
            remove_stale(path)

    def _journal(self, job_id: str) -> JobDirectory | None:
        """The directory of a job's journal, None if it has none here.

        Raises:
            DamagedJobError: there may be one, and it cannot be read.
        """
        try:
            directory = JobDirectory.load(self.path, job_id)
        except JobNotFoundError:
            return None
        except DamagedJobError:
            if may_be_journal(self.path / job_id):
                raise
            return None
        return None if directory.description.is_copy else directory

    def job_ids(self) -> Iterator[str]:
        """Return the names of all directories and files of jobs, including older formats.

        Raises:
            OSError: the directory exists but cannot be read.
        """
        try:
            names = {entry.name.removesuffix(".json") for entry in self.path.iterdir()}
        except FileNotFoundError:
            return iter(())
        return filter(is_canonical_uuid, sorted(names))
