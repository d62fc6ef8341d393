"""The commands that delete stored jobs: ``jobs remove`` and ``jobs prune``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqt_fast._texts import one_line
from aqt_fast.cli.stored import jobs_argument, moment, store_option, stored_jobs
from aqt_fast.cli.terminal import errors, say
from aqt_fast.visualization.quantities import local_time

if TYPE_CHECKING:
    from aqt_fast.store.listing import StoredJob


@click.command()
@jobs_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
def remove(job_ids: tuple[str, ...], yes: bool, store: Path | None) -> None:
    """Remove jobs from the store; nothing changes at the portal.

    Refuses if a process works on one of them. Asks first if results, or access to them, would be
    lost.

    Exit code 1: not all were removed.
    """
    with errors():
        table = stored_jobs(store)
        found = list({id(job): job for job in map(table.find, job_ids)}.values())
        at_work = [job.job_id for job in found if job.active]
        if at_work:
            say(f"a process works on {', '.join(at_work)}; nothing was removed")
            sys.exit(1)
        for job in found:
            loss = _loss(job)
            if loss and not yes:
                question = one_line(f"{job.job_id}: {loss}. Remove it?")
                click.confirm(question, abort=True, err=True)
    _remove_all(found)


@click.command()
@click.option(
    "--older-than", required=True, metavar="TIME", callback=moment, help="Made before, like 30d."
)
@click.option("--all", "everything", is_flag=True, help="Also jobs that have not ended.")
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@store_option
def prune(older_than: datetime, everything: bool, dry_run: bool, store: Path | None) -> None:
    """Remove old jobs from the store and print them; nothing changes at the portal.

    Without --all, only jobs that are done, failed or cancelled. Jobs that a process works on
    are never removed. What interrupted processes have left unfinished is removed, too.

    Exit code 1: one of them cannot be removed.
    """
    with errors():
        table = stored_jobs(store, before=older_than)
        found = [job for job in table if job.ended or (everything and not job.active)]
    if dry_run:
        for job in found:
            click.echo(one_line(_line(job)))
        return
    from aqt_fast.store.job_store import JobStore

    with errors():
        JobStore(table.store_path).tidy()
    _remove_all(found, _line)


def _remove_all(
    jobs: list[StoredJob[Any]], line: Callable[[StoredJob[Any]], str] | None = None
) -> None:
    """Remove jobs and print them. Continue with the others if one cannot be removed."""
    from aqt_fast.exceptions import AQTError

    kept = 0
    for job in jobs:
        try:
            job.remove()
        except (AQTError, OSError) as error:  # noqa: PERF203 - continue with the others
            say(str(error))
            kept += 1
        else:
            click.echo(one_line(line(job) if line else job.job_id))
    sys.exit(1 if kept else 0)


def _loss(job: StoredJob[Any]) -> str | None:
    """Describe what removing a job would lose; None if nothing."""
    if job.state == "damaged":
        return f"what it holds cannot be read ({job.problem})"
    counts = job.counts
    stored = counts.get("done", 0)
    with_portal = counts.get("submitted", 0) + counts.get("uncertain", 0)
    losses = []
    if stored:
        losses.append(
            f"the results of {stored} API jobs are here, which the portal keeps for a day only"
        )
    if with_portal:
        losses.append(f"{with_portal} API jobs are, or may be, with the portal, which has no list")
    return ", and ".join(losses) or None


def _line(job: StoredJob[Any]) -> str:
    return f"{job.job_id}  {local_time(job.created, seconds=True)}  {job.state}"
