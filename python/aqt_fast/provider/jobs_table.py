"""The table of stored jobs: its columns and rows, and which jobs are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise
from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqt_fast._shots import in_table
from aqt_fast.api_client.models import fits
from aqt_fast.exceptions import InvalidOptionError, JobNotFoundError
from aqt_fast.persistence import JobStore
from aqt_fast.provider.criteria import check_criterion
from aqt_fast.provider.table import Table
from aqt_fast.store.listing import JobRestorer, StoredJob, stored_jobs
from aqt_fast.store.states import STATES
from aqt_fast.visualization.quantities import local_time
from aqt_fast.wire.plan import default_label

if TYPE_CHECKING:
    from aqt_fast.aqt_job import AQTJob  # loads Qiskit, which the command line can do without

_SHORTEST_ID = 8
"""Minimum characters of an identifier in a narrow terminal; more if it would be ambiguous."""


class JobsTable(Table["StoredJob[AQTJob]"]):
    """Jobs that print as a table (``str``, notebooks) and act as a sequence."""

    HEADERS = ("ID", "Label", "State", "Backend", "Circuits", "Shots", "Results", "Created")
    """Names of the columns. Results: API jobs with stored results, and all API jobs. Label: empty
    for a job that was given none."""
    EXPENDABLE = ("Results", "Shots", "Circuits", "Created", "Backend")
    SHORTENED = "Label"
    STATES = "State"

    def __init__(self, jobs: Sequence[StoredJob[AQTJob]], store_path: Path) -> None:
        """The table keeps the order of ``jobs``; ``store_path`` is their directory."""
        super().__init__(jobs)
        self.store_path = store_path
        """The directory that was searched."""

    def __repr__(self) -> str:
        return f"<JobsTable of {len(self)} jobs>"

    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per job, with the columns of ``HEADERS``; times are local, with offset."""
        return [
            (
                job.job_id,
                own_label(job),
                f"{job.state} (active)" if job.active else job.state,
                job.backend or "",
                job.num_circuits,
                job.shots and in_table(job.shots),
                f"{job.counts.get('done', 0)}/{len(job.api_jobs)}" if job.api_jobs else "",
                local_time(job.created),
            )
            for job in self
        ]

    def _short_rows(self) -> list[tuple[Any, ...]]:
        rows = self.rows()
        ids = sorted(row[0] for row in rows)
        alike = [len(commonprefix(pair)) for pair in pairwise(ids)]  # noqa: RUF071 - by character is meant
        length = max([_SHORTEST_ID, *(number + 1 for number in alike)])
        return [(row[0][:length], *row[1:]) for row in rows]

    def find(self, job_id: str, /) -> StoredJob[AQTJob]:
        """Return one job.

        Args:
            job_id: identifier of the job, its batch or one of its API jobs, or an unambiguous
                prefix of the identifier in the table. If no job has it, the label of a job.

        Raises:
            InvalidOptionError: several jobs have this identifier, prefix or label.
            JobNotFoundError: no job has it.
        """
        exact = [
            job
            for job in self
            if job_id in (job.job_id, job.batch_id, *(part.job_id for part in job.api_jobs))
        ]
        found = (
            exact
            or [job for job in self if job_id and job.job_id.startswith(job_id)]
            or [job for job in self if job_id and job.label == job_id]
        )
        if len(found) > 1:
            names = ", ".join(job.job_id for job in found)
            raise InvalidOptionError("job_id", job_id, f"that of one job, and here are {names}")
        if not found:
            raise JobNotFoundError(job_id, self.store_path)
        return found[0]

    def _part(self, items: Sequence[StoredJob[AQTJob]]) -> JobsTable:
        return JobsTable(items, self.store_path)


@dataclass(frozen=True)
class WantedJobs:
    """Criteria for jobs, as for :meth:`AQTProvider.jobs <aqt_fast.AQTProvider.jobs>`.

    Raises:
        InvalidOptionError: a criterion has an invalid value.
    """

    backend: str | re.Pattern[str] | None = None
    state: str | re.Pattern[str] | None = None
    label: str | re.Pattern[str] | None = None
    since: datetime | None = None
    before: datetime | None = None
    workspace: str | re.Pattern[str] | None = None
    tags: Iterable[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.state, str) and self.state not in STATES:
            raise InvalidOptionError("state", self.state, f"one of {', '.join(STATES)}")
        for name in ("backend", "state", "label", "workspace"):
            check_criterion(name, getattr(self, name))
        if self.tags != ():
            from aqt_fast.aqt_options import AQTOptions  # loads Qiskit

            object.__setattr__(self, "tags", AQTOptions(tags=self.tags).tags)
        for name in ("since", "before"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, datetime):
                raise InvalidOptionError(name, value, "a datetime, or None")

    def fits(self, job: StoredJob[AQTJob]) -> bool:
        """Return whether a job meets the criteria."""
        return (
            _fits(self.backend, job.backend)
            and _fits(self.state, job.state)
            and _fits(self.label, job.label)
            and _fits(self.workspace, job.workspace)
            and set(self.tags) <= set(job.tags)
            and (self.since is None or _not_before(job.created, self.since))
            and (self.before is None or not _not_before(job.created, self.before))
        )


def own_label(job: StoredJob[AQTJob]) -> str:
    """Return the label that the user has given, the empty string if it is the default."""
    default = job.batch_id is not None and job.label == default_label(job.batch_id)
    return "" if default or job.label is None else job.label


def _fits(wanted: str | re.Pattern[str] | None, text: str | None) -> bool:
    return wanted is None or (text is not None and fits(wanted, text))


def _not_before(created: datetime, moment: datetime) -> bool:
    if moment.tzinfo is not None:
        return created >= moment
    try:
        return created >= moment.astimezone()  # it is local
    except (OverflowError, OSError, ValueError):  # at the ends of Python's calendar
        return created >= moment.replace(tzinfo=timezone.utc)


def list_jobs(
    store: JobStore, wanted: WantedJobs, *, limit: int | None = None, provider: JobRestorer[AQTJob]
) -> JobsTable:
    """List the jobs of a store that meet the criteria, the newest first.

    Args:
        store: the store.
        wanted: the criteria.
        limit: maximum number of jobs.
        provider: restores the jobs.
    """
    jobs = [job for job in stored_jobs(store, provider) if wanted.fits(job)]
    return JobsTable(jobs[:limit], store.path)
