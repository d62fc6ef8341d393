"""The one job of a store."""

from __future__ import annotations

from typing import Any

from aqt_fast import AQTJob, AQTProvider
from aqt_fast.store.listing import StoredJob


def one(provider: AQTProvider, **wanted: Any) -> StoredJob[AQTJob]:
    """The only job of the store."""
    (job,) = provider.jobs(**wanted)
    return job
