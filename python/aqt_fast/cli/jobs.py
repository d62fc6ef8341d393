"""The commands ``aqt-fast jobs``: the list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from aqt_fast.cli.colours import paint
from aqt_fast.cli.job_actions import adopt, cancel, resubmit, wait
from aqt_fast.cli.job_details import show
from aqt_fast.cli.job_removal import prune, remove
from aqt_fast.cli.job_result import result
from aqt_fast.cli.stored import json_option, moment, store_option, stored_jobs
from aqt_fast.cli.terminal import errors, pattern, print_json, say
from aqt_fast.store.states import STATES

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _list_options(command: _Command) -> _Command:
    """Add the options of the list."""
    options = (
        click.option(
            "--backend",
            default=None,
            metavar="REGEX",
            callback=pattern,
            help="Only backends that begin like this.",
        ),
        click.option(
            "--state",
            default=None,
            type=click.Choice(STATES),
            help="Only jobs in this state.",
        ),
        click.option(
            "--label",
            default=None,
            metavar="REGEX",
            callback=pattern,
            help="Only labels that begin like this.",
        ),
        click.option(
            "--tag",
            "tags",
            multiple=True,
            metavar="TEXT",
            help="Only jobs with this tag; may be repeated.",
        ),
        click.option(
            "--since",
            default=None,
            metavar="TIME",
            callback=moment,
            help="Only jobs that were made since then.",
        ),
        click.option(
            "--before",
            default=None,
            metavar="TIME",
            callback=moment,
            help="Only jobs that were made before.",
        ),
        click.option(
            "--limit", default=None, type=click.IntRange(1), help="Only so many, the newest."
        ),
        json_option,
        store_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("jobs", invoke_without_command=True)
@_list_options
@click.pass_context
def jobs_command(
    context: click.Context, /, as_json: bool, store: Path | None, **wanted: Any
) -> None:
    """List the jobs in the store, or run a command on them.

    The store has the jobs with a journal and the saved jobs. Neither portal nor machine is
    contacted. A TIME is a date (2026-11-22), a time (2026-11-22T10:30, local unless it has a
    time zone) or an age (12h, 30d).

    An ID of the commands is the identifier of a job, its batch or an API job, an unambiguous prefix
    of the job's identifier, or its label.
    """
    if context.invoked_subcommand is not None:
        given = [name for name, value in wanted.items() if value not in (None, ())]
        if given or as_json:
            option = given[0].replace("tags", "tag") if given else "json"
            raise click.UsageError(
                f"--{option} is for the list; {context.invoked_subcommand} has options of its own"
            )
        context.default_map = {name: {"store": store} for name in jobs_command.commands}
        return
    _print_list(store, wanted, as_json=as_json)


@jobs_command.command("list")
@_list_options
def list_command(as_json: bool, store: Path | None, **wanted: Any) -> None:
    """List the jobs in the store, as without a command."""
    _print_list(store, wanted, as_json=as_json)


for _command in (show, wait, result, cancel, resubmit, adopt, remove, prune):
    jobs_command.add_command(_command)


def _print_list(store: Path | None, wanted: dict[str, Any], *, as_json: bool) -> None:
    with errors():
        table = stored_jobs(store, **wanted)
        if as_json:
            print_json([job.to_dict() for job in table])
        elif table:
            click.echo(table.fitted(paint=paint()))
        else:
            say(_none_fits(table.store_path))


def _none_fits(store: Path) -> str:
    """Return why a list is empty: the criteria, or the store."""
    if stored_jobs(store):
        return "no job fits"
    return f"no jobs in {store}" + ("" if store.exists() else ", which does not exist")
