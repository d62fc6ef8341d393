"""What the shell completes, and the script that makes it ask."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from click.shell_completion import CompletionItem

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
    found = {name: text for name, text in names if name.startswith(beginning)}
    return [
        CompletionItem(name, help=one_line(text))
        for name, text in found.items()
        if _PLAIN.fullmatch(name)
    ]
