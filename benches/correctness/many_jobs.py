"""Goal: 5000 jobs under way at a limit of 256 open files, and each has its journal.

A client of its own process submits jobs of one circuit to a local server that holds them all, and
only then lets them run. Each job must have a journal with its identifier while it is under way,
without a ``JournalWarning``, and its result in the end. Run it with ``make faults``. The exit code
is 1 if anything is amiss.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import click
from aqt_fast import AQTProvider
from aqt_fast.store.journal import Journal, JournalWarning
from aqt_fast.testing import ArnicaServer
from workloads import marker


def run(jobs: int, limit: int) -> dict[str, Any]:
    """Run so many jobs at a time with so many open files; return what the client has seen."""
    with tempfile.TemporaryDirectory() as store, ArnicaServer(simulate=False) as server:
        server.hold()
        with subprocess.Popen(  # noqa: S603
            [sys.executable, __file__, server.url, server.token, str(jobs), str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "AQT_STORE_PATH": store, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            under_way = client.stdout.readline()
            if not under_way:
                sys.exit(f"the client has ended with {client.wait()}")
            server.release()
            ended, _ = client.communicate("\n")
            return {**json.loads(under_way), **json.loads(ended)}


def be_client(url: str, token: str, jobs: int, limit: int) -> None:
    """Submit, tell what is under way, and wait for the results."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    start = time.monotonic()
    with (
        warnings.catch_warnings(record=True) as caught,
        AQTProvider(token, portal_url=url, load_dotenv=False) as provider,
    ):
        warnings.simplefilter("always")
        backend = provider.get_backend("simulator_ideal")
        backend.set_options(with_progress_bar=False)
        handles = [backend.run(marker("1"), shots=5) for _ in range(jobs)]
        journalled = 0
        for job in handles:
            job_id = job.job_id()  # known when its line is written
            journal = Journal.load(provider.store_path, job.batch_id)
            journalled += journal.replay().record(0).job_id == job_id
        report = {
            "under way": sum(not job.in_final_state() for job in handles),
            "journalled": journalled,
            "open files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
            "seconds": round(time.monotonic() - start, 1),
        }
        print(json.dumps(report), flush=True)
        sys.stdin.readline()
        done = sum(job.result().get_counts() == {"1": 5} for job in handles)
        problems = sum(issubclass(item.category, JournalWarning) for item in caught)
        print(json.dumps({"done": done, "warnings": problems}))


@click.command()
@click.option("--jobs", default=5000, show_default=True)
@click.option("--limit", default=256, show_default=True, help="Open files of the client.")
def main(jobs: int, limit: int) -> None:
    """Print what the client has seen."""
    report = run(jobs, limit)
    click.echo(f"{jobs} jobs under way at a limit of {limit} open files: {report}")
    if not report["under way"] == report["journalled"] == report["done"] == jobs:
        sys.exit(1)


if __name__ == "__main__":
    if len(sys.argv) == 5 and not sys.argv[1].startswith("-"):
        be_client(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
