"""A client that dies: forks a child for each line of JSON on standard input.

A line is ``[kind, url, token, store, step]``. The child runs one of the :data:`BATCHES` on the
portal or the machine at ``url``, counts what it does to the disk and to the network, and kills
itself (SIGKILL) at the given step, 0 for never. When it has ended, its exit code and the name of
the step are printed as a line of JSON.

Forking spares the second that Qiskit needs to load. :class:`Zygote` is the other side.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit
from workloads import marker


@dataclass(frozen=True)
class KilledBatch:
    """What a client runs."""

    num_circuits: int
    shots: int | tuple[int, ...]
    num_api_jobs: int

    def circuits(self) -> list[QuantumCircuit]:
        """The circuits, all of them different."""
        return [marker(f"{number:06b}") for number in range(self.num_circuits)]

    def counts(self) -> list[dict[str, int]]:
        """What must come out."""
        shots = self.shots if isinstance(self.shots, tuple) else (self.shots,) * self.num_circuits
        return [{f"{number:06b}": count} for number, count in enumerate(shots)]


BATCHES = {
    "cloud": KilledBatch(51, 2001, 4),
    "direct": KilledBatch(4, 5, 4),
    "shots": KilledBatch(4, (1, 4001, 51 * 2000, 3), 4),
}
"""On the cloud, two API jobs of circuits times two of shots. With shots for each circuit, one
for the first two circuits, two for the next one, and one for the last."""


class Zygote:
    """The process that forks the clients, as seen by a test."""

    def __init__(self, kind: str) -> None:
        """It loads Qiskit first; ``kind`` is one of :data:`BATCHES`."""
        self._kind = kind
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def run(self, url: str, token: str, store: Path, step: int) -> tuple[int, str]:
        """Exit code of a client that dies at a step, and the step's name."""
        line = json.dumps([self._kind, url, token, str(store), step])
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        code, name = json.loads(self._process.stdout.readline())
        return code, name

    def close(self) -> None:
        """End it."""
        self._process.communicate()


class Steps:
    """Counts calls, before and after, and dies at one of them."""

    def __init__(self, last: int, report: int) -> None:
        """``last`` is the step to die at; its name goes to the file descriptor ``report``."""
        self._last = last
        self._report = report
        self._number = 0
        self._write = os.write
        self._lock = threading.Lock()

    def watch(self, owner: Any, name: str, interesting: Callable[..., object]) -> None:
        """Count the calls of a function that are interesting."""
        function = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            if not interesting(*arguments):
                return function(*arguments, **options)
            self._step(f"before {name}")
            value = function(*arguments, **options)
            self._step(f"after {name}")
            return value

        setattr(owner, name, watched)

    def _step(self, name: str) -> None:
        with self._lock:
            self._number += 1
            if self._number == self._last:
                self._write(self._report, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()


def run(kind: str, url: str, token: str, store: str, step: int, report: int) -> None:
    """Run the batch, as far as that goes."""
    os.environ["AQT_STORE_PATH"] = store
    steps = Steps(step, report)

    def in_store(path: object, *_: object) -> bool:
        return str(path).startswith(store)

    def to_store(descriptor: int, *_: object) -> bool:
        return in_store(Path(f"/proc/self/fd/{descriptor}").readlink())

    batch = BATCHES[kind]
    with AQTProvider(token, portal_url=url, load_dotenv=False, max_parallel_requests=2) as provider:
        if kind == "direct":
            backend = provider.get_direct_access_backend(url)
        else:
            backend = provider.get_backend("simulator_ideal")
        steps.watch(os, "mkdir", in_store)
        steps.watch(os, "write", to_store)
        steps.watch(os, "fsync", to_store)
        steps.watch(os, "fdatasync", to_store)
        steps.watch(Path, "replace", in_store)
        steps.watch(httpx.HTTPTransport, "handle_request", lambda *_: True)
        options = {"shots": batch.shots, "with_progress_bar": False, "query_period_seconds": 0.1}
        result = backend.run(batch.circuits(), **options).result()
        assert result.success


def main() -> None:
    """Fork for each line."""
    for line in sys.stdin:
        out, report = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                run(*json.loads(line), report)
            except BaseException as error:  # noqa: BLE001 - the parent's stack is not ours
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                os._exit(1)
            os._exit(0)
        os.close(report)
        _, status = os.waitpid(child, 0)
        with os.fdopen(out) as pipe:
            end = [os.waitstatus_to_exitcode(status), pipe.read()]
            sys.stdout.write(json.dumps(end) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
