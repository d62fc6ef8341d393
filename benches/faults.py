"""The fault run: many jobs through a local server of which every fifth request suffers a fault.

Run it with ``make faults``. At the end each job must have the right result, or an error that says
what is uncertain; the server's record must agree, and tokens must show nowhere. The exit code is 1
if anything is amiss. ``faults_one_job.py`` does the same with one job.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from unittest.mock import Mock, patch

import click
import jwt
import workloads
from aqt_fast import AQTProvider, wire
from aqt_fast.api_client.retry import RetryBudget
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_provider import ArnicaConfig, NoTokenWarning
from aqt_fast.exceptions import APIError, AQTError, ResultExpiredError, SubmissionUncertainError
from aqt_fast.testing import AcceptedJob, ArnicaServer, InjectedFault
from qiskit import QuantumCircuit
from qiskit.result import Result
from tabulate import tabulate

NUM_QUBITS = 20
CIRCUITS = 3
SHOTS = 8
READ_TIMEOUT_SECONDS = 1.0
SPEED = 25
"""Times a real machine's: a job takes 22 ms, so that most jobs are asked for while they wait."""

_SETTLING_SECONDS = 30.0
_MOST_THREADS = 1000
_MOST_CALLS = 6

MOST_OPEN = 7
"""Requests that our client may have under way beside the one that is refused."""

CERTAIN = frozenset({"401", "429", "429_date", "slow"})
"""Faults after which a submission's fate is known."""

_ODD = 0x9E3779B1
"""Multiplying by an odd number maps the numbers of 20 bits one to one, and mixes their bits."""


def pattern(number: int) -> str:
    """The bits of a marker circuit, different for every number below 2²⁰."""
    return format(number * _ODD % 2**NUM_QUBITS, f"0{NUM_QUBITS}b")


def marker(number: int) -> QuantumCircuit:
    """A circuit whose outcome tells which one it was."""
    return workloads.marker(pattern(number))


class _Listener(logging.Handler):
    """Keeps whatever is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.getMessage()} {record.__dict__}")


@dataclass
class Watch:
    """A server with faults, a client of it, and what goes on between them."""

    server: ArnicaServer
    provider: AQTProvider
    directory: Path
    """Of tokens and journals."""
    decide: Mock
    """Is called for each request."""
    take: Mock
    """Is called for each retry."""
    tokens: list[str]
    """Those that were issued."""
    logged: list[str]
    """What was logged."""
    start: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the login."""
        return time.monotonic() - self.start

    @property
    def requests(self) -> Counter[str]:
        """Requests to the portal by method."""
        calls = self.decide.call_args_list
        return Counter(call.args[0] for call in calls if call.args[1].startswith("/api/"))

    @property
    def retries(self) -> int:
        """Requests that were made again."""
        return len(self.take.call_args_list)

    @property
    def renewals(self) -> int:
        """Tokens that were asked for after the login."""
        return sum(call.args[1] == "/oauth/token" for call in self.decide.call_args_list) - 1

    def leaks(self, texts: Iterable[str]) -> list[str]:
        """Where secrets show: in texts, in the log, or in files other than the token's own."""
        secrets = [*self.tokens, "local-secret"]
        found = [f"a secret in: {text[:100]}" for text in leaks(secrets, [*texts, *self.logged])]
        for path in self.directory.rglob("*"):
            if path.is_file() and path != self.directory / "access_token":
                text = path.read_text(errors="replace")
                found += [f"a secret in {path}"] * bool(leaks(secrets, [text]))
        return found


def leaks(secrets: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The texts that have a secret, or enough of one to be recognised by."""
    marks = [secret[-40:] for secret in secrets]
    return [text for text in texts if any(mark in text for mark in marks)]


@contextmanager
def watched(
    rate: float, seed: int, directory: Path, *, speed: float, read_timeout: float
) -> Iterator[Watch]:
    """A server that lets requests fail, and a provider that has logged in to it.

    Args:
        rate: share of requests that suffer a fault.
        seed: of the faults.
        directory: for the tokens and the journals.
        speed: of the server's machines, in times a real one's.
        read_timeout: seconds that the client waits for an answer.
    """
    tokens: list[str] = []
    encode = jwt.encode

    def issue(*arguments, **options) -> str:
        tokens.append(encode(*arguments, **options))
        return tokens[-1]

    root = logging.getLogger()
    listener, level = _Listener(), root.level
    with (
        ArnicaServer(simulate=False, identify_circuits=True, seed=seed, speed=speed) as server,
        patch.dict(os.environ, AQT_STORE_PATH=str(directory / "jobs"), AQT_PORTAL_URL=server.url),
        patch.object(server.faults, "decide", wraps=server.faults.decide) as decide,
        patch.object(RetryBudget, "take", autospec=True, side_effect=RetryBudget.take) as take,
        patch.object(jwt, "encode", issue),
    ):
        root.addHandler(listener)
        root.setLevel(logging.DEBUG)
        try:
            with _logged_in(server, directory, read_timeout) as provider:
                server.faults.refuse_seconds = server.faults.slow_seconds = 0.05
                server.faults.set(rate=rate, seed=seed)
                yield Watch(server, provider, directory, decide, take, tokens, listener.heard)
        finally:
            root.removeHandler(listener)
            root.setLevel(level)


@dataclass
class End:
    """How one job has ended."""

    index: int
    label: str
    kind: Literal["done", "uncertain", "refused", "stuck"]
    job_id: str | None = None
    result: Result | None = None
    errors: list[AQTError] = field(default_factory=list)
    """What was raised, all but the last of which another call of ``result()`` has overcome."""
    view: str = field(default="", repr=False)
    """What the job shows of itself."""


@dataclass
class Report:
    """What has happened."""

    seed: int
    seconds: float
    requests: Counter[str]
    retries: int
    renewals: int
    faults: Counter[str]
    ends: list[End]
    accepted: list[AcceptedJob]
    discrepancies: list[str]
    tokens: list[str] = field(repr=False)
    """Those that were issued."""

    @property
    def said(self) -> list[str]:
        """Everything that the jobs and their errors have told."""
        told = [end.view for end in self.ends]
        for end in self.ends:
            for error in end.errors:
                told += [repr(error), "".join(traceback.format_exception(error))]
        return told

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
            ("refused", f"{ends['refused']} ({kinds(refusals)})"),
            ("stuck", ends["stuck"]),
            ("accepted by the server", len(self.accepted)),
            ("circuits run", sum(sum(job.runs) for job in self.accepted)),
            ("errors of result() overcome", f"{len(overcome)} ({kinds(overcome)})"),
            ("requests", f"{sum(self.requests.values())} ({listed(self.requests)})"),
            ("retries", self.retries),
            ("tokens renewed", self.renewals),
            ("faults", self.faults.total()),
            *((f"fault {kind}", number) for kind, number in sorted(self.faults.items())),
            ("time", f"{self.seconds:.1f} s"),
            ("discrepancies", len(self.discrepancies)),
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
        settle(server)
        report = Report(
            seed=seed,
            seconds=watch.seconds,
            requests=watch.requests,
            retries=watch.retries,
            renewals=watch.renewals,
            faults=Counter(fault.kind for fault in server.faults.log),
            ends=ends,
            accepted=server.jobs,
            discrepancies=discrepancies(ends, server.jobs, server.faults.log),
            tokens=watch.tokens,
        )
        report.discrepancies += watch.leaks([*report.said, repr(report)])
    return report


def _logged_in(server: ArnicaServer, directory: Path, read_timeout: float) -> AQTProvider:
    """A provider whose token can be renewed."""
    config = ArnicaConfig(directory)
    config.arnica_url = f"{server.url}/api"
    config.client_id, config.client_secret = "local-client", "local-secret"
    config.oidc_config = server.oidc_config()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoTokenWarning)
        provider = AQTProvider(
            "",
            config,
            portal_url=server.url,
            load_dotenv=False,
            read_timeout=read_timeout,
        )
    provider.log_in()
    return provider


def _batch(index: int) -> list[QuantumCircuit]:
    return [marker(index * CIRCUITS + place) for place in range(CIRCUITS)]


def _ends(handles: list[AQTJob]) -> list[End]:
    """Wait for all jobs at the same time, each in a thread of its own."""
    with ThreadPoolExecutor(min(len(handles), _MOST_THREADS)) as threads:
        return list(threads.map(_end, range(len(handles)), handles))


def _end(index: int, job: AQTJob) -> End:
    """Wait for a job as a user would: while the portal has it, ask again after an error."""
    end = End(index, job.label or "", "stuck")
    for _ in range(_MOST_CALLS):
        if not _ask(job, end):
            break
    end.job_id = job.job_id() if _is_submitted(job) else None
    end.view = f"{job!r} {job.options!r} {end.result!r}"
    return end


def _ask(job: AQTJob, end: End) -> bool:
    """Ask for the result once, and tell whether it makes sense to ask again."""
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


def settle(server: ArnicaServer) -> None:
    """Let the server finish what it has accepted and nobody waits for."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while any(job.status in ("queued", "ongoing") for job in server.jobs):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


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
        sent = hashlib.sha256(
            wire.encode_job(_batch(end.index), SHOTS, label=end.label)
        ).hexdigest()
        assert isinstance(error, SubmissionUncertainError)
        named = (error.label, error.payload_hash) == (end.label, sent)
        agrees = all(job.sha256 == sent for job in jobs)
        return ["the error names another job"] * (not named) + ["other payload"] * (not agrees)
    if end.kind == "refused":
        return ["refused, yet accepted"] * bool(jobs)
    return [f"no result: {end.errors[-1]}"]


def _overcautious(ends: list[End], log: list[InjectedFault]) -> list[str]:
    """More jobs given up than submissions have met faults that allow nothing else."""
    met = Counter(fault.kind for fault in log if fault.method == "POST")
    ended = Counter(end.kind for end in ends)
    doubtful = sum(number for kind, number in met.items() if kind not in CERTAIN)
    # Refusing connections resets those that are open, too.
    refusals = sum(fault.kind == "refuse" for fault in log)
    problems = []
    if ended["uncertain"] > doubtful + refusals * MOST_OPEN:
        problems.append(f"{ended['uncertain']} uncertain after {doubtful} such faults")
    if ended["refused"] > met["401"]:
        problems.append(f"{ended['refused']} refused after {met['401']} such faults")
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


def kinds(errors: Iterable[BaseException | None]) -> str:
    """How many errors there are of each class."""
    return listed(Counter(type(error).__name__ for error in errors))


def listed(numbers: Counter[str]) -> str:
    """Numbers and what they count."""
    return ", ".join(f"{number} {name}" for name, number in sorted(numbers.items())) or "nothing"


@click.command()
@click.option("--jobs", default=1000, show_default=True, type=click.IntRange(1, 300_000))
@click.option("--rate", default=0.2, show_default=True, type=click.FloatRange(0, 1))
@click.option("--seed", default=None, type=click.IntRange(0), help="[default: another each time]")
def main(jobs: int, rate: float, seed: int | None) -> None:
    """Send jobs through a server that lets requests fail, and see that nothing is lost."""
    if seed is None:
        seed = time.time_ns() % 2**32
    print(f"{jobs} jobs, {rate:.0%} faults, --seed {seed}\n", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        report = run(jobs, rate, seed, Path(directory))
    print(tabulate(report.rows(), ("Figure", "Value"), tablefmt="github", disable_numparse=True))
    for problem in report.discrepancies:
        print(problem, file=sys.stderr)
    sys.exit(bool(report.discrepancies))


if __name__ == "__main__":
    main()
