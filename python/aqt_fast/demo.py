"""The main job on real algorithm circuits, with a histogram and the time of each stage."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import click
import qiskit
from qiskit import QuantumCircuit, qasm2
from qiskit.exceptions import QiskitError
from tabulate import tabulate

from aqt_fast import wire
from aqt_fast.aqt_provider import AQTProvider, NoTokenWarning
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import InvalidInputError

_BAR_WIDTH = 40
_BARS = 12


@dataclass
class _Stages:
    """What was done and how long it took."""

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
    paths: Sequence[Path], *, num_circuits: int, shots: int, noise: bool, seed: int | None
) -> None:
    """Read, transpile, encode and simulate circuits; print a histogram and the stages.

    Raises:
        InvalidInputError: a file is not OpenQASM 2, or has a circuit that cannot be run.
    """
    stages = _Stages()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoTokenWarning)
        provider = AQTProvider("", load_dotenv=False)
    backend = provider.get_backend(f"offline_simulator_{'noise' if noise else 'no_noise'}")
    paths = paths or _built_in()
    with stages.stage("read OpenQASM", f"{len(paths)} files"):
        algorithms = [_load(path) for path in paths]
    with stages.stage("transpile", f"{len(algorithms)} circuits"):
        transpiled = [
            _transpile(path, circuit, backend)
            for path, circuit in zip(paths, algorithms, strict=True)
        ]
    circuits = list(islice(cycle(transpiled), num_circuits))
    operations = sum(circuit.size() for circuit in circuits)
    with stages.stage("check", f"{len(circuits)} circuits, {operations:,} operations"):
        wire.check_circuits(circuits, backend.limits)
    step = wire.API_LIMITS.circuits or len(circuits)
    chunks = [circuits[start : start + step] for start in range(0, len(circuits), step)]
    with stages.stage("encode for a device", f"{len(chunks)} request bodies"):
        for chunk in chunks:
            wire.encode_job(chunk, min(shots, wire.API_LIMITS.shots or shots))
    with stages.stage("simulate", f"{len(circuits)} × {shots} shots on {backend.name}"):
        job = backend.run(circuits, shots=shots, seed_simulator=seed)
        result = job.result()
    if not result.success:
        raise InvalidInputError(f"the simulation failed: {job.error_message}")
    with stages.stage("counts", f"{len(circuits)} circuits"):
        counts = [result.get_counts(index) for index in range(len(circuits))]
    click.echo(f"\n{circuits[0].name}, {shots} shots")
    click.echo(_histogram(counts[0]))
    click.echo(f"\n{stages}")


def _built_in() -> list[Path]:
    return sorted((Path(__file__).parent / "examples").glob("*.qasm"))


def _load(path: Path) -> QuantumCircuit:
    try:
        circuit: QuantumCircuit = qasm2.load(
            path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS
        )
    except (qasm2.QASM2ParseError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} is not OpenQASM 2: {error}") from error
    circuit.name = path.stem
    return circuit


def _transpile(path: Path, circuit: QuantumCircuit, backend: AQTResource) -> QuantumCircuit:
    try:
        transpiled: QuantumCircuit = qiskit.transpile(circuit, backend)
        wire.check_circuits(transpiled, backend.limits)
    except (QiskitError, InvalidInputError) as error:
        raise InvalidInputError(f"{path} cannot run on {backend.name}: {error}") from error
    return transpiled


def _histogram(counts: dict[str, int]) -> str:
    """The most frequent outcomes as bars, and how much of the shots the others have."""
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
