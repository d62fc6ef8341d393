"""Lines of a journal, and what they add up to."""

from __future__ import annotations

import zlib
from dataclasses import replace

import orjson
import pytest
from aqt_fast.store.events import (
    ApiJobRecord,
    CopiedRecords,
    JournalState,
    event_of,
    line_of,
    lines_of,
)
from hypothesis import given
from hypothesis import strategies as st

INTENT = {"job": 0, "event": "intent", "label": "x", "payload_hash": "ab"}
ACCEPTED = {"job": 0, "event": "accepted", "job_id": "id", "adopted": False}
REFUSED = {"job": 0, "event": "refused", "message": "no"}
UNCERTAIN = {"job": 0, "event": "uncertain", "message": "lost"}
AGAIN = {**INTENT, "label": "y"}
ENDED = {"job": 0, "event": "ended", "status": "ERROR", "message": "hot"}


def state_of(data: bytes, stored=()) -> JournalState:
    """What a file adds up to."""
    *lines, cut_off = data.split(b"\n")
    return JournalState.of(lines, cut_off, stored)


def added_up(*events) -> ApiJobRecord:
    """What events of one API job add up to."""
    state = state_of(lines_of(events))
    assert not state.doubtful
    return state.record(0)


def test_line():
    """People and other programs can read it."""
    line = line_of(INTENT)
    checksum, _, text = line.decode().removesuffix("\n").partition(" ")
    assert int(checksum, 16) == zlib.crc32(text.encode())
    assert orjson.loads(text) == INTENT == event_of(line.removesuffix(b"\n"))


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
    again = state_of(lines_of(record.events(number)))
    assert not again.doubtful
    assert again.record(number) == record
    assert set(again.records) <= {number}


def test_unknown_fields():
    """A later version may add some."""
    assert added_up(INTENT, {**ACCEPTED, "later": 1}) == ApiJobRecord("x", "ab", "id")
    assert added_up(INTENT, {"job": 0, "event": "accepted", "job_id": "id"}).job_id == "id"


def line(text: bytes) -> bytes:
    """A line with the right checksum, whatever it says."""
    return b"%08x %s" % (zlib.crc32(text), text)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"rubbish",
        b"00000000 {}",
        b"\xff\xfe\x00",
        line(b""),
        line(b"[]"),
        line(b"7"),
        line(b'"job"'),
        line(b"null"),
        line(b'{"job":0}'),
        line(b'{"event":"intent"}'),
        line(b'{"job":0,"event":"dance"}'),
        line(b'{"job":0,"event":"begin"}'),
        *(
            line(orjson.dumps({**event, name: value}))
            for event in (INTENT, ACCEPTED, REFUSED, UNCERTAIN, ENDED)
            for name in event
            if name != "adopted"
            for value in ([7], True)
        ),
        *(
            line(orjson.dumps({key: event[key] for key in event if key != name}))
            for event in (INTENT, ACCEPTED, REFUSED, UNCERTAIN, ENDED)
            for name in event
            if name != "adopted"
        ),
        line(orjson.dumps({**ENDED, "status": "LATE"})),
    ],
)
def test_damaged(damaged):
    """Counted; the others are read, and nothing of a damaged one is taken over."""
    state = state_of(lines_of([INTENT]) + damaged + b"\n")
    assert (state.damaged, state.missing, state.doubtful) == ([3], False, True)
    assert state.record(0) == ApiJobRecord("x", "ab")


def test_cut_off():
    """A crash while a line was written: it says nothing, unless all but its end is there."""
    whole, last = lines_of([INTENT]), line_of(ACCEPTED)
    for size in range(len(last) - 1):
        state = state_of(whole + last[:size])
        assert state.record(0) == ApiJobRecord("x", "ab")
        assert not state.doubtful
    assert state_of(whole + last[:-1]).record(0).job_id == "id"


def test_every_flipped_bit():
    """Whatever bit it is, a line is read as it was or not at all."""
    begin, whole = lines_of([]), lines_of([INTENT])
    for index in range(len(begin), len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[index] ^= 1 << bit
            state = state_of(bytes(data))
            if index - len(begin) < len("00000000 "):  # the number may be written in another way
                assert state.records in ({}, {0: ApiJobRecord("x", "ab")})
            else:
                assert state.records == {}


def test_missing():
    """An empty file, and a result without an identifier, tell of lines that are lost."""
    assert state_of(b"").missing
    assert state_of(line_of(INTENT)[:7]).missing
    assert not state_of(lines_of([])).doubtful
    assert state_of(lines_of([INTENT]), [0]).missing
    assert state_of(lines_of([INTENT, ACCEPTED]), [1]).missing
    assert not state_of(lines_of([INTENT, ACCEPTED]), [0]).doubtful


def test_copied():
    """Nobody works on a copy, and nothing is added to it."""
    state = state_of(lines_of([INTENT]))
    records = CopiedRecords(state)
    assert records.own()
    assert replace(records.replay()) == state
