"""The command ``jobs show``: one stored job with its API jobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqt_fast._shots import in_table
from aqt_fast._texts import one_line
from aqt_fast.cli.colours import coloured, paint
from aqt_fast.cli.stored import job_argument, json_option, store_option, stored_jobs
from aqt_fast.cli.terminal import errors, print_json
from aqt_fast.provider.fitting import fits_terminal, fitted
from aqt_fast.visualization.quantities import local_time

if TYPE_CHECKING:
    from aqt_fast.provider.fitting import Paint
    from aqt_fast.store.listing import StoredApiJob


@click.command()
@job_argument
@json_option
@store_option
def show(job_id: str, as_json: bool, store: Path | None) -> None:
    """Show one job with its API jobs.

    ID is the identifier of the job, its batch or an API job, an unambiguous prefix of the job's
    identifier, or its label.
    """
    with errors():
        from aqt_fast.provider.jobs_table import own_label

        job = stored_jobs(store).find(job_id)
    if as_json:
        print_json(job.to_dict())
        return
    shown = {
        **job.to_dict(),
        "created": local_time(job.created, seconds=True),
        "label": own_label(job) or None,
        "tags": ", ".join(job.tags) or None,
        "shots": job.shots and in_table(job.shots),
    }
    for name, value in shown.items():
        if name != "api_jobs" and value is not None:
            text = one_line(str(value))
            click.echo(f"{name + ':':<14}{coloured(text) if name == 'state' else text}")
    if job.api_jobs:
        table = _api_jobs_table(job.api_jobs)
        click.echo("\n" + _api_jobs_table(job.api_jobs, paint()))
        for number, part in enumerate(job.api_jobs, 1):
            message = one_line(part.message or "")
            if message not in table:  # it was shortened, with the identifier that is in it
                click.echo(f"\nAPI job {number}: {message}")


def _api_jobs_table(api_jobs: Sequence[StoredApiJob], colours: Paint | None = None) -> str:
    """Format the API jobs for the terminal; a very narrow one gets the beginnings of the IDs."""

    def table(id_length: int | None, colours: Paint | None = None) -> str:
        rows = [
            (
                number,
                f"{part.circuits.start} to {part.circuits.stop - 1}",
                in_table(part.shots),
                part.state,
                (part.job_id or "")[:id_length],
                part.message or "",
            )
            for number, part in enumerate(api_jobs, 1)
        ]
        headers = ("API job", "Circuits", "Shots", "State", "ID", "Message")
        return fitted(rows, headers, drop=["Shots", "Circuits"], shorten="Message", paint=colours)

    return table(None if fits_terminal(table(None)) else 8, colours)
