"""The identifiers that a connection knows: an API job must not take the answer of another."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aqt_fast._forks import ForkSafeLock
from aqt_fast.store.accepted_ids import AcceptedIds, Owner
from aqt_fast.store.journal import Journal, journalled_ids


class KnownIds:
    """Identifiers in the stores that a connection's jobs use, and of those jobs without journal."""

    def __init__(self) -> None:
        """Know none yet."""
        self.here = AcceptedIds()
        """Those that are in no store."""
        self._stores: dict[Path, AcceptedIds] = {}
        self._lock = ForkSafeLock()

    def store(self, root: Path) -> AcceptedIds:
        """Return those of a directory of jobs."""
        with self._lock:
            if root not in self._stores:
                self._stores[root] = AcceptedIds(root, partial(journalled_ids, root))
            return self._stores[root]

    @property
    def all(self) -> list[AcceptedIds]:
        """Those of every store, and those that are in none."""
        with self._lock:
            return [self.here, *self._stores.values()]


class ApiJobIds:
    """What is known of the identifier of one API job.

    Args:
        known: the connection's identifiers.
        root: directory of all jobs, where others may be known.
        journal: the batch's journal, None if nothing is written.
        batch_id: the batch.
        index: index of the API job in the batch.
    """

    def __init__(
        self, known: KnownIds, root: Path, journal: Journal | None, batch_id: str, index: int
    ) -> None:
        """Know nothing yet."""
        self._known, self._root = known, root
        known.store(root)
        self._journal = journal
        self._batch_id = batch_id
        self._index = index
        self._positions: dict[AcceptedIds, int] = {}
        """How much was known before the submission was sent."""

    def begin(self) -> None:
        """Note what is known before a submission is sent."""
        self._positions = {ids: ids.position(complete=ids is self._own) for ids in self._known.all}

    def claim(self, job_id: str, label: str) -> str | None:
        """Note the identifier in the answer to a submission.

        Args:
            job_id: the identifier, a UUID in canonical form.
            label: the label of the submission.

        Returns:
            Whose the identifier may be, in words; None if it is the submission's.
        """
        owner = self._owner(label)
        rival = self._own.claim(job_id, owner, self._positions.get(self._own, 0))
        for ids in self._known.all:
            if ids is not self._own and (other := ids.claim(job_id, owner, None)) is not None:
                rival = rival or other
                if ids is self._known.here:  # it may be this one's: that must become known there
                    ids.claim(job_id, owner, self._positions.get(ids, 0))
        return rival

    def note(self, job_id: str, label: str, *, seen: bool = False) -> None:
        """Note the identifier that another process has given.

        Args:
            job_id: the identifier, a UUID in canonical form.
            label: the label of the submission.
            seen: it may as well belong to another one, as somebody has just asked for its result.
        """
        if self._journal is None:
            self._known.here.note(job_id, self._owner(label), seen=seen)

    def adopt(self, job_id: str, label: str) -> None:
        """Note the identifier that the user has given."""
        for ids in {self._known.here, self._own}:
            ids.adopt(job_id, self._owner(label))

    def relabel(self, job_id: str, before: str, label: str) -> None:
        """Note that the identifier is that of another submission of the API job."""
        self.release(job_id, before)
        self._own.note(job_id, self._owner(label))

    def prove(self, job_id: str, label: str) -> None:
        """Note that an answer about the identifier has named the label."""
        if self._journal is None or self._journal.owned:
            self._own.prove(job_id, self._owner(label))

    def release(self, job_id: str, label: str) -> None:
        """Note that the identifier is not the submission's."""
        for ids in {self._known.here, self._own}:
            ids.release(job_id, self._owner(label))

    def rival(self, job_id: str, label: str) -> str | None:
        """Return whose the submission's identifier may be, in words; None for its own."""
        owner = self._owner(label)
        return next(filter(None, (ids.rival(job_id, owner) for ids in self._known.all)), None)

    def holder(self, job_id: str, label: str) -> str | None:
        """Return whose an identifier certainly is, in words; None if the submission can have it."""
        owner = self._owner(label)
        holders = (ids.holder(job_id, owner, self._positions.get(ids)) for ids in self._known.all)
        return next(filter(None, holders), None)

    @property
    def _own(self) -> AcceptedIds:
        """Where the submission's identifier is written."""
        return self._known.here if self._journal is None else self._known.store(self._root)

    def _owner(self, label: str) -> Owner:
        return Owner(self._batch_id, self._index, label)
