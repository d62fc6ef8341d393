"""The store's jobs as a table for reading and a sequence for working with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, overload

from tabulate import tabulate

from aqt_fast.api_client.models import fits
from aqt_fast.exceptions import InvalidOptionError, JobNotFoundError
from aqt_fast.job_states import STATES
from aqt_fast.job_summary import JobSummary, stored_jobs
from aqt_fast.persistence import JobStore

if TYPE_CHECKING:
    from aqt_fast.aqt_provider import AQTProvider

Row = tuple[str, str, int | None, int | None, str, str, str, str]


class JobsTable(Sequence[JobSummary]):
    """Jobs, in a table for reading (``str``, notebooks) and a sequence for working with."""

    HEADERS = ("ID", "Backend", "Circuits", "Shots", "State", "Results", "Label", "Created")
    """What the columns hold. Results: API jobs whose results are stored, and all of them."""

    def __init__(self, jobs: Sequence[JobSummary], store_path: Path) -> None:
        """The table keeps the order of ``jobs``; ``store_path`` is where they are."""
        self._jobs = tuple(jobs)
        self.store_path = store_path
        """The directory that was searched."""

    @overload
    def __getitem__(self, index: int) -> JobSummary: ...
    @overload
    def __getitem__(self, index: slice) -> JobsTable: ...
    def __getitem__(self, index: int | slice) -> JobSummary | JobsTable:
        if isinstance(index, slice):
            return JobsTable(self._jobs[index], self.store_path)
        return self._jobs[index]

    def __len__(self) -> int:
        return len(self._jobs)

    def __repr__(self) -> str:
        return f"<JobsTable of {len(self)} jobs>"

    def __str__(self) -> str:
        return self._tabulated("rounded_outline")

    def _repr_html_(self) -> str:
        return self._tabulated("html")

    def _tabulated(self, style: str) -> str:
        # Labels may look like numbers, which they are not.
        texts = [0, 1, 4, 5, 6, 7] if self else True
        return tabulate(self.rows(), self.HEADERS, tablefmt=style, disable_numparse=texts)

    def rows(self) -> list[Row]:
        """One row a job, with the columns of ``HEADERS``; times are local."""
        return [
            (
                job.job_id,
                job.backend or "",
                job.num_circuits,
                job.shots,
                f"{job.state} (active)" if job.active else job.state,
                f"{job.counts.get('done', 0)}/{len(job.api_jobs)}" if job.api_jobs else "",
                job.label or "",
                job.created.astimezone().strftime("%Y-%m-%d %H:%M"),
            )
            for job in self
        ]

    def find(self, job_id: str, /) -> JobSummary:
        """One job.

        Args:
            job_id: its identifier, that of its batch or of an API job in it, or the beginning of
                the identifier that the table shows, if no other job's begins like this.

        Raises:
            InvalidOptionError: several begin like this.
            JobNotFoundError: there is none.
        """
        exact = [job for job in self if job_id in job.names()]
        found = exact or [job for job in self if job_id and job.job_id.startswith(job_id)]
        if len(found) > 1:
            names = ", ".join(job.job_id for job in found)
            raise InvalidOptionError("job_id", job_id, f"that of one job, and here are {names}")
        if not found:
            raise JobNotFoundError(job_id, self.store_path)
        return found[0]


@dataclass(frozen=True)
class WantedJobs:
    """Which jobs to list, as for :meth:`AQTProvider.jobs <aqt_fast.AQTProvider.jobs>`.

    Raises:
        InvalidOptionError: something has a value that it does not take.
    """

    backend: str | re.Pattern[str] | None = None
    state: str | re.Pattern[str] | None = None
    label: str | re.Pattern[str] | None = None
    since: datetime | None = None
    before: datetime | None = None

    def __post_init__(self) -> None:
        if isinstance(self.state, str) and self.state not in STATES:
            raise InvalidOptionError("state", self.state, f"one of {', '.join(STATES)}")
        for name in ("since", "before"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, datetime):
                raise InvalidOptionError(name, value, "a datetime, or None")

    def fits(self, job: JobSummary) -> bool:
        """Whether a job is wanted."""
        return (
            _fits(self.backend, job.backend)
            and _fits(self.state, job.state)
            and _fits(self.label, job.label)
            and (self.since is None or _not_before(job.created, self.since))
            and (self.before is None or not _not_before(job.created, self.before))
        )


def _fits(wanted: str | re.Pattern[str] | None, text: str | None) -> bool:
    return wanted is None or (text is not None and fits(wanted, text))


def _not_before(created: datetime, moment: datetime) -> bool:
    # A moment without a time zone is a local one.
    return created >= moment.astimezone()


def list_jobs(
    store: JobStore,
    wanted: WantedJobs,
    *,
    limit: int | None = None,
    provider: AQTProvider | None = None,
) -> JobsTable:
    """The jobs of a store that are wanted, the newest first.

    Args:
        store: where to look.
        wanted: which ones.
        limit: only so many of them.
        provider: through which they are restored, None for a new one each.
    """
    jobs = [job for job in stored_jobs(store, provider) if wanted.fits(job)]
    return JobsTable(jobs[:limit], store.path)
