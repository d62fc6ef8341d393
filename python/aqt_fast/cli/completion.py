"""What the shell completes, and the script that makes it ask."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from click.shell_completion import CompletionItem, get_completion_class

from aqt_fast._texts import one_line

_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")
"""What no shell takes for more than a word: others would need quotes, which no shell adds."""


@contextmanager
def silently() -> Iterator[None]:
    """Offer nothing where something fails: a message would stand in the line that is typed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception:  # noqa: BLE001 - of files, of the network
            return


def completed(beginning: str, names: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    """Return the names that go on like this, each once.

    Args:
        beginning: what was typed.
        names: pairs of a name and its description.
    """
    found: dict[str, str] = {}
    for name, text in names:
        if name.startswith(beginning):
            found.setdefault(name, text)
    return [
        CompletionItem(name, help=one_line(text))
        for name, text in found.items()
        if _PLAIN.fullmatch(name)
    ]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands, options, jobs and backends.

    The shell reads it at each start, if its file has a line:

    \b
    ~/.bashrc                   eval "$(aqt-fast completion bash)"
    ~/.zshrc                    eval "$(aqt-fast completion zsh)"
    ~/.config/fish/config.fish  aqt-fast completion fish | source
    """  # noqa: D301 - click takes the control character for the start of lines to keep
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has these
    root = context.find_root()
    script = kind(root.command, {}, "aqt-fast", "_AQT_FAST_COMPLETE")
    click.echo(script.source())
