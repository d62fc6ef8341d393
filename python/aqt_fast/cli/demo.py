"""Run real algorithm circuits through a local server of AQT's interface."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import click
import qiskit
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from tabulate import tabulate

from aqt_fast.aqt_provider import AQTProvider
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.cli.circuit_files import load_circuit
from aqt_fast.exceptions import AQTError, InvalidInputError, JobFailedError
from aqt_fast.wire.circuits import check_circuits

_BAR_WIDTH = 40
_BARS = 12


@dataclass
class _Stages:
    """Names, amounts and durations of the stages."""

    rows: list[tuple[str, str, float]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, amount: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.rows.append((name, amount, time.perf_counter() - start))

    def __str__(self) -> str:
        rows = [(name, amount, f"{seconds * 1e3:,.1f}") for name, amount, seconds in self.rows]
        headers = ("Stage", "Amount", "Time (ms)")
        alignment = ("left", "left", "right")
        return tabulate(
            rows, headers, tablefmt="rounded_outline", colalign=alignment, disable_numparse=True
        )


def run_demo(
    paths: Sequence[Path], *, num_circuits: int, shots: int, noise: bool, seed: int
) -> None:
    """Run circuits as on AQT's portal, but on a local server.

    Prints a histogram of the first circuit and the time of each stage.

    Raises:
        InvalidInputError: a file is not OpenQASM, or has a circuit that cannot run.
        AQTError: the server cannot be started, or a job fails.
    """
    stages = _Stages()
    paths = paths or _built_in()
    with stages.stage("read OpenQASM", f"{len(paths)} files"):
        algorithms = [load_circuit(path) for path in paths]
    with stages.stage("start the local server", "1 process"):
        portal = _LocalPortal(seed)
    with portal, AQTProvider(portal.token, portal_url=portal.url, load_dotenv=False) as provider:
        with stages.stage("discover", "1 backend"):
            backend = provider.get_backend(
                f"simulator_{'noise' if noise else 'ideal'}", workspace="default"
            )
        with stages.stage("transpile", f"{len(algorithms)} circuits"):
            transpiled = [
                _transpile(path, circuit, backend)
                for path, circuit in zip(paths, algorithms, strict=True)
            ]
        circuits = list(islice(cycle(transpiled), num_circuits))
        operations = sum(circuit.size() for circuit in circuits)
        with stages.stage("check", f"{len(circuits)} circuits, {operations:,} operations"):
            # No one will want to restore this job: no journal.
            job = backend.run(circuits, shots=shots, query_period_seconds=0.1, journal=False)
        with stages.stage("submit and wait", f"{len(circuits)} × {shots} shots"):
            result = job.result()
        if not result.success:
            raise JobFailedError(job.job_id(), result.status)
        with stages.stage("counts", f"{len(circuits)} circuits"):
            counts = [result.get_counts(index) for index in range(len(circuits))]
    click.echo(f"\n{circuits[0].name}, {shots} shots on {backend.name} at {portal.url}")
    click.echo(_histogram(counts[0]))
    click.echo(f"\n{stages}")


class _LocalPortal:
    """``aqt-fast serve`` in a process of its own."""

    token = "demo-token"  # noqa: S105 - it gives access to this server only

    def __init__(self, seed: int) -> None:
        """Start the server and wait until it listens.

        Raises:
            AQTError: the server cannot be started.
        """
        command = [
            sys.executable,
            "-m",
            "aqt_fast",
            "serve",
            "--port",
            "0",
            "--until-eof",
            "--quiet",
        ]
        command += ["--token", self.token, "--seed", str(seed)]
        # The server ends when its standard input is closed, even if this process crashes.
        self._process = subprocess.Popen(  # noqa: S603 - no user input in the arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            _, reason = self._process.communicate()
            plain = reason.strip().removeprefix("aqt-fast: ")
            raise AQTError(f"the local server does not start: {plain}")

    def __enter__(self) -> None:
        """Do nothing: the server runs already."""

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.communicate()


def _built_in() -> list[Path]:
    return sorted((Path(__file__).parents[1] / "examples").glob("*.qasm"))


def _transpile(path: Path, circuit: QuantumCircuit, backend: AQTResource) -> QuantumCircuit:
    try:
        transpiled: QuantumCircuit = qiskit.transpile(circuit, backend)
        check_circuits(transpiled, backend.limits)
    except (QiskitError, InvalidInputError) as error:
        raise InvalidInputError(f"{path} cannot run on {backend.name}: {error}") from error
    return transpiled


def _histogram(counts: dict[str, int]) -> str:
    """Draw the most frequent outcomes as bars, and count the shots of all others."""
    ranking = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    top = ranking[0][1]
    rows = [
        (outcome, count, "█" * round(_BAR_WIDTH * count / top))
        for outcome, count in ranking[:_BARS]
    ]
    if len(ranking) > _BARS:
        others = sum(count for _, count in ranking[_BARS:])
        rows.append((f"{len(ranking) - _BARS} others", others, ""))
    return tabulate(rows, ("Outcome", "Shots", ""), tablefmt="simple", disable_numparse=[0])
