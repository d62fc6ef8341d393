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

_MAX_UNREADABLE = 4
"""Number of unreadable answers after which a request is given up."""

MAX_ORDERED_SECONDS = 3600.0
"""Longest wait that a server can order; longer orders are cut. One request an hour is no burden for
a server, and the portal deletes results after 24 hours."""


@dataclass(frozen=True)
class Clock:
    """Tells the time and waits; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds since any fixed time."""
    now: Callable[[], float] = time.time
    """Seconds since 1970, to compare with dates."""
    sleep: Callable[[float], None] = time.sleep
    """Waits for a number of seconds."""


@dataclass(frozen=True)
class Patience:
    """How long one request is repeated."""

    seconds: float
    """Time after the first attempt in which others may start; the budget may delay them further."""
    obeys_orders: bool = True
    """Whether waits that the server orders (``Retry-After``) extend this time."""


class Retry(Exception):  # noqa: N818 - no error but a decision
    """An attempt has failed, and another is allowed."""

    def __init__(
        self, error: APIError, *, ordered: float | None = None, unreadable: bool = False
    ) -> None:
        """Ends the attempt; :class:`Attempts` decides whether and when another follows.

        Args:
            error: what to raise if there is no other attempt.
            ordered: seconds that the server orders to wait, None for the back-off.
            unreadable: whether the answer could not be read, which is retried a few times only.
        """
        super().__init__(error)
        self.error = error
        self.ordered = ordered
        self.unreadable = unreadable


class RetryBudget:
    """Bounds the retries of a client, so that they do not overload a server that is down.

    Each retry takes one from a stock, which time and successes refill. When the stock is empty,
    a retry waits until it is refilled; no request is given up for that reason.

    Args:
        stock: largest number of retries without a wait.
        per_second: retries that each second adds to the stock.
        per_success: retries that each success adds to the stock.
        clock: tells the time.
    """

    def __init__(
        self, stock: float = 50, per_second: float = 2, per_success: float = 0.5, *, clock: Clock
    ) -> None:
        """Starts with a full stock."""
        self._stock = stock
        self._left = stock
        self._per_second = per_second
        self._per_success = per_success
        self._clock = clock
        self._updated = clock.monotonic()
        self._lock = threading.Lock()

    def succeeded(self) -> None:
        """Count a request that was answered."""
        with self._lock:
            self._left = min(self._stock, self._left + self._per_success)

    def take(self) -> float:
        """Take one retry from the stock, and return the seconds that it must wait, 0 or more."""
        with self._lock:
            now = self._clock.monotonic()
            grown = self._left + (now - self._updated) * self._per_second
            self._left = min(self._stock, grown) - 1
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
        """Whether no other attempt follows."""
        retry = _retry(state)
        self._unreadable += retry.unreadable
        if self._unreadable >= _MAX_UNREADABLE:
            return True
        ordered = retry.ordered or 0.0
        if self._patience.obeys_orders:
            self._deadline += ordered
        return self._clock.monotonic() + ordered >= self._deadline

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt: the back-off, or the order if that is longer."""
        left = self._deadline - self._clock.monotonic()
        pause = max(min(BACK_OFF(state), left), _retry(state).ordered or 0.0)
        return max(pause, self._budget.take())


def _retry(state: tenacity.RetryCallState) -> Retry:
    error = None if state.outcome is None else state.outcome.exception()
    assert isinstance(error, Retry)  # noqa: S101 - nothing else is retried
    return error


def retry_after(header: str | None, now: float, sent: str | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header orders (RFC 9110, 10.2.3), None if it orders none.

    Negative orders are 0, longer ones than :data:`MAX_ORDERED_SECONDS` are cut.

    Args:
        header: whole seconds or an HTTP date.
        now: seconds since 1970.
        sent: the answer's ``Date`` header, with which a date is compared: the server's clock may
            differ from this computer's.
    """
    if header is None:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        seconds = float(header)
    else:
        date, began = _read_date(header), _read_date(sent or "")
        if date is None:
            return None
        seconds = date - (now if began is None else began)
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), MAX_ORDERED_SECONDS)


def _read_date(text: str) -> float | None:
    """Read an HTTP date as seconds since 1970, None if it is none."""
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        return (date - datetime.fromtimestamp(0, timezone.utc)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
