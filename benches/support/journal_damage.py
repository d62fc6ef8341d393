"""What can become of a journal's file: zeros, cuts, lines lost, doubled or swapped, other files."""

from __future__ import annotations

from collections.abc import Iterator

_BLOCK = 4096
_SPACES = b" "


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a file, without the spaces behind them."""
    return data.rstrip(_SPACES).splitlines(keepends=True)


def damages(data: bytes, other: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage a whole file in every way; yield how, and what is left.

    Where that changes the length of the lines, the file is once as it is then, and once filled with
    spaces to its old length, as if they had always been there. Only the last line is not removed
    like this: the file would be exactly the one before that line was written.

    Args:
        data: the file.
        other: that of another job of the same shape.
    """
    for size in (512, _BLOCK):
        for start in range(0, len(data), size):
            yield f"{size} bytes zeroed", data[:start] + bytes(size) + data[start + size :]
    lines = lines_of(data)
    spaces = data[len(b"".join(lines)) :]
    for number in range(len(lines)):
        rest = [*lines[:number], *lines[number + 1 :]]
        yield "line removed", b"".join(rest) + spaces
        if rest and number < len(lines) - 1:
            yield "line removed, filled up", b"".join(rest).ljust(len(data), _SPACES)
        doubled = [*lines[: number + 1], *lines[number:]]
        yield "line doubled", b"".join(doubled) + spaces
        yield "line doubled, filled up", _filled(doubled)
    for first in range(len(lines)):
        for second in range(first + 1, len(lines)):
            swapped = list(lines)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            kind = "neighbours swapped" if second == first + 1 else "lines swapped"
            yield kind, b"".join(swapped) + spaces
    for number in range(len(lines)):
        for place in range(len(lines)):
            if place != number:
                instead = [*lines[:place], lines[number], *lines[place + 1 :]]
                yield "line over another", _filled(instead)
    for size in range(len(data)):
        yield "cut", data[:size]
    yield "file of another job", other


def _filled(lines: list[bytes]) -> bytes:
    text = b"".join(lines)
    return text.ljust((len(text) // _BLOCK + 1) * _BLOCK, _SPACES)
