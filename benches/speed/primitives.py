"""Goal: a sampler's sweep costs a fiftieth of the peer's, 15 µs a set to bytes, no memory a set.

The sweep is ``efficient_su2(6, reps=3)``, 48 parameters, with 1000 sets of random values.

1. Everything except simulation, device and network, from ``run`` to the result with its bits. Both
   parties' own cloud jobs run, and talk to a portal in this process instead of HTTP, which has each
   answer ready. Processor time of all threads, so that neither pauses between polls nor other
   processes count; as the machine is, and beside one busy loop a core. Parties in turn, medians.
2. Parameter sets to request bodies: the values become the circuits of a job, which are encoded API
   job by API job. With and without what is done once (reading the circuit).
3. Memory beyond the values: the peak of the resident set while all bodies are made, one at a time,
   in a process for each number of sets.
4. Pulses that are sent (r with an angle greater than 0, and rxx), against ``compile`` of each bound
   circuit at level 2.

Run it with ``make bench-primitives``. Exits with 1 if more pulses are sent than 1.02 times those of
``compile``, or results are incomplete.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aqt_fast
import click
import numpy as np
import qiskit
from aqt_fast import AQTProvider
from aqt_fast.api_client import PortalClient
from aqt_fast.primitives import AQTSampler
from aqt_fast.primitives.templates import Template, snapshot_of
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.snapshot import Snapshot
from local_server import backend_of, server
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from tabulate import tabulate

SHOTS = 100
LEVEL = 2
MOST_CIRCUITS = 50
MOST_PULSES = 1.02

Values = NDArray[np.float64]


def ansatz() -> QuantumCircuit:
    """The circuit of the sweep."""
    circuit = efficient_su2(6, reps=3)
    circuit.measure_all()
    return circuit


def parameter_sets(number: int) -> Values:
    """Random values."""
    return np.random.default_rng(1).uniform(-3, 3, (number, 48))


class Answers:
    """What the portal answers: bodies of finished jobs, by the number of circuits."""

    def __init__(self, shots: int) -> None:
        self.shots = shots
        # The peer's sampler takes strings of bits for hexadecimal numbers: others would not fit.
        varying = np.random.default_rng(2).integers(0, 2, (MOST_CIRCUITS, shots, 2))
        self._bits = np.pad(varying, ((0, 0), (0, 0), (0, 4)))
        self._bodies: dict[int, bytes] = {}
        self._accepted: dict[str, tuple[int, str]] = {}

    def accept(self, body: bytes, label: str) -> str:
        """Take a request body; the identifier of the job."""
        job_id = str(uuid.uuid4())
        self._accepted[job_id] = body.count(b'"number_of_qubits"'), label
        return job_id

    def result(self, job_id: str) -> bytes:
        """The body of the finished job."""
        size, label = self._accepted[job_id]
        if size not in self._bodies:
            self._bodies[size] = self._finished(size)
        return self._bodies[size].replace(b"JOB", job_id.encode()).replace(b"LABEL", label.encode())

    @staticmethod
    def metadata(job_id: str, label: str) -> dict[str, str]:
        """What each answer tells of the job."""
        return {
            "job_id": job_id,
            "job_type": "quantum_circuit",
            "label": label,
            "resource_id": "simulator_ideal",
            "workspace_id": "default",
        }

    def _finished(self, size: int) -> bytes:
        samples = {str(index): bits.tolist() for index, bits in enumerate(self._bits[:size])}
        body = {
            "job": self.metadata("JOB", "LABEL"),
            "response": {"status": "finished", "result": samples},
        }
        return json.dumps(body, separators=(",", ":")).encode()


Run = Callable[[Values], Any]
"""Samples parameter sets, and returns the bits."""


@contextmanager
def ours(answers: Answers) -> Iterator[Run]:
    """Our sampler on a device in the cloud, with its journal."""

    def submit(_: PortalClient, __: str, ___: str, body: bytes, *, label: str, **____: Any) -> str:
        return answers.accept(body, label)

    def result(_: PortalClient, job_id: str, read: Callable[[bytes], Any]) -> Any:
        return read(answers.result(job_id))

    circuit = ansatz()
    with ExitStack() as stack:
        url, _ = stack.enter_context(server())  # it only tells which backends there are
        backend = stack.enter_context(backend_of(url))
        stack.enter_context(patch.object(PortalClient, "submit", submit))
        stack.enter_context(patch.object(PortalClient, "result", result))
        sampler = AQTSampler(backend)
        yield lambda values: _bits(sampler.run([(circuit, values)], shots=answers.shots))


def _bits(job: Any) -> Any:
    return job.result()[0].data.meas


@contextmanager
def peers(answers: Answers) -> Iterator[Run]:
    """The peer's sampler on its resource in the cloud."""
    import httpx
    from aqt_connector.models.arnica.response_bodies.jobs import ResultResponse
    from aqt_connector.models.arnica.response_bodies.resources import ResourceDetails
    from qiskit_aqt_provider._cloud import job as peer_job
    from qiskit_aqt_provider._cloud.resource import CloudResource
    from qiskit_aqt_provider.primitives.sampler import AQTSampler as PeerSampler

    class Client:
        """Stands for its HTTP client: dumps the body as that does."""

        def post(self, url: str, *, json: Any) -> httpx.Response:
            request = httpx.Request("POST", f"http://portal{url}", json=json)
            job_id = answers.accept(request.content, "qiskit")
            return httpx.Response(
                200,
                request=request,
                json={"job": answers.metadata(job_id, "qiskit"), "response": QUEUED},
            )

    def fetch(_: Any, job_id: uuid.UUID) -> Any:
        return ResultResponse.model_validate_json(answers.result(str(job_id))).response

    details = ResourceDetails.model_validate(
        {
            "id": "simulator_ideal",
            "name": "simulator",
            "type": "simulator",
            "status": "online",
            "available_qubits": 20,
            "status_updated_at": "2026-01-01T00:00:00Z",
        }
    )
    circuit = ansatz()
    with patch.object(peer_job.aqt_connector, "fetch_job_state", fetch):
        resource = CloudResource(None, Client(), "default", details)
        sampler = PeerSampler(backend=resource, options={"default_shots": answers.shots})
        yield lambda values: _bits(sampler.run([(circuit, values)]))


QUEUED = {"status": "queued"}


def spin() -> None:
    """A busy loop."""
    while True:
        pass


@contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """So many processes that compute."""
    loops = [multiprocessing.Process(target=spin, daemon=True) for _ in range(number)]
    for loop in loops:
        loop.start()
    yield
    for loop in loops:
        loop.kill()


def now() -> tuple[float, float]:
    """Processor time of all threads, and time, in seconds."""
    return time.process_time(), time.perf_counter()


def timed(run: Run, values: Values) -> tuple[float, float]:
    """Processor time and time of a sweep in microseconds a set."""
    start = now()
    bits = run(values)
    end = now()
    assert bits.shape == (len(values),), bits.shape
    assert bits.num_bits == 6
    processor, passed = (1e6 * (end[index] - start[index]) / len(values) for index in (0, 1))
    return processor, passed


def overhead(sets: int, shots: int, rounds: int) -> None:
    """Print what a set costs either party."""
    answers = Answers(shots)
    rows = []
    values = parameter_sets(sets)
    with ours(answers) as run_ours, peers(answers) as run_peers:
        few = values[:100]
        for run in (run_ours, run_peers):
            run(few)
        for condition, loops in (("as it is", 0), ("beside busy loops", os.cpu_count() or 1)):
            mine, theirs = [], []
            with busy_loops(loops):
                for _ in range(rounds):
                    mine += [timed(run_ours, values) for _ in range(3)]
                    theirs.append(timed(run_peers, values))
            cells = [condition]
            for index in (0, 1):
                peer, our = (
                    statistics.median(entry[index] for entry in entries)
                    for entries in (theirs, mine)
                )
                cells += [f"{peer:,.0f} µs", f"{our:.1f} µs", f"{peer / our:.0f}×"]
            rows.append(cells)
    headers = ("Machine", "Peer, processor", "ours", "ratio", "Peer, time", "ours", "ratio")
    print(f"Sampler, a set of {sets} (time with pauses between polls):")
    print(tabulate(rows, headers, tablefmt="github"), end="\n\n")


def bodies(snapshot: Snapshot, shots: int) -> Iterator[bytes]:
    """The request bodies of a job, one at a time."""
    for start in range(0, len(snapshot), MOST_CIRCUITS):
        yield snapshot.encode_job(start, min(start + MOST_CIRCUITS, len(snapshot)), shots, "sweep")


def offline_backend() -> Any:
    """A backend of which only the limits count."""
    warnings.simplefilter("ignore")
    return AQTProvider("", load_dotenv=False).get_backend("offline_simulator_no_noise")


def encoding(sets: int, rounds: int) -> None:
    """Print the time from values to bodies."""
    backend, values = offline_backend(), parameter_sets(sets)
    circuit = ansatz()
    times: dict[str, list[tuple[float, float]]] = {"read the circuit": [], "values → bodies": []}
    for _ in range(rounds):
        start = now()
        template = Template(circuit, backend, LEVEL)
        read = now()
        for body in bodies(snapshot_of([(template, values)], API_LIMITS), SHOTS):
            del body
        end = now()
        times["read the circuit"].append((read[0] - start[0], read[1] - start[1]))
        times["values → bodies"].append((end[0] - read[0], end[1] - read[1]))
    medians = {
        name: [statistics.median(entry[index] for entry in found) for index in (0, 1)]
        for name, found in times.items()
    }
    rows = [
        [name, *(f"{value * 1e3:.2f} ms" for value in found)] for name, found in medians.items()
    ]
    both = [sum(found[index] for found in medians.values()) / sets for index in (0, 1)]
    rows.append([f"together, a set of {sets}", *(f"{value * 1e6:.1f} µs" for value in both)])
    headers = ("Parameter sets → request bodies", "Processor", "Time")
    print(tabulate(rows, headers, tablefmt="github"), end="\n\n")


def resident(field: str) -> int:
    """A size of this process from ``/proc``, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])


def grown(sets: int) -> float:
    """MiB by which this process grows while all bodies are made, beyond the values."""
    backend, circuit = offline_backend(), ansatz()
    few = snapshot_of([(Template(circuit, backend, LEVEL), parameter_sets(50))], API_LIMITS)
    for body in bodies(few, SHOTS):
        del body
    values = parameter_sets(sets)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    snapshot = snapshot_of([(Template(circuit, backend, LEVEL), values)], API_LIMITS)
    for body in bodies(snapshot, SHOTS):
        del body
    return (resident("VmHWM") - before) / 1024


def memory(numbers: list[int]) -> None:
    """Print by how much processes grow."""
    rows = []
    for number in numbers:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            beyond = pool.apply(grown, (number,))
        rows.append(
            [f"{number:,}", f"{number * 48 * 8 / 2**20:.1f} MiB", f"{beyond:.1f} MiB",
             f"{beyond * 2**20 / number:.0f} B"]
        )  # fmt: skip
    headers = ("Sets", "Values", "Growth beyond them", "a set")
    print(tabulate(rows, headers, tablefmt="github"), end="\n\n")


def pulses_sent(body: bytes) -> int:
    """Pulses of all circuits of a request body."""
    circuits = json.loads(body)["payload"]["circuits"]
    operations = [operation for entry in circuits for operation in entry["quantum_circuit"]]
    return sum(
        operation["operation"] == "RXX"
        or (operation["operation"] == "R" and operation["theta"] > 0)
        for operation in operations
    )


def pulses_compiled(circuit: QuantumCircuit) -> int:
    """Pulses of a compiled circuit."""
    return sum(
        item.name == "rxx" or (item.name == "r" and item.params[0] > 0) for item in circuit.data
    )


def pulses(sets: int) -> bool:
    """Print the pulses of both ways; whether they are few enough."""
    backend, circuit, values = offline_backend(), ansatz(), parameter_sets(sets)
    snapshot = snapshot_of([(Template(circuit, backend, LEVEL), values)], API_LIMITS)
    sent = sum(pulses_sent(body) for body in bodies(snapshot, SHOTS))
    compiled = sum(
        pulses_compiled(
            aqt_fast.compile(circuit.assign_parameters(row), backend, optimization_level=LEVEL)
        )
        for row in values
    )
    print(f"Pulses of {sets} sets: sent {sent}, compiled after binding {compiled}, ", end="")
    print(f"ratio {sent / compiled:.4f}")
    return sent <= MOST_PULSES * compiled


@click.command()
@click.option("--sets", default=1000, show_default=True, type=click.IntRange(50))
@click.option("--shots", default=SHOTS, show_default=True, type=click.IntRange(1, 2000))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
def main(sets: int, shots: int, rounds: int) -> None:
    """Measure a sweep of the sampler."""
    warnings.simplefilter("ignore")
    print(f"Qiskit {qiskit.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as directory:
        os.environ["AQT_STORE_PATH"] = directory
        overhead(sets, shots, rounds)
    encoding(sets, 7 * rounds)
    memory([1000, 10_000, 100_000])
    sys.exit(not pulses(sets))


if __name__ == "__main__":
    main()
