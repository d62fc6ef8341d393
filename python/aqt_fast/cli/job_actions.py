"""The commands that change or await jobs: ``cancel``, ``resubmit``, ``adopt`` and ``wait``."""

from __future__ import annotations

import shlex
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqt_fast._texts import one_line
from aqt_fast.cli.colours import coloured
from aqt_fast.cli.completion import completed, silently
from aqt_fast.cli.stored import (
    Handles,
    all_accepted,
    job_argument,
    jobs_argument,
    store_of,
    store_option,
    stored_jobs,
)
from aqt_fast.cli.terminal import TIMED_OUT, FiniteRange, advice, errors, say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from aqt_fast.aqt_job import AQTJob

_SECONDS_TO_STOP = 10.0
"""How long to wait until the portal reports that a job was stopped."""


@click.command()
@jobs_argument
@click.option(
    "--timeout",
    default=None,
    type=FiniteRange(0),
    metavar="SECONDS",
    help="Wait so long at most, for all of them together.",
)
@store_option
def wait(job_ids: tuple[str, ...], timeout: float | None, store: Path | None) -> None:
    """Wait until jobs have ended, with a progress bar, and print how each has ended.

    Results are requested and stored. Nothing is submitted; jobs of offline simulators run again.
    Several jobs are waited for one after the other, and continue together.

    Exit code 1: not all of them are done; standard error gives the reason. 124: the time has
    passed, and the jobs continue.
    """
    again = f"to wait again: aqt-fast jobs wait {shlex.join(job_ids)}"
    code = 0
    with errors(), advice(again), Handles() as handles:
        from qiskit.providers import JobTimeoutError

        from aqt_fast.exceptions import AQTError

        jobs = [handles.job(name, store, with_progress_bar=True) for name in job_ids]
        deadline = None if timeout is None else time.monotonic() + timeout
        for job in jobs:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                found = job.result(left)
            except JobTimeoutError as error:
                late = error.message
                if timeout is not None:
                    late = f"job {job.job_id()} has not ended within {timeout:g} s"
                say(late)
                code = TIMED_OUT
            except AQTError as error:
                say(str(error))
                code = code or 1
            else:
                if not found.success:
                    say(str(found.status))
                    code = code or 1
                _print_state(job, _ended(job))
    sys.exit(code)


@click.command()
@jobs_argument
@store_option
def cancel(job_ids: tuple[str, ...], store: Path | None) -> None:
    """Stop jobs that have not ended, at the portal or on the machine; print those that stop.

    What has ended keeps its results. Nothing is left to cancel of a job that has ended, nor of a
    job of an offline simulator, which ends with its process. While a process sends circuits to a
    machine, only that process can cancel them.

    Exit code 1: one of them was refused, or not found; the others are cancelled.
    """
    failed = False
    with errors(), Handles() as handles:
        from qiskit.providers import JobTimeoutError

        from aqt_fast.aqt_job import AQTDirectAccessJob
        from aqt_fast.exceptions import AQTError, JobNotFoundError

        table = stored_jobs(store)
        for name in job_ids:
            try:
                stored = None
                with suppress(JobNotFoundError):  # the portal may have it
                    stored = table.find(name)
                if stored is not None and (stored.ended or stored.state == "saved"):
                    say(f"{stored.job_id} is {stored.state}: nothing was left to cancel")
                    continue
                job = handles.job(name, store)
                if not job.cancel():
                    if stored is not None and stored.active and isinstance(job, AQTDirectAccessJob):
                        say(f"{_name(job)}: only the process that sends its circuits can cancel it")
                        failed = True
                    else:
                        say(f"{_name(job)}: nothing was left to cancel")
                    continue
                click.echo(_name(job))
                if stored is not None and stored.active and stored.state == "submitting":
                    say(f"{_name(job)}: another process may submit more of it")
                # Until it has ended: then the store knows.
                with suppress(JobTimeoutError):
                    job.wait_for_final_state(_SECONDS_TO_STOP)
            except AQTError as error:
                say(str(error))
                failed = True
    sys.exit(1 if failed else 0)


@click.command()
@job_argument
@click.option(
    "--uncertain",
    is_flag=True,
    help="Also those of which it is unknown whether the portal has accepted them: they may run "
    "twice.",
)
@click.option(
    "--expired",
    is_flag=True,
    help="Also those whose results the portal has deleted: they run again.",
)
@store_option
def resubmit(job_id: str, uncertain: bool, expired: bool, store: Path | None) -> None:
    """Submit again the API jobs of a job that have failed, and those that were never submitted.

    Prints their number. They are charged again. The command ends when the portal has answered; a
    machine runs circuits only while somebody sends them, so there it ends with the job.

    Exit code 1: one was not accepted, or another process works on the job.
    """
    again = f"to go on: aqt-fast jobs resubmit {shlex.quote(job_id)}"
    with errors(), advice(again), Handles() as handles:
        from aqt_fast.aqt_job import AQTDirectAccessJob

        num_api_jobs = len(stored_jobs(store).find(job_id).api_jobs)
        job = handles.job(job_id, store, with_progress_bar=True)
        number = job.resubmit_failed(uncertain=uncertain, expired=expired)
        click.echo(number)
        if not number:
            say(f"{_name(job)}: there is nothing to submit again")
        elif isinstance(job, AQTDirectAccessJob):
            found = job.result()
            if not found.success:
                say(str(found.status))
                sys.exit(1)
        else:
            sys.exit(0 if all_accepted(job, num_api_jobs) else 1)


def _uncertain_labels(
    context: click.Context, _parameter: click.Parameter, beginning: str
) -> list[CompletionItem]:
    """Complete the label of an uncertain submission."""
    names: list[tuple[str, str]] = []
    with silently():
        job = stored_jobs(store_of(context)).find(context.params["job_id"])
        names = [(part.label, part.state) for part in job.api_jobs if part.state == "uncertain"]
    return completed(beginning, names)


@click.command()
@job_argument
@click.argument("label", shell_complete=_uncertain_labels)
@click.argument("api_job_id", metavar="API-JOB-ID", type=click.UUID)
@store_option
def adopt(job_id: str, label: str, api_job_id: uuid.UUID, store: Path | None) -> None:
    """Tell a job the identifier of a submission of which it is unknown whether it was accepted.

    LABEL is the one that `jobs show` names. If the portal's page shows it, API-JOB-ID is the
    identifier beside it. If the page does not show it, run `jobs resubmit --uncertain ID`.

    Exit code 1: no uncertain submission has the label, or the identifier is another one's.
    """
    with errors(), Handles() as handles:
        job = handles.job(job_id, store)
        with _said(LookupError):
            job.adopt(label, str(api_job_id))
        click.echo(_name(job))
    say(f"to wait for it: aqt-fast jobs wait {shlex.quote(job_id)}")


@contextmanager
def _said(kind: type[Exception]) -> Iterator[None]:
    """Print an error that is not of this package, and exit with code 1."""
    try:
        yield
    except kind as error:
        say(str(error.args[0]))
        sys.exit(1)


def _ended(job: AQTJob) -> str:
    """Return the state of a job that has ended, as the list of jobs names it."""
    name = job.status().name.lower()
    return "failed" if name == "error" else name


def _print_state(job: Any, state: str) -> None:
    click.echo(f"{_name(job)}  {coloured(state)}")


def _name(job: AQTJob) -> str:
    """Return a job's identifier, or that of its batch if the portal has given none."""
    from aqt_fast.exceptions import AQTError

    with suppress(AQTError):
        return one_line(job.job_id())
    return job.batch_id
