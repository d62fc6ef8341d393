"""The command ``aqt-fast``. Print results to standard output, all else to standard error."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import click

from aqt_fast import __version__
from aqt_fast.cli.colours import states_coloured
from aqt_fast.cli.estimate import estimate_command
from aqt_fast.cli.jobs import jobs_command
from aqt_fast.cli.serve import serve_command
from aqt_fast.cli.terminal import Commands, advice, errors, pattern, print_json, say


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aqt-fast")
def main() -> None:
    """Fast Qiskit provider for AQT's trapped-ion quantum computers.

    The access token comes from AQT_TOKEN, a .env file or the last log-in; the portal's address from
    AQT_PORTAL_URL.
    """


main.add_command(serve_command)
main.add_command(jobs_command)
main.add_command(estimate_command)


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--circuits", default=150, show_default=True, type=click.IntRange(1))
@click.option("--shots", default=200, show_default=True, type=click.IntRange(1, 2000))
@click.option("--noise/--no-noise", default=True, show_default=True)
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


@main.command()
@click.argument("backend", metavar="[NAME]", required=False)
@click.option(
    "--name", default=None, metavar="REGEX", callback=pattern, help="Only IDs that begin like this."
)
@click.option(
    "--type",
    "backend_type",
    default=None,
    type=click.Choice(["device", "simulator", "offline_simulator", "direct_access"]),
    help="Only resources of this kind.",
)
@click.option("--workspace", default=None, metavar="ID", help="Only those in this workspace.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def backends(
    backend: str | None, name: Any, backend_type: Any, workspace: str | None, as_json: bool
) -> None:
    """List the available backends, or show the one with the ID NAME.

    Of one backend, show status, limits and characterisation.

    Exit code 1: nothing matches, or something did not answer; see standard error.
    """
    if backend is not None and name is not None:
        raise click.UsageError("NAME and --name exclude each other")
    with errors():
        if backend is None:
            _list(name, backend_type, workspace, as_json=as_json)
        else:
            _show(backend, backend_type, workspace, as_json=as_json)


def _list(name: Any, backend_type: Any, workspace: str | None, *, as_json: bool) -> None:
    from aqt_fast.aqt_provider import AQTProvider, PortalUnavailableWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with AQTProvider() as provider:
            table = provider.backends(name, backend_type=backend_type, workspace=workspace)
    for warning in caught:
        say(str(warning.message))
    headers = [header.lower().replace(" ", "_") for header in table.HEADERS]
    if as_json:
        print_json([dict(zip(headers, row, strict=True)) for row in table.rows()])
    elif table:
        click.echo(table.fitted(paint=states_coloured()))
    else:
        say("no backend fits")
    incomplete = any(issubclass(warning.category, PortalUnavailableWarning) for warning in caught)
    sys.exit(1 if incomplete or not table else 0)


def _show(name: str, backend_type: Any, workspace: str | None, *, as_json: bool) -> None:
    from qiskit.providers import QiskitBackendNotFoundError

    from aqt_fast.aqt_provider import AQTProvider
    from aqt_fast.cli.device import device_as_json, device_as_text

    with AQTProvider() as provider:
        try:
            found = provider.get_backend(name, backend_type=backend_type, workspace=workspace)
        except QiskitBackendNotFoundError as error:
            say(error.message)
            sys.exit(1)
        if as_json:
            print_json(device_as_json(found))
        else:
            click.echo(device_as_text(found))


@main.command("log-in")
@click.option("--anew", is_flag=True, help="Log in even if the saved token is valid.")
def log_in(*, anew: bool) -> None:
    """Log in to AQT's cloud, and save the tokens for later.

    Nothing happens while the saved token is valid or can be renewed.

    With AQT_CLIENT_ID and AQT_CLIENT_SECRET, this runs unattended. Otherwise, open the link that it
    prints. The tokens are saved in ~/.aqt, readable by you only, unless AQT's configuration turns
    that off.
    """
    with errors():
        from aqt_fast.aqt_provider import AQTProvider

        with AQTProvider("") as provider:
            provider.log_in(anew=anew)
    say("logged in")
