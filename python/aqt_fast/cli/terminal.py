"""Common parts of the commands: messages, errors, Ctrl-C, patterns, numbers."""

from __future__ import annotations

import io
import json
import math
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from aqt_fast._texts import one_line, printable

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a program that the signal ends."""

TIMED_OUT = 124
"""Exit code when a job has not ended in time, as of the program ``timeout``."""


class Commands(click.Group):
    """Commands that Ctrl-C ends with a line and the exit code 130."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
            # On Windows, files and pipes have a code page, which has no bars and no Greek letters.
            sys.stdout.reconfigure(errors="replace")
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
    """Print an error and exit with code 1; print warnings as one line each."""
    from aqt_fast.exceptions import AQTError

    def show(message: Warning | str, *_: object, **__: object) -> None:
        say(str(message))

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "no access token")
            warnings.showwarning = show
            yield
    except BrokenPipeError:  # whoever reads has enough; click ends without a word
        raise
    except (AQTError, OSError) as error:
        say(str(error))
        sys.exit(1)


def say(message: str) -> None:
    """Print a message to standard error; text of others may stand in it as it came."""
    click.echo(f"aqt-fast: {printable(message)}", err=True)


def print_json(content: Any) -> None:
    """Print JSON's types, with escapes for characters that cannot be shown."""
    click.echo(with_escapes(json.dumps(content, ensure_ascii=False, indent=2)))


def with_escapes(text: str) -> str:
    """Return JSON with an escape for each character in its texts that cannot be shown."""
    return _NOT_PLAIN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    letter = found[0]
    shown = one_line(letter) == letter and _has(getattr(sys.stdout, "encoding", None), letter)
    return letter if shown else json.dumps(letter)[1:-1]


def _has(encoding: str | None, letter: str) -> bool:
    try:
        letter.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


_NOT_PLAIN = re.compile(r"[^ -~\n]")
"""All but plain ASCII, and the line breaks between JSON's texts."""


class FiniteRange(click.FloatRange):
    """A finite number in a range."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number (see click)."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not finite", param, ctx)
        return number


def pattern(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> re.Pattern[str] | None:
    """Compile the regular expression of an option (click callback)."""
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        reason = f"{text!r} is no regular expression: {error}"
        raise click.BadParameter(reason, context, parameter) from error
