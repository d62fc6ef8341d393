"""Lines of a journal: whatever is lost or changed shows."""

from __future__ import annotations

import zlib

import orjson
import pytest
from aqt_fast.store.event_lines import BLOCK, FILLER, file_of, line_of, read_events

JOB = "00000000-0000-4000-8000-000000000001"

OTHER = "00000000-0000-4000-8000-000000000002"

EVENTS = [{"job": number, "event": "intent", "label": "x" * 60} for number in range(80)]
"""More than two blocks."""

DATA = file_of(EVENTS, JOB)

LINES = DATA.rstrip(FILLER).splitlines(keepends=True)


def filled(*lines: bytes) -> bytes:
    """A file of these lines that ends as it must."""
    text = b"".join(lines)
    return text.ljust((len(text) // BLOCK + 1) * BLOCK, FILLER)


def known(data: bytes, job_id: str = JOB) -> list[int]:
    """The events of a file that is not whole after the last gap; ``job`` is their number."""
    file = read_events(data, job_id)
    assert file.problem
    assert [event["job"] for event in file.events] == sorted(
        {event["job"] for event in file.events}
    )
    return [event["job"] for event in file.events[file.known_from :]]


def test_line():
    """People and other programs can read it."""
    line = line_of(EVENTS[0], 7, JOB)
    checksum, number, text = line.decode().removesuffix("\n").split(" ", 2)
    assert int(checksum, 16) == zlib.crc32(f"{JOB}{number} {text}".encode())
    assert number == "7"
    assert orjson.loads(text) == EVENTS[0]


@pytest.mark.parametrize("count", range(0, 81, 8))
def test_whole(count):
    """All comes back, and the next line goes behind it."""
    data = file_of(EVENTS[:count], JOB)
    file = read_events(data, JOB)
    assert (file.events, file.known_from, file.problem) == (EVENTS[:count], 0, None)
    assert (file.end.number, file.end.size) == (count + 1, len(data))
    assert len(data) % BLOCK == 0
    assert data[file.end.offset :] == FILLER * (len(data) - file.end.offset) != b""


def test_exactly_a_block():
    """The last line always has spaces behind it."""
    event = {"event": "x", "text": ""}
    rest = BLOCK - len(file_of([], JOB).rstrip(FILLER) + line_of(event, 1, JOB))
    for size, blocks in ((rest - 1, 1), (rest, 2), (rest + 1, 2)):
        data = file_of([{"event": "x", "text": "a" * size}], JOB)
        assert len(data) == blocks * BLOCK
        assert read_events(data, JOB).problem is None


def test_cut(figures):
    """At any byte: what is left of the last lines is known, and that there were more."""
    end = len(DATA.rstrip(FILLER))
    for size in range(end + 1):
        file = read_events(DATA[:size], JOB)
        assert file.problem
        assert file.known_from == len(file.events) == max(0, DATA[:size].count(b"\n") - 1)
    for size in range(end + 1, len(DATA)):
        file = read_events(DATA[:size], JOB)
        assert file.events == EVENTS
    figures("journal cut, every byte", tried=len(DATA), unnoticed=0)


@pytest.mark.parametrize("size", [1, 512, BLOCK])
def test_zeros(size):
    """Wherever they are: only what came after them is known."""
    for start in range(0, len(DATA), size if size > 1 else 37):
        data = DATA[:start] + bytes(size) + DATA[start + size :]
        after = known(data)
        whole = DATA[start + size :].split(b"\n", 1)[-1].count(b"\n")
        assert after == list(range(80 - len(after), 80))
        assert len(after) <= whole + 1


def test_removed():
    """Each line, also the last one."""
    for number in range(len(LINES)):
        lines = [*LINES[:number], *LINES[number + 1 :]]
        spaces = DATA[len(b"".join(LINES)) :]
        assert known(b"".join(lines) + spaces) == []  # the length shows it, too
        if number < len(LINES) - 1:
            assert known(filled(*lines)) == list(range(number, 80))


def test_doubled():
    """Right behind itself, or anywhere else; in addition, or instead of another."""
    for number in range(len(LINES)):
        doubled = [*LINES[: number + 1], LINES[number], *LINES[number + 1 :]]
        assert known(filled(*doubled)) == list(range(number, 80))
        for place in (0, 20, 79, 80):
            if place != number:
                instead = [*LINES[:place], LINES[number], *LINES[place + 1 :]]
                assert set(known(filled(*instead))) <= set(range(place, 80))


def test_swapped():
    """With its neighbour, or with any other."""
    for first in range(0, len(LINES), 5):
        for second in range(first + 1, len(LINES)):
            lines = list(LINES)
            lines[first], lines[second] = lines[second], lines[first]
            assert known(filled(*lines)) == list(range(second, 80))


def test_of_another_job():
    """Its lines are no lines of this one."""
    assert known(DATA, OTHER) == []
    assert read_events(DATA, OTHER).events == []
    mixed = filled(*LINES[:40], *file_of(EVENTS, OTHER).splitlines(keepends=True)[40:80])
    assert known(mixed) == []


def test_every_flipped_bit():
    """Whatever bit it is, the line is not read, and it shows."""
    data = file_of(EVENTS[:1], JOB)
    for index in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[index] ^= 1 << bit
            file = read_events(bytes(changed), JOB)
            begin = len(LINES[0])
            if index < begin + len(LINES[1]):  # a space may become the beginning of a line
                assert file.problem is not None
            of_other_bytes = index < begin - 1 or index >= begin + len(LINES[1])
            assert file.events == (EVENTS[:1] if of_other_bytes else [])


def test_incomplete_line():
    """A process was killed while it wrote: nothing depended on it, and nothing else is lost."""
    for line in (LINES[3], line_of({"event": "x", "text": "ä" * 3000}, 3, JOB)):
        for size in range(1, len(line) - 1):
            data = filled(*LINES[:3], line[:size])
            file = read_events(data, JOB)
            assert file.problem is None, size
            assert file.events == EVENTS[:2]
            assert file.end.offset == len(b"".join(LINES[:3]))


@pytest.mark.parametrize(
    "rest",
    [
        LINES[3][:-1],  # not even this: its end was lost
        LINES[4][:20],
        LINES[3][:20] + b"\0",
        LINES[3][:20] + b"\0" * 300,
        b"rubbish",
        b"\xff",
        FILLER * 40 + LINES[3][40:],
        LINES[3][:20] + b"\n",
        b"\n",
    ],
)
def test_no_incomplete_line(rest):
    """What no kill can leave is damage."""
    file = read_events(filled(*LINES[:3], rest), JOB)
    assert file.problem == "what follows line 3 of its journal is missing or damaged"
    assert file.known_from == len(file.events) == 2


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [
        ([1, 2], "line 1 of its journal is missing or damaged"),
        ([0, 1, 3], "line 3 of its journal is missing or damaged"),
        ([0, 1, 6], "lines 3 to 6 of its journal are missing or damaged"),
        ([0, 2, 6, 8], "line 2, lines 4 to 6 and line 8 of its journal are missing or damaged"),
        ([0, 2, 1, 3], "lines of its journal are repeated or out of order"),
        ([0, 1, 1, 2], "lines of its journal are repeated or out of order"),
        (
            [*range(0, 20, 2)],
            "line 2, line 4, line 6, line 8, line 10 and others of its journal are missing or "
            "damaged",
        ),
        ([], "no line of its journal can be read"),
    ],
)
def test_problem(numbers, problem):
    """Named by lines as text editors count them."""
    assert read_events(filled(*(LINES[number] for number in numbers)), JOB).problem == problem


def test_rubbish_between():
    """Nothing is missing, and yet something was there."""
    data = filled(*LINES[:2], b"rubbish\n", *LINES[2:5])
    assert read_events(data, JOB).problem == "lines of its journal are damaged"
    assert known(data) == [1, 2, 3]
