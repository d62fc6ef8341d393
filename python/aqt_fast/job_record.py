"""What a journal's lines tell, and what they add up to.

A line is the CRC-32 of what follows in hexadecimal, a space, and an event as JSON. The first line's
event is ``begin``, without which the file has lost something; those of API jobs have the number
``job`` and are ``intent`` (with ``label``, ``payload_hash``), ``accepted`` (with ``job_id``, and
``adopted`` if the user has given it), ``refused`` or ``uncertain`` (with ``message``), and
``ended`` (with ``status``, ``message``).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

BEGIN = "begin"
"""The event of the first line: a file without it has lost something."""


def line_of(event: dict[str, Any]) -> bytes:
    """The line of an event, with its end."""
    text = orjson.dumps(event)
    return b"%08x %s\n" % (zlib.crc32(text), text)


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
class JobRecord:
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
        """
        kind = event["event"]
        if kind == "intent":
            # What was sent before this, if anything, has certainly failed, or the user took the
            # risk.
            self.label, self.payload_hash = event["label"], event["payload_hash"]
            self.job_id = self.status = self.message = None
            self.refused = False
        elif kind == "accepted":
            self.job_id, self.refused, self.message = event["job_id"], False, None
            self.adopted = event.get("adopted", False)
        elif kind in ("refused", "uncertain"):
            self.refused, self.message = kind == "refused", event["message"]
            self.job_id = None  # of an identifier that was adopted and is wrong
        elif kind == "ended":
            self.status, self.message = event["status"], event["message"]
        else:
            raise LookupError(f"unknown event '{kind}'")


@dataclass
class Replay:
    """What a journal's lines add up to."""

    records: dict[int, JobRecord] = field(default_factory=dict)
    """The API jobs that something is known of, by their number in the batch."""
    damaged: list[int] = field(default_factory=list)
    """Numbers of damaged lines, from 1."""
    missing: bool = False
    """Whether there must have been other lines."""

    @property
    def doubtful(self) -> bool:
        """Whether there may have been submissions that nothing is known of."""
        return self.missing or bool(self.damaged)

    def apply(self, line: bytes) -> bool:
        """Take over what a line tells; False if it is damaged."""
        try:
            event = event_of(line)
            if event["event"] != BEGIN:
                self.records.setdefault(event["job"], JobRecord()).apply(event)
        except (ValueError, LookupError, TypeError):
            return False
        return True


class Records(Protocol):
    """What is known of a batch that another process has submitted, or submits."""

    def own(self) -> bool:
        """Take it over; False if another process works on it."""

    def replay(self) -> Replay:
        """What is known by now."""


class SavedRecords:
    """What another process knew when it saved the batch."""

    def __init__(self, records: Sequence[JobRecord]) -> None:
        """One record for each API job, in order."""
        self._records = dict(enumerate(records))

    def own(self) -> bool:
        """There is nobody who could be asked."""
        return True

    def replay(self) -> Replay:
        """That, and no more."""
        return Replay(self._records)
