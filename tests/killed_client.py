"""A client that dies: forks a child for each line of JSON on standard input.

A line is ``[portal, token, store, step]``. The child runs the batch of :func:`circuits`, counts
what it does to the disk and to the network, and kills itself (SIGKILL) at the given step, 0 for
never. When it has ended, its exit code and the name of the step are printed as a line of JSON.

Forking spares the second that Qiskit needs to load.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit
from workloads import marker

NUM_CIRCUITS = 51
SHOTS = 2001
NUM_API_JOBS = 4
"""Two of circuits times two of shots."""


def circuits() -> list[QuantumCircuit]:
    """The batch, which takes four API jobs."""
    return [marker(f"{number:06b}") for number in range(NUM_CIRCUITS)]


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


def run(portal: str, token: str, store: str, step: int, report: int) -> None:
    """Run the batch, as far as that goes."""
    os.environ["AQT_STORE_PATH"] = store
    steps = Steps(step, report)

    def in_store(path: object, *_: object) -> bool:
        return str(path).startswith(store)

    def to_store(descriptor: int, *_: object) -> bool:
        return in_store(Path(f"/proc/self/fd/{descriptor}").readlink())

    with AQTProvider(
        token, portal_url=portal, load_dotenv=False, max_parallel_requests=2
    ) as provider:
        backend = provider.get_backend("simulator_ideal")
        steps.watch(os, "mkdir", in_store)
        steps.watch(os, "write", to_store)
        steps.watch(os, "fsync", to_store)
        steps.watch(os, "fdatasync", to_store)
        steps.watch(Path, "replace", in_store)
        steps.watch(httpx.HTTPTransport, "handle_request", lambda *_: True)
        options = {"shots": SHOTS, "with_progress_bar": False, "query_period_seconds": 0.1}
        result = backend.run(circuits(), **options).result()
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
