"""What a user hears who does not wait any more: which job it is, and how to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aqt_fast._texts import one_line


@contextmanager
def interruptible(
    advice: Callable[[], str], kind: type[BaseException] = KeyboardInterrupt
) -> Iterator[None]:
    """Add advice to the traceback of an interrupt, such as that of Ctrl-C.

    Args:
        advice: returns what to tell.
        kind: the exception that interrupts the block.
    """
    try:
        yield
    except kind as interrupt:
        text = one_line(advice())
        if sys.version_info >= (3, 11):
            if text not in getattr(interrupt, "__notes__", []):
                interrupt.add_note(text)
        else:
            interrupt.args = (text,)
        raise
