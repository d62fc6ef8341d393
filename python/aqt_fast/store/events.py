"""The events of a journal, and the state that they describe.

Events of API jobs have the index ``job``. They are ``intent`` (with ``label``, ``payload_hash``),
``accepted`` (with ``job_id``, ``adopted`` if the user has given it, and ``foreign`` if another
program has sent the API job), ``refused`` or ``uncertain`` (with ``message``), and ``ended`` (with
``status``, ``message``, and, if known, ``timing``: the portal's status changes; ``at``: when that
was learnt). A copy sums up what was submitted before as ``earlier`` (with ``number``), and what its
journal may have lost as ``doubt`` (with ``message``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any, Protocol

from aqt_fast.store.checksummed_json import entry
from aqt_fast.store.description import utc
from aqt_fast.store.event_lines import EventFile

_ENDS = ("DONE", "ERROR", "CANCELLED")
"""How an API job can have ended."""

_MOST_SUBMISSIONS = 100_000
"""So often nobody submits an API job again."""


@dataclass
class ApiJobRecord:
    """The known facts about one API job."""

    label: str | None = None
    """Its label on the portal, None if it was never meant to be sent."""
    payload_hash: str | None = None
    """SHA-256 of the last request body that was meant to be sent."""
    job_id: str | None = None
    """The portal's identifier, None if it is unknown."""
    refused: bool = False
    """Whether the portal has certainly not accepted it."""
    status: str | None = None
    """Final status without a result: ``ERROR`` or ``CANCELLED``."""
    message: str | None = None
    """Why it was refused, is uncertain, or has ended without a result."""
    adopted: bool = False
    """Whether the user has given the identifier."""
    timing: list[tuple[str, str]] = field(default_factory=list)
    """The portal's status changes with their time stamps, if it has ended without a result."""
    ended_at: datetime | None = field(default=None, compare=False)
    """When a process has learnt that it has ended without a result."""
    foreign: bool = False
    """Whether another program has sent it, under a label that is unknown here."""
    earlier: int = 0
    """Number of submissions before the last one that may have run."""
    doubt: str | None = None
    """What is wrong with the journal, if that may have lost events after the known ones."""

    @property
    def doubtful(self) -> bool:
        """Whether the journal may have told more of it: another submission, or another answer."""
        return self.doubt is not None

    @property
    def uncertain(self) -> bool:
        """Whether it may have been accepted, but that is unknown."""
        sent = self.payload_hash is not None and self.status is None
        return sent and self.job_id is None and not self.refused

    def apply(self, event: dict[str, Any]) -> None:
        """Update the record with an event.

        Raises:
            LookupError: there is no such event, or it lacks something.
            TypeError: something has another type.
            ValueError: something is out of its range.
            OverflowError: a time is one that Python cannot express.
        """
        kind = event["event"]
        if kind == "intent":
            label, payload_hash = entry(event, "label", str), entry(event, "payload_hash", str)
            # What was sent before this, if anything, has certainly failed, or the user took the
            # risk. The same label is used again only if nothing was accepted.
            if label != self.label and (self.job_id is not None or self.uncertain):
                self.earlier += 1
            self.label, self.payload_hash = label, payload_hash
            self.job_id = self.status = self.message = self.ended_at = self.doubt = None
            self.refused = self.adopted = self.foreign = False
            self.timing = []
        elif kind == "accepted":
            job_id, adopted = entry(event, "job_id", str), event.get("adopted", False)
            self.job_id, self.adopted = job_id, adopted is True
            self.foreign = event.get("foreign", False) is True
            self.refused, self.message = False, None
            if self.adopted:
                self.doubt = None  # the user has found out
        elif kind in ("refused", "uncertain"):
            self.message = entry(event, "message", str, NoneType)
            self.refused = kind == "refused"
            # An identifier that was adopted was wrong.
            self.job_id, self.adopted = None, False
        elif kind == "ended":
            message = entry(event, "message", str, NoneType)
            if event["status"] not in _ENDS:
                raise LookupError(f"unknown status {event['status']!r}")
            timing = [_change(change) for change in event.get("timing", [])]
            moment = event.get("at")
            self.ended_at = None if moment is None else utc(entry(event, "at", str))
            self.status, self.message, self.timing = event["status"], message, timing
        elif kind == "earlier":
            number = entry(event, "number", int)
            if not 0 <= number <= _MOST_SUBMISSIONS:
                raise ValueError(f"{number} is no number of submissions")
            self.earlier = number
        elif kind == "doubt":
            self.doubt = entry(event, "message", str)
        else:
            raise LookupError(f"unknown event {kind!r}")

    def events(self, job: int) -> list[dict[str, Any]]:
        """Return events that reproduce this record.

        Args:
            job: index of the API job in its batch.
        """
        events: list[dict[str, Any]] = []
        if self.earlier:
            events.append({"event": "earlier", "number": self.earlier})
        if self.payload_hash is not None:
            events.append(
                {"event": "intent", "label": self.label, "payload_hash": self.payload_hash}
            )
        if self.job_id is not None:
            accepted = {"event": "accepted", "job_id": self.job_id, "adopted": self.adopted}
            events.append({**accepted, "foreign": True} if self.foreign else accepted)
        elif self.refused:
            events.append({"event": "refused", "message": self.message})
        elif self.uncertain:
            events.append({"event": "uncertain", "message": self.message})
        if self.status is not None:
            events.append(self.end())
        if self.doubt is not None:
            events.append({"event": "doubt", "message": self.doubt})
        return [{"job": job, **event} for event in events]

    def end(self) -> dict[str, Any]:
        """Return the event of the end without a result."""
        end: dict[str, Any] = {"event": "ended", "status": self.status, "message": self.message}
        if self.timing:
            end["timing"] = self.timing
        if self.ended_at is not None:
            end["at"] = self.ended_at.isoformat(timespec="milliseconds")
        return end


def _change(change: Any) -> tuple[str, str]:
    status, stamp = change
    if not isinstance(status, str) or not isinstance(stamp, str):
        raise TypeError(f"{change!r} is no status with a time stamp")
    return status, stamp


@dataclass
class JournalState:
    """The state that a journal's events describe."""

    records: dict[int, ApiJobRecord] = field(default_factory=dict)
    """Records of the API jobs with events, by index in the batch."""
    problem: str | None = None
    """What is missing or damaged, None if nothing is."""

    @classmethod
    def of(cls, file: EventFile, stored_results: Iterable[int]) -> JournalState:
        """Combine what can be read of a journal.

        After a gap, every API job is in doubt until an event tells that it was sent anew: the gap
        may have told of a later submission, or of an answer.

        Args:
            file: its events.
            stored_results: indices of the API jobs whose results are stored.
        """
        state = cls()
        for index, event in enumerate(file.events):
            if file.problem is not None and index == file.known_from:
                state._doubt(file.problem)
            state._apply(event)
        if file.problem is not None and file.known_from == len(file.events):
            state._doubt(file.problem)
        of_results = map(state.record, stored_results)
        if any(record.job_id is None and not record.doubtful for record in of_results):
            # A result implies an identifier, so its line is missing.
            state._doubt("lines of its journal are missing: a result is of an unknown API job")
        return state

    @classmethod
    def of_events(cls, events: Iterable[dict[str, Any]]) -> JournalState:
        """Combine events that are known to be complete."""
        state = cls()
        for event in events:
            state._apply(event)
        return state

    def record(self, number: int) -> ApiJobRecord:
        """Return the record of an API job."""
        return self.records.get(number) or ApiJobRecord(doubt=self.problem)

    def _apply(self, event: Any) -> None:
        """Apply an event. One that cannot be read counts as lost."""
        try:
            number = entry(event, "job", int)
            record = self.record(number)
            record.apply(event)
        except (ValueError, LookupError, TypeError, OverflowError):
            self._doubt("lines of its journal cannot be read by this version")
        else:
            self.records[number] = record

    def _doubt(self, problem: str) -> None:
        self.problem = self.problem or problem
        for record in self.records.values():
            record.doubt = problem


class Records(Protocol):
    """The records of a batch that another process has submitted or submits."""

    def own(self) -> bool:
        """Take the batch over. Return False if another process works on it."""

    def replay(self) -> JournalState:
        """Return the current state."""


class CopiedRecords:
    """The records as they were when another process saved the batch."""

    def __init__(self, state: JournalState) -> None:
        """``state`` does not change any more."""
        self._state = state

    def own(self) -> bool:
        """Return True: no process works on a copy."""
        return True

    def replay(self) -> JournalState:
        """Return the saved state."""
        return self._state
