"""The lines of a file of events, and what a reader can still know after some were lost.

A line is the CRC-32 of the rest in hexadecimal, a space, the line's number from 0, a space, and an
event as JSON. The checksum begins with the job's identifier, so a line of another job is none.
Line 0 is ``begin``. The last line is followed by at least one space, and by spaces up to a multiple
of :data:`BLOCK` bytes, over which later lines are written. So a file that was cut, that lost or got
a line, or that has zeros anywhere does not look whole. The beginning of a line before the spaces is
what a process has left that was killed while it wrote: nothing depended on it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

BLOCK = 4096
"""The file's length is a multiple of it, in bytes."""

FILLER = b" "
"""What follows the last line."""

BEGIN = {"event": "begin"}
"""The event of line 0."""

_LINE = re.compile(rb"([0-9a-f]{8}) (0|[1-9][0-9]{0,8}) (.+)", re.DOTALL)

_MOST_RANGES = 5
"""So many places of damage are named."""


@dataclass(frozen=True)
class End:
    """Where a file ends, and how it is gone on with."""

    number: int
    """Number of the next line."""
    offset: int
    """Where that line goes."""
    size: int
    """Length of the file in bytes."""
    rest: bytes = b""
    """What is there already, without the spaces after it."""
    whole: bool = True
    """Whether nothing is missing between the last line and :attr:`offset`."""

    def size_with(self, data: bytes) -> int:
        """Return the length of the file after ``data`` was written at :attr:`offset`."""
        return max(_padded(self.offset + len(data)), _padded(self.size - 1))

    def after(self, data: bytes) -> End:
        """Return the end after ``data``, a line, was written at :attr:`offset`."""
        return End(self.number + 1, self.offset + len(data), self.size_with(data))


@dataclass(frozen=True)
class EventFile:
    """What can be read of a file."""

    events: list[Any]
    """The events of all lines that are there but line 0, in the order of their numbers."""
    known_from: int
    """Index of the first event after the last gap; 0 if there is no gap."""
    problem: str | None
    """Which lines are missing or damaged; None if the file is whole."""
    end: End
    """Where the next line goes."""


def line_of(event: dict[str, Any], number: int, job_id: str) -> bytes:
    """Encode an event as a line.

    Args:
        event: in JSON's types.
        number: the line's, from 0.
        job_id: the job's own identifier.
    """
    text = b"%d %s" % (number, orjson.dumps(event))
    return b"%08x %s\n" % (zlib.crc32(text, _seed(job_id)), text)


def file_of(events: Iterable[dict[str, Any]], job_id: str) -> bytes:
    """Encode a whole file: the first line, and a line for each event."""
    text = b"".join(line_of(event, number, job_id) for number, event in enumerate([BEGIN, *events]))
    return text.ljust(_padded(len(text)), FILLER)


def read_events(data: bytes, job_id: str) -> EventFile:
    """Decode a file, as far as it can be read.

    Args:
        data: the whole file.
        job_id: the job's own identifier.
    """
    found: dict[int, Any] = {}
    highest = -1
    gap: int | None = None
    """Lines from this number on were written after whatever is missing."""
    in_order = True
    *pieces, rest = data.split(b"\n")
    seed = _seed(job_id)
    for piece in pieces:
        decoded = _decoded(piece, seed)
        if decoded is None:
            gap = highest + 1
            continue
        number, event = decoded
        if number > highest + 1:
            gap = number
        elif number <= highest:
            gap, in_order = highest + 1, False
        found.setdefault(number, event)
        highest = max(highest, number)
    partial = rest.rstrip(FILLER)
    ends_well = (
        len(rest) > len(partial)
        and len(data) % BLOCK == 0
        and highest >= 0
        and gap != highest + 1
        and _is_beginning(partial, highest + 1, seed)
    )
    if ends_well:
        end = End(highest + 1, len(data) - len(rest), len(data), partial)
    else:
        gap = highest + 1
        # One number is left out: so it stays visible that something is missing.
        end = End(highest + 2, len(data.rstrip(FILLER)), len(data), whole=False)
    numbers = sorted(found)
    return EventFile(
        events=[found[number] for number in numbers if number > 0],
        known_from=0 if gap is None else sum(0 < number < gap for number in numbers),
        problem=None if gap is None else _problem(numbers, in_order, ends_well),
        end=end,
    )


def _seed(job_id: str) -> int:
    return zlib.crc32(job_id.encode())


def _padded(size: int) -> int:
    """Return the length of a file whose lines take ``size`` bytes."""
    return (size // BLOCK + 1) * BLOCK


def _decoded(line: bytes, seed: int) -> tuple[int, Any] | None:
    """Decode number and event of a line without its end, None if it is damaged."""
    parts = _LINE.fullmatch(line)
    if parts is None or int(parts[1], 16) != zlib.crc32(line[9:], seed):
        return None
    try:
        return int(parts[2]), orjson.loads(parts[3])
    except orjson.JSONDecodeError:
        return None


def _is_beginning(text: bytes, number: int, seed: int) -> bool:
    """Whether a line that was not written to its end looks like this."""
    head = b" %d {" % number
    ends = [match.end() for match in re.finditer(rb"}", text)]
    # JSON has no control characters in texts.
    return (
        re.fullmatch(rb"[0-9a-f]*", text[:8]) is not None
        and head.startswith(text[8 : 8 + len(head)])
        and all(byte >= 0x20 for byte in text)
        # A whole line whose end is not that of a line is damaged.
        and not any(_decoded(text[:end], seed) for end in ends)
    )


def _problem(numbers: list[int], in_order: bool, ends_well: bool) -> str:
    """Say what is wrong with a file whose lines with these numbers can be read."""
    if not numbers:
        return "no line of its journal can be read"
    known = set(numbers)
    missing = [number for number in range(numbers[-1]) if number not in known]
    ranges = [
        [number for _, number in group]
        for _, group in groupby(enumerate(missing), lambda item: item[1] - item[0])
    ]
    # People count lines from 1.
    places = [
        f"line {first + 1}" if first == last else f"lines {first + 1} to {last + 1}"
        for first, *_, last in ([numbers[0], *numbers] for numbers in ranges[:_MOST_RANGES])
    ]
    if len(ranges) > _MOST_RANGES:
        places.append("others")
    if not ends_well:
        places.append(f"what follows line {numbers[-1] + 1}")
    if not places:
        what = "damaged" if in_order else "repeated or out of order"
        return f"lines of its journal are {what}"
    *others, last = places
    text = f"{', '.join(others)} and {last}" if others else last
    is_one = not others and not last.startswith("lines")
    return f"{text} of its journal {'is' if is_one else 'are'} missing or damaged"
