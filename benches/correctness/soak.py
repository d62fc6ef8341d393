"""Goal: a client that works for hours holds no more memory, threads and files than after minutes.

Run it by hand: ``PYTHONPATH=benches/support python benches/correctness/soak.py --minutes 5``. The
server and the chaos proxy are in one process, the client in another, which prints what it holds.
Eight users run one job after the other, of one to four API jobs, and take care of what is
uncertain. The exit code is 1 if counts are wrong, if something was accepted twice without their
word, or if threads or files are left after closing.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import count
from typing import Any

import click
import fault_run
import fault_user
import httpx
import workloads
from aqt_fast import AQTProvider
from aqt_fast.testing import ArnicaServer
from chaos import plain_label, wrong_counts
from chaos_proxy import ChaosProxy
from chaos_run import hasty_client
from held import held, open_files, resident_mib, surplus
from qiskit.providers import QiskitBackendNotFoundError
from tabulate import tabulate

_USERS = 8
_NUM_QUBITS = 20
_SHOTS = 16
_CIRCUITS_EACH = 50
_MOST_API_JOBS = 4
_READ_TIMEOUT_SECONDS = 1.0
_SPEED = 2000
_ROWS = 15


class Soak:
    """The users of one provider, and what they have met.

    Args:
        server_url: where the record is, past the proxy.
        seconds: for which users start jobs.
    """

    def __init__(self, server_url: str, seconds: float) -> None:
        """Start nothing yet."""
        self.problems: list[str] = []
        self.diary = fault_user.Diary()
        """The labels of all jobs that were adopted or sent again."""
        self.jobs = self.circuits = 0
        self.start = time.monotonic()
        self._end = self.start + seconds
        self._server_url = server_url
        self._numbers = count()
        self._lock = threading.Lock()

    def page(self) -> dict[str, str]:
        """The identifiers by label, from the server's record."""
        entries = httpx.get(f"{self._server_url}/testing/record", timeout=60).json()["jobs"]
        return {entry["label"]: entry["job_id"] for entry in entries}

    def work(self, provider: AQTProvider, seed: int) -> None:
        """Be one user."""
        lots = random.Random(seed)  # noqa: S311 - no secret
        backend = _found(provider)
        backend.set_options(with_progress_bar=False, query_period_seconds=0.1, shots=_SHOTS)
        while time.monotonic() < self._end:
            with self._lock:
                number = next(self._numbers)
            size = lots.randint(1, _MOST_API_JOBS) * _CIRCUITS_EACH
            first = number * _MOST_API_JOBS * _CIRCUITS_EACH
            patterns = [fault_run.pattern(first + place, _NUM_QUBITS) for place in range(size)]
            circuits = [workloads.marker(pattern) for pattern in patterns]
            diary = fault_user.Diary()
            job = backend.run(circuits, label=f"soak {number}")
            try:
                result = fault_user.take_care(job, self.page, diary)
                problems = wrong_counts(result, patterns)
            except Exception as error:  # noqa: BLE001 - reported at the end
                problems = [f"{type(error).__name__}: {error}"]
            with self._lock:
                self.problems += [f"soak {number}: {problem}" for problem in problems]
                self.diary.adopted |= diary.adopted
                self.diary.sent_again += diary.sent_again
                self.jobs += 1
                self.circuits += size

    def row(self) -> list[object]:
        """What there is now."""
        uncertain = len(self.diary.adopted) + len(self.diary.sent_again)
        return [
            f"{(time.monotonic() - self.start) / 60:.1f}",
            self.jobs,
            self.circuits,
            uncertain,
            f"{resident_mib():.0f}",
            threading.active_count(),
            len(open_files()),
        ]


def _found(provider: AQTProvider) -> Any:
    """The simulator, as soon as the proxy lets the provider find it."""
    while True:
        with suppress(QiskitBackendNotFoundError):
            return provider.get_backend("simulator_ideal")


_COLUMNS = ("minutes", "jobs", "circuits", "uncertain", "MiB", "threads", "files")


def client(portal_url: str, server_url: str, seconds: float, token: str) -> None:
    """Run all users, print what is held now and then, and end the process."""
    soak = Soak(server_url, seconds)
    before = held()
    with hasty_client(), tempfile.TemporaryDirectory() as store:
        os.environ["AQT_STORE_PATH"] = store
        provider = AQTProvider(
            token, portal_url=portal_url, load_dotenv=False, read_timeout=_READ_TIMEOUT_SECONDS
        )
        users = [
            threading.Thread(target=soak.work, args=(provider, seed), name="user")
            for seed in range(_USERS)
        ]
        rows = []
        for user in users:
            user.start()
        for user in users:
            while user.is_alive():
                user.join(seconds / _ROWS)
                rows.append(soak.row())
        provider.close()
        more = surplus(held, before)
        rows.append(soak.row())
    print(tabulate(rows, _COLUMNS, tablefmt="github", disable_numparse=True))
    times = Counter(plain_label(label) for label in soak.page())
    words = Counter(plain_label(label) for label in soak.diary.sent_again)
    twice = {label for label, number in times.items() if number > 1 + words[label]}
    problems = [*soak.problems, *(f"{label}: accepted twice" for label in twice)]
    problems += [f"still there: {fault_run.listed(more)}"] * bool(more)
    print(f"{len(problems)} discrepancies")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


@click.command(help=__doc__)
@click.option("--minutes", default=3.0, show_default=True, type=click.FloatRange(0))
@click.option("--rate", default=0.05, show_default=True, type=click.FloatRange(0, 1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def main(minutes: float, rate: float, seed: int) -> None:
    """Start the server and the proxy, and the client in a process of its own."""
    with (
        ArnicaServer(simulate=False, speed=_SPEED, seed=seed) as server,
        ChaosProxy(server.url, seed=seed, read_timeout=_READ_TIMEOUT_SECONDS) as proxy,
    ):
        proxy.rate = rate
        arguments = ["--client", proxy.url, server.url, str(60 * minutes), server.token]
        done = subprocess.run([sys.executable, __file__, *arguments], check=False)  # noqa: S603
        print(f"{proxy.exchanges.total()} exchanges, {len(proxy.log)} of them hit")
    sys.exit(done.returncode)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        _, _, portal, behind, duration, bearer = sys.argv
        client(portal, behind, float(duration), bearer)
    main()
