"""The command ``jobs result``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import BinaryIO

import click

from aqt_fast.cli.result_formats import check_output, format_option, output_option, result_as
from aqt_fast.cli.stored import Handles, job_argument, store_option
from aqt_fast.cli.terminal import advice, errors, say


@click.command()
@job_argument
@click.option("--partial", is_flag=True, help="Also print a result that is not complete.")
@format_option("json")
@output_option
@store_option
def result(job_id: str, partial: bool, style: str, output: BinaryIO, store: Path | None) -> None:
    """Wait for a job, and print its result.

    Results that are not stored are requested from the portal. Nothing is submitted; jobs of offline
    simulators run again. The job stays in the store. If the store does not have it, ID is that of
    an API job that another computer has sent, and the counts are those of all its qubits.

    Exit code 1: not all circuits have results; standard error gives the reason.
    """
    check_output(style, output)
    again = f"to wait again: aqt-fast jobs result {shlex.quote(job_id)}"
    with errors(), advice(again), Handles() as handles:
        job = handles.job(job_id, store)

        from qiskit.providers import JobTimeoutError

        try:
            found = job.result(partial=partial)
        except JobTimeoutError as error:
            say(error.message)
            sys.exit(1)
        output.write(result_as(style, found))
        if not found.success:
            say(str(found.status))
    sys.exit(0 if found.success else 1)
