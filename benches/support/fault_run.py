"""What both fault runs share: a server with faults, a client of it, and the report.

A fault run sends work through a local server while a share of all requests suffers a fault. The
bench compares what the client reports with what the server has recorded.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import Mock, patch

import click
import jwt
from aqt_fast import AQTProvider
from aqt_fast.api_client.retry_timing import RetryBudget
from aqt_fast.aqt_provider import ArnicaConfig, NoTokenWarning
from aqt_fast.testing import AcceptedJob, ArnicaServer, InjectedFault, Limits
from tabulate import tabulate

MOST_OPEN = 7
"""Requests that our client may have open beside the one that is refused."""

CERTAIN = frozenset({"401", "429", "429_date", "slow"})
"""Faults that leave no doubt whether the portal has accepted a submission."""

_SETTLING_SECONDS = 30.0

_PATIENT = Limits(kept_result_bytes=8 * 2**30)
"""The portal keeps all results for a day: 1000 API jobs have more than the local server keeps."""

_ODD = 0x9E3779B1
"""Multiplying by an odd number modulo 2ⁿ permutes the numbers of n bits, and mixes their bits."""


def pattern(number: int, num_qubits: int) -> str:
    """The bits of a marker circuit, different for every number below 2^``num_qubits``."""
    return format(number * _ODD % 2**num_qubits, f"0{num_qubits}b")


class _Listener(logging.Handler):
    """Keeps all log messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.getMessage()} {record.__dict__}")


@dataclass
class Watch:
    """A server with faults, a client of it, and a record of the traffic between them."""

    server: ArnicaServer
    provider: AQTProvider
    directory: Path
    """Holds tokens and journals."""
    decide: Mock
    """Called for each request."""
    take: Mock
    """Called for each retry."""
    tokens: list[str]
    """All issued tokens."""
    logged: list[str]
    """All log messages."""
    start: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Time since the login."""
        return time.monotonic() - self.start

    @property
    def requests(self) -> Counter[str]:
        """Requests to the portal by method."""
        calls = self.decide.call_args_list
        return Counter(call.args[0] for call in calls if call.args[1].startswith("/api/"))

    @property
    def retries(self) -> int:
        """Number of retried requests."""
        return len(self.take.call_args_list)

    @property
    def renewals(self) -> int:
        """Number of tokens requested after the login."""
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
    """The texts that contain a secret, or enough of one to recognise it."""
    marks = [secret[-40:] for secret in secrets]
    return [text for text in texts if any(mark in text for mark in marks)]


@contextmanager
def watched(
    rate: float,
    seed: int,
    directory: Path,
    *,
    speed: float,
    read_timeout: float,
    through: Callable[[str], AbstractContextManager[str]] = nullcontext,
) -> Iterator[Watch]:
    """Start a server that injects faults, and log a provider in to it.

    Args:
        rate: share of requests that suffer a fault, from 0 to 1.
        seed: of the faults.
        directory: for the tokens and the journals.
        speed: of the server's machines, as a multiple of a real one's.
        read_timeout: seconds that the client waits for an answer.
        through: makes the URL by which the server is known from its own.
    """
    tokens: list[str] = []
    encode = jwt.encode

    def issue(*arguments, **options) -> str:
        tokens.append(encode(*arguments, **options))
        return tokens[-1]

    root = logging.getLogger()
    listener, level = _Listener(), root.level
    with (
        ArnicaServer(
            simulate=False, identify_circuits=True, seed=seed, speed=speed, limits=_PATIENT
        ) as server,
        through(server.url) as url,
        patch.object(ArnicaServer, "url", url),
        patch.dict(os.environ, AQT_STORE_PATH=str(directory / "jobs"), AQT_PORTAL_URL=url),
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
                yield Watch(server, provider, directory, decide, take, tokens, listener.messages)
        finally:
            root.removeHandler(listener)
            root.setLevel(level)


def _logged_in(server: ArnicaServer, directory: Path, read_timeout: float) -> AQTProvider:
    """A provider that can renew its token."""
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


def settle(server: ArnicaServer) -> None:
    """Wait until the server has finished all accepted jobs, for at most 30 s."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while any(job.status in ("queued", "ongoing") for job in server.jobs):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


@dataclass(kw_only=True)
class Report:
    """What a run has produced, and what the client and the server's record disagree in."""

    seed: int
    seconds: float
    requests: Counter[str]
    """By method."""
    retries: int
    renewals: int
    """Tokens requested after the login."""
    log: list[InjectedFault] = field(repr=False)
    accepted: list[AcceptedJob] = field(repr=False)
    """The server's record."""
    tokens: list[str] = field(repr=False)
    """All issued tokens."""
    discrepancies: list[str] = field(default_factory=list)

    @property
    def faults(self) -> Counter[str]:
        """Injected faults by kind."""
        return Counter(fault.kind for fault in self.log)

    def rows(self) -> list[tuple[str, object]]:
        """The figures that all fault runs have."""
        return [
            ("requests", f"{sum(self.requests.values())} ({listed(self.requests)})"),
            ("results fetched", sum(job.fetches for job in self.accepted)),
            ("retries", self.retries),
            ("tokens renewed", self.renewals),
            ("faults", self.faults.total()),
            *((f"fault {kind}", number) for kind, number in sorted(self.faults.items())),
            ("time", f"{self.seconds:.1f} s"),
            ("discrepancies", len(self.discrepancies)),
        ]


def traffic(watch: Watch) -> dict[str, Any]:
    """The fields of a report that come from the watch."""
    return {
        "requests": watch.requests,
        "retries": watch.retries,
        "renewals": watch.renewals,
        "log": watch.server.faults.log,
        "accepted": watch.server.jobs,
        "tokens": watch.tokens,
    }


def unexplained_uncertainty(uncertain: int, log: list[InjectedFault]) -> list[str]:
    """Say if more submissions are uncertain than faults allow."""
    met = Counter(fault.kind for fault in log if fault.method == "POST")
    doubtful = sum(number for kind, number in met.items() if kind not in CERTAIN)
    if uncertain <= doubtful + most_reset(log):
        return []
    return [f"{uncertain} uncertain after {doubtful} such faults"]


def most_reset(log: list[InjectedFault]) -> int:
    """How many requests may have failed because the server refused another one.

    Refusing connections resets open ones, too.
    """
    return MOST_OPEN * sum(fault.kind == "refuse" for fault in log)


def shown(errors: Iterable[BaseException | None]) -> list[str]:
    """All text that errors show: their representations and tracebacks."""
    return [
        text
        for error in errors
        if error is not None
        for text in (repr(error), "".join(traceback.format_exception(error)))
    ]


def kinds(errors: Iterable[BaseException | None]) -> str:
    """How many errors there are of each class."""
    return listed(Counter(type(error).__name__ for error in errors))


def listed(numbers: Counter[str]) -> str:
    """Numbers and what they count."""
    return ", ".join(f"{number} {name}" for name, number in sorted(numbers.items())) or "nothing"


def command(
    run: Callable[..., Report],
    goal: str | None,
    noun: str,
    *others: Callable[[Any], Any],
    **size: Any,
) -> Any:
    """The command line of a fault run.

    Args:
        run: takes the size, the share of faults, the seed, a directory, and other options by name.
        goal: the help text.
        noun: name of the option for the size.
        others: further options.
        size: ``default`` and ``type`` of that option.
    """

    @click.command(help=goal)
    @click.option(f"--{noun}", "number", show_default=True, **size)
    @click.option("--rate", default=0.2, show_default=True, type=click.FloatRange(0, 1))
    @click.option("--seed", default=None, type=click.IntRange(0), help="[default: random]")
    def main(number: int, rate: float, seed: int | None, **other: Any) -> NoReturn:
        if seed is None:
            seed = time.time_ns() % 2**32
        print(f"{number} {noun}, {rate:.0%} faults, --seed {seed}\n", flush=True)
        with tempfile.TemporaryDirectory() as directory:
            report = run(number, rate, seed, Path(directory), **other)
        figures = report.rows()
        print(tabulate(figures, ("Figure", "Value"), tablefmt="github", disable_numparse=True))
        for problem in report.discrepancies:
            print(problem, file=sys.stderr)
        sys.exit(bool(report.discrepancies))

    for option in others:
        main = option(main)
    return main
