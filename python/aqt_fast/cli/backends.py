"""The command ``aqt-fast backends``: the list, and one of them."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import click

from aqt_fast.cli.backend_names import backend_names
from aqt_fast.cli.colours import paint
from aqt_fast.cli.terminal import errors, pattern, print_json, say


@click.command()
@click.argument("backend", metavar="[NAME]", required=False, shell_complete=backend_names)
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
        click.echo(table.fitted(paint=paint()))
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
