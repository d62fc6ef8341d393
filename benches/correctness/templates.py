"""Goal: a parameterised circuit is compiled as if its parameters had been bound before.

Random parameterised circuits with random and special values, at all levels:

1. angles that are numbers or parameters: request bodies equal those of circuits that were bound
   first and compiled after, byte for byte;
2. other expressions, custom gates, evolutions: outcomes are those of the bound circuit
   (Qiskit's ``Statevector``), and pulses at most as many as when compiled after.

AQT's own models accept each body. Run it with ``make bench-templates``; the exit code is 1 if
anything is amiss.
"""

from __future__ import annotations

import sys

import aqt_fast
import click
import numpy as np
import parameterised
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_fast import AQTProvider
from aqt_fast.primitives.templates import Template, snapshot_of
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot

SETS = 5
LIMITS = Limits(circuits=None, shots=None)


def distance(first: dict[str, float], second: dict[str, float]) -> float:
    """The largest difference of two distributions."""
    every = first.keys() | second.keys()
    return max(abs(first.get(key, 0.0) - second.get(key, 0.0)) for key in every)


@click.command()
@click.option("--circuits", default=2000, help="Half of each kind.")
@click.option("--seed", default=13)
def main(circuits: int, seed: int) -> None:
    """Compare."""
    rng = np.random.default_rng(seed)
    backend = AQTProvider("", load_dotenv=False).get_backend("offline_simulator_no_noise")
    different = 0
    worst = 0.0
    pulses = np.zeros((2, 2), int)
    for number in range(circuits):
        size = int(rng.integers(1, 6)), int(rng.integers(1, 40))
        plain = number % 2 == 0
        drawn = parameterised.circuit(rng, *size, plain=plain)
        values = parameterised.sets(rng, drawn, SETS)
        level = int(rng.integers(4))
        found = snapshot_of([(Template(drawn, backend, level), values)], LIMITS)
        bound = [drawn.assign_parameters(row) for row in values]
        compiled = aqt_fast.compile(bound, backend, optimization_level=level)
        body = found.encode_job(0, SETS, 100, "sweep")
        SubmitJobRequest.model_validate_json(body)
        if plain:
            different += body != Snapshot(compiled, LIMITS).encode_job(0, SETS, 100, "sweep")
            continue
        for ours, theirs, circuit in zip(found.rebuilt(), compiled, bound, strict=True):
            worst = max(
                worst, distance(parameterised.outcomes(ours), parameterised.outcomes(circuit))
            )
            for row, item in enumerate((ours, theirs)):
                counts = item.count_ops()
                pulses[row] += counts.get("rxx", 0), counts.get("r", 0)
    click.echo(f"{circuits} circuits, {SETS} sets each; all bodies accepted by aqt-connector")
    click.echo(f"parameters alone: {different} bodies differ from those of bound circuits")
    click.echo(f"expressions: outcomes differ by at most {worst:.1e}")
    (rxx, r), (rxx_after, r_after) = pulses
    click.echo(f"pulses: {rxx} rxx, {r} r; compiled after binding: {rxx_after}, {r_after}")
    sys.exit(bool(different or worst > 1e-6 or pulses[0].sum() > 1.02 * pulses[1].sum()))


if __name__ == "__main__":
    main()
