"""Tables of backends and of jobs that are also sequences."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from aqt_fast.api_client.models import fits
from aqt_fast.aqt_job import AQTJob
from aqt_fast.backends.base import AQTResource
from aqt_fast.exceptions import InvalidOptionError, JobNotFoundError
from aqt_fast.persistence import JobStore
from aqt_fast.store.listing import JobRestorer, StoredJob, stored_jobs
from aqt_fast.store.states import STATES

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class Table(Sequence[T]):
    """Items that print as a table (``str``, notebooks) and act as a sequence."""

    HEADERS: ClassVar[tuple[str, ...]]
    """Names of the columns."""

    def __init__(self, items: Sequence[T]) -> None:
        """The table keeps the order of ``items``."""
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._part(self._items[index]) if isinstance(index, slice) else self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __str__(self) -> str:
        return self._tabulated("rounded_outline")

    def _repr_html_(self) -> str:
        return self._tabulated("html")

    @abstractmethod
    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per item, with the columns of ``HEADERS``."""

    def _part(self, items: Sequence[T]) -> Self:
        """Make a table of some of the items."""
        return type(self)(items)

    def _tabulated(self, style: str) -> str:
        rows = self.rows()
        # Text that looks like a number must not be formatted as one.
        texts = [
            index
            for index in range(len(self.HEADERS))
            if any(isinstance(row[index], str) for row in rows)
        ]
        from tabulate import tabulate  # 5 ms that most programs save

        return tabulate(rows, self.HEADERS, tablefmt=style, disable_numparse=texts or not rows)


class BackendsTable(Table[AQTResource]):
    """Backends that print as a table (``str``, notebooks) and act as a sequence."""

    HEADERS = ("Workspace", "Resource ID", "Description", "Type", "Qubits", "Status")
    """Names of the columns."""

    def __repr__(self) -> str:
        return f"<BackendsTable of {', '.join(backend.name for backend in self) or 'nothing'}>"

    def by_workspace(self) -> dict[str, list[AQTResource]]:
        """Return the backends of each workspace."""
        workspaces: dict[str, list[AQTResource]] = {}
        for backend in self:
            workspaces.setdefault(backend.resource_id.workspace_id, []).append(backend)
        return workspaces

    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per backend, with the columns of ``HEADERS``."""
        return [
            (
                resource.workspace_id,
                resource.resource_id,
                resource.resource_name,
                resource.resource_type,
                resource.available_qubits,
                resource.status,
            )
            for resource in (backend.resource_id for backend in self)
        ]


class JobsTable(Table[StoredJob[AQTJob]]):
    """Jobs that print as a table (``str``, notebooks) and act as a sequence."""

    HEADERS = ("ID", "Backend", "Circuits", "Shots", "State", "Results", "Label", "Created")
    """Names of the columns. Results: API jobs with stored results, and all API jobs."""

    def __init__(self, jobs: Sequence[StoredJob[AQTJob]], store_path: Path) -> None:
        """The table keeps the order of ``jobs``; ``store_path`` is their directory."""
        super().__init__(jobs)
        self.store_path = store_path
        """The directory that was searched."""

    def __repr__(self) -> str:
        return f"<JobsTable of {len(self)} jobs>"

    def rows(self) -> list[tuple[Any, ...]]:
        """Return one row per job, with the columns of ``HEADERS``; times are local."""
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

    def find(self, job_id: str, /) -> StoredJob[AQTJob]:
        """Return one job.

        Args:
            job_id: identifier of the job, its batch or one of its API jobs, or an unambiguous
                prefix of the identifier in the table.

        Raises:
            InvalidOptionError: several jobs have this identifier or prefix.
            JobNotFoundError: no job has it.
        """
        exact = [
            job
            for job in self
            if job_id in (job.job_id, job.batch_id, *(part.job_id for part in job.api_jobs))
        ]
        found = exact or [job for job in self if job_id and job.job_id.startswith(job_id)]
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

    def __post_init__(self) -> None:
        if isinstance(self.state, str) and self.state not in STATES:
            raise InvalidOptionError("state", self.state, f"one of {', '.join(STATES)}")
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
            and (self.since is None or _not_before(job.created, self.since))
            and (self.before is None or not _not_before(job.created, self.before))
        )


def _fits(wanted: str | re.Pattern[str] | None, text: str | None) -> bool:
    return wanted is None or (text is not None and fits(wanted, text))


def _not_before(created: datetime, moment: datetime) -> bool:
    # A time without a time zone is local.
    return created >= moment.astimezone()


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
