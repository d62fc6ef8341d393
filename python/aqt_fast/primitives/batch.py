"""Circuits of a primitive that are ready to run, and how they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.admission import Besides
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from concurrent.futures import Executor


class Batch(NamedTuple):
    """The circuits of all PUBs, which are one job."""

    backend: AQTResource
    """Where they run."""
    snapshot: Snapshot
    """The circuits; there may be none."""
    options: AQTOptions
    """How they run."""
    executor: Executor | None
    """Whose workers simulate, for an offline simulator."""

    def estimate(self, parts: Sequence[Part] | None = None) -> JobEstimate:
        """Return what the job would cost and take.

        Args:
            parts: the API jobs to count instead of those of the job.
        """
        parts = parts if len(self.snapshot) else []
        return self.backend.estimate_of(self.snapshot, self.options, parts)

    def dry_run(self, besides: Besides | None = None) -> JobEstimate:
        """Return what it would cost and take, with the hashes of its request bodies.

        Args:
            besides: estimates another job that counts for this one's limits, too.
        """
        if not len(self.snapshot):
            return self.estimate()
        return self.backend.dry_run(self.snapshot, self.options, besides=besides)
