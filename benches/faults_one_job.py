"""The fault run with one job of a thousand API jobs, and a user who takes care of it.

Run it with ``make faults``. The user asks for the result until all is there. What is uncertain they
look up in the server's record, as they would on the portal's page: ``adopt`` takes what it shows,
``resubmit_failed`` sends what it does not. At the end every circuit must have the counts of its
pattern; each part must have been accepted once, or more often only where the user said so; a job
restored from the journal must give the same without asking for a result; and tokens must show
nowhere. The exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import faults
import workloads
from aqt_fast import wire
from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import (
    APIConnectionError,
    AQTError,
    IncompleteBatchError,
    PartFailure,
    ResultExpiredError,
    SubmissionUncertainError,
)
from aqt_fast.testing import AcceptedJob, InjectedFault
from qiskit import QuantumCircuit
from qiskit.result import Result
from tabulate import tabulate

NUM_QUBITS = 15
CIRCUITS_EACH = 50
MOST_SHOTS = 2000
SHOTS = MOST_SHOTS + 1
"""So many that each circuit is in two API jobs, of 2000 shots and of one."""

READ_TIMEOUT_SECONDS = 2.0
SPEED = 50_000
"""Times a real machine's: an API job of 50 circuits × 2000 shots takes 20 ms."""

_MOST_ROUNDS = 40
_BEFORE_LOOKING_SECONDS = 0.5
"""The user does not look for a submission at the very moment at which it was sent."""

_ODD = 0x9E3779B1
_AGAIN = re.compile(r" \(again \d+\)$")


def pattern(number: int) -> str:
    """The bits of a marker circuit, different for every number below 2¹⁵."""
    return format(number * _ODD % 2**NUM_QUBITS, f"0{NUM_QUBITS}b")


@dataclass(frozen=True)
class Part:
    """What one API job is to have, by the limits of AQT's interface."""

    circuits: range
    shots: int
    label: str


def parts_of(num_circuits: int, label: str) -> list[Part]:
    """All API jobs of the job."""
    cut = [
        (range(start, min(start + CIRCUITS_EACH, num_circuits)), shots)
        for start in range(0, num_circuits, CIRCUITS_EACH)
        for shots in (MOST_SHOTS, SHOTS - MOST_SHOTS)
    ]
    return [
        Part(circuits, shots, f"{label} [{number}/{len(cut)}]")
        for number, (circuits, shots) in enumerate(cut, 1)
    ]


@dataclass
class Diary:
    """What the user has met, and done about it."""

    errors: list[AQTError] = field(default_factory=list)
    """What ``result()`` has raised."""
    failures: list[PartFailure] = field(default_factory=list)
    """The API jobs that these errors named."""
    adopted: dict[str, str] = field(default_factory=dict)
    """Identifiers of the portal by label."""
    sent_again: list[str] = field(default_factory=list)
    """Labels of what was uncertain, was not in the record, and was submitted again."""
    resubmitted: int = 0
    """API jobs in all that were submitted again on the user's word."""

    def labels(self, kind: type[AQTError]) -> list[str]:
        """Labels of the failures of a kind, once each, although each error names them again."""
        labels = (failure.label for failure in self.failures if isinstance(failure.error, kind))
        return list(dict.fromkeys(labels))


def take_care(job: AQTJob, record: Callable[[], list[AcceptedJob]], diary: Diary) -> Result | None:
    """Ask for the result until it is there, None if it does not come.

    Args:
        job: was submitted.
        record: what the portal's page shows.
        diary: is written.
    """
    for _ in range(_MOST_ROUNDS):
        result = _ask(job, record, diary)
        if result is not None:
            return result
    return None


def _ask(job: AQTJob, record: Callable[[], list[AcceptedJob]], diary: Diary) -> Result | None:
    """Ask once, and deal with what keeps the result from being there."""
    try:
        return job.result()
    except IncompleteBatchError as error:
        diary.errors.append(error)
        diary.failures += error.failures
        _deal_with(job, error.failures, record, diary)
    except APIConnectionError as error:
        diary.errors.append(error)
    return None


def _deal_with(
    job: AQTJob,
    failures: Sequence[PartFailure],
    record: Callable[[], list[AcceptedJob]],
    diary: Diary,
) -> None:
    """Adopt what the record shows; if it shows nothing new, submit the rest again."""
    time.sleep(_BEFORE_LOOKING_SECONDS)
    shown = {entry.label: entry.job_id for entry in record()}
    labels = [
        failure.label for failure in failures if isinstance(failure.error, SubmissionUncertainError)
    ]
    found = [label for label in labels if label in shown]
    for label in found:
        job.adopt(label, shown[label])
        diary.adopted[label] = shown[label]
    if not found:  # else the job goes on, and tells of the rest when it has ended again
        diary.sent_again += labels
        diary.resubmitted += job.resubmit_failed(uncertain=True)


@dataclass
class Report:
    """What has happened."""

    seed: int
    seconds: float
    requests: Counter[str]
    retries: int
    renewals: int
    parts: list[Part] = field(repr=False)
    diary: Diary
    result: Result | None = field(repr=False)
    log: list[InjectedFault] = field(repr=False)
    accepted: list[AcceptedJob] = field(repr=False)
    view: str
    """What the job shows of itself."""
    tokens: list[str] = field(repr=False)
    """Those that were issued."""
    discrepancies: list[str] = field(default_factory=list)

    @property
    def said(self) -> list[str]:
        """Everything that the job and its errors have told."""
        told = [self.view, repr(self)]
        for error in [*self.diary.errors, *(failure.error for failure in self.diary.failures)]:
            told += [repr(error), "".join(traceback.format_exception(error))] if error else []
        return told

    def rows(self) -> list[tuple[str, object]]:
        """The figures."""
        diary = self.diary
        names = Counter(fault.kind for fault in self.log)
        return [
            ("seed", self.seed),
            ("job", f"{self.parts[-1].circuits.stop} circuits × {SHOTS} shots"),
            ("API jobs", len(self.parts)),
            ("accepted by the server", len(self.accepted)),
            ("errors of result()", f"{len(diary.errors)} ({faults.kinds(diary.errors)})"),
            ("uncertain", len(diary.labels(SubmissionUncertainError))),
            ("… adopted", len(diary.adopted)),
            ("… not in the record, sent again", len(diary.sent_again)),
            ("other failures sent again", diary.resubmitted - len(diary.sent_again)),
            ("expired, and there when asked again", len(diary.labels(ResultExpiredError))),
            ("requests", f"{sum(self.requests.values())} ({faults.listed(self.requests)})"),
            ("results fetched", sum(job.fetches for job in self.accepted)),
            ("retries", self.retries),
            ("tokens renewed", self.renewals),
            ("faults", names.total()),
            *((f"fault {kind}", number) for kind, number in sorted(names.items())),
            ("time", f"{self.seconds:.1f} s"),
            ("discrepancies", len(self.discrepancies)),
        ]


def run(
    num_circuits: int, rate: float, seed: int, directory: Path, *, first: Sequence[str] = ()
) -> Report:
    """Submit the job, take care of it, and compare with the server's record.

    Args:
        num_circuits: of the job; there are two API jobs for each 50 of them.
        rate: share of requests that suffer a fault.
        seed: of the faults.
        directory: for the tokens and the journal.
        first: faults of the first submissions, before those at random.
    """
    circuits = [workloads.marker(pattern(number)) for number in range(num_circuits)]
    label = f"fault run {seed}"
    diary = Diary()
    with faults.watched(
        rate, seed, directory, speed=SPEED, read_timeout=READ_TIMEOUT_SECONDS
    ) as watch:
        server = watch.server
        backend = watch.provider.get_backend("simulator_ideal")
        backend.set_options(with_progress_bar=False, query_period_seconds=0.1, shots=SHOTS)
        for kind in first:
            server.faults.next(kind, method="POST", path="/submit/")
        job = backend.run(circuits, label=label)
        result = take_care(job, lambda: server.jobs, diary)
        seconds = watch.seconds
        server.faults.clear()
        faults.settle(server)
        report = Report(
            seed=seed,
            seconds=seconds,
            requests=watch.requests,
            retries=watch.retries,
            renewals=watch.renewals,
            parts=parts_of(num_circuits, label),
            diary=diary,
            result=result,
            log=server.faults.log,
            accepted=server.jobs,
            view=f"{job!r} {job.options!r}",
            tokens=watch.tokens,
        )
        report.discrepancies += discrepancies(report, circuits)
        report.discrepancies += _restored(job.job_id(), report, watch)
        report.discrepancies += watch.leaks(report.said)
    return report


def _restored(job_id: str, report: Report, watch: faults.Watch) -> list[str]:
    """What is wrong with a job that is restored from the journal."""
    restored = AQTJob.restore(job_id, access_token=watch.server.token)
    restored.options.update_options(with_progress_bar=False)
    problems = wrong_counts(restored.result(), report.parts[-1].circuits.stop)
    if watch.server.jobs != report.accepted:
        problems.append("a result was asked for again, or something was submitted")
    return [f"restored from the journal: {problem}" for problem in problems]


def wrong_counts(result: Result | None, num_circuits: int) -> list[str]:
    """The circuits without their own counts."""
    if result is None or not result.success or len(result.results) != num_circuits:
        return ["there is no whole result"]
    return [
        f"circuit {number} has {entry.data.counts}"
        for number, entry in enumerate(result.results)
        if entry.data.counts != {hex(int(pattern(number), 2)): SHOTS}
    ]


def discrepancies(report: Report, circuits: Sequence[QuantumCircuit]) -> list[str]:
    """Everything in which the result, the diary and the server's record disagree."""
    return [
        *wrong_counts(report.result, len(circuits)),
        *_acceptances(report, circuits),
        *_runs(report),
        *_unexplained(report),
    ]


def _acceptances(report: Report, circuits: Sequence[QuantumCircuit]) -> list[str]:
    """Parts that were not accepted once, with the right body and under the right label."""
    by_part: dict[str | None, list[AcceptedJob]] = {part.label: [] for part in report.parts}
    found = []
    for job in report.accepted:
        jobs = by_part.get(_AGAIN.sub("", job.label or ""))
        if jobs is None:
            found.append(f"{job.label}: nobody has submitted it")
        else:
            jobs.append(job)
    words = Counter(_AGAIN.sub("", label) for label in report.diary.sent_again)
    for part in report.parts:
        jobs = by_part[part.label]
        if not 1 <= len(jobs) <= 1 + words[part.label]:
            found.append(f"{part.label}: accepted {len(jobs)} times")
        for job in jobs:
            body = wire.encode_job(
                circuits[part.circuits.start : part.circuits.stop], part.shots, label=job.label
            )
            if job.sha256 != hashlib.sha256(body).hexdigest():
                found.append(f"{job.label}: another payload")
    known = {job.job_id: job.label for job in report.accepted}
    found += [
        f"{label}: adopted {job_id} of {known.get(job_id)}"
        for label, job_id in report.diary.adopted.items()
        if known.get(job_id) != label
    ]
    return found


def _runs(report: Report) -> list[str]:
    """Circuits that did not run once in each of their parts."""
    found = [
        f"{job.label}: {job.status}, its circuits ran {sorted(set(job.runs))} times"
        for job in report.accepted
        if job.status != "finished" or set(job.runs) != {1}
    ]
    runs = Counter(
        (digest, shots)
        for job in report.accepted
        for digest, shots in zip(job.digests or (), job.repetitions, strict=True)
    )
    expected = sum(len(part.circuits) for part in report.parts)
    twice = sum(number - 1 for number in runs.values())
    # Part by part, _acceptances tells whether the user has said so.
    allowed = CIRCUITS_EACH * (len(report.accepted) - len(report.parts))
    if len(runs) != expected or twice > allowed:
        found.append(f"{len(runs)} of {expected} circuits ran, {twice} of them again")
    return found


def _unexplained(report: Report) -> list[str]:
    """Failures and fetches beyond the faults that allow nothing else."""
    refusals = sum(fault.kind == "refuse" for fault in report.log)  # reset other requests, too
    more = refusals * faults.MOST_OPEN
    met = Counter(fault.kind for fault in report.log if fault.method == "POST")
    doubtful = sum(number for kind, number in met.items() if kind not in faults.CERTAIN)
    gone = sum(fault.kind == "410" for fault in report.log)
    polls = sum(fault.method == "GET" for fault in report.log)
    fetches = sum(job.fetches for job in report.accepted)
    uncertain = len(report.diary.labels(SubmissionUncertainError))
    expired = len(report.diary.labels(ResultExpiredError))
    found = []
    if uncertain > doubtful + more:
        found.append(f"{uncertain} uncertain after {doubtful} such faults")
    if expired > gone:
        found.append(f"{expired} expired after {gone} such faults")
    if fetches > len(report.parts) + polls + more:
        found.append(f"{fetches} results fetched after {polls} faults of polls")
    return found


@click.command()
@click.option(
    "--circuits", default=25_000, show_default=True, type=click.IntRange(1, 2**NUM_QUBITS)
)
@click.option("--rate", default=0.2, show_default=True, type=click.FloatRange(0, 1))
@click.option("--seed", default=None, type=click.IntRange(0), help="[default: another each time]")
def main(circuits: int, rate: float, seed: int | None) -> None:
    """Send one job through a server that lets requests fail, and see that nothing is lost."""
    if seed is None:
        seed = time.time_ns() % 2**32
    print(f"one job of {circuits} circuits, {rate:.0%} faults, --seed {seed}\n", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        report = run(circuits, rate, seed, Path(directory))
    print(tabulate(report.rows(), ("Figure", "Value"), tablefmt="github", disable_numparse=True))
    for problem in report.discrepancies:
        print(problem, file=sys.stderr)
    sys.exit(bool(report.discrepancies))


if __name__ == "__main__":
    main()
