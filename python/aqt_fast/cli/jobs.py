"""The commands ``aqt-fast jobs``: list, show, fetch and remove stored jobs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from aqt_fast._ids import is_canonical_uuid
from aqt_fast._shots import in_table
from aqt_fast._texts import one_line
from aqt_fast.cli.terminal import advice, errors, pattern, print_json, say, with_escapes
from aqt_fast.provider.fitting import fits_terminal, fitted, local_time
from aqt_fast.store.states import STATES

if TYPE_CHECKING:
    from aqt_fast.aqt_job import AQTJob
    from aqt_fast.aqt_provider import AQTProvider
    from aqt_fast.provider.jobs_table import JobsTable
    from aqt_fast.store.listing import StoredApiJob, StoredJob

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _moment(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> datetime | None:
    """Parse a point in time or an age (click callback)."""
    if text is None:
        return None
    age = re.fullmatch(r"([0-9]{1,9})([smhdw])", text)
    try:
        if age is not None:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        # Python 3.10 does not parse the suffix Z.
        return datetime.fromisoformat(re.sub("Z$", "+00:00", text)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        reason = f"{text!r} is no time: 2026-11-22, 2026-11-22T10:30, or an age like 12h, 30d"
        raise click.BadParameter(reason, context, parameter) from None


_store_option = click.option(
    "--store",
    default=None,
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the jobs.  [default: AQT_STORE_PATH, or the platform's place for data]",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("jobs", invoke_without_command=True)
@click.option(
    "--backend",
    default=None,
    metavar="REGEX",
    callback=pattern,
    help="Only backends that begin like this.",
)
@click.option(
    "--state",
    default=None,
    type=click.Choice(STATES),
    help="Only jobs in this state.",
)
@click.option(
    "--label",
    default=None,
    metavar="REGEX",
    callback=pattern,
    help="Only labels that begin like this.",
)
@click.option(
    "--tag", "tags", multiple=True, metavar="TEXT", help="Only jobs with this tag; may be repeated."
)
@click.option(
    "--since",
    default=None,
    metavar="TIME",
    callback=_moment,
    help="Only jobs that were made since then.",
)
@click.option(
    "--before",
    default=None,
    metavar="TIME",
    callback=_moment,
    help="Only jobs that were made before.",
)
@click.option("--limit", default=None, type=click.IntRange(1), help="Only so many, the newest.")
@_json_option
@_store_option
@click.pass_context
def jobs_command(
    context: click.Context, /, as_json: bool, store: Path | None, **wanted: Any
) -> None:
    """List the jobs in the store, or run a command on them.

    The store has the jobs with a journal and the saved jobs. Neither portal nor machine is
    contacted. A TIME is a date (2026-11-22), a time (2026-11-22T10:30, local unless it has a
    time zone) or an age (12h, 30d).
    """
    if context.invoked_subcommand is not None:
        given = [name for name, value in wanted.items() if value not in (None, ())]
        if given or as_json:
            option = given[0].replace("tags", "tag") if given else "json"
            raise click.UsageError(
                f"--{option} is for the list; {context.invoked_subcommand} has options of its own"
            )
        context.default_map = {name: {"store": store} for name in jobs_command.commands}
        return
    with errors():
        table = _jobs(store, **wanted)
        if as_json:
            print_json([job.to_dict() for job in table])
        elif table:
            click.echo(table.fitted())
        else:
            say(_none_fits(table.store_path))


@jobs_command.command()
@click.argument("job_id", metavar="ID")
@_json_option
@_store_option
def show(job_id: str, as_json: bool, store: Path | None) -> None:
    """Show one job with its API jobs.

    ID is the identifier of the job, its batch or an API job, an unambiguous prefix of the job's
    identifier, or its label.
    """
    with errors():
        job = _jobs(store).find(job_id)
    if as_json:
        print_json(job.to_dict())
        return
    for name, value in {**job.to_dict(), "created": local_time(job.created, seconds=True)}.items():
        if name == "tags":
            value = ", ".join(value) or None
        if name == "shots":
            value = job.shots and in_table(job.shots)
        if name != "api_jobs" and value is not None:
            click.echo(f"{name + ':':<14}{one_line(str(value))}")
    if job.api_jobs:
        table = _api_jobs_table(job.api_jobs)
        click.echo("\n" + table)
        for number, part in enumerate(job.api_jobs, 1):
            message = one_line(part.message or "")
            if message not in table:  # it was shortened, with the identifier that is in it
                click.echo(f"\nAPI job {number}: {message}")


@jobs_command.command()
@click.argument("job_id", metavar="ID")
@click.option("--partial", is_flag=True, help="Also print a result that is not complete.")
@click.option(
    "--output",
    default="-",
    type=click.File("wb", lazy=True, atomic=True),
    help="Write to this file.",
)
@_store_option
def result(job_id: str, partial: bool, output: BinaryIO, store: Path | None) -> None:
    """Wait for a job, and print its result as JSON (Qiskit's Result.to_dict()).

    Results that are not stored are requested from the portal. Nothing is submitted; jobs of offline
    simulators run again. The job stays in the store. If the store does not have it, ID is that of
    an API job that another computer has sent, and the counts are those of all its qubits.

    Exit code 1: not all circuits have results; standard error gives the reason.
    """
    with errors(), advice(f"to wait again: aqt-fast jobs result {job_id}"), _Provider() as provider:
        from aqt_fast.exceptions import JobNotFoundError

        try:
            job = _jobs(store, provider=provider).find(job_id).restore(remove_from_store=False)
        except JobNotFoundError as error:
            if not is_canonical_uuid(job_id):
                raise
            job = provider.job(job_id, error.store_path)

        import orjson
        from qiskit.providers import JobTimeoutError

        try:
            found = job.result(partial=partial)
        except JobTimeoutError as error:
            say(error.message)
            sys.exit(1)
        # Circuits carry arbitrary metadata: convert anything that JSON cannot express.
        text = orjson.dumps(
            found.to_dict(),
            default=str,
            option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE,
        )
        output.write(with_escapes(text.decode()).encode())
        if not found.success:
            say(str(found.status))
    sys.exit(0 if found.success else 1)


@jobs_command.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_store_option
def remove(job_ids: tuple[str, ...], yes: bool, store: Path | None) -> None:
    """Remove jobs from the store; nothing changes at the portal.

    Refuses if a process works on one of them. Asks first if results, or access to them, would be
    lost.
    """
    with errors():
        table = _jobs(store)
        found = list({id(job): job for job in map(table.find, job_ids)}.values())
        at_work = [job.job_id for job in found if job.active]
        if at_work:
            say(f"a process works on {', '.join(at_work)}; nothing was removed")
            sys.exit(1)
        for job in found:
            loss = _loss(job)
            if loss and not yes:
                question = one_line(f"{job.job_id}: {loss}. Remove it?")
                click.confirm(question, abort=True, err=True)
    _remove_all(found)


@jobs_command.command()
@click.option(
    "--older-than", required=True, metavar="TIME", callback=_moment, help="Made before, like 30d."
)
@click.option("--all", "everything", is_flag=True, help="Also jobs that have not ended.")
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@_store_option
def prune(older_than: datetime, everything: bool, dry_run: bool, store: Path | None) -> None:
    """Remove old jobs from the store and print them; nothing changes at the portal.

    Without --all, only jobs that are done, failed or cancelled. Jobs that a process works on
    are never removed. What interrupted processes have left unfinished is removed, too.
    """
    with errors():
        table = _jobs(store, before=older_than)
        found = [job for job in table if job.ended or (everything and not job.active)]
    if dry_run:
        for job in found:
            click.echo(one_line(_line(job)))
        return
    from aqt_fast.store.job_store import JobStore

    with errors():
        JobStore(table.store_path).tidy()
    _remove_all(found, _line)


def _api_jobs_table(api_jobs: Sequence[StoredApiJob]) -> str:
    """Format the API jobs for the terminal; a very narrow one gets the beginnings of the IDs."""

    def table(id_length: int | None) -> str:
        rows = [
            (
                number,
                f"{part.circuits.start} to {part.circuits.stop - 1}",
                in_table(part.shots),
                part.state,
                (part.job_id or "")[:id_length],
                part.message or "",
            )
            for number, part in enumerate(api_jobs, 1)
        ]
        headers = ("API job", "Circuits", "Shots", "State", "ID", "Message")
        return fitted(rows, headers, drop=["Shots", "Circuits"], shorten="Message")

    whole = table(None)
    return whole if fits_terminal(whole) else table(8)


class _Provider:
    """Restores jobs. Its provider is made when it is needed: the list of jobs needs none."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> _Provider:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def restore(
        self, job_id: str, *, store_path: Any = None, remove_from_store: bool = True
    ) -> AQTJob:
        provider = self._made()
        return provider.restore(job_id, store_path=store_path, remove_from_store=remove_from_store)

    def job(self, job_id: str, store_path: Path) -> AQTJob:
        """Return a job that the store does not have."""
        return self._made().job(job_id, store_path=store_path)

    def _made(self) -> AQTProvider:
        from aqt_fast.aqt_provider import AQTProvider

        return self._stack.enter_context(AQTProvider.for_restoring())


def _jobs(
    store: Path | None,
    *,
    provider: _Provider | None = None,
    limit: int | None = None,
    **wanted: Any,
) -> JobsTable:
    # Nothing here loads Qiskit, which takes longer than to read the directory.
    from aqt_fast.provider.jobs_table import WantedJobs, list_jobs
    from aqt_fast.provider.settings import Settings, find_dotenv, read_dotenv
    from aqt_fast.store.job_store import JobStore, get_store_path

    if store is None:
        file = find_dotenv()
        path = Settings(None if file is None else read_dotenv(file)).get("AQT_STORE_PATH")
        store = get_store_path(Path(path).expanduser() if path else None)
    return list_jobs(
        JobStore(store), WantedJobs(**wanted), limit=limit, provider=provider or _Provider()
    )


def _none_fits(store: Path) -> str:
    """Return why a list is empty: the criteria, or the store."""
    if _jobs(store):
        return "no job fits"
    return f"no jobs in {store}" + ("" if store.exists() else ", which does not exist")


def _remove_all(
    jobs: list[StoredJob[Any]], line: Callable[[StoredJob[Any]], str] | None = None
) -> None:
    """Remove jobs and print them. Continue with the others if one cannot be removed."""
    from aqt_fast.exceptions import AQTError

    kept = 0
    for job in jobs:
        try:
            job.remove()
        except (AQTError, OSError) as error:  # noqa: PERF203 - continue with the others
            say(str(error))
            kept += 1
        else:
            click.echo(one_line(line(job) if line else job.job_id))
    sys.exit(1 if kept else 0)


def _loss(job: StoredJob[Any]) -> str | None:
    """Describe what removing a job would lose; None if nothing."""
    if job.state == "damaged":
        return f"what it holds cannot be read ({job.problem})"
    counts = job.counts
    stored = counts.get("done", 0)
    with_portal = counts.get("submitted", 0) + counts.get("uncertain", 0)
    losses = []
    if stored:
        losses.append(
            f"the results of {stored} API jobs are here, which the portal keeps for a day only"
        )
    if with_portal:
        losses.append(f"{with_portal} API jobs are, or may be, with the portal, which has no list")
    return ", and ".join(losses) or None


def _line(job: StoredJob[Any]) -> str:
    return f"{job.job_id}  {local_time(job.created, seconds=True)}  {job.state}"
