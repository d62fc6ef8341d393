"""Common parts of the commands: messages, errors, Ctrl-C, patterns."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a program that the signal ends."""


class Commands(click.Group):
    """Commands that Ctrl-C ends with a line and the exit code 130."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt as interrupt:
            advice = [*map(str, interrupt.args), *getattr(interrupt, "__notes__", ())]
        except click.Abort as abort:  # of a question, by Ctrl-C or by the end of the input
            if not isinstance(abort.__context__, KeyboardInterrupt):
                say("nothing was done")
                sys.exit(1)
            advice = []
        click.echo(err=True)  # ends the line with ^C
        say("interrupted")
        for text in advice:
            say(text)
        sys.exit(INTERRUPTED)


@contextmanager
def advice(*texts: str) -> Iterator[None]:
    """Print texts after Ctrl-C in the block, instead of what the interrupted job advises."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(*texts) from None


@contextmanager
def errors() -> Iterator[None]:
    """Print an error as one line and exit with code 1; print warnings as one line, too."""
    from aqt_fast.exceptions import AQTError

    def show(message: Warning | str, *_: object, **__: object) -> None:
        say(str(message))

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "no access token")
            warnings.showwarning = show
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
