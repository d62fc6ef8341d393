"""What is shown of the texts of others: character by character."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from aqt_fast._texts import one_line, printable
from aqt_fast._warnings import say, warn_caller
from aqt_fast.cli.terminal import with_escapes
from hostile import HOSTILE, WORSE, assert_shown
from hypothesis import example, given
from hypothesis import strategies as st

ANY = st.text(st.characters(codec=None))


def test_every_character(figures):
    """One that is no letter, mark, number, sign or plain space is replaced by one that is seen."""
    seen = 0
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        shown = one_line(f"a{letter}b")
        assert len(shown) == 3
        assert shown.isprintable()
        if shown[1] == letter:
            seen += 1
            assert letter == " " or unicodedata.category(letter)[0] in "LMNPS"
        else:
            assert shown[1] == (" " if letter.isspace() else "\ufffd")
    figures("characters in names", tried=sys.maxunicode + 1, shown_as_they_are=seen)


@given(ANY)
@example(WORSE)
def test_any_text(text):
    """One line stays one line, several stay as many, and what was cleaned is clean."""
    line = one_line(text)
    assert_shown(line, 1)
    assert one_line(line) == line
    assert_shown(printable(text))
    assert printable(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text", ["IBEX", "2 × 50 µs, ±0.1 %", "日本語", "é e\u0301 नि", "a  b ", "❤\ufe0f", "", "'\\'"]
)
def test_harmless(text):
    """Names in all languages stay as they are."""
    assert one_line(text) == text


def test_what_is_left():
    """White space becomes a space, and an escape sequence is readable."""
    assert one_line("a\r\n\tb\u2028c\xa0d") == "a b c d"
    assert one_line("\x1b[31mred\x1b[0m") == "\ufffd[31mred\ufffd[0m"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("e" + "\u0301" * 9) == "e" + "\u0301" * 4


@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=9))
@example([HOSTILE, WORSE])
def test_json(content):
    """JSON has an escape for all that cannot be shown: it is the same for a program."""
    text = with_escapes(json.dumps(content, ensure_ascii=False, indent=2))
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == json.loads(json.dumps(content))


def test_messages(capsys):
    """What the end of a program prints, and warnings: one line each."""
    say(WORSE)
    assert_shown(capsys.readouterr().err, 1)
    with pytest.warns(FutureWarning) as caught:
        warn_caller(WORSE, FutureWarning)
    assert_shown(str(caught[0].message), 1)
