"""The state of an API job, from its journal."""

from __future__ import annotations

from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.states import ApiJobState


def api_job_fate(
    record: ApiJobRecord, *, stored: bool, active: bool, doubtful: bool
) -> ApiJobState:
    """Return the state of an API job: the one rule for restoring and for listing it.

    Args:
        record: the sum of its events.
        stored: whether its result is stored.
        active: whether another process works on it.
        doubtful: whether events may be missing.
    """
    if record.status in ("ERROR", "CANCELLED"):
        return "failed" if record.status == "ERROR" else "cancelled"
    if stored:
        return "done"
    if record.job_id is not None:
        return "submitted"
    if record.uncertain:
        # An unanswered request has no message yet.
        return "submitting" if active and record.message is None else "uncertain"
    if doubtful:
        return "uncertain"
    return "failed" if record.refused else "unsent"
