"""Building blocks of HTML: escaped, self-contained, readable on dark and light pages."""

from __future__ import annotations

import re

import pytest
from aqt_fast.visualization import html
from hostile import WORSE, elements

PAGES = {"white": (255, 255, 255), "JupyterLab's dark theme": (17, 17, 17)}


def luminance(rgb: tuple[int, ...]) -> float:
    """The relative luminance of WCAG 2."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb)
    ]
    return sum(
        weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("state", html.STATE_COLOURS)
def test_contrast(state, page):
    """Colours of states stand out as WCAG asks of graphics: 3 to 1."""
    colour = html.STATE_COLOURS[state]
    rgb = tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
    bright, dark = sorted((luminance(rgb), luminance(PAGES[page])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 3


def test_text_has_the_colour_of_its_page():
    """The stylesheet gives no colour to text, and loads nothing."""
    page = html.block()
    assert set(re.findall(r"(?<![-\w])color:([^;}]*)", page)) == {"inherit"}
    assert not re.search(r"url\(|@import|http|expression", page)


def test_escaped():
    """Whatever a text holds, the elements are the same, and nothing hidden is in it."""

    def page(text: str) -> str:
        return html.block(
            html.heading(text, html.faint(text), html.state(text)),
            html.line(text, 100),
            html.facts([(text, text[:200])]),
            html.table([text], [[text], [None]], states=text),
            html.track(html.fill(0, 0.5, "done"), title=text),
            html.progress(0.5, "done", text),
            html.details(text, html.text(text)),
        )

    assert elements(page(WORSE)) == elements(page("plain"))


def test_tables():
    """Numbers stand to the right, states have a dot, nothing is an empty cell."""
    page = html.table(("A", "B"), [(1200, "done"), (None, "failed (active)"), ("x", "")], "B")
    assert '<td class="aqt-number">1,200</td>' in page
    assert "<td></td>" in page
    assert 'class="aqt-state aqt-done">done<' in page
    assert 'class="aqt-state aqt-failed">failed (active)<' in page


def test_words_of_others():
    """A state that is not ours has a dot without a colour of its own."""
    assert html.state("on holiday") == '<span class="aqt-state">on holiday</span>'
