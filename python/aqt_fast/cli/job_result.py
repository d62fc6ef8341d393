"""The command ``jobs result``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from aqt_fast.cli.result_formats import format_option
from aqt_fast.cli.result_output import ResultOutput, output_option
from aqt_fast.cli.stored import Handles, job_argument, store_option
from aqt_fast.cli.terminal import TIMED_OUT, FiniteRange, advice, errors, say


@click.command()
@job_argument
@click.option(
    "--partial",
    is_flag=True,
    help="Print the circuits that have results, whatever became of the others; with --timeout 0, "
    "those that have them now.",
)
@click.option(
    "--timeout",
    default=None,
    type=FiniteRange(0),
    metavar="SECONDS",
    help="Wait so long at most.",
)
@format_option("json")
@output_option
@store_option
def result(
    job_id: str,
    partial: bool,
    timeout: float | None,
    style: str | None,
    output: Path,
    store: Path | None,
) -> None:
    """Wait for a job, and print its result.

    Results that are not stored are requested from the portal. Nothing is submitted; jobs of offline
    simulators run again. The job stays in the store. If the store does not have it, ID is that of
    an API job that another computer has sent, and the counts are those of all its qubits.

    Exit code 1: not all circuits have results; standard error gives the reason. 124: the time has
    passed, and the job continues.
    """
    again = f"to wait again: aqt-fast jobs result {shlex.quote(job_id)}"
    with (
        errors(),
        advice(again),
        ResultOutput(output, style, "json") as written,
        Handles() as handles,
    ):
        job = handles.job(job_id, store)

        from qiskit.providers import JobTimeoutError

        try:
            found = job.result(timeout, partial=partial)
        except JobTimeoutError as error:
            say(error.message)
            sys.exit(TIMED_OUT)
        written.write(found, job_id)
        if not found.success:
            say(str(found.status))
    sys.exit(0 if found.success else 1)
