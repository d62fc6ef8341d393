"""What became of an API job: each combination, against a slow statement of the rules."""

from __future__ import annotations

from itertools import product

import pytest
from aqt_fast.store.api_job_fate import api_job_fate
from aqt_fast.store.events import ApiJobRecord

RECORDS = [
    ApiJobRecord("x", payload_hash, job_id, refused, status, message, doubt=doubt)
    for payload_hash, job_id, refused, status, message, doubt in product(
        (None, "ab"),
        (None, "id"),
        (False, True),
        (None, "DONE", "ERROR", "CANCELLED"),
        (None, "why"),
        (None, "line 7 is missing"),
    )
]


def slow_fate(record: ApiJobRecord, *, stored: bool, active: bool) -> str:
    """Nothing that was accepted may be lost, and nothing may run twice unless the user says so."""
    accepted = record.job_id is not None
    sent = record.payload_hash is not None
    # The user has cancelled it: that is the last word, for it is never sent again.
    if record.status == "CANCELLED":
        return "cancelled"
    # The portal has said that there will be no result. It may have been sent again after that, and
    # a line that was lost may have told of it; what is stored is then that one's.
    if record.status == "ERROR":
        if not record.doubtful:
            return "failed"
        return "done" if stored else "uncertain"
    # What was measured is here. Only if a process has said why it does not know the identifier, it
    # may have had a wrong one before, and what is stored may be of that.
    said_why = accepted is False and sent and not record.refused and record.message is not None
    if stored and not (said_why and record.status is None):
        return "done"
    # It is there: it is polled.
    if accepted:
        return "submitted"
    # Nobody has an identifier. The intent was written before it was sent, so it may be there,
    # unless the portal has certainly refused it, or it has ended before it was sent.
    may_be_there = sent and not record.refused and record.status is None
    answer_is_awaited = may_be_there and active and record.message is None
    if answer_is_awaited:
        return "submitting"
    if may_be_there:
        return "uncertain"
    # A line that was lost may have told of another attempt.
    if record.doubtful:
        return "uncertain"
    # Nothing is there for certain: it can be sent without a risk.
    return "failed" if record.refused else "unsent"


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("active", [False, True])
def test_all(stored, active):
    """Every record with every circumstance."""
    for record in RECORDS:
        fate = api_job_fate(record, stored=stored, active=active)
        assert fate == slow_fate(record, stored=stored, active=active), record


@pytest.mark.parametrize(
    ("record", "known", "state"),
    [
        (ApiJobRecord(), {}, "unsent"),
        (ApiJobRecord(doubt="x"), {}, "uncertain"),
        (ApiJobRecord(refused=True, payload_hash="a"), {}, "failed"),
        (ApiJobRecord(refused=True, payload_hash="a", doubt="x"), {}, "uncertain"),
        (ApiJobRecord(payload_hash="a"), {}, "uncertain"),
        (ApiJobRecord(payload_hash="a"), {"active": True}, "submitting"),
        (ApiJobRecord(payload_hash="a", message="reset"), {"active": True}, "uncertain"),
        (ApiJobRecord(payload_hash="a", message="not its own"), {"stored": True}, "uncertain"),
        (ApiJobRecord(payload_hash="a"), {"stored": True}, "done"),
        (ApiJobRecord(job_id="j", doubt="x"), {}, "submitted"),
        (ApiJobRecord(job_id="j"), {"stored": True}, "done"),
        (ApiJobRecord(job_id="j", status="DONE"), {}, "submitted"),
        (ApiJobRecord(job_id="j", status="ERROR"), {"stored": True}, "failed"),
        (ApiJobRecord(job_id="j", status="ERROR", doubt="x"), {"stored": True}, "done"),
        (ApiJobRecord(job_id="j", status="ERROR", doubt="x"), {}, "uncertain"),
        (ApiJobRecord(status="CANCELLED"), {}, "cancelled"),
        (ApiJobRecord(status="CANCELLED", doubt="x"), {}, "cancelled"),
    ],
)
def test_by_example(record, known, state):
    """Each that a journal can tell of."""
    assert api_job_fate(record, **{"stored": False, "active": False, **known}) == state
