"""The events of a journal, and what they add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aqt_fast.store.event_lines import FILLER, file_of, read_events
from aqt_fast.store.events import ApiJobRecord, CopiedRecords, JournalState
from hypothesis import given
from hypothesis import strategies as st

JOB = "00000000-0000-4000-8000-000000000001"

INTENT = {"job": 0, "event": "intent", "label": "x", "payload_hash": "ab"}
ACCEPTED = {"job": 0, "event": "accepted", "job_id": "id", "adopted": False}
REFUSED = {"job": 0, "event": "refused", "message": "no"}
UNCERTAIN = {"job": 0, "event": "uncertain", "message": "lost"}
AGAIN = {**INTENT, "label": "y"}
ENDED = {"job": 0, "event": "ended", "status": "ERROR", "message": "hot"}


def state_of(data: bytes, stored=()) -> JournalState:
    """What a file adds up to."""
    return JournalState.of(read_events(data, JOB), stored)


def added_up(*events) -> ApiJobRecord:
    """What events of one API job add up to."""
    state = state_of(file_of(events, JOB))
    assert state.problem is None
    assert JournalState.of_events(events) == state
    return state.record(0)


@pytest.mark.parametrize(
    ("events", "record"),
    [
        ([], ApiJobRecord()),
        ([INTENT], ApiJobRecord("x", "ab")),
        ([INTENT, UNCERTAIN], ApiJobRecord("x", "ab", message="lost")),
        ([INTENT, REFUSED], ApiJobRecord("x", "ab", refused=True, message="no")),
        ([INTENT, ACCEPTED], ApiJobRecord("x", "ab", "id")),
        ([INTENT, ACCEPTED, ENDED], ApiJobRecord("x", "ab", "id", status="ERROR", message="hot")),
        ([INTENT, ACCEPTED, ENDED, INTENT], ApiJobRecord("x", "ab")),
        (
            [INTENT, UNCERTAIN, {**ACCEPTED, "adopted": True}],
            ApiJobRecord("x", "ab", "id", adopted=True),
        ),
        (
            [INTENT, {**ACCEPTED, "adopted": True}, UNCERTAIN],
            ApiJobRecord("x", "ab", message="lost"),
        ),
        ([INTENT, {**ACCEPTED, "adopted": True}, INTENT], ApiJobRecord("x", "ab")),
        ([ENDED], ApiJobRecord(status="ERROR", message="hot")),
        ([REFUSED], ApiJobRecord(refused=True, message="no")),
    ],
)
def test_adding_up(events, record):
    """What came later counts; a new attempt starts from nothing."""
    assert added_up(*events) == record


@pytest.mark.parametrize(
    ("record", "uncertain"),
    [
        (ApiJobRecord(), False),
        (ApiJobRecord("x", "ab"), True),
        (ApiJobRecord("x", "ab", "id"), False),
        (ApiJobRecord("x", "ab", refused=True), False),
        (ApiJobRecord("x", "ab", status="CANCELLED"), False),
    ],
)
def test_uncertain(record, uncertain):
    """Sent, and no answer."""
    assert record.uncertain == uncertain


@pytest.mark.parametrize(
    ("events", "earlier"),
    [
        ([INTENT, ACCEPTED], 0),
        ([INTENT, ACCEPTED, ENDED, AGAIN], 1),
        ([INTENT, UNCERTAIN, AGAIN], 1),
        ([INTENT, AGAIN], 1),  # the process that has sent it has died
        ([INTENT, REFUSED, AGAIN], 0),
        ([INTENT, REFUSED, ENDED, AGAIN], 0),
        ([INTENT, {**ENDED, "status": "CANCELLED"}, AGAIN], 0),  # before it was sent
        ([INTENT, INTENT], 0),  # sent again because nothing was accepted
        ([INTENT, ACCEPTED, AGAIN, ACCEPTED, {**AGAIN, "label": "z"}, REFUSED], 2),
    ],
)
def test_earlier_submissions(events, earlier):
    """Count if they may have run."""
    record = added_up(*events)
    assert record.earlier == earlier
    assert added_up(*record.events(0)).earlier == earlier


texts = st.text(max_size=5)
messages = st.none() | texts
later = st.one_of(
    st.fixed_dictionaries({"event": st.just("intent"), "label": texts, "payload_hash": texts}),
    st.fixed_dictionaries(
        {"event": st.just("accepted"), "job_id": texts, "adopted": st.booleans()}
    ),
    st.fixed_dictionaries(
        {"event": st.sampled_from(["refused", "uncertain"]), "message": messages}
    ),
    st.fixed_dictionaries(
        {
            "event": st.just("ended"),
            "status": st.sampled_from(["DONE", "ERROR", "CANCELLED"]),
            "message": messages,
        }
    ),
)
unsent = st.sampled_from([[], [ENDED], [REFUSED], [REFUSED, ENDED]])
lives = unsent | st.lists(later, max_size=8).map(lambda events: [INTENT, *events])


@given(lives, st.integers(0, 9))
def test_the_same_again(life, number):
    """Whatever has happened, the events of the record add up to the same record."""
    record = added_up(*({**event, "job": 0} for event in life))
    again = JournalState.of_events(record.events(number))
    assert again.problem is None
    assert again.record(number) == record
    assert set(again.records) <= {number}


def test_unknown_fields():
    """A later version may add some."""
    assert added_up(INTENT, {**ACCEPTED, "later": 1}) == ApiJobRecord("x", "ab", "id")
    assert added_up(INTENT, {"job": 0, "event": "accepted", "job_id": "id"}).job_id == "id"


@pytest.mark.parametrize(
    "unreadable",
    [
        None,
        [],
        7,
        "job",
        {"job": 0},
        {"event": "intent"},
        {"job": 0, "event": "dance"},
        {"job": 0, "event": "begin"},
        {"job": 0, "event": ["intent"]},
        *(
            {**event, name: value}
            for event in (INTENT, ACCEPTED, REFUSED, UNCERTAIN, ENDED)
            for name in event
            if name != "adopted"
            for value in ([7], True)
        ),
        *(
            {key: event[key] for key in event if key != name}
            for event in (INTENT, ACCEPTED, REFUSED, UNCERTAIN, ENDED)
            for name in event
            if name != "adopted"
        ),
        {**ENDED, "status": "LATE"},
        {**ENDED, "at": "9999-12-31T23:59:59-14:00"},
        {**ENDED, "timing": [7]},
        *({"job": 0, "event": "earlier", "number": number} for number in (-1, 2**63, 1.0)),
    ],
)
def test_unreadable(unreadable):
    """It may have told anything: as if it were lost; nothing of it is taken over."""
    other = {**INTENT, "job": 1}
    state = JournalState.of(read_events(file_of([INTENT, other, unreadable, other], JOB), JOB), ())
    assert state.problem == "lines of its journal cannot be read by this version"
    assert state.record(0) == ApiJobRecord("x", "ab", doubt=state.problem)
    assert state.record(2) == ApiJobRecord(doubt=state.problem)
    assert not state.record(1).doubtful


def without(number: int, *events) -> bytes:
    """A file that has lost a line."""
    lines = file_of(events, JOB).split(b"\n")
    del lines[number]
    text = b"\n".join(lines).rstrip(FILLER)
    return text.ljust(4096, FILLER)


class TestGaps:
    """What was lost may have told anything of any API job."""

    def test_before_its_last_intent(self):
        """What came after it is known."""
        other = {**INTENT, "job": 1}
        state = state_of(without(2, INTENT, ACCEPTED, other, {**REFUSED, "job": 1}))
        assert state.problem == "line 3 of its journal is missing or damaged"
        assert state.record(0) == ApiJobRecord("x", "ab", doubt=state.problem)
        assert state.record(1) == ApiJobRecord("x", "ab", refused=True, message="no")
        assert state.record(7) == ApiJobRecord(doubt=state.problem)

    def test_after_it(self):
        """An answer alone does not tell what it answered."""
        for answer in (REFUSED, UNCERTAIN, ACCEPTED, ENDED):
            assert state_of(without(1, INTENT, answer)).record(0).doubtful
        assert state_of(without(2, INTENT, INTENT, REFUSED)).record(0).doubtful

    def test_adopted(self):
        """The user has found out."""
        adopted = {**ACCEPTED, "adopted": True}
        assert not state_of(without(1, INTENT, adopted)).record(0).doubtful

    def test_in_a_copy(self):
        """It is copied, too, until the API job is sent again."""
        record = ApiJobRecord("x", "ab", "id", doubt="line 7 is missing")
        events = record.events(0)
        assert JournalState.of_events(events).record(0) == record
        assert JournalState.of_events([*events, AGAIN]).record(0).doubt is None

    def test_result_without_identifier(self):
        """It tells of lines that are lost."""
        for events, stored in (([INTENT], 0), ([INTENT, ACCEPTED], 1)):
            state = state_of(file_of(events, JOB), [stored])
            assert "a result is of an unknown API job" in state.problem
            assert state.record(0).doubtful
            assert state.record(1).doubtful
        assert state_of(file_of([INTENT, ACCEPTED], JOB), [0]).problem is None


def test_copied():
    """Nobody works on a copy, and nothing is added to it."""
    state = JournalState.of_events([INTENT])
    records = CopiedRecords(state)
    assert records.own()
    assert replace(records.replay()) == state
