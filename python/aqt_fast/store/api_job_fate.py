"""The state of an API job, from its journal."""

from __future__ import annotations

from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.states import ApiJobState


def api_job_fate(record: ApiJobRecord, *, stored: bool, active: bool) -> ApiJobState:
    """Return the state of an API job: the one rule for restoring and for listing it.

    Where lines of the journal may be missing, it may have been sent again after an end with an
    error. It has not after it was cancelled: that is never sent again.

    What is stored of an API job that is uncertain for a known reason is no proof: it may be of an
    identifier that was taken back.

    Args:
        record: the sum of its events.
        stored: whether its result is stored.
        active: whether another process works on it.
    """
    if record.status == "CANCELLED":
        return "cancelled"
    taken_back = record.uncertain and record.message is not None
    if stored and not taken_back and (record.doubtful or record.status != "ERROR"):
        return "done"
    if record.status == "ERROR":
        return "uncertain" if record.doubtful else "failed"
    if record.job_id is not None:
        return "submitted"
    if record.uncertain:
        # An unanswered request has no message yet.
        return "submitting" if active and record.message is None else "uncertain"
    if record.doubtful:
        return "uncertain"
    return "failed" if record.refused else "unsent"
