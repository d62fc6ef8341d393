"""One job: its status changes, circuits and result."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from aqt_fast.server.sampler import Workload
from aqt_fast.server.workspaces import Resource

Status = Literal["queued", "ongoing", "finished", "error", "cancelled"]


@dataclass(eq=False)
class Job:
    """A job that was accepted; change it only under the portal's lock."""

    job_id: str
    number: int
    """Position in the order of acceptance, from 0."""
    workspace_id: str
    resource: Resource
    sha256: str
    """Hexadecimal digest of the request body."""
    label: str | None
    sizes: Sequence[tuple[int, int]]
    """Shots and number of qubits of each circuit."""
    digests: Sequence[str] | None
    """Digest of each circuit; None if circuits are not identified."""
    workload: Workload | None
    """The circuits; None after the end."""
    body: bytes | None
    """The request body; None once it is forgotten."""
    changes: list[tuple[Status, float]] = field(default_factory=list)
    """Each status, and since when the job had it, in seconds since the epoch."""
    runs: list[int] = field(default_factory=list)
    """How many times each circuit ran."""
    finished_count: int = 0
    cancelling: bool = False
    message: str | None = None
    """Why the job failed; text if the status is ``error``."""
    result: bytes | None = None
    """Outcomes as ``{"0":[[0,1],…],…}``."""
    fetches: int = 0
    """How many times a client got the result."""
    expired: bool = False
    ended: Future[None] = field(default_factory=Future)
    """Done when the status is ``finished``, ``error`` or ``cancelled``."""

    @property
    def status(self) -> Status:
        """The last status; readable without the lock."""
        return self.changes[-1][0]

    def end(self, status: Status, when: float) -> None:
        """Set the last status, drop the circuits, and wake everyone who waits for the end."""
        self.changes.append((status, when))
        self.workload = None
        self.ended.set_result(None)
