"""Goal: the standard error of ``BackendEstimatorV2`` with a third of the shots, and never more.

Both estimate the same energies on the same offline simulator, again and again with other seeds. The
standard error is the measured one: the standard deviation of all estimates of a state. Shots are
those of the backend's results. Qiskit's estimator gets the precision for ``--shots`` repetitions of
each circuit; ours gets the standard error that Qiskit's has then reached. As errors go with
1/√shots, "ratio" is shots × error² of Qiskit's over shots × error² of ours: how many times fewer
shots ours needs for the same error.

Run it with ``make bench-shots``. Exits with 1 if an estimate is wrong (its mean over all runs is
more than 5 standard errors off), or if ours with a pilot needs more shots than Qiskit's, by more
than 3 standard errors of the ratio. Without a pilot nobody knows which groups vary, so that ours
needs more where heavy ones do not: in basis states.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import click
import numpy as np
from aqt_fast import AQTProvider, compile  # noqa: A004 - its name
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.primitives import AQTEstimator
from hamiltonians import System, states, systems
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives import BackendEstimatorV2
from qiskit.quantum_info import Statevector
from tabulate import tabulate

HEADERS = (
    "System",
    "State",
    "Options",
    "Circuits, Qiskit",
    "ours",
    "Shots, Qiskit",
    "ours",
    "Error, Qiskit",
    "ours",
    "stated by ours",
    "Ratio",
)


VARIANTS = (
    "{}",
    '{"variances": "average"}',
    '{"adaptive": true}',
    '{"adaptive": true, "grouping": "general"}',
)
"""Options of our estimator."""


class Runs(NamedTuple):
    """What many runs of an estimator gave."""

    values: NDArray[np.float64]
    stated: NDArray[np.float64]
    """The standard errors of the results."""
    shots: float
    """Of all circuits of a run; the mean of all runs."""
    circuits: float

    @property
    def error(self) -> float:
        """The standard deviation of the values."""
        return float(self.values.std(ddof=1))

    @property
    def cost(self) -> float:
        """Shots × error²."""
        return self.shots * self.error**2

    @property
    def relative_variance(self) -> float:
        """That of the cost, from the fourth moment of the values."""
        centred = self.values - self.values.mean()
        return float((np.mean(centred**4) / np.mean(centred**2) ** 2 - 1) / len(centred))


class Row(NamedTuple):
    """Both estimators on a state."""

    system: str
    state: str
    options: str
    """Of ours."""
    qiskit: Runs
    ours: Runs
    exact: float

    @property
    def name(self) -> str:
        """What is compared."""
        return f"{self.system}, {self.state}, {self.options}"

    @property
    def ratio(self) -> float:
        """How many times more shots Qiskit's estimator needs for the same error."""
        return self.qiskit.cost / self.ours.cost if self.ours.cost else math.inf

    @property
    def uncertainty(self) -> float:
        """The standard error of the ratio."""
        return self.ratio * math.sqrt(self.qiskit.relative_variance + self.ours.relative_variance)

    def faults(self) -> Iterator[str]:
        """What is not as it should be."""
        for party, runs in (("Qiskit's", self.qiskit), ("ours", self.ours)):
            off = abs(runs.values.mean() - self.exact) * math.sqrt(len(runs.values))
            if off > 5 * runs.error + 1e-9:
                yield f"{self.name}: {party} is off: {runs.values.mean()}, not {self.exact}"
        if json.loads(self.options).get("adaptive") and self.ratio + 3 * self.uncertainty < 1:
            yield f"{self.name}: ours needs more shots"

    def cells(self) -> list[object]:
        """The row of the table."""
        return [
            self.system,
            self.state,
            self.options,
            f"{self.qiskit.circuits:.0f}",
            f"{self.ours.circuits:.0f}",
            f"{self.qiskit.shots:,.0f}",
            f"{self.ours.shots:,.0f}",
            f"{self.qiskit.error:.2g}",
            f"{self.ours.error:.2g}",
            f"{math.sqrt(np.mean(self.ours.stated**2)):.2g}",
            f"{self.ratio:.2f} ± {self.uncertainty:.2f}",
        ]


@contextmanager
def submitted() -> Iterator[list[AQTJob]]:
    """Note all jobs of backends, whoever runs them."""
    jobs: list[AQTJob] = []
    submit = AQTJob.submit

    def noting(job: AQTJob, *arguments: Any, **options: Any) -> Any:
        jobs.append(job)
        return submit(job, *arguments, **options)

    with patch.object(AQTJob, "submit", noting):
        yield jobs


def repeated(
    estimator: Any, circuit: QuantumCircuit, system: System, precision: float, runs: int
) -> Runs:
    """Estimate the energy of a state, each time with another seed."""
    values, stated, shots, circuits = [], [], 0, 0
    for seed in range(runs):
        estimator.options.seed_simulator = 1000 * seed
        with submitted() as jobs:
            job = estimator.run([(circuit, system.hamiltonian)], precision=precision)
            data = job.result()[0].data
        values.append(float(data.evs))
        stated.append(float(data.stds))
        results = [result for part in jobs for result in part.result().results]
        shots += sum(result.shots for result in results)
        circuits += len(results)
    return Runs(np.array(values), np.array(stated), shots / runs, circuits / runs)


def compared(
    backend: AQTResource, system: System, state: str, runs: int, shots: int, variants: Sequence[str]
) -> Iterator[Row]:
    """Run both on a state; nothing if it has no variance, so that both are exact."""
    circuit = states(system)[state]
    exact = Statevector(circuit).data
    energy = float(np.vdot(exact, system.hamiltonian.to_matrix(sparse=True) @ exact).real)
    # Qiskit's estimator runs circuits as they are: they must be in the backend's gates.
    runnable = compile(circuit, backend)
    peer = BackendEstimatorV2(backend=backend)
    theirs = repeated(peer, runnable, system, 1 / math.sqrt(shots), runs)
    if theirs.error < 1e-9:
        return
    for options in variants:
        estimator = AQTEstimator(backend, json.loads(options))
        ours = repeated(estimator, circuit, system, theirs.error, runs)
        yield Row(system.name, state, options, theirs, ours, energy)


def totals(rows: Sequence[Row], variants: Sequence[str]) -> Iterator[list[object]]:
    """A row for all states of a system together: shots that each needs for the same errors.

    The errors are those of Qiskit's estimator; ours needs its shots divided by the ratio.
    """
    for options in variants:
        here = [row for row in rows if row.options == options]
        theirs = sum(row.qiskit.shots for row in here)
        ours = sum(row.qiskit.shots / row.ratio for row in here)
        yield [here[0].system, "all", options, *[""] * 7, f"{theirs / ours:.2f}"]


@click.command()
@click.option("--runs", default=200, show_default=True, type=click.IntRange(10))
@click.option("--shots", default=400, show_default=True, help="Of each circuit of Qiskit's.")
@click.option("--only", multiple=True, help="A system; may be repeated.")
@click.option(
    "--options",
    "variants",
    multiple=True,
    default=VARIANTS,
    show_default=True,
    help="Of our estimator, as JSON; may be repeated.",
)
@click.option("--details", type=click.Path(path_type=Path), help="Where to write all values.")
def main(
    runs: int, shots: int, only: tuple[str, ...], variants: tuple[str, ...], details: Path | None
) -> None:
    """Count shots at equal errors."""
    warnings.simplefilter("ignore")
    backend = AQTProvider("", load_dotenv=False).get_backend("offline_simulator_no_noise")
    backend.set_options(with_progress_bar=False)
    rows: list[Row] = []
    cells: list[list[object]] = []
    for name, system in systems().items():
        if only and name not in only:
            continue
        here: list[Row] = []
        for state in states(system):
            for row in compared(backend, system, state, runs, shots, variants):
                print(*row.cells(), file=sys.stderr, sep=" | ", flush=True)
                here.append(row)
        rows += here
        cells += [*(row.cells() for row in here), *totals(here, variants)]
    print(tabulate(cells, HEADERS, tablefmt="github", disable_numparse=True))
    if details is not None:
        values = {
            f"{row.name}, {party}": of_party.values.tolist()
            for row in rows
            for party, of_party in (("Qiskit", row.qiskit), ("ours", row.ours))
        }
        details.write_text(json.dumps(values))
    faults = [fault for row in rows for fault in row.faults()]
    print(*faults, sep="\n", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
