"""Common parts of the commands: messages, errors, patterns, tables that fit the terminal."""

from __future__ import annotations

import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def errors() -> Iterator[None]:
    """Print an error as one line and exit with code 1."""
    from aqt_fast.exceptions import AQTError

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "no access token")
            yield
    except (AQTError, OSError) as error:
        say(str(error))
        sys.exit(1)


def say(message: str) -> None:
    """Print a message to standard error."""
    click.echo(f"aqt-fast: {message}", err=True)


def pattern(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> re.Pattern[str] | None:
    """Compile the regular expression of an option (click callback)."""
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        reason = f"{text!r} is no regular expression: {error}"
        raise click.BadParameter(reason, context, parameter) from error


def fitted(
    rows: Sequence[Sequence[Any]],
    headers: Sequence[str],
    *,
    drop: Sequence[str],
    short_rows: Sequence[Sequence[Any]] | None = None,
) -> str:
    """Format a table for the terminal.

    Args:
        rows: rows of the table.
        headers: names of the columns.
        drop: columns to drop, one after the other, while the terminal is too narrow.
        short_rows: rows to use instead in a narrow terminal, if given.
    """
    from tabulate import tabulate

    width = shutil.get_terminal_size().columns
    kept = list(range(len(headers)))
    attempts: list[tuple[Sequence[Sequence[Any]], str | None]] = [(rows, None)]
    if short_rows is not None:
        attempts.append((short_rows, None))
    attempts += [(short_rows or rows, name) for name in drop]
    for content, dropped in attempts:
        kept = [index for index in kept if headers[index] != dropped]
        cells = [[row[index] for index in kept] for row in content]
        names = [headers[index] for index in kept]
        # Text that looks like a number must not be formatted as one.
        texts = [column for column, index in enumerate(kept) if _has_text(rows, index)]
        table = tabulate(cells, names, tablefmt="simple", disable_numparse=texts)
        if max(map(len, table.splitlines())) <= width:
            break
    else:
        # As headers, the names would make their columns wider.
        table = tabulate([names, *cells], tablefmt="plain", disable_numparse=True)
    return table


def _has_text(rows: Sequence[Sequence[Any]], index: int) -> bool:
    return any(isinstance(row[index], str) for row in rows)
