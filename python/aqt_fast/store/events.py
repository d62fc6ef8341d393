"""The lines of a journal, and the facts that they add up to.

A line is the CRC-32 of what follows in hexadecimal, a space, and an event as JSON. The first line's
event is ``begin``: an empty file has lost something. The events of API jobs have the number
``job`` and are ``intent`` (with ``label``, ``payload_hash``), ``accepted`` (with ``job_id``, and
``adopted`` if the user has given it), ``refused`` or ``uncertain`` (with
``message``), and ``ended`` (with ``status``, ``message``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Protocol

import orjson

from aqt_fast.store.checksummed_json import entry

_BEGIN = {"event": "begin"}

_ENDS = ("DONE", "ERROR", "CANCELLED")
"""How an API job can have ended."""


def line_of(event: dict[str, Any]) -> bytes:
    """The line of an event, with its end."""
    text = orjson.dumps(event)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def lines_of(events: Iterable[dict[str, Any]]) -> bytes:
    """A whole file: the first line, and those of events."""
    return b"".join(map(line_of, [_BEGIN, *events]))


def event_of(line: bytes) -> dict[str, Any]:
    """The event of a line.

    Raises:
        ValueError: the line is damaged.
    """
    checksum, _, text = line.partition(b" ")
    if int(checksum, 16) != zlib.crc32(text):
        raise ValueError("its checksum is another")
    event: dict[str, Any] = orjson.loads(text)
    return event


@dataclass
class ApiJobRecord:
    """What is known about one API job."""

    label: str | None = None
    """What the portal shows with it, None if it was never to be sent."""
    payload_hash: str | None = None
    """SHA-256 of the request body that was to be sent last."""
    job_id: str | None = None
    """The portal's identifier, None if it has not given one."""
    refused: bool = False
    """Whether the portal has certainly not accepted it."""
    status: str | None = None
    """How it has ended: ``DONE``, ``ERROR`` or ``CANCELLED``."""
    message: str | None = None
    """Why it was refused, is uncertain, or has ended without a result."""
    adopted: bool = False
    """Whether it is the user who has given the identifier."""

    @property
    def uncertain(self) -> bool:
        """Whether it may have been accepted, and nobody here knows."""
        sent = self.payload_hash is not None and self.status is None
        return sent and self.job_id is None and not self.refused

    def apply(self, event: dict[str, Any]) -> None:
        """Take over what a line tells.

        Raises:
            LookupError: there is no such event, or it lacks something.
            TypeError: something has another type.
        """
        kind = event["event"]
        if kind == "intent":
            label, payload_hash = entry(event, "label", str), entry(event, "payload_hash", str)
            # What was sent before this, if anything, has certainly failed, or the user took the
            # risk.
            self.label, self.payload_hash = label, payload_hash
            self.job_id = self.status = self.message = None
            self.refused = self.adopted = False
        elif kind == "accepted":
            job_id, adopted = entry(event, "job_id", str), event.get("adopted", False)
            self.job_id, self.adopted = job_id, adopted is True
            self.refused, self.message = False, None
        elif kind in ("refused", "uncertain"):
            self.message = entry(event, "message", str, NoneType)
            self.refused = kind == "refused"
            # An identifier that was adopted was wrong.
            self.job_id, self.adopted = None, False
        elif kind == "ended":
            message = entry(event, "message", str, NoneType)
            if event["status"] not in _ENDS:
                raise LookupError(f"unknown status {event['status']!r}")
            self.status, self.message = event["status"], message
        else:
            raise LookupError(f"unknown event '{kind}'")

    def events(self, job: int) -> list[dict[str, Any]]:
        """The events that add up to this record.

        Args:
            job: number of the API job in its batch.
        """
        events: list[dict[str, Any]] = []
        if self.payload_hash is not None:
            events.append(
                {"event": "intent", "label": self.label, "payload_hash": self.payload_hash}
            )
        if self.job_id is not None:
            events.append({"event": "accepted", "job_id": self.job_id, "adopted": self.adopted})
        elif self.refused:
            events.append({"event": "refused", "message": self.message})
        elif self.uncertain:
            events.append({"event": "uncertain", "message": self.message})
        if self.status is not None:
            events.append({"event": "ended", "status": self.status, "message": self.message})
        return [{"job": job, **event} for event in events]


@dataclass
class JournalState:
    """What a journal's lines add up to."""

    records: dict[int, ApiJobRecord] = field(default_factory=dict)
    """The API jobs that something is known of, by their number in the batch."""
    damaged: list[int] = field(default_factory=list)
    """Numbers of damaged lines, from 1."""
    missing: bool = False
    """Whether there must have been other lines."""

    @classmethod
    def of(cls, lines: list[bytes], cut_off: bytes, stored_results: Iterable[int]) -> JournalState:
        """Add up lines.

        Args:
            lines: the whole ones.
            cut_off: what follows the last of them.
            stored_results: numbers of the API jobs whose results are stored.
        """
        state = cls(missing=not lines)
        for number, line in enumerate(lines, 1):
            if not state._apply(line):
                state.damaged.append(number)
        state._apply(cut_off)
        for number in stored_results:
            # A result comes after an identifier.
            if state.record(number).job_id is None:
                state.missing = True
        return state

    @property
    def doubtful(self) -> bool:
        """Whether there may have been submissions that nothing is known of."""
        return self.missing or bool(self.damaged)

    def record(self, number: int) -> ApiJobRecord:
        """What is known of an API job."""
        return self.records.get(number, ApiJobRecord())

    def _apply(self, line: bytes) -> bool:
        """Take over what a line tells; False if it is damaged."""
        try:
            event = event_of(line)
            if event != _BEGIN:
                number = entry(event, "job", int)
                self.records.setdefault(number, ApiJobRecord()).apply(event)
        except (ValueError, LookupError, TypeError):
            return False
        return True


class Records(Protocol):
    """What is known of a batch that another process has submitted, or submits."""

    def own(self) -> bool:
        """Take it over; False if another process works on it."""

    def replay(self) -> JournalState:
        """What is known by now."""


class CopiedRecords:
    """What another process knew when it saved the batch."""

    def __init__(self, state: JournalState) -> None:
        """``state`` does not change any more."""
        self._state = state

    def own(self) -> bool:
        """Nobody works on a copy."""
        return True

    def replay(self) -> JournalState:
        """That, and no more."""
        return self._state
