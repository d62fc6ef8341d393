"""The command ``aqt-fast``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aqt_fast import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aqt-fast")
def main() -> None:
    """Fast Qiskit provider for AQT's trapped-ion quantum computers."""


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--circuits", default=300, show_default=True, type=click.IntRange(1))
@click.option("--shots", default=200, show_default=True, type=click.IntRange(1))
@click.option("--noise/--no-noise", default=True, show_default=True)
@click.option("--seed", default=None, type=click.IntRange(0), help="Seed of the simulator.")
def demo(files: tuple[Path, ...], circuits: int, shots: int, noise: bool, seed: int | None) -> None:
    """Run algorithm circuits on an offline simulator and show where the time goes.

    FILES are circuits in OpenQASM 2; without any, ten that come with the package are taken. They
    are repeated until there are as many as asked for.
    """
    # Qiskit and Aer take a while to load, which `--help` should not wait for.
    from aqt_fast.demo import run_demo
    from aqt_fast.exceptions import AQTError

    try:
        run_demo(files, num_circuits=circuits, shots=shots, noise=noise, seed=seed)
    except AQTError as error:
        click.echo(f"aqt-fast: {error}", err=True)
        sys.exit(1)
