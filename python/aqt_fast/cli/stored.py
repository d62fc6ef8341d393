"""What the commands on stored jobs share: options, the list, handles."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqt_fast._ids import is_canonical_uuid
from aqt_fast._times import from_iso
from aqt_fast.cli.completion import completed, silently
from aqt_fast.cli.terminal import say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from aqt_fast.aqt_job import AQTJob
    from aqt_fast.aqt_provider import AQTProvider
    from aqt_fast.provider.jobs_table import JobsTable

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _job_names(
    context: click.Context, _parameter: click.Parameter, beginning: str
) -> list[CompletionItem]:
    """Complete the identifier or the label of a stored job, the newest first."""
    from aqt_fast.provider.jobs_table import own_label

    names = []
    with silently():
        for job in stored_jobs(store_of(context)):
            label = own_label(job)
            names.append((job.job_id, " ".join(filter(None, (job.state, job.backend, label)))))
            if beginning and label:
                names.append((label, f"{job.state} {job.job_id}"))
    return completed(beginning, names)


def store_of(context: click.Context) -> Path | None:
    """Return the option ``--store`` of a command that was not typed to its end."""
    found: Path | None = context.params.get("store")
    if found is None and context.parent is not None:
        return store_of(context.parent)
    return found


store_option = click.option(
    "--store",
    default=None,
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the jobs.  [default: AQT_STORE_PATH, or the platform's place for data]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
job_argument = click.argument("job_id", metavar="ID", shell_complete=_job_names)
jobs_argument = click.argument(
    "job_ids", metavar="ID...", nargs=-1, required=True, shell_complete=_job_names
)


def moment(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """Parse a point in time or an age (click callback)."""
    if text is None:
        return None
    age = re.fullmatch(r"([0-9]{1,9})([smhdw])", text)
    try:
        if age is not None:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return from_iso(text).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        reason = f"{text!r} is no time: 2026-11-22, 2026-11-22T10:30, or an age like 12h, 30d"
        raise click.BadParameter(reason, context, parameter) from None


def stored_jobs(store: Path | None, *, limit: int | None = None, **wanted: Any) -> JobsTable:
    """List stored jobs, the newest first.

    Args:
        store: directory of the jobs, None for that of the settings.
        limit: maximum number of jobs.
        wanted: criteria, see :class:`~aqt_fast.provider.jobs_table.WantedJobs`.
    """
    # Nothing here loads Qiskit, which takes longer than to read the directory.
    from aqt_fast.provider.jobs_table import WantedJobs, list_jobs
    from aqt_fast.provider.settings import Settings, find_dotenv, read_dotenv
    from aqt_fast.store.job_store import JobStore, get_store_path

    if store is None:
        file = find_dotenv()
        path = Settings(None if file is None else read_dotenv(file)).get("AQT_STORE_PATH")
        store = get_store_path(Path(path).expanduser() if path else None)
    return list_jobs(JobStore(store), WantedJobs(**wanted), limit=limit, provider=Handles())


class Handles:
    """Makes the handles of jobs, with a provider that is made when it is needed."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Handles:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def restore(
        self, job_id: str, *, store_path: Any = None, remove_from_store: bool = True
    ) -> AQTJob:
        """Restore a stored job: see :meth:`aqt_fast.AQTProvider.restore`."""
        provider = self._provider()
        return provider.restore(job_id, store_path=store_path, remove_from_store=remove_from_store)

    def job(self, job_id: str, store: Path | None, **options: Any) -> AQTJob:
        """Return the handle of a stored job, which stays stored, or of the portal's API job.

        Args:
            job_id: identifier, its beginning, or label.
            store: directory of the jobs, None for that of the settings.
            options: how to wait, see :meth:`aqt_fast.AQTProvider.job`.

        Raises:
            AQTError: there is no such job, or it cannot be restored.
        """
        from aqt_fast.exceptions import JobNotFoundError

        try:
            found = stored_jobs(store).find(job_id)
        except JobNotFoundError as error:
            if not is_canonical_uuid(job_id):
                raise
            name, path = job_id, error.store_path
        else:
            name, path = found.batch_id or found.job_id, found.store.path
        return self._provider().job(name, store_path=path, **options)

    def _provider(self) -> AQTProvider:
        from aqt_fast.aqt_provider import AQTProvider

        return self._stack.enter_context(AQTProvider.for_restoring())


def all_accepted(job: AQTJob, num_api_jobs: int) -> bool:
    """Wait until portal or machine has answered each API job, and print what was refused.

    Args:
        job: the job.
        num_api_jobs: the number of its API jobs.

    Returns:
        Whether nothing was refused.
    """
    from aqt_fast.exceptions import AQTError

    accepted = True
    for index in range(num_api_jobs):
        try:
            job.api_job_id(index)
        except AQTError as error:  # noqa: PERF203 - the others are waited for, too
            say(str(error))
            accepted = False
    return accepted
