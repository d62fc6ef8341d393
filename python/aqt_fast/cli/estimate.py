"""The command ``aqt-fast estimate``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqt_fast.cli.job_options import job_options
from aqt_fast.cli.terminal import FiniteRange, errors, print_json, say

if TYPE_CHECKING:
    from aqt_fast.devices import PriceList


@click.command("estimate")
@job_options
@click.option("--price-per-shot", default=None, type=FiniteRange(0), help="Price of a shot.")
@click.option(
    "--price-per-circuit",
    default=None,
    type=FiniteRange(0),
    help="Price of a circuit with up to 2000 shots.",
)
@click.option("--currency", default=None, help="What prices are in, such as EUR.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def estimate_command(
    files: tuple[Path, ...],
    backend: str,
    workspace: str | None,
    shots: int,
    optimization_level: int,
    price_per_shot: float | None,
    price_per_circuit: float | None,
    currency: str | None,
    as_json: bool,
) -> None:
    """Tell what a job with these circuits would take: API jobs, time on the device, cost.

    FILE is a circuit in OpenQASM 2, or 3 with the package qiskit-qasm3-import. Nothing is sent but
    requests for the resource's details, and an offline simulator needs none.
    """
    priced = price_per_shot is not None or price_per_circuit is not None
    if priced != (currency is not None):
        raise click.UsageError("a price and --currency need each other")
    with errors():
        # Qiskit loads slowly; `--help` should not wait for it.
        from qiskit.providers import QiskitBackendNotFoundError

        from aqt_fast.aqt_provider import AQTProvider
        from aqt_fast.cli.circuit_files import load_circuit, of_files
        from aqt_fast.exceptions import InvalidCircuitError

        circuits = [load_circuit(path) for path in files]
        prices = None
        if currency is not None:
            prices = _prices(price_per_shot or 0.0, price_per_circuit or 0.0, currency)
        with AQTProvider() as provider:
            try:
                resource = provider.get_backend(backend, workspace=workspace)
            except QiskitBackendNotFoundError as error:
                say(error.message)
                sys.exit(1)
            state = resource.resource_id.full_status
            if state != "online":
                say(f"{backend} is not ready for jobs: {state}")
            try:
                estimate = resource.estimate(
                    circuits, shots=shots, price_list=prices, optimization_level=optimization_level
                )
            except InvalidCircuitError as error:
                raise of_files(error, files) from error
        if as_json:
            print_json(estimate.to_dict())
        else:
            click.echo(str(estimate))


def _prices(per_shot: float, per_circuit: float, currency: str) -> PriceList:
    from aqt_fast.devices import PriceList

    return PriceList(
        per_shot=per_shot,
        per_circuit=per_circuit,
        currency=currency,
        source="command line",
        as_of=date.today(),  # noqa: DTZ011 - the user's own date
    )
