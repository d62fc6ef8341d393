"""The identifiers that a connection knows: an API job must not take the answer of another."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aqt_fast._forks import ForkSafeLock
from aqt_fast.store.accepted_ids import AcceptedIds, Owner
from aqt_fast.store.journal import Journal, journalled_ids


class KnownIds:
    """Identifiers of the API jobs of a connection, and of the stores that its jobs use."""

    def __init__(self) -> None:
        """Know none yet."""
        self.here = AcceptedIds()
        """Those of this connection's jobs."""
        self._stores: dict[Path, AcceptedIds] = {}
        self._lock = ForkSafeLock()

    def store(self, root: Path) -> AcceptedIds:
        """Return those of a directory of jobs."""
        with self._lock:
            if root not in self._stores:
                self._stores[root] = AcceptedIds(root, partial(journalled_ids, root))
            return self._stores[root]


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
        self._here = known.here
        self._known, self._root = known, root
        self._journal = journal
        self._batch_id = batch_id
        self._index = index
        self._position: int | None = None
        self._stored_position: int | None = None

    def begin(self) -> None:
        """Note what is known before a submission is sent."""
        self._position = self._here.position()
        self._stored_position = self._store.position(complete=self._journal is not None)

    def claim(self, job_id: str, label: str) -> str | None:
        """Note the identifier in the answer to a submission.

        Args:
            job_id: the identifier, a UUID in canonical form.
            label: the label of the submission.

        Returns:
            Whose the identifier may be, in words; None if it is the submission's.
        """
        owner = self._owner(label)
        here = self._here.claim(job_id, owner, self._position)
        kept = self._stored_position if self._journal is not None else None
        stored = self._store.claim(job_id, owner, kept)
        return here or stored

    def note(self, job_id: str, label: str, *, seen: bool = False) -> None:
        """Note the identifier that another process or the user has given.

        Args:
            job_id: the identifier, a UUID in canonical form.
            label: the label of the submission.
            seen: it may as well belong to another one, as somebody has just asked for its result.
        """
        self._here.note(job_id, self._owner(label), seen=seen)

    def adopt(self, job_id: str, label: str) -> None:
        """Note the identifier that the user has given."""
        for ids in self._written:
            ids.adopt(job_id, self._owner(label))

    def prove(self, job_id: str, label: str) -> None:
        """Note that an answer about the identifier has named the label."""
        for ids in self._written:
            ids.prove(job_id, self._owner(label))

    def release(self, job_id: str, label: str) -> None:
        """Note that the identifier is not the submission's."""
        for ids in self._written:
            ids.release(job_id, self._owner(label))

    def rival(self, job_id: str, label: str) -> str | None:
        """Return whose the submission's identifier may be, in words; None for its own."""
        owner = self._owner(label)
        return self._here.rival(job_id, owner) or self._store.rival(job_id, owner)

    def holder(self, job_id: str, label: str) -> str | None:
        """Return whose an identifier certainly is, in words; None if the submission can have it."""
        owner = self._owner(label)
        here = self._here.holder(job_id, owner, self._position)
        return here or self._store.holder(job_id, owner, self._stored_position)

    @property
    def _written(self) -> list[AcceptedIds]:
        return [self._here] if self._journal is None else [self._here, self._store]

    @property
    def _store(self) -> AcceptedIds:
        return self._known.store(self._root)

    def _owner(self, label: str) -> Owner:
        return Owner(self._batch_id, self._index, label)
