"""What commands have in common: messages, errors, patterns, tables that fit the terminal."""

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
    """Tell what went wrong in a line, and end with 1."""
    from aqt_fast.exceptions import AQTError

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "no access token")
            yield
    except (AQTError, OSError) as error:
        say(str(error))
        sys.exit(1)


def say(message: str) -> None:
    """Tell something that is no result."""
    click.echo(f"aqt-fast: {message}", err=True)


def pattern(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> re.Pattern[str] | None:
    """Callback of an option that is a regular expression."""
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
    """A table for the terminal.

    Args:
        rows: what it holds.
        headers: names of the columns.
        drop: columns that may go, one after the other, where it is too narrow.
        short_rows: what it holds where it is too narrow, if that is something else.
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
        # A text that looks like a number is none.
        texts = [column for column, index in enumerate(kept) if _has_text(rows, index)]
        table = tabulate(cells, names, tablefmt="simple", disable_numparse=texts)
        if max(map(len, table.splitlines())) <= width:
            break
    else:
        # As headers they would make their columns wider.
        table = tabulate([names, *cells], tablefmt="plain", disable_numparse=True)
    return table


def _has_text(rows: Sequence[Sequence[Any]], index: int) -> bool:
    return any(isinstance(row[index], str) for row in rows)
