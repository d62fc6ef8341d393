"""Texts that a terminal would obey, and what may be left of them where people read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

UNSEEN = "".join(
    map(
        chr,
        [
            *range(0x20),
            *range(0x7F, 0xA1),
            *(0xAD, 0x34F, 0x61C, 0x115F, 0x180E),
            *range(0x200B, 0x2010),
            *range(0x2028, 0x2030),
            *range(0x2060, 0x2070),
            *(0x2800, 0x3000, 0x3164, 0xFE00, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFF),
            *(0xE0001, 0xE0041, 0xE0100, 0xF0000, 0x10FFFF),
        ],
    )
)
"""Controls, directions of writing, characters without width, line separators, private ones."""
SURROGATES = "\ud800\udfff\udc1b"
"""Halves of characters: no server can send them in UTF-8, but file names have them."""
ESCAPES = "\x1b[31m\x1b[2J\x1b]0;title\x07\x9b1A\r\nSpoof: all is well\n\n  \v\f"
"""Red, a cleared screen, another title of the window, the line above, lines of somebody else."""
MARKUP = "<b onclick='x'>&amp;<script>\"$\\frac{"
STACK = "e" + "\u0301" * 40
"""An accent on an accent: it covers the lines above."""

HOSTILE = f"ibex {ESCAPES}{MARKUP}{UNSEEN}{STACK}" + "x" * 5000
"""All of them, and very long, as a server can send it."""
WORSE = HOSTILE[:500] + SURROGATES + HOSTILE[500:]

_INVISIBLE = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0]")
_LONGEST_LINE = 4200


def assert_shown(text: str, lines: int | None = None) -> None:
    """Nothing but printable characters and the promised number of lines."""
    found = text.rstrip("\n").split("\n")
    for line in found:
        assert line.isprintable(), [hex(ord(it)) for it in line if not it.isprintable()]
        assert not _INVISIBLE.search(line)
        assert "\u0301" * 5 not in line
        assert len(line) <= _LONGEST_LINE
    assert lines in (None, len(found))


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element with the names of its attributes."""
        self.found.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        """Collect what is read: no stylesheet."""
        if self.cdata_elem is None:
            self.text += data


def elements(html: str) -> list[tuple[str, ...]]:
    """The elements of a page with the names of their attributes; its text can be shown."""
    page = _Elements()
    page.feed(html)
    page.close()
    assert_shown(page.text.replace("\n", " "))
    return page.found
