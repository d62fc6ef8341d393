"""The server's time, which tests can put forward."""

from __future__ import annotations

import threading
from collections.abc import Callable

LATEST = 253_402_214_400.0
"""The last day of the year 9999, in seconds since the epoch: dates end there."""


class Clock:
    """Time stamps, expiry of results and expiry of tokens follow this clock."""

    def __init__(self, source: Callable[[], float]) -> None:
        """``source`` returns seconds since the epoch."""
        self._source = source
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return seconds since the epoch, up to :data:`LATEST`."""
        return min(self._source() + self._ahead, LATEST)

    def advance(self, seconds: float) -> None:
        """Put the clock forward; device time does not depend on it."""
        with self._lock:
            self._ahead += seconds
