"""Goal: 1000 API jobs lose nothing and leak no token while a fifth of all requests fails.

Run it with ``make faults``. At the end each job must have the right result, or an error that says
what is uncertain; the server's record must agree, and tokens must show nowhere. The exit code is 1
if anything is amiss. ``faults_one_job.py`` does the same with one job.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click
import fault_run
import workloads
from aqt_fast import wire
from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import APIError, AQTError, ResultExpiredError, SubmissionUncertainError
from aqt_fast.testing import AcceptedJob, InjectedFault
from fault_run import leaks as leaks
from fault_run import watched
from qiskit import QuantumCircuit
from qiskit.result import Result

NUM_QUBITS = 20
CIRCUITS = 3
SHOTS = 8
READ_TIMEOUT_SECONDS = 1.0
SPEED = 25
"""Multiple of a real machine's: a job takes 22 ms, so that most polls find it waiting."""

_MOST_THREADS = 1000
_MOST_CALLS = 6


def pattern(number: int) -> str:
    """The bits of a marker circuit, different for every number below 2²⁰."""
    return fault_run.pattern(number, NUM_QUBITS)


def marker(number: int) -> QuantumCircuit:
    """A circuit whose outcome tells which one it was."""
    return workloads.marker(pattern(number))


@dataclass
class End:
    """How one job has ended."""

    index: int
    label: str
    kind: Literal["done", "uncertain", "refused", "stuck"]
    job_id: str | None = None
    result: Result | None = None
    errors: list[AQTError] = field(default_factory=list)
    """What ``result()`` has raised; a later call has overcome all but the last."""
    view: str = field(default="", repr=False)
    """What the job shows of itself."""


@dataclass(kw_only=True)
class Report(fault_run.Report):
    """How all jobs have ended."""

    ends: list[End]

    @property
    def said(self) -> list[str]:
        """All text that the jobs and their errors show."""
        errors = [error for end in self.ends for error in end.errors]
        return [end.view for end in self.ends] + fault_run.shown(errors)

    def rows(self) -> list[tuple[str, object]]:
        """The figures."""
        ends = Counter(end.kind for end in self.ends)
        known = {job.label for job in self.accepted}
        uncertain = [end for end in self.ends if end.kind == "uncertain"]
        ran = sum(end.label in known for end in uncertain)
        overcome = [error for end in self.ends if end.kind == "done" for error in end.errors]
        refusals = [error for end in self.ends if end.kind == "refused" for error in end.errors]
        return [
            ("seed", self.seed),
            ("jobs", f"{len(self.ends)} of {CIRCUITS} circuits"),
            ("right results", ends["done"]),
            ("reported uncertain", f"{ends['uncertain']} ({ran} accepted by the server)"),
            ("refused", f"{ends['refused']} ({fault_run.kinds(refusals)})"),
            ("stuck", ends["stuck"]),
            ("accepted by the server", len(self.accepted)),
            ("circuits run", sum(sum(job.runs) for job in self.accepted)),
            ("errors of result() overcome", f"{len(overcome)} ({fault_run.kinds(overcome)})"),
            *super().rows(),
        ]


def run(jobs: int, rate: float, seed: int, directory: Path) -> Report:
    """Submit all jobs at once, wait for their ends, and compare with the server's record.

    Args:
        jobs: how many API jobs.
        rate: share of requests that suffer a fault.
        seed: of the faults.
        directory: for the tokens and the journals.
    """
    with watched(rate, seed, directory, speed=SPEED, read_timeout=READ_TIMEOUT_SECONDS) as watch:
        server = watch.server
        backend = watch.provider.get_backend("simulator_ideal")
        backend.set_options(with_progress_bar=False, query_period_seconds=0.1, shots=SHOTS)
        handles = [
            backend.run(_batch(index), label=f"fault run {seed}, job {index}")
            for index in range(jobs)
        ]
        ends = _ends(handles)
        server.faults.clear()
        fault_run.settle(server)
        report = Report(seed=seed, seconds=watch.seconds, ends=ends, **fault_run.traffic(watch))
        report.discrepancies += discrepancies(ends, report.accepted, report.log)
        report.discrepancies += watch.leaks([*report.said, repr(report)])
    return report


def _batch(index: int) -> list[QuantumCircuit]:
    return [marker(index * CIRCUITS + place) for place in range(CIRCUITS)]


def _ends(handles: list[AQTJob]) -> list[End]:
    """Wait for all jobs at the same time, each in a thread of its own."""
    with ThreadPoolExecutor(min(len(handles), _MOST_THREADS)) as threads:
        return list(threads.map(_end, range(len(handles)), handles))


def _end(index: int, job: AQTJob) -> End:
    """Wait for a job as a user would: call ``result()`` again while the portal has the job."""
    end = End(index, job.label or "", "stuck")
    for _ in range(_MOST_CALLS):
        if not _ask(job, end):
            break
    end.job_id = job.job_id() if _is_submitted(job) else None
    end.view = f"{job!r} {job.options!r} {end.result!r}"
    return end


def _ask(job: AQTJob, end: End) -> bool:
    """Call ``result()`` once; return whether another call may succeed."""
    try:
        end.result = job.result()
        end.kind = "done"
    except SubmissionUncertainError as error:
        end.errors.append(error)
        end.kind = "uncertain"
    except APIError as error:
        end.errors.append(error)
        if _is_submitted(job):
            return True
        end.kind = "refused"
    return False


def _is_submitted(job: AQTJob) -> bool:
    try:
        return bool(job.job_id())
    except AQTError:
        return False


def discrepancies(
    ends: list[End], accepted: list[AcceptedJob], log: list[InjectedFault]
) -> list[str]:
    """Everything in which the jobs and the server's record disagree."""
    by_label: dict[str | None, list[AcceptedJob]] = {}
    for job in accepted:
        by_label.setdefault(job.label, []).append(job)
    found = [f"{label}: accepted {len(jobs)} times" for label, jobs in by_label.items() if jobs[1:]]
    found += [f"{label}: nobody has submitted it" for label in by_label.keys() - _labels(ends)]
    for job in accepted:
        if job.runs != (1,) * CIRCUITS or job.status != "finished":
            found.append(f"{job.label}: {job.status}, its circuits ran {job.runs} times")
    for end in ends:
        jobs = by_label.get(end.label, [])
        found += [f"{end.label} ({end.kind}): {problem}" for problem in _problems(end, jobs)]
        found += [f"{end.label}: {problem}" for problem in _unexplained(end, log)]
    found += _overcautious(ends, log)
    digests = Counter(digest for job in accepted for digest in job.digests or ())
    found += [
        f"circuit {digest}: in {number} jobs" for digest, number in digests.items() if number > 1
    ]
    return found


def _labels(ends: list[End]) -> set[str]:
    return {end.label for end in ends}


def _problems(end: End, jobs: list[AcceptedJob]) -> list[str]:
    """What is wrong with a job's end, given what the server has accepted under its label."""
    if end.kind == "done":
        right = end.result is not None and end.result.success and _counts(end) == _expected(end)
        known = [job.job_id for job in jobs] == [end.job_id]
        return ["wrong result"] * (not right) + ["not the job of the record"] * (not known)
    if end.kind == "uncertain":
        error = end.errors[-1]
        sent = payload_hash(end)
        assert isinstance(error, SubmissionUncertainError)
        named = (error.label, error.payload_hash) == (end.label, sent)
        agrees = all(job.sha256 == sent for job in jobs)
        return ["the error names another job"] * (not named) + ["other payload"] * (not agrees)
    if end.kind == "refused":
        return ["refused, yet accepted"] * bool(jobs)
    return [f"no result: {end.errors[-1]}"]


def _overcautious(ends: list[End], log: list[InjectedFault]) -> list[str]:
    """More jobs given up than submissions have met faults that allow nothing else."""
    ended = Counter(end.kind for end in ends)
    refusals = sum(fault.kind == "401" for fault in log if fault.method == "POST")
    problems = fault_run.unexplained_uncertainty(ended["uncertain"], log)
    if ended["refused"] > refusals:
        problems.append(f"{ended['refused']} refused after {refusals} such faults")
    return problems


def payload_hash(end: End) -> str:
    """The SHA-256 of what a job has sent."""
    body = wire.encode_job(_batch(end.index), SHOTS, label=end.label)
    return hashlib.sha256(body).hexdigest()


def _counts(end: End) -> list[dict[str, int]]:
    assert end.result is not None
    return [end.result.get_counts(place) for place in range(CIRCUITS)]


def _expected(end: End) -> list[dict[str, int]]:
    return [{pattern(end.index * CIRCUITS + place): SHOTS} for place in range(CIRCUITS)]


def _unexplained(end: End, log: list[InjectedFault]) -> list[str]:
    """Errors of a job that the portal had, beyond the faults that its polls have met."""
    met = Counter(fault.kind for fault in log if fault.path == f"/api/v1/result/{end.job_id}")
    errors = end.errors if end.job_id is not None else []
    expired = sum(isinstance(error, ResultExpiredError) for error in errors)
    problems = []
    if expired > met["410"]:
        problems.append(f"expired {expired} times, {met['410']} of them on request")
    if len(errors) > met.total():
        problems.append(f"{len(errors)} errors after {met.total()} faults")
    return problems


main = fault_run.command(run, __doc__, "jobs", default=1000, type=click.IntRange(1, 300_000))

if __name__ == "__main__":
    main()
