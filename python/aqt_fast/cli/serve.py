"""The command ``aqt-fast serve``."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, get_args

import click

from aqt_fast.cli.request_lines import RequestLines
from aqt_fast.cli.terminal import INTERRUPTED, FiniteRange, say
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.server.workspaces import Characterisation

if TYPE_CHECKING:
    from aqt_fast.server.arnica import ArnicaServer


@click.command("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. Beyond this computer, no default secret is accepted.",
)
@click.option(
    "--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0: a free one."
)
@click.option(
    "--token",
    default=None,
    help="Bearer token that is accepted.  "
    "[default: local-token; a random one beyond this computer]",
)
@click.option(
    "--log-in/--no-log-in",
    default=None,
    help="Whether there is a login. Beyond this computer, a code on standard error confirms it.  "
    "[default: on this computer only]",
)
@click.option(
    "--speed",
    default=None,
    type=FiniteRange(0, min_open=True),
    help="1: as slow as a real machine; 100: a hundred times faster.  [default: no device time]",
)
@click.option(
    "--virtual-time",
    is_flag=True,
    help="Device time passes on the server's clock only, and nobody waits.",
)
@click.option(
    "--simulate/--no-simulate",
    default=True,
    show_default=True,
    help="Simulate with Aer, or make outcomes up, fast enough for benchmarks.",
)
@click.option("--compress", is_flag=True, help="Answer in gzip to clients that accept it.")
@click.option(
    "--characterisation",
    default="mean",
    show_default=True,
    type=click.Choice(get_args(Characterisation)),
    help="What devices publish of two-qubit gates: their mean fidelity, or each pair's, too.",
)
@click.option(
    "--fault-rate",
    default=0.0,
    show_default=True,
    type=FiniteRange(0, 1),
    help="Share of the requests that suffer a fault.",
)
@click.option(
    "--fault-kinds", default=None, help="Kinds of faults, with commas between.  [default: all]"
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of outcomes and faults."
)
@click.option(
    "--token-lifetime",
    default=36_000.0,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="Seconds for which tokens of the login are accepted.",
)
@click.option(
    "--record",
    default=None,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="At the end, write what was accepted to this file, as JSON.",
)
@click.option("--quiet", is_flag=True, help="Print no lines about requests.")
@click.option("--until-eof", is_flag=True, help="End when standard input is closed.")
def serve_command(
    host: str,
    port: int,
    token: str | None,
    log_in: bool | None,
    speed: float | None,
    virtual_time: bool,
    simulate: bool,
    compress: bool,
    characterisation: Characterisation,
    fault_rate: float,
    fault_kinds: str | None,
    seed: int,
    token_lifetime: float,
    record: Path | None,
    quiet: bool,
    until_eof: bool,
) -> None:
    """Serve AQT's cloud and direct-access interfaces on this computer.

    The first line on standard output is the URL, for scripts; everything else goes to standard
    error, with a line for each request that submits, gets a result, fails or changes something.
    Open the URL in a browser on this computer to see machines and jobs, and to steer them. While
    the server runs, /testing/record returns the accepted jobs to clients on this computer. Ctrl-C
    ends it.
    """
    lines = RequestLines(lambda line: click.echo(line, err=True))
    try:
        from aqt_fast.server.arnica import ArnicaServer
        from aqt_fast.server.faults import KINDS
    except ImportError as error:
        say(f"{error}; install aqt-fast[server]")
        sys.exit(1)
    kinds = KINDS if fault_kinds is None else [kind.strip() for kind in fault_kinds.split(",")]
    try:
        server = ArnicaServer(
            host=host,
            port=port,
            token=token,
            log_in=log_in,
            speed=speed,
            virtual_time=virtual_time,
            simulate=simulate,
            seed=seed,
            compress=compress,
            characterisation=characterisation,
            token_lifetime=token_lifetime,
            requests=None if quiet else lines.tell,
        )
        server.faults.set(rate=fault_rate, kinds=kinds, seed=seed)
    except InvalidOptionError as error:
        raise click.UsageError(str(error)) from error
    with _record_file(record) as file, _signals() as end:
        try:
            server.start()
        except OSError as error:
            say(f"cannot listen on {host}:{port}: {error.strerror or error}")
            sys.exit(1)
        try:
            click.echo(server.url)
            click.echo(_how_to_use(server), err=True)
            lines.start()
            if until_eof:
                threading.Thread(target=_end_with_input, args=(end.bring,), daemon=True).start()
            end.wait()
            say("stopping; another Ctrl-C does not wait")
        finally:
            server.close()
            lines.close()
            accepted = server.record()
        if file is not None:
            import orjson

            file.write(orjson.dumps(accepted, option=orjson.OPT_INDENT_2))
    say(f"{len(accepted['jobs'])} jobs were accepted")


def _how_to_use(server: ArnicaServer) -> str:
    """Tell what clients need; the only place where the server's secrets are printed."""
    lines = [
        f"AQT's interfaces are served at {server.url} (end with Ctrl-C). To use them:",
        "",
        f"export AQT_PORTAL_URL={server.url}",
        f"export AQT_TOKEN={shlex.quote(server.token)}",
        "",
        f"Direct access: {server.direct_url}",
        f"For people: {server.url}",
    ]
    if server.is_loopback:
        return "\n".join(lines)
    lines.append("Other computers reach this server, and what they send is not encrypted.")
    if not server.log_in:
        lines.append("There is no login; --log-in allows it.")
    for client, secret in server.clients.items() if server.log_in else ():
        lines.append(f"Login with client credentials: AQT_CLIENT_ID={client}")
        lines.append(f"  AQT_CLIENT_SECRET={secret}")
    return "\n".join(lines)


@contextmanager
def _record_file(path: Path | None) -> Iterator[IO[bytes] | None]:
    """Open the record's file before serving, so that it cannot fail at the end."""
    if path is None:
        yield None
        return
    try:
        file = path.open("wb")
    except OSError as error:
        say(f"cannot write {path}: {error.strerror}")
        sys.exit(1)
    with file:
        yield file


def _end_with_input(end: Callable[[], object]) -> None:
    """Wait until standard input is closed, then end as after Ctrl-C."""
    while sys.stdin is not None and sys.stdin.read(1):
        pass
    end()


@contextmanager
def _signals() -> Iterator[_End]:
    """Have Ctrl-C and SIGTERM end the server, and nothing else."""
    ends = {signal.SIGINT, signal.SIGTERM}
    if sys.platform == "win32" or not hasattr(signal, "pthread_sigmask"):
        yield from _handled(ends)
        return
    # A signal handler could interrupt any function at any point; waiting for a signal cannot.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)

    def wait() -> None:
        signal.sigwait(ends)
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        yield _End(wait, partial(signal.pthread_kill, threading.get_ident(), signal.SIGTERM))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _handled(ends: set[signal.Signals]) -> Iterator[_End]:
    """Do the same where signals cannot be blocked, by a handler that only takes a note."""
    ended = threading.Event()
    before = {end: signal.signal(end, lambda *_: ended.set()) for end in ends}

    def wait() -> None:
        while not ended.wait(_LOOK_SECONDS):  # a wait without an end holds signals up there
            pass
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))

    try:
        yield _End(wait, ended.set)
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)


class _End(NamedTuple):
    """The end of the server."""

    wait: Callable[[], object]
    """Waits for it."""
    bring: Callable[[], object]
    """Brings it about, in any thread."""


_LOOK_SECONDS = 0.1
