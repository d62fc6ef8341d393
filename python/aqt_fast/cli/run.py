"""The command ``aqt-fast run``: circuits from files, to a backend and back as counts."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from aqt_fast.cli.job_options import job_options
from aqt_fast.cli.result_formats import format_option
from aqt_fast.cli.result_output import ResultOutput, output_option
from aqt_fast.cli.stored import all_accepted, stored_jobs
from aqt_fast.cli.terminal import advice, errors, say

if TYPE_CHECKING:
    from aqt_fast.aqt_job import AQTJob
    from aqt_fast.aqt_options import RunOptions


@click.command("run")
@job_options
@click.option("--label", default=None, metavar="TEXT", help="Label of the job.")
@click.option(
    "--tag", "tags", multiple=True, metavar="TEXT", help="To find the job by; may be repeated."
)
@click.option(
    "--seed", default=None, type=click.IntRange(0), help="Of an offline simulator's outcomes."
)
@click.option("--require-online", is_flag=True, help="Send nothing if the device is not online.")
@format_option("table")
@output_option
@click.option(
    "--no-wait",
    is_flag=True,
    help="End when the portal has the job, and print its ID instead of the result.",
)
def run_command(
    files: tuple[Path, ...],
    backend: str,
    workspace: str | None,
    shots: int,
    label: str | None,
    tags: tuple[str, ...],
    optimization_level: int,
    seed: int | None,
    require_online: bool,
    style: str | None,
    output: Path,
    no_wait: bool,
) -> None:
    """Run circuits as one job, wait for it, and print its result.

    FILE is a circuit in OpenQASM 2, or 3 with the package qiskit-qasm3-import, with any gates. The
    job is in the list of `jobs`, and its ID is printed to standard error; but a job of an offline
    simulator ends with this process.

    Exit code 1: nothing was started, or not all circuits have results; standard error gives the
    reason.
    """
    with errors(), ExitStack() as stack:
        written = stack.enter_context(ResultOutput(output, style, "table"))
        # Qiskit loads slowly; `--help` should not wait for it.
        from qiskit.providers import QiskitBackendNotFoundError

        from aqt_fast.aqt_provider import AQTProvider
        from aqt_fast.cli.circuit_files import load_circuit, of_files
        from aqt_fast.exceptions import InvalidCircuitError

        circuits = [load_circuit(path) for path in files]
        provider = stack.enter_context(AQTProvider())
        try:
            resource = provider.get_backend(backend, workspace=workspace)
        except QiskitBackendNotFoundError as error:
            say(error.message)
            sys.exit(1)
        kind = resource.resource_id.resource_type
        if no_wait and kind not in ("device", "simulator"):
            raise click.UsageError(f"--no-wait is for the portal: {backend} runs with this process")
        if seed is not None and kind != "offline_simulator":
            raise click.UsageError(f"--seed is for offline simulators, not for {backend}")
        options: RunOptions = {
            "shots": shots,
            "tags": tags,
            "optimization_level": optimization_level,
            "require_online": require_online,
        }
        if label is not None:
            options["label"] = label
        if seed is not None:
            options["seed_simulator"] = seed
        try:
            job = resource.run(circuits, **options)
        except InvalidCircuitError as error:
            raise of_files(error, files) from error
        if kind == "offline_simulator":
            with advice():
                _print_result(job, written, None)
        with advice(*_advice(kind, job.batch_id)):
            name = job.job_id()
        with advice(*_advice(kind, name)):
            if no_wait:
                num_api_jobs = len(stored_jobs(None).find(job.batch_id).api_jobs)
                accepted = all_accepted(job, num_api_jobs)
                click.echo(name)
                sys.exit(0 if accepted else 1)
            say(f"job {name}")
            _print_result(job, written, name)


def _advice(kind: str, job_id: str) -> list[str]:
    """Return what to tell of a job after Ctrl-C."""
    if kind == "direct_access":
        return [f"to go on: aqt-fast jobs resubmit {job_id}"]
    return [f"to wait again: aqt-fast jobs result --format table {job_id}"]


def _print_result(job: AQTJob, written: ResultOutput, job_id: str | None) -> NoReturn:
    """Wait for a job, print its result and exit."""
    found = job.result()
    written.write(found, job_id)
    if not found.success:
        say(str(found.status))
    sys.exit(0 if found.success else 1)
