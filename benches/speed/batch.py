"""Goal: ``batch-1000``, 1000 circuits through the local server, in a fraction of the peer's time.

The time goes from circuits to one ``Result``, for us and for ``qiskit-aqt-provider`` 1.15, which
runs in an environment of its own, in turn against the same servers; the peer, and we in two ways of
three, chunked by hand into jobs of 50. The server is a process of its own, without simulation and
device time. What is built before (circuits, provider, backend) does not count. Journals go to the
store (``AQT_STORE_PATH``), in a temporary directory on the disk of ``TMPDIR``.

``AQT_PEER_PYTHON`` or ``--peer`` is the peer's interpreter, ``.venv-peer/bin/python`` by default.
Run it with ``make bench-batch``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import httpx
import numpy as np
import qiskit
import workloads
import zstandard
from aqt_fast import wire
from aqt_fast.api_client import PortalClient
from aqt_fast.persistence import get_store_path
from aqt_fast.store.description import JobDescription, now
from aqt_fast.store.journal import Journal
from aqt_fast.store.location import PortalLocation
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot
from local_server import TOKEN, backend_of, server
from merging import merged
from qiskit import QuantumCircuit, qpy
from qiskit.result import Result
from tabulate import tabulate
from timing import median

ROOT = Path(__file__).parents[2]
CHUNK = 50
SHOTS = 1000
ROUNDS = 3
OURS_PER_ROUND = 3
PORTAL_PATH = "/api/v1"
QPY_VERSION = 13
"""The newest that Qiskit 1.4 reads."""

NO_JOURNAL = "one job without journal"

Chunks = list[list[QuantumCircuit]]


class Peer:
    """The peer's process, which keeps its circuits."""

    def __init__(self, interpreter: Path, circuits: Path) -> None:
        """``circuits`` is a QPY file."""
        script = Path(__file__).with_name("peer_batch.py")
        self._process = subprocess.Popen(  # noqa: S603
            [str(interpreter), str(script), str(circuits), str(SHOTS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Peer:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()

    def run(self, way: str, url: str) -> dict[str, Any]:
        """Let it run all circuits once."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([way, url, TOKEN, CHUNK]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"the peer has ended with {self._process.wait()}")
        return json.loads(answer)


def all_at_once(backend: Any, chunks: Chunks) -> list[Result]:
    """Submit all jobs, then ask for the results: the natural way."""
    jobs = [backend.run(chunk, shots=SHOTS) for chunk in chunks]
    return [job.result() for job in jobs]


def one_job(backend: Any, chunks: Chunks) -> list[Result]:
    """Leave the cutting to us."""
    batch = [circuit for chunk in chunks for circuit in chunk]
    return [backend.run(batch, shots=SHOTS).result()]


def one_job_without_journal(backend: Any, chunks: Chunks) -> list[Result]:
    """Leave the cutting to us, and keep no journal."""
    backend.set_options(journal=False)
    return one_job(backend, chunks)


def one_by_one(backend: Any, chunks: Chunks) -> list[Result]:
    """Submit a job when the one before has its result."""
    return [backend.run(chunk, shots=SHOTS).result() for chunk in chunks]


def ours(way: Callable[[Any, Chunks], list[Result]], url: str, chunks: Chunks) -> float:
    """Seconds from circuits to the merged result."""
    with backend_of(url) as backend:
        start = time.perf_counter()
        result = merged(way(backend, chunks))
        seconds = time.perf_counter() - start
    _check(result, sum(map(len, chunks)))
    return seconds


def _check(result: Result, circuits: int) -> None:
    shots = sum(sum(entry.data.counts.values()) for entry in result.results)
    assert result.success
    assert (len(result.results), shots) == (circuits, circuits * SHOTS)


def floor(url: str, bodies: list[bytes], threads: int) -> tuple[float, list[bytes]]:
    """Seconds that a bare client needs for the same requests, and the answers.

    It asks for a result again and again without a pause.
    """
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        httpx.Client(base_url=f"{url}{PORTAL_PATH}", headers=headers, trust_env=False) as client,
        ThreadPoolExecutor(threads) as pool,
    ):

        def submit(body: bytes) -> str:
            answer = client.post("/submit/default/simulator_ideal", content=body)
            return answer.json()["job"]["job_id"]

        def fetch(job_id: str) -> bytes:
            while True:
                body = client.get(f"/result/{job_id}").content
                if b'"finished"' in body[:400]:
                    return body

        start = time.perf_counter()
        answers = list(pool.map(fetch, list(pool.map(submit, bodies))))
        return time.perf_counter() - start, answers


def _alone(call: Callable[[], object]) -> float:
    """Median seconds of seven calls."""
    return median(call, 7)


def journal_parts(batch: Snapshot, answers: list[bytes]) -> dict[str, float]:
    """Seconds of each step of a journal, on one thread: each line waits for the disk."""
    store = get_store_path()

    def create() -> Journal:
        plan = BatchPlan.new(len(batch), SHOTS, API_LIMITS, None)
        description = JobDescription(
            job_id=plan.batch_id,
            backend_name="simulator",
            available_qubits=20,
            location=PortalLocation("http://127.0.0.1", "default", "simulator", "simulator"),
            options={"shots": SHOTS},
            num_circuits=len(batch),
            created=now(),
            plan=plan,
        )
        return Journal.create(store, description, batch.to_bytes(), batch.headers)

    journal = create()

    def note() -> None:
        for number in range(len(answers)):
            journal.note(number, "intent", label=f"label {number}", payload_hash=64 * "0")
            journal.note(number, "accepted", job_id=journal.path.name)

    def keep() -> None:
        for number, answer in enumerate(answers):
            journal.keep(number, answer)

    def compress() -> None:
        for answer in answers:
            zstandard.ZstdCompressor(level=1, write_checksum=True).compress(answer)

    steps = {
        "journal: snapshot": _alone(lambda: create().close()),
        "journal: lines": _alone(note),
        "journal: results": _alone(keep),
        "… of which compression": _alone(compress),
    }
    journal.close()
    return steps


def parts(chunks: Chunks, answers: list[bytes]) -> dict[str, float]:
    """Seconds of each step of ours that needs no network, alone on the machine."""
    states = [wire.decode_response(answer) for answer in answers]
    batches = [Snapshot(chunk, API_LIMITS) for chunk in chunks]
    pairs = list(zip(states, batches, strict=True))
    return {
        "read and check circuits": _alone(
            lambda: [Snapshot(chunk, API_LIMITS) for chunk in chunks]
        ),
        "encode": _alone(
            lambda: [batch.encode_job(0, len(batch), SHOTS, "x") for batch in batches]
        ),
        "decode": _alone(lambda: [wire.decode_response(answer) for answer in answers]),
        "check samples": _alone(
            lambda: [
                batch.check_samples(state.samples or [], 0, len(batch), shots=SHOTS)
                for state, batch in pairs
            ]
        ),
        "compose the result": _alone(
            lambda: [
                batch.results(state.samples or [], 0, len(batch), shots=SHOTS, memory=False)
                for state, batch in pairs
            ]
        ),
    }


def requests(url: str, chunks: Chunks) -> Counter[str]:
    """How often one run of ours submits and asks."""
    asked: dict[str, list[object]] = defaultdict(list)
    with ExitStack() as stack:
        for name in ("submit", "result"):
            method = getattr(PortalClient, name)

            def noting(*arguments, _name=name, _method=method, **options):
                asked[_name].append(None)
                return _method(*arguments, **options)

            stack.enter_context(patch.object(PortalClient, name, noting))
        ours(one_job, url, chunks)
    return Counter({name: len(calls) for name, calls in asked.items()})


def circuits(number: int) -> list[QuantumCircuit]:
    """Brickwork circuits of 12 layers on 10 qubits, transpiled."""
    rng = np.random.default_rng(1)
    return workloads.transpiled([workloads.brickwork(rng, 10, 12) for _ in range(number)])


def measure(peer: Peer, chunks: Chunks, rounds: int) -> tuple[dict[str, list[float]], list[bytes]]:
    """All times, the parties in turn; one server a round, so that none grows without end."""
    bodies = [wire.encode_job(chunk, SHOTS) for chunk in chunks]
    operations = sum(len(circuit.data) for chunk in chunks for circuit in chunk)
    times: dict[str, list[float]] = defaultdict(list)
    answers: list[bytes] = []
    for _ in range(rounds):
        with server() as (url, _):
            ours(all_at_once, url, chunks)  # does not count
            for way in ("in turn", "with threads"):
                for _ in range(OURS_PER_ROUND):
                    times["one job"].append(ours(one_job, url, chunks))
                    times[NO_JOURNAL].append(ours(one_job_without_journal, url, chunks))
                    times["all at once"].append(ours(all_at_once, url, chunks))
                    times["one by one"].append(ours(one_by_one, url, chunks))
                    times["floor"].append(floor(url, bodies, 1)[0])
                    seconds, answers = floor(url, bodies, 8)
                    times["floor, 8 threads"].append(seconds)
                theirs = peer.run(way, url)
                assert theirs["success"]
                assert theirs["operations"] == operations
                assert theirs["shots"] == theirs["circuits"] * SHOTS
                times[way].append(theirs["seconds"])
    return times, answers


def report(times: dict[str, list[float]], steps: dict[str, float], asked: Counter[str]) -> None:
    """Print the tables."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    theirs = min(medians["in turn"], medians["with threads"])
    headers = ("Client", "Way", "Time", "Peer's best / it", "Runs", "Least to most")
    rows = [
        [
            client,
            name,
            f"{medians[name]:.3f} s",
            f"{theirs / medians[name]:.1f}×",
            len(times[name]),
            f"{min(times[name]):.3f} to {max(times[name]):.3f} s",
        ]
        for client, names in (
            ("peer", ("in turn", "with threads")),
            ("aqt-fast", ("one job", NO_JOURNAL, "all at once", "one by one")),
            ("bare httpx", ("floor", "floor, 8 threads")),
        )
        for name in names
    ]
    print(tabulate(rows, headers, tablefmt="github"))
    total = medians["one job"]
    steps = {**steps, "requests and the server (bare httpx)": medians["floor"]}
    rest = total - sum(value for name, value in steps.items() if not name.startswith("…"))
    steps["the rest: pauses between polls, threads; less what overlaps"] = rest
    rows = [
        [name, f"{value * 1e3:.1f} ms", f"{value / total:.0%}"] for name, value in steps.items()
    ]
    pairs = zip(times["one job"], times[NO_JOURNAL], strict=True)
    cost = statistics.median(with_it / without for with_it, without in pairs) - 1
    print(f"\nOurs as one job: {asked['submit']} submissions, {asked['result']} polls;")
    print(f"with the journal it takes {cost:+.0%}, the median of runs next to each other\n")
    print(tabulate(rows, ("Step", "Time", "Share"), tablefmt="github"))


@click.command()
@click.option("--number", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(1))
@click.option("--peer", "interpreter", type=click.Path(path_type=Path), default=None)
def main(number: int, rounds: int, interpreter: Path | None) -> None:
    """Time batch-1000 for us and the peer, and show where our time goes."""
    python = interpreter or os.environ.get("AQT_PEER_PYTHON") or ROOT / ".venv-peer/bin/python"
    if not Path(python).exists():
        sys.exit(f"no {python}: run 'make .venv-peer/.ready', or give --peer")
    batch = circuits(number)
    chunks = [batch[start : start + CHUNK] for start in range(0, number, CHUNK)]
    operations = sum(len(circuit.data) for circuit in batch)
    print(
        f"Qiskit {qiskit.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores; "
        f"{number} circuits, {operations:,} operations, {SHOTS} shots, {len(chunks)} jobs\n",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "circuits.qpy"
        with file.open("wb") as stream:
            qpy.dump(batch, stream, version=QPY_VERSION)
        os.environ["AQT_STORE_PATH"] = str(Path(directory) / "jobs")
        with Peer(Path(python), file) as peer:
            times, answers = measure(peer, chunks, rounds)
        with server() as (url, _):
            asked = requests(url, chunks)
        steps = {
            **parts(chunks, answers),
            **journal_parts(Snapshot(batch, API_LIMITS), answers),
        }
    report(times, steps, asked)


if __name__ == "__main__":
    main()
