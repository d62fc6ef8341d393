"""Goal: one job of 1000 API jobs has all its counts while a fifth of all requests fails.

Run it with ``make faults``. A simulated user calls ``result()`` until it returns. They look up
what is uncertain in the server's record, as they would on the portal's page: they ``adopt`` what it
shows, and ``resubmit_failed`` what it does not. At the end every circuit must have the counts of
its pattern; the server must have accepted each part once, or again only where the user resubmitted
it; a job restored from the journal must give the same without fetching a result; and tokens must
show nowhere. The exit code is 1 if anything is amiss.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import fault_run
import fault_user
import workloads
from aqt_fast import wire
from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import ResultExpiredError, SubmissionUncertainError
from aqt_fast.testing import AcceptedJob
from fault_user import Diary, take_care
from qiskit import QuantumCircuit
from qiskit.result import Result

NUM_QUBITS = 15
CIRCUITS_EACH = 50
MOST_SHOTS = 2000
SHOTS = MOST_SHOTS + 1
"""Each circuit is in two API jobs, of 2000 shots and of one."""

READ_TIMEOUT_SECONDS = 2.0
SPEED = 50_000
"""Multiple of a real machine's: an API job of 50 circuits × 2000 shots takes 20 ms."""

_AGAIN = re.compile(r" \(again \d+\)$")


def pattern(number: int) -> str:
    """The bits of a marker circuit, different for every number below 2¹⁵."""
    return fault_run.pattern(number, NUM_QUBITS)


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


@dataclass(kw_only=True)
class Report(fault_run.Report):
    """What the user has met, and the result."""

    parts: list[Part] = field(repr=False)
    diary: Diary
    result: Result | None = field(repr=False)
    view: str
    """What the job shows of itself."""

    @property
    def said(self) -> list[str]:
        """All text that the job and its errors show."""
        errors = [*self.diary.errors, *(failure.error for failure in self.diary.failures)]
        return [self.view, repr(self), *fault_run.shown(errors)]

    def rows(self) -> list[tuple[str, object]]:
        """The figures."""
        diary = self.diary
        return [
            ("seed", self.seed),
            ("job", f"{self.parts[-1].circuits.stop} circuits × {SHOTS} shots"),
            ("API jobs", len(self.parts)),
            ("accepted by the server", len(self.accepted)),
            ("errors of result()", f"{len(diary.errors)} ({fault_run.kinds(diary.errors)})"),
            ("uncertain", len(diary.labels(SubmissionUncertainError))),
            ("… adopted", len(diary.adopted)),
            ("… not in the record, sent again", len(diary.sent_again)),
            ("other failures sent again", diary.resubmitted - len(diary.sent_again)),
            ("expired, and there when asked again", len(diary.labels(ResultExpiredError))),
            *super().rows(),
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
    with fault_run.watched(
        rate, seed, directory, speed=SPEED, read_timeout=READ_TIMEOUT_SECONDS
    ) as watch:
        server = watch.server
        backend = watch.provider.get_backend("simulator_ideal")
        backend.set_options(with_progress_bar=False, query_period_seconds=0.1, shots=SHOTS)
        for kind in first:
            server.faults.next(kind, method="POST", path="/submit/")
        job = backend.run(circuits, label=label)
        result = take_care(job, lambda: fault_user.labels(server.jobs), diary)
        seconds = watch.seconds
        server.faults.clear()
        fault_run.settle(server)
        report = Report(
            seed=seed,
            seconds=seconds,
            parts=parts_of(num_circuits, label),
            diary=diary,
            result=result,
            view=f"{job!r} {job.options!r}",
            **fault_run.traffic(watch),
        )
        report.discrepancies += discrepancies(report, circuits)
        report.discrepancies += _restored(job.job_id(), report, watch)
        report.discrepancies += watch.leaks(report.said)
    return report


def _restored(job_id: str, report: Report, watch: fault_run.Watch) -> list[str]:
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
    # Per part, _acceptances checks whether the user resubmitted it.
    allowed = CIRCUITS_EACH * (len(report.accepted) - len(report.parts))
    if len(runs) != expected or twice > allowed:
        found.append(f"{len(runs)} of {expected} circuits ran, {twice} of them again")
    return found


def _unexplained(report: Report) -> list[str]:
    """Failures and fetches beyond the faults that allow nothing else."""
    log = report.log
    gone = sum(fault.kind == "410" for fault in log)
    polls = sum(fault.method == "GET" for fault in log)
    fetches = sum(job.fetches for job in report.accepted)
    uncertain = len(report.diary.labels(SubmissionUncertainError))
    expired = len(report.diary.labels(ResultExpiredError))
    found = fault_run.unexplained_uncertainty(uncertain, log)
    if expired > gone:
        found.append(f"{expired} expired after {gone} such faults")
    if fetches > len(report.parts) + polls + fault_run.most_reset(log):
        found.append(f"{fetches} results fetched after {polls} faults of polls")
    return found


main = fault_run.command(
    run, __doc__, "circuits", default=25_000, type=click.IntRange(1, 2**NUM_QUBITS)
)

if __name__ == "__main__":
    main()
