"""The kinds of faults, and the choice of the next one: by rate and seed, or scripted.

A fault is *handled* if the request took effect before the client saw the fault:

=============  =======  ==========================================================================
kind           handled  what the client sees
=============  =======  ==========================================================================
refuse         no       its connection and all others are reset, and the server refuses new ones
                        for ``refuse_seconds``
reset_before   no       the connection is reset
reset_after    yes      the connection is reset
slow           yes      the right response, ``slow_seconds`` late
stall          yes      nothing, until the client gives up
truncated      yes      half of the response body, then the connection is closed
401            no       a response with this status; so for the kinds below
410            no       only for results of the cloud interface
429            no       with ``Retry-After`` in seconds
429_date       no       with ``Retry-After`` as an HTTP date
500, 502, 504  no
503            no       without ``Retry-After``
503_retry      no       with ``Retry-After`` in seconds
500_after …    yes      also ``502_after``, ``503_after`` and ``504_after``
bad_json       yes      a status of success, and a body that is not JSON
wrong_shape    yes      a status of success, and JSON of another shape than the documented one
=============  =======  ==========================================================================

No sound portal does the following, so a request meets it only if its kind is named:

=============  =======  ==========================================================================
kind           handled  what the client sees
=============  =======  ==========================================================================
404            no       only for results of the cloud interface: the job is unknown
429_zero       no       ``Retry-After: 0``
429_past       no       with ``Retry-After`` as the HTTP date of an hour ago
429_far        no       with ``Retry-After`` of a year, in seconds
429_garbage    no       with ``Retry-After: soon``
cookie         yes      the right response, and a cookie of 1 kB with a new name each time
drip           yes      the right response, byte by byte with ``drip_seconds`` between
unlabelled     yes      the right response about a job, without its label
other_answer   yes      another job's response: to the submission before, or of a result asked for
                        before
=============  =======  ==========================================================================

``bad_json``, ``wrong_shape``, ``unlabelled`` and ``other_answer`` do not turn a refusal (422, say)
into a success; ``truncated`` and ``drip`` need a body. Otherwise the client gets the right
response, and the log does not show the fault.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, ClassVar

from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.server.checks import Check, Checked, integer, number, optional, text

KINDS = (
    "refuse",
    "reset_before",
    "reset_after",
    "slow",
    "stall",
    "truncated",
    "401",
    "410",
    "429",
    "429_date",
    "500",
    "500_after",
    "502",
    "502_after",
    "503",
    "503_retry",
    "503_after",
    "504",
    "504_after",
    "bad_json",
    "wrong_shape",
)
"""Faults that a client meets in practice; random requests get these unless others are named."""

ODD_KINDS = (
    "404",
    "429_zero",
    "429_past",
    "429_far",
    "429_garbage",
    "cookie",
    "drip",
    "unlabelled",
    "other_answer",
)
"""Faults of a portal that is not sound."""

_ALL = KINDS + ODD_KINDS
_DAY = 86_400
_MOST_SCRIPTED = 10_000
_SPARED_PATHS = frozenset({"/", "/docs", "/health", "/openapi.json"})
_SPARED_ROOTS = ("/control/", "/static/", "/testing/")
"""What is not part of AQT's interfaces."""
_SHOWN = 20
_MOST_LOGGED = 100_000

HANDLED = frozenset(
    {
        "slow",
        "stall",
        "truncated",
        "bad_json",
        "wrong_shape",
        "cookie",
        "drip",
        "unlabelled",
        "other_answer",
        *(kind for kind in KINDS if kind.endswith("_after")),
    }
)
"""Kinds that let the request take effect."""


@dataclass(frozen=True)
class InjectedFault:
    """One line of the log."""

    kind: str
    method: str
    path: str


@dataclass
class _Scripted:
    kind: str
    count: int
    method: str | None
    path: str | None


class Faults(Checked):
    """Decides which requests get a fault; every thread may use it while the server runs.

    Attributes and methods raise :class:`aqt_fast.exceptions.InvalidOptionError` for values out of
    range. Durations are 0 to 86 400 s.
    """

    _checks: ClassVar[Mapping[str, Check]] = {
        "refuse_seconds": number(0, _DAY),
        "slow_seconds": number(0, _DAY),
        "drip_seconds": number(0, _DAY),
        "retry_after": integer(0, _DAY),
    }

    def __init__(self) -> None:
        """Start without faults."""
        self.refuse_seconds = 0.2
        """How long ``refuse`` refuses new connections."""
        self.slow_seconds = 0.1
        """How late ``slow`` responds."""
        self.drip_seconds = 0.01
        """How long ``drip`` waits after each byte."""
        self.retry_after = 1
        """Value of ``Retry-After``, in seconds."""
        self._lock = threading.Lock()
        self._scripted: list[_Scripted] = []
        self._log: deque[InjectedFault] = deque(maxlen=_MOST_LOGGED)
        self._rate = 0.0
        self._kinds: tuple[str, ...] = KINDS
        self._random = random.Random(0)  # noqa: S311 - not for secrets

    @property
    def log(self) -> list[InjectedFault]:
        """The faults so far, in order; of very many, the last 100 000."""
        with self._lock:
            return list(self._log)

    def set(self, *, rate: float, kinds: Sequence[str] = KINDS, seed: int = 0) -> None:
        """Give faults to random requests of both interfaces, but not to the login.

        The seed fixes the sequence of decisions. The order in which requests arrive fixes which
        request gets which decision.

        Args:
            rate: share of the requests, from 0 to 1.
            kinds: of :data:`KINDS` and :data:`ODD_KINDS`, all equally likely; a kind that does not
                suit a request is left out.
            seed: of the random generator.

        Raises:
            InvalidOptionError: the rate is out of range, or a kind does not exist.
        """
        number(0, 1)("rate", rate)
        _check_kinds("kinds", kinds)
        integer(0)("seed", seed)
        with self._lock:
            self._rate = rate
            self._kinds = tuple(kinds)
            self._random = random.Random(seed)  # noqa: S311 - not for secrets

    def next(
        self, kind: str, count: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Script a fault for the next requests; scripted faults precede random ones.

        Args:
            kind: one of :data:`KINDS` or :data:`ODD_KINDS`.
            count: number of requests, 1 to 10⁹.
            method: only requests with this method.
            path: only requests whose path contains this text.

        Raises:
            InvalidOptionError: the kind does not exist, ``count`` is out of range, or 10 000 faults
                are scripted already.
        """
        _check_kinds("kind", [kind])
        integer(1, 1_000_000_000)("count", count)
        optional(text)("method", method)
        optional(text)("path", path)
        with self._lock:
            if len(self._scripted) >= _MOST_SCRIPTED:
                expected = f"one of {_MOST_SCRIPTED} scripted faults at most"
                raise InvalidOptionError("kind", kind, expected)
            self._scripted.append(_Scripted(kind, count, method, path))

    def clear(self) -> None:
        """Stop all faults; keep the log."""
        with self._lock:
            self._rate = 0.0
            self._scripted.clear()

    def describe(self) -> dict[str, Any]:
        """Return what is set, and the latest faults, in JSON's types."""
        with self._lock:
            latest = islice(reversed(self._log), _SHOWN)
            return {
                "rate": self._rate,
                "kinds": self._kinds,
                "scripted": [asdict(entry) for entry in self._scripted[:_SHOWN]],
                "latest": [asdict(fault) for fault in latest],
                "known_kinds": KINDS,
                "odd_kinds": ODD_KINDS,
            }

    def decide(self, method: str, path: str) -> InjectedFault | None:
        """Choose the fault of a request and log it; return None for no fault."""
        if path in _SPARED_PATHS or path.startswith(_SPARED_ROOTS):
            return None
        with self._lock:
            kind = self._take_scripted(method, path) or self._draw(method, path)
            if kind is None:
                return None
            fault = InjectedFault(kind, method, path)
            self._log.append(fault)
            return fault

    def withdraw(self, fault: InjectedFault) -> None:
        """Remove a fault that did not suit the response from the log."""
        with self._lock, suppress(ValueError):  # it may be forgotten already
            self._log.remove(fault)

    def _take_scripted(self, method: str, path: str) -> str | None:
        for entry in self._scripted:
            if entry.method in (None, method) and (entry.path is None or entry.path in path):
                entry.count -= 1
                if entry.count <= 0:
                    self._scripted.remove(entry)
                return entry.kind
        return None

    def _draw(self, method: str, path: str) -> str | None:
        if not self._rate or not path.startswith(("/api/", "/direct/")):
            return None
        # Draw twice for every request: later decisions must not depend on this one.
        has_fault, which = self._random.random() < self._rate, self._random.random()
        fetches = method == "GET" and path.startswith("/api/v1/result/")
        kinds = [kind for kind in self._kinds if fetches or kind not in ("404", "410")]
        return kinds[int(which * len(kinds))] if has_fault and kinds else None


def _check_kinds(name: str, kinds: Sequence[str]) -> None:
    """Raise InvalidOptionError for kinds that do not exist, and for no kind."""
    listed = isinstance(kinds, Collection) and not isinstance(kinds, str)
    unknown = [kind for kind in kinds if kind not in _ALL] if listed else [kinds]
    if unknown or not kinds:
        expected = f"of the kinds {', '.join(_ALL)}"
        raise InvalidOptionError(name, unknown[0] if unknown else kinds, expected)
