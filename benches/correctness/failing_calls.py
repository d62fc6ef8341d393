"""Goal: whichever system call of the store fails, nothing is lost, and nothing runs twice.

Run it with ``make faults``. A client runs a job of five API jobs from its beginning to its end; one
of its calls on the store fails, each in turn and with each error. Another client restores such a
job in which API jobs were refused, and resubmits them; again each call fails. Then a third process
does what a user does who sees the portal's page: it restores the job, adopts what the page shows,
resubmits the rest, and must get all counts. The server's record must have each API job once. The
exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import click
from aqt_fast.persistence import JobStore
from aqt_fast.testing import AcceptedJob, ArnicaServer
from failing_store import CALLS, ERRORS, NUM_API_JOBS, SHORT, Clients, Ending, Task
from tabulate import tabulate

LIVES: tuple[Literal["run", "restore"], ...] = ("run", "restore")
REFUSED = 3
"""API jobs that the portal has refused before a job is restored."""

_AGAIN = re.compile(r" \(again \d+\)$")
_HOUR = 3600


@dataclass
class Try:
    """A call that has failed, and what has become of the job."""

    life: str
    call: str
    number: int
    error: str
    failures: int = 0
    """How many calls have failed: 0 if there were fewer calls than before."""
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    """What no warning tells, although it was promised."""
    left: list[str] = field(default_factory=list)
    """Files that nobody would delete."""

    @property
    def problems(self) -> list[str]:
        """All of it, in words."""
        name = f"{self.life}: {self.call} {self.number}, {self.error}"
        return [
            f"{name}: {kind} {text}"
            for kind in ("lost", "twice", "untold", "left")
            for text in getattr(self, kind)
        ]


class Run:
    """Tries on one server.

    Args:
        server: the portal.
        clients: the client processes.
        directory: for the stores.
    """

    def __init__(self, server: ArnicaServer, clients: Clients, directory: Path) -> None:
        """Nothing is tried yet."""
        self._server = server
        self._clients = clients
        self._directory = directory
        self._number = 0

    def task(self, life: Literal["run", "restore"]) -> Task:
        """Prepare a store and a portal for a client without failures."""
        self._number += 1
        store = self._directory / f"store {self._number}"
        label = f"life {self._number}"
        task = Task("run", self._server.url, self._server.token, str(store), label)
        if life == "restore":
            self._server.faults.next("401", REFUSED, method="POST", path="/submit/")
            self._clients.run(task)
        return replace(task, life=life)

    def numbers(self, life: Literal["run", "restore"]) -> dict[str, int]:
        """How often each call is made if none fails."""
        ending = self._clients.run(self.task(life))
        if not ending.right:
            raise RuntimeError(f"without a failure: {ending.errors}")
        return ending.numbers

    def tried(self, life: Literal["run", "restore"], call: str, number: int, error: str) -> Try:
        """Have a call fail, and judge."""
        task = replace(self.task(life), call=call, number=number, error=error)
        ending = self._clients.run(task)
        found = Try(life, call, number, error, ending.failures)
        kept = JobStore(task.store)
        stored = [path for path in directories(kept.path) if (path / "job.json").exists()]
        results = sum(len(list(path.glob("result-*.zst"))) for path in stored)
        if ending.right and results < NUM_API_JOBS and not _told(ending):
            found.untold.append(f"{results} results are stored")
        if stored:
            self._finish(task, found)
        elif not ending.right:
            found.lost.append(f"no result, and no journal: {ending.errors}")
        found.twice += twice(self.record(task))
        found.lost += missing(self.record(task), task.label)
        _make_older(kept.path)
        kept.tidy()
        if stored:
            self._clients.run(replace(task, life="finish", call=None))
        found.left += [
            str(path.relative_to(kept.path))
            for path in (*kept.path.rglob(".*.tmp"), *directories(kept.path))
            if path.suffix == ".tmp" or not (path / "job.json").exists()
        ]
        return found

    def _finish(self, task: Task, found: Try) -> None:
        page = {str(job.label): job.job_id for job in self.record(task)}
        ending = self._clients.run(replace(task, life="finish", call=None, accepted=page))
        if not ending.right:
            found.lost.append(f"nobody gets its result: {ending.errors}")

    def record(self, task: Task) -> list[AcceptedJob]:
        """What the server has accepted of a client."""
        return [job for job in self._server.jobs if f"{job.label} ".startswith(f"{task.label} ")]


def _told(ending: Ending) -> bool:
    return any(text.startswith("JournalWarning") for text in ending.warned)


def directories(store: Path) -> list[Path]:
    """The directories of jobs."""
    return [path for path in store.iterdir() if path.is_dir()] if store.exists() else []


def _make_older(store: Path) -> None:
    """Set all files back by two hours: nobody is writing them any more."""
    before = time.time() - 2 * _HOUR
    for path in store.rglob("*"):
        os.utime(path, (before, before))


def twice(record: Sequence[AcceptedJob]) -> list[str]:
    """What the server has accepted or run more than once."""
    numbers = Counter(_AGAIN.sub("", str(job.label)) for job in record)
    found = [
        f"{label} was accepted {number} times" for label, number in numbers.items() if number > 1
    ]
    return found + [f"{job.label} ran {job.runs} times" for job in record if set(job.runs) - {1}]


def missing(record: Sequence[AcceptedJob], label: str) -> list[str]:
    """What the server never got."""
    known = {_AGAIN.sub("", str(job.label)) for job in record}
    wanted = {f"{label} [{number}/{NUM_API_JOBS}]" for number in range(1, NUM_API_JOBS + 1)}
    return [f"{name} was never accepted" for name in sorted(wanted - known)]


def run(directory: Path, *, errors: Sequence[str] = ERRORS, step: int = 1) -> Iterator[Try]:
    """Try all calls of both lives.

    Args:
        directory: for the stores.
        errors: how calls fail.
        step: try each ``step``-th call only, with one error after the other.
    """
    with (
        ArnicaServer(simulate=False, speed=50_000) as server,
        Clients(directory) as clients,
    ):
        tries, place = Run(server, clients, directory), 0
        for life in LIVES:
            for call, number in tries.numbers(life).items():
                kinds = (*errors, SHORT) if "write" in call else errors
                for index in range(1, number + 1):
                    for error in kinds:
                        place += 1
                        if place % step == 0:
                            yield tries.tried(life, call, index, error)


def rows(tries: Sequence[Try]) -> list[tuple[object, ...]]:
    """The table: a row for each call of each life."""
    table: list[tuple[object, ...]] = []
    for life in LIVES:
        for call in CALLS:
            own = [item for item in tries if (item.life, item.call) == (life, call)]
            if own:
                numbers = [sum(bool(getattr(item, name)) for item in own) for name in COLUMNS]
                places = len({item.number for item in own})
                hit = sum(item.failures > 0 for item in own)
                table.append((life, call, places, len(own), hit, *numbers))
    return table


COLUMNS = ("lost", "twice", "untold", "left")
HEADERS = (
    "life", "call", "places", "tried", "failed", "lost", "twice", "without a warning", "files left",
)  # fmt: skip


@click.command(help=__doc__)
@click.option("--step", default=1, show_default=True, type=click.IntRange(1))
@click.option("--error", "errors", multiple=True, type=click.Choice(ERRORS), default=ERRORS)
def main(step: int, errors: tuple[str, ...]) -> None:
    """Print the table."""
    start, tries = time.monotonic(), []
    with tempfile.TemporaryDirectory() as directory:
        for item in run(Path(directory), errors=errors, step=step):
            tries.append(item)
            for problem in item.problems:
                print(problem, file=sys.stderr, flush=True)
    print(tabulate(rows(tries), HEADERS, tablefmt="github"))
    print(f"\n{len(tries)} tries in {time.monotonic() - start:.0f} s")
    sys.exit(any(item.problems for item in tries))


if __name__ == "__main__":
    main()
