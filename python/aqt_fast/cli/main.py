"""The command ``aqt-fast``. Print results to standard output, all else to standard error."""

from __future__ import annotations

from pathlib import Path

import click

from aqt_fast import __version__
from aqt_fast.cli.access import log_in, log_out, whoami
from aqt_fast.cli.backends import backends
from aqt_fast.cli.completion import completion
from aqt_fast.cli.estimate import estimate_command
from aqt_fast.cli.jobs import jobs_command
from aqt_fast.cli.run import run_command
from aqt_fast.cli.serve import serve_command
from aqt_fast.cli.terminal import Commands, advice, errors


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aqt-fast")
def main() -> None:
    """Fast Qiskit provider for AQT's trapped-ion quantum computers.

    The access token comes from AQT_TOKEN, a .env file or the last log-in; the portal's address from
    AQT_PORTAL_URL.
    """


for _command in (
    backends,
    completion,
    estimate_command,
    jobs_command,
    log_in,
    log_out,
    run_command,
    serve_command,
    whoami,
):
    main.add_command(_command)


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--circuits", default=150, show_default=True, type=click.IntRange(1), help="Number of circuits."
)
@click.option(
    "--shots", default=200, show_default=True, type=click.IntRange(1, 2000), help="Of each circuit."
)
@click.option("--noise/--no-noise", default=True, show_default=True, help="Simulate noise.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of outcomes.")
def demo(files: tuple[Path, ...], circuits: int, shots: int, noise: bool, seed: int) -> None:
    """Run algorithm circuits on a local server of AQT's interface; show where the time goes.

    FILES are circuits in OpenQASM. The default is ten circuits that come with the package. They
    are repeated up to the requested number of circuits.
    """
    with errors(), advice():  # the job ends with its server
        # Qiskit and Aer load slowly; `--help` should not wait for them.
        from aqt_fast.cli.demo import run_demo

        run_demo(files, num_circuits=circuits, shots=shots, noise=noise, seed=seed)
