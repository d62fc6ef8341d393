"""Goal: 300 API jobs lose nothing although the network mistreats most bytes.

Run it with ``make faults``. Between client and server is a proxy (``support/chaos_proxy.py``) that
resets, cuts, delays, doubles and swaps at the level of bytes: at 15, 50 and 70 % of all exchanges,
once without labels in the answers. A simulated user looks up what is uncertain in the server's
record, adopts what is there and resubmits the rest. At the end every circuit must have its own
counts, once; the server must have accepted nothing twice without the user's word; jobs restored
from their journals must have the same results; threads and open files must be as before; and tokens
must show nowhere. The exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any

import click
import fault_run
import fault_user
import workloads
from aqt_fast import AQTProvider, wire
from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import AQTError, SubmissionUncertainError
from aqt_fast.testing import AcceptedJob, ArnicaServer
from chaos_faults import FAULTS
from chaos_proxy import Hit
from chaos_run import behind_chaos
from fault_user import Diary
from held import held, surplus
from qiskit.result import Result

READ_TIMEOUT_SECONDS = 0.5
SPEED = 1000
"""Multiple of a real machine's: an API job of a batch takes 13 ms."""

_NUM_QUBITS = 14
_NUM_QUBITS_DIRECT = 12
_SHOTS = 16
_CIRCUITS_EACH = 50
_CIRCUITS_SINGLE = 3
_PATIENCE_SECONDS = 100.0
"""A user gives up after this time."""
_AGAIN = re.compile(r" \(again \d+\)$")


@dataclass
class Task:
    """A job, and how it went."""

    job: AQTJob
    label: str
    patterns: list[str]
    """Of its circuits."""
    num_api_jobs: int
    direct: bool = False
    """Whether it runs on a machine in the same network."""
    diary: Diary = field(default_factory=Diary)
    result: Result | None = field(default=None, repr=False)
    error: Exception | None = None
    """What the user could not deal with."""

    def take_care(self, server: ArnicaServer) -> None:
        """Do what a user does until there is a result."""
        name, by = (
            (fault_user.hashes, "payload_hash") if self.direct else (fault_user.labels, "label")
        )
        try:
            self.result = fault_user.take_care(
                self.job,
                lambda: name(server.jobs),
                self.diary,
                key=attrgetter(by),
                seconds=_PATIENCE_SECONDS,
            )
        except Exception as error:  # noqa: BLE001 - reported as a discrepancy
            self.error = error

    @property
    def labels(self) -> list[str]:
        """Labels of the API jobs."""
        number = self.num_api_jobs
        if number == 1:
            return [self.label]
        return [f"{self.label} [{index}/{number}]" for index in range(1, number + 1)]

    def problems(self, accepted: list[AcceptedJob]) -> list[str]:
        """What is wrong with its end, given what the server has accepted of it."""
        found = wrong_counts(self.result, self.patterns)
        if self.result is None:
            last = self.error or (self.diary.errors[-1] if self.diary.errors else None)
            found = [f"no result: {type(last).__name__}: {last}"]
        found += self._direct_problems(accepted) if self.direct else self._cloud_problems(accepted)
        found += [
            f"{job.label or job.job_id}: {job.status}, its circuits ran {set(job.runs)} times"
            for job in accepted
            if job.status != "finished" or set(job.runs) != {1}
        ]
        return [f"{self.label}: {problem}" for problem in found]

    def _cloud_problems(self, accepted: list[AcceptedJob]) -> list[str]:
        by_label = Counter(plain_label(job.label) for job in accepted)
        words = Counter(plain_label(label) for label in self.diary.sent_again)
        known = {job.job_id: job.label for job in accepted}
        found = [
            f"{label}: accepted {by_label[label]} times, {words[label]} resubmissions by the user"
            for label in self.labels
            if not 1 <= by_label[label] <= 1 + words[label]
        ]
        found += [
            f"{label}: adopted {job_id} of {known.get(job_id)}"
            for label, job_id in self.diary.adopted.items()
            if known.get(job_id) != label
        ]
        circuits = [workloads.marker(pattern) for pattern in self.patterns]
        places = {label: place * _CIRCUITS_EACH for place, label in enumerate(self.labels)}
        for job in accepted:
            start = places[plain_label(job.label)]
            part = circuits[start : start + _CIRCUITS_EACH]
            body = wire.encode_job(part, _SHOTS, label=job.label)
            if job.sha256 != hashlib.sha256(body).hexdigest():
                found.append(f"{job.label}: another payload")
        return found

    def _direct_problems(self, accepted: list[AcceptedJob]) -> list[str]:
        times = Counter(job.sha256 for job in accepted)
        allowed = len(self.patterns) + len(self.diary.sent_again)
        if len(times) == len(self.patterns) and times.total() <= allowed:
            return []
        return [f"{len(times)} circuits accepted {times.total()} times, allowed are {allowed}"]


def plain_label(label: str | None) -> str:
    """A label without what a resubmission appends."""
    return _AGAIN.sub("", label or "")


def wrong_counts(result: Result | None, patterns: list[str]) -> list[str]:
    """The circuits without their own counts."""
    if result is None or not result.success or len(result.results) != len(patterns):
        return ["there is no whole result"]
    return [
        f"circuit {number} has {entry.data.counts}"
        for number, (entry, pattern) in enumerate(zip(result.results, patterns, strict=True))
        if entry.data.counts != {hex(int(pattern, 2)): _SHOTS}
    ]


@dataclass(kw_only=True)
class Report(fault_run.Report):
    """How all jobs have ended."""

    tasks: list[Task] = field(repr=False)
    exchanges: Counter[str]
    """Requests that have reached the proxy, by method."""
    log: list[Hit] = field(repr=False)

    @property
    def errors(self) -> list[AQTError]:
        """All that ``result()`` has raised."""
        return [error for task in self.tasks for error in task.diary.errors]

    @property
    def said(self) -> list[str]:
        """All text that the jobs and their errors show."""
        failures = [failure.error for task in self.tasks for failure in task.diary.failures]
        views = [f"{task.job!r} {task.job.options!r} {task!r}" for task in self.tasks]
        return [*views, *fault_run.shown([*self.errors, *failures])]

    def rows(self) -> list[tuple[str, object]]:
        """The figures."""
        diaries = [task.diary for task in self.tasks]
        uncertain = sum(len(diary.labels(SubmissionUncertainError)) for diary in diaries)
        adopted = sum(len(diary.adopted) for diary in diaries)
        again = sum(len(diary.sent_again) for diary in diaries)
        others = sum(diary.resubmitted for diary in diaries) - again
        number = sum(task.num_api_jobs for task in self.tasks)
        share = len(self.log) / max(1, self.exchanges.total())
        return [
            ("seed", self.seed),
            ("API jobs", f"{number} in {len(self.tasks)} jobs"),
            ("accepted by the server", len(self.accepted)),
            ("circuits with their own counts", self._num_right()),
            ("errors of result()", f"{len(self.errors)} ({fault_run.kinds(self.errors)})"),
            ("uncertain", uncertain),
            ("… adopted", adopted),
            ("… not in the record, sent again", again),
            ("… accepted late, and again", len(self.accepted) - number),
            ("other failures sent again", others),
            ("exchanges", f"{self.exchanges.total()} ({fault_run.listed(self.exchanges)})"),
            ("… hit", f"{len(self.log)} ({share:.0%})"),
            *super().rows(),
        ]

    def _num_right(self) -> str:
        total = sum(len(task.patterns) for task in self.tasks)
        ended = [task for task in self.tasks if task.result is not None]
        wrong = sum(len(wrong_counts(task.result, task.patterns)) for task in ended)
        return f"{sum(len(task.patterns) for task in ended) - wrong} of {total}"


def run(
    number: int,
    rate: float,
    seed: int,
    directory: Path,
    *,
    labels: bool = True,
    kinds: Collection[str] = FAULTS,
    read_timeout: float = READ_TIMEOUT_SECONDS,
) -> Report:
    """Submit all jobs at once, take care of them, and compare with the server's record.

    Args:
        number: of API jobs, at least 25: two fifths are jobs of their own, most others are in two
            batches, some run on a machine in the same network.
        rate: share of exchanges that suffer a fault.
        seed: of the faults.
        directory: for the tokens and the journals.
        labels: whether the server's answers name API jobs by their labels.
        kinds: the faults to choose from.
        read_timeout: seconds that the client waits for an answer.
    """
    with behind_chaos(
        seed, directory, speed=SPEED, read_timeout=read_timeout, labels=labels, kinds=kinds
    ) as (watch, proxy):
        before = _held()
        backends = _backends(watch.provider)
        proxy.rate = rate
        tasks = list(_tasks(number, seed, *backends))
        with ThreadPoolExecutor(len(tasks)) as threads:
            list(threads.map(lambda task: task.take_care(watch.server), tasks))
        proxy.rate = 0.0
        seconds = watch.seconds
        fault_run.settle(watch.server)
        traffic = fault_run.traffic(watch) | {"log": list(proxy.log)}
        report = Report(
            seed=seed,
            seconds=seconds,
            tasks=tasks,
            exchanges=Counter(proxy.exchanges),
            **traffic,
        )
        report.discrepancies += discrepancies(report)
        watch.provider.close()
        more = surplus(_held, before)
        report.discrepancies += [f"still there: {fault_run.listed(more)}"] * bool(more)
        report.discrepancies += _restored(report, watch.server)
        report.discrepancies += watch.leaks([*report.said, repr(report)])
    return report


def _held() -> Counter[str]:
    # The server starts these threads when it needs them.
    return held(besides=("aqt-fast reader", "asyncio"))


def _backends(provider: AQTProvider) -> list[Any]:
    """Three in the cloud, each with a queue of its own, and a machine in the same network."""
    backends = [
        provider.get_backend("simulator_ideal"),
        provider.get_backend("simulator_noise", workspace="lab"),
        provider.get_backend("pine"),
        provider.get_direct_access_backend(),
    ]
    for backend in backends:
        backend.set_options(with_progress_bar=False, query_period_seconds=0.1, shots=_SHOTS)
    return backends


def _tasks(
    number: int, seed: int, first: Any, second: Any, third: Any, near: Any
) -> Iterator[Task]:
    """Submit jobs: two batches, circuits by direct access, and singles."""
    numbers = count()
    direct = number // 25
    single = 2 * number // 5
    large = (number - direct - single) * 2 // 3

    def task(backend: Any, name: str, num_circuits: int, num_api_jobs: int) -> Task:
        qubits = _NUM_QUBITS_DIRECT if backend is near else _NUM_QUBITS
        patterns = [fault_run.pattern(next(numbers), qubits) for _ in range(num_circuits)]
        label = f"chaos {seed}, {name}"
        job = backend.run([workloads.marker(pattern) for pattern in patterns], label=label)
        return Task(job, label, patterns, num_api_jobs, direct=backend is near)

    for backend, name, size in (
        (first, "large", large),
        (second, "small", number - direct - single - large),
    ):
        yield task(backend, name, size * _CIRCUITS_EACH, size)
    yield task(near, "direct", direct, direct)
    for index in range(single):
        yield task(third, f"job {index}", _CIRCUITS_SINGLE, 1)


def discrepancies(report: Report) -> list[str]:
    """Everything in which the jobs and the server's record disagree."""
    of_task: dict[str, list[AcceptedJob]] = {task.label: [] for task in report.tasks}
    (direct,) = (task.label for task in report.tasks if task.direct)
    owners = {label: task.label for task in report.tasks for label in task.labels}
    found = []
    for job in report.accepted:
        owner = direct if job.label is None else owners.get(plain_label(job.label))
        if owner is None:
            found.append(f"{job.label}: nobody has submitted it")
        else:
            of_task[owner].append(job)
    return found + [
        problem for task in report.tasks for problem in task.problems(of_task[task.label])
    ]


def _restored(report: Report, server: ArnicaServer) -> list[str]:
    """What is wrong with jobs that are restored from their journals."""
    found = []
    with AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider:
        for task in report.tasks:
            if task.result is None:
                continue  # reported already
            try:
                restored = AQTJob.restore(task.job.job_id(), provider=provider)
                restored.options.update_options(with_progress_bar=False)
                problems = wrong_counts(restored.result(), task.patterns)
            except AQTError as error:
                problems = [f"{type(error).__name__}: {error}"]
            found += [f"{task.label}, restored: {problem}" for problem in problems]
    if server.jobs != report.accepted:
        found.append("restoring has asked for a result again, or submitted something")
    return found


main = fault_run.command(
    run,
    __doc__,
    "api-jobs",
    click.option("--labels/--no-labels", default=True, help="whether answers have labels"),
    default=300,
    type=click.IntRange(25, 2000),
)

if __name__ == "__main__":
    main()
