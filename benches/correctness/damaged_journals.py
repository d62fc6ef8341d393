"""Goal: whatever a journal has lost, what was accepted is never sent again without the user's word.

A journal of five stages (begun, some accepted, failed and sent again, some results stored, all
done) is damaged in every way that :mod:`journal_damage` knows. Two judges decide.

The first tries every damage of a batch of 24 API jobs, by the rule that restoring and listing have
(``api_job_fate``): no API job may be sent that may have been accepted. The second takes a part of
the damages of a batch of 6 that really ran on a local server, restores it, calls
``resubmit_failed()``, and compares with the server's record. Then the user looks up what is
uncertain, adopts it or has it sent again; the counts must be right.

Run it with ``make faults``. The exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import tempfile
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
from aqt_fast import AQTProvider
from aqt_fast.exceptions import AQTError, IncompleteBatchError, SubmissionUncertainError
from aqt_fast.persistence import JobStore
from aqt_fast.store.api_job_fate import api_job_fate
from aqt_fast.store.event_lines import file_of, read_events
from aqt_fast.store.event_log import EventLog
from aqt_fast.store.events import JournalState
from aqt_fast.testing import AcceptedJob, ArnicaServer
from journal_damage import damages
from tabulate import tabulate
from workloads import marker

STAGES = ("begun", "accepted", "again", "stored", "done")

SHOTS = 10_001
"""Of the circuit that runs: 6 API jobs."""

_NUMBER = re.compile(r"\[(\d+)/\d+\]")


@dataclass
class Outcome:
    """What became of the API jobs of all cases of a kind."""

    cases: int = 0
    """Damaged files."""
    uncertain: int = 0
    """API jobs that are uncertain."""
    sent: int = 0
    """API jobs that are sent, or may be, as nobody can have accepted them."""
    twice: int = 0
    """API jobs that are sent although they may have been accepted."""
    lost: int = 0
    """Cases without the right counts in the end."""


@dataclass
class Stage:
    """A journal at one moment."""

    name: str
    job_id: str
    events: bytes
    stored: frozenset[int]
    """API jobs whose results are stored."""
    accepted: dict[int, str]
    """Identifiers of the API jobs that may have been accepted, and have not failed."""
    directory: Path | None = None
    """All files of that moment."""


@dataclass
class Report:
    """All outcomes."""

    by_kind: dict[str, Outcome] = field(default_factory=lambda: defaultdict(Outcome))

    @property
    def total(self) -> Outcome:
        """The sum of all."""
        total = Outcome()
        for outcome in self.by_kind.values():
            for name in vars(total):
                setattr(total, name, getattr(total, name) + getattr(outcome, name))
        return total

    def table(self, *, lost: bool = True) -> str:
        """One row for each kind of damage, with the number of those that are ``lost``."""
        names = ["cases", "uncertain", "sent", "twice", *(["lost"] if lost else [])]
        rows = [
            (kind, *(getattr(outcome, name) for name in names))
            for kind, outcome in [*self.by_kind.items(), ("all", self.total)]
        ]
        return tabulate(rows, ["damage", *names])


def written_stages(num_api_jobs: int, seed: int) -> list[Stage]:
    """Journals as a client writes them whose requests overlap: several are under way at a time."""
    choice = random.Random(seed)  # noqa: S311
    job_id = str(uuid.UUID(int=choice.getrandbits(128), version=4))
    events: list[dict[str, Any]] = []
    accepted: set[int] = set()
    stored: set[int] = set()
    stages = []

    def attempt(number: int, label: str, answer: str) -> Iterator[None]:
        events.append({"job": number, "event": "intent", "label": label, "payload_hash": "ab" * 32})
        accepted.add(number)  # from now on, nobody can be sure
        yield
        if answer == "refused":
            events.append({"job": number, "event": "refused", "message": "not now"})
            accepted.discard(number)
        elif answer != "lost":
            identifier = str(uuid.UUID(int=choice.getrandbits(128), version=4))
            events.append(
                {"job": number, "event": "accepted", "job_id": identifier, "adopted": False}
            )
            if answer == "failed":
                yield
                events.append(
                    {"job": number, "event": "ended", "status": "ERROR", "message": "ion lost"}
                )
                accepted.discard(number)

    def run(attempts: list[Iterator[None]]) -> None:
        while attempts:
            one = choice.choice(attempts[:4])
            if next(one, one) is one:
                attempts.remove(one)

    def stage(name: str) -> None:
        stages.append(
            Stage(
                name,
                job_id,
                file_of(events, job_id),
                frozenset(stored),
                dict.fromkeys(accepted, ""),
            )
        )

    label = "aqt-fast [{}/24]".format
    answers = ["", "", "", "refused", "failed", "lost"]
    first = list(range(num_api_jobs // 3))
    plan = {number: answers[number % len(answers)] for number in range(num_api_jobs)}
    under_way = [attempt(number, label(number), plan[number]) for number in first]
    for one in under_way[:4]:
        next(one)
    stage("begun")
    run(under_way)
    stage("accepted")
    run(
        [attempt(number, label(number), plan[number]) for number in range(len(first), num_api_jobs)]
    )
    again = [number for number in range(num_api_jobs) if number not in accepted]
    run([attempt(number, label(number) + " (again 1)", "") for number in again])
    stage("again")
    known = [number for number in range(num_api_jobs) if plan[number] != "lost"]
    stored.update(known[::2])
    stage("stored")
    stored.update(known)
    stage("done")
    return stages


def judged_by_rule(num_api_jobs: int = 24, seed: int = 1) -> Report:
    """Try every damage of every stage, by the rule."""
    report = Report()
    others = written_stages(num_api_jobs, seed + 1)
    for stage, other in zip(written_stages(num_api_jobs, seed), others, strict=True):
        for kind, data in damages(stage.events, other.events):
            outcome = report.by_kind[kind]
            outcome.cases += 1
            state = JournalState.of(read_events(data, stage.job_id), stage.stored)
            for number in range(num_api_jobs):
                is_stored = number in stage.stored
                fate = api_job_fate(state.record(number), stored=is_stored, active=False)
                outcome.uncertain += fate == "uncertain"
                if fate in ("failed", "unsent"):
                    outcome.sent += 1
                    outcome.twice += number in stage.accepted
    return report


def number_of(label: str) -> int:
    """The index of an API job, by its label."""
    found = _NUMBER.search(label)
    assert found is not None, label
    return int(found[1]) - 1


def of_batch(server: ArnicaServer, job_id: str) -> list[AcceptedJob]:
    """What the server has accepted of a batch, by its labels."""
    return [job for job in server.jobs if job_id in (job.label or "")]


def run_stages(server: ArnicaServer, provider: AQTProvider, directory: Path) -> list[Stage]:
    """Run a batch, and keep its files at each moment at which its journal got an event."""
    moments: list[Stage] = []
    append, one_at_a_time = EventLog.append, threading.Lock()

    def keep(log: EventLog, event: dict[str, Any]) -> None:
        with one_at_a_time:
            append(log, event)
            moments.append(moment_of(job_path(), directory / str(len(moments))))

    def job_path() -> Path:
        (job_id,) = JobStore(provider.store_path).job_ids()
        return provider.store_path / job_id

    def moment_of(path: Path, copy: Path) -> Stage:
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns(".*"))
        sent = {number_of(job.label or ""): job.job_id for job in of_batch(server, path.name)}
        stored = {int(file.stem.removeprefix("result-")) for file in copy.glob("result-*.zst")}
        events = (copy / "events").read_bytes()
        return Stage("", path.name, events, frozenset(stored), sent, copy)

    with patch.object(EventLog, "append", keep):
        server.fail_jobs("ion lost")
        backend = provider.get_backend("simulator_ideal")
        job = backend.run(
            marker("1"), shots=SHOTS, with_progress_bar=False, query_period_seconds=0.1
        )
        with suppress(IncompleteBatchError):
            job.result()
        job.resubmit_failed()
        job.result()
    last = len(moments) - 1
    chosen = [moments[number] for number in (0, last // 3, 2 * last // 3, last)]
    chosen.append(moment_of(job_path(), directory / "done"))
    failed = {job.job_id for job in server.jobs if job.status == "error"}
    for name, moment in zip(STAGES, chosen, strict=True):
        moment.name = name
        moment.accepted = {
            number: job_id for number, job_id in moment.accepted.items() if job_id not in failed
        }
    return chosen


def judged_by_server(cases_each: int, seed: int = 1, most: int | None = None) -> Report:
    """Try a part of the damages on a local server.

    Args:
        cases_each: of each stage and kind.
        seed: chooses them.
        most: of each stage, None for all.
    """
    choice = random.Random(seed)  # noqa: S311
    report = Report()
    with (
        tempfile.TemporaryDirectory() as name,
        ArnicaServer(simulate=False) as server,
    ):
        root = Path(name)
        batches = []
        for number in range(2):
            with connected(server, root / f"store-{number}") as provider:
                batches.append(run_stages(server, provider, root / f"batch-{number}"))
        for stage, other in zip(*batches, strict=True):
            by_kind: dict[str, list[bytes]] = defaultdict(list)
            for kind, data in damages(stage.events, other.events):
                by_kind[kind].append(data)
            cases = [
                (kind, data)
                for kind, damaged in by_kind.items()
                for data in choice.sample(damaged, min(cases_each, len(damaged)))
            ]
            for kind, data in cases if most is None else choice.sample(cases, most):
                store = root / "damaged"
                assert stage.directory is not None
                shutil.copytree(stage.directory, store / stage.job_id)
                (store / stage.job_id / "events").write_bytes(data)
                with connected(server, store) as provider:
                    try_out(server, provider, stage, report.by_kind[kind])
                shutil.rmtree(store)
    return report


@contextmanager
def connected(server: ArnicaServer, store: Path) -> Iterator[AQTProvider]:
    """A client with a store of its own."""
    with (
        patch.dict(os.environ, AQT_STORE_PATH=str(store)),
        AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider,
    ):
        yield provider


def try_out(server: ArnicaServer, provider: AQTProvider, stage: Stage, outcome: Outcome) -> None:
    """Do what a user does who restores a job whose journal is damaged."""
    outcome.cases += 1
    before = len(server.jobs)
    job = provider.restore(stage.job_id)
    with suppress(AQTError):
        job.result()
    job.resubmit_failed()
    job.wait_for_final_state()
    again = {number_of(accepted.label or "") for accepted in server.jobs[before:]}
    outcome.sent += len(again)
    outcome.twice += len(again & stage.accepted.keys())
    try:
        job.result()
    except IncompleteBatchError as error:
        errors = [failure.error for failure in error.failures]
        uncertain = [each for each in errors if isinstance(each, SubmissionUncertainError)]
        outcome.uncertain += len(uncertain)
        for each in uncertain:
            job_id = stage.accepted.get(number_of(each.label))
            if job_id is not None:
                job.adopt(each.label, job_id)
        job.wait_for_final_state()
        job.resubmit_failed(uncertain=True)
    try:
        outcome.lost += job.result().get_counts() != {"1": SHOTS}
    except AQTError:
        outcome.lost += 1


@click.command()
@click.option(
    "--api-jobs", default=24, show_default=True, help="API jobs of the first judge's batch."
)
@click.option(
    "--cases", default=6, show_default=True, help="Cases of a kind and stage on a server."
)
@click.option("--seed", default=1, show_default=True)
def main(api_jobs: int, cases: int, seed: int) -> None:
    """Try all, and print what became of the API jobs."""
    by_rule = judged_by_rule(api_jobs, seed)
    click.echo(f"damaged journals of {api_jobs} API jobs, five stages, by the rule")
    click.echo(by_rule.table(lost=False))
    by_server = judged_by_server(cases, seed)
    click.echo("\ndamaged journals of 6 API jobs, five stages, restored and tried on a server")
    click.echo(by_server.table())
    if by_rule.total.twice or by_server.total.twice or by_server.total.lost:
        sys.exit(1)


if __name__ == "__main__":
    main()
