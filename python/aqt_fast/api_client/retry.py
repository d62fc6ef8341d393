"""When to try again: back-off, ``Retry-After``, and a budget for all requests of a client."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import tenacity

from aqt_fast.exceptions import APIError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0

BACK_OFF = tenacity.wait_random_exponential(
    multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS
)
"""Exponential with full jitter: before retry n, between 0 and 0.5 s · 2ⁿ⁻¹, 10 s at most."""

_MOST_UNREADABLE = 4
"""So many answers that cannot be read are enough to give up."""

_LONGEST_ORDER_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Clock:
    """What tells the time and lets it pass; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds, from whenever."""
    now: Callable[[], float] = time.time
    """Seconds since 1970, for dates."""
    sleep: Callable[[float], None] = time.sleep
    """Lets seconds pass."""


@dataclass(frozen=True)
class Patience:
    """How long one request is repeated."""

    seconds: float
    """No new attempt starts later than this after the first, unless the budget delays it."""
    obeys: bool = True
    """Whether waiting that the server orders (``Retry-After``) comes on top."""


class Retry(Exception):  # noqa: N818 - no error but a decision
    """An attempt failed in a way that allows another."""

    def __init__(
        self, error: APIError, *, ordered: float | None = None, unreadable: bool = False
    ) -> None:
        """``error`` is what to raise when there is no other; ``ordered`` are seconds to wait."""
        super().__init__(error)
        self.error = error
        self.ordered = ordered
        self.unreadable = unreadable


class RetryBudget:
    """Bounds the retries of a client, so that it does not storm a server that is down.

    Retries take from a stock that successes and time refill. When it is empty, a retry has to wait
    for its share; no request is given up for that reason.

    Args:
        stock: retries that may follow each other at once.
        per_second: retries a second that time allows.
        per_success: retries that each success allows.
        clock: tells the time.
    """

    def __init__(
        self, stock: float = 50, per_second: float = 2, per_success: float = 0.5, *, clock: Clock
    ) -> None:
        """The stock is full."""
        self._most = stock
        self._left = stock
        self._per_second = per_second
        self._per_success = per_success
        self._clock = clock
        self._updated = clock.monotonic()
        self._lock = threading.Lock()

    def succeeded(self) -> None:
        """Count a request that was answered."""
        with self._lock:
            self._left = min(self._most, self._left + self._per_success)

    def take(self) -> float:
        """Take a retry, and return how many seconds it has to wait for its turn."""
        with self._lock:
            now = self._clock.monotonic()
            grown = self._left + (now - self._updated) * self._per_second
            self._left = min(self._most, grown) - 1
            self._updated = now
            return max(0.0, -self._left / self._per_second)


class Attempts:
    """The attempts of one request: a stop and a wait for :class:`tenacity.Retrying`."""

    def __init__(self, patience: Patience, budget: RetryBudget, clock: Clock) -> None:
        """The time of ``patience`` starts now."""
        self._patience = patience
        self._budget = budget
        self._clock = clock
        self._deadline = clock.monotonic() + patience.seconds
        self._unreadable = 0

    def stop(self, state: tenacity.RetryCallState) -> bool:
        """Whether the last attempt was the last."""
        retry = _retry(state)
        self._unreadable += retry.unreadable
        if self._unreadable >= _MOST_UNREADABLE:
            return True
        ordered = retry.ordered or 0.0
        if self._patience.obeys:
            self._deadline += ordered
        return self._clock.monotonic() + ordered >= self._deadline

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt."""
        ordered = _retry(state).ordered
        left = self._deadline - self._clock.monotonic()
        pause = min(BACK_OFF(state), left) if ordered is None else ordered
        return max(pause, self._budget.take())


def _retry(state: tenacity.RetryCallState) -> Retry:
    error = None if state.outcome is None else state.outcome.exception()
    assert isinstance(error, Retry)  # noqa: S101 - nothing else is retried
    return error


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` header orders (RFC 9110, 10.2.3), None if it orders none.

    Args:
        header: whole seconds or an HTTP date.
        now: seconds since 1970.
    """
    if header is None:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        seconds = float(header)
    else:
        try:
            date = parsedate_to_datetime(header)
        except (ValueError, TypeError, OverflowError):
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        seconds = (date - datetime.fromtimestamp(now, timezone.utc)).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), _LONGEST_ORDER_SECONDS)
