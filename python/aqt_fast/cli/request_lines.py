"""Lines about the requests of ``aqt-fast serve``."""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from queue import Full, Queue
from typing import TYPE_CHECKING

from aqt_fast._texts import one_line

if TYPE_CHECKING:
    from aqt_fast.server.request_log import ServedRequest

_MOST_WAITING = 1000
_LONGEST_TEXT = 80
_LAST_SECONDS = 1.0
"""How long the end waits for lines that nobody takes."""


_LOOK_SECONDS = 0.2
"""Time between two looks at a pipe that nobody reads."""


def error_stream_has_room() -> bool:
    """Return whether standard error takes a line at once, and another few after it.

    A pipe has room if a whole page of it is free; what follows a line fits into the rest of that.
    """
    try:
        return bool(select.select([], [sys.stderr.fileno()], [], 0.0)[1])
    except (AttributeError, OSError, ValueError):  # it is no pipe, or the system cannot tell
        return True


class RequestLines:
    """Writes lines in a thread of its own, so that the server never waits for a full pipe.

    Nor does the thread: what is written at the end has room, and nobody holds the stream.
    """

    def __init__(
        self, write: Callable[[str], object], has_room: Callable[[], bool] = error_stream_has_room
    ) -> None:
        """``write`` takes a line, once ``has_room`` says so."""
        self._write = write
        self._has_room = has_room
        self._ending = threading.Event()
        self._waiting: Queue[str | None] = Queue(_MOST_WAITING)
        self._num_lost = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write; until then, lines wait."""
        self._thread = threading.Thread(target=self._work, name="aqt-fast requests", daemon=True)
        self._thread.start()

    def tell(self, request: ServedRequest) -> None:
        """Write a line about a request that matters; leave it out if too many wait already."""
        if not request.matters:
            return
        try:
            self._waiting.put_nowait(request_line(request))
        except Full:
            self._num_lost += 1

    def close(self) -> None:
        """Write what waits, for a second at most."""
        if self._thread is None or not self._thread.is_alive():
            return
        with suppress(Full):
            self._waiting.put(None, timeout=_LAST_SECONDS)
            self._thread.join(_LAST_SECONDS)
        self._ending.set()
        self._thread.join(_LAST_SECONDS)

    def _work(self) -> None:
        with suppress(OSError):  # nobody reads
            while (line := self._waiting.get()) is not None:
                while not self._has_room():
                    if self._ending.wait(_LOOK_SECONDS):
                        return
                self._write(line)
                if self._num_lost and self._waiting.empty():
                    lost, self._num_lost = self._num_lost, 0
                    self._write(f"{_now()} {lost} requests have no line: they came too fast")


def request_line(request: ServedRequest) -> str:
    """Describe a request in a line, which may hold texts of the client's."""
    status = "no answer" if request.status is None else str(request.status)
    parts = [f"{_now()} {request.method} {request.path} {status} {1000 * request.seconds:.0f} ms"]
    if request.job_id is not None:
        label = "" if request.label is None else f' "{request.label[:_LONGEST_TEXT]}"'
        plural = "" if request.circuits == 1 else "s"
        parts.append(f"job {request.job_id[:8]}{label}, {request.circuits} circuit{plural}")
    if request.fault is not None:
        parts.append(f"fault {request.fault}")
    if request.reason is not None:
        parts.append(request.reason[:_LONGEST_TEXT])
    return one_line(", ".join(parts))


def _now() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
