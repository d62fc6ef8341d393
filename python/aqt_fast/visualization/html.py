"""Building blocks of what notebooks show: one stylesheet, and text that is escaped.

There are no scripts and nothing is loaded. Text has the colour of the page around it, dark or
light; all other colours stand out on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from aqt_fast._texts import LONGEST_NAME, one_line

STATE_COLOURS = {
    "queued": "#7f8a96",
    "running": "#2f86d1",
    "done": "#2b9a5f",
    "failed": "#d94f3d",
    "cancelled": "#b87d12",
}
"""Each state of a job that has a colour of its own."""
_STATE_OF_WORD = {
    "submitting": "queued",
    "submitted": "running",
    "online": "done",
    "offline": "failed",
    "uncertain": "failed",
    "damaged": "failed",
    "incomplete": "cancelled",
    "maintenance": "cancelled",
}
"""Other words that are shown in the colour of a state."""

_RULES = """
.aqt-fast{line-height:1.45;text-align:left;max-width:62em;overflow-x:auto;
--aqt-line:rgba(128,128,128,.4);--aqt-soft:rgba(128,128,128,.2)}
.aqt-fast .aqt-head{margin:.2em 0 .4em}
.aqt-fast .aqt-faint{opacity:.72}
.aqt-fast .aqt-head>*{margin-right:.9em}
.aqt-fast .aqt-name{font-weight:600;overflow-wrap:anywhere}
.aqt-fast .aqt-state{white-space:nowrap}
.aqt-fast .aqt-state::before{content:"";display:inline-block;width:.66em;height:.66em;
border-radius:50%;margin-right:.4em;background:var(--aqt-colour,var(--aqt-line))}
.aqt-fast .aqt-track{position:relative;height:.7em;min-width:8em;border-radius:.2em;
overflow:hidden;background:var(--aqt-soft)}
.aqt-fast .aqt-fill{position:absolute;top:0;bottom:0;min-width:2px;background:var(--aqt-colour)}
.aqt-fast .aqt-fill.aqt-queued{top:30%;bottom:30%}
.aqt-fast .aqt-progress{display:grid;grid-template-columns:minmax(8em,1fr) auto;
gap:.8em;align-items:center}
.aqt-fast .aqt-rows{display:grid;grid-template-columns:auto minmax(8em,1fr) auto;
gap:.15em .8em;align-items:center;margin:.3em 0}
.aqt-fast .aqt-code{font-family:monospace;overflow-wrap:anywhere}
.aqt-fast details{margin:.4em 0}
.aqt-fast summary{cursor:pointer}
.aqt-fast table.aqt-table{border-collapse:collapse;margin:.3em 0;border:0;display:table;width:auto;
table-layout:auto;color:inherit}
.aqt-fast table.aqt-table th,.aqt-fast table.aqt-table td{text-align:left;vertical-align:top;
padding:.15em 1.2em .15em .3em;border:0;border-bottom:1px solid var(--aqt-soft);color:inherit;
background:none;max-width:none;white-space:normal;overflow-wrap:break-word}
.aqt-fast table.aqt-table tr{background:none}
.aqt-fast table.aqt-table th{font-weight:normal;opacity:.72;white-space:nowrap}
.aqt-fast table.aqt-table thead th{font-weight:600;opacity:1}
.aqt-fast table.aqt-matrix th,.aqt-fast table.aqt-matrix td{padding:.15em .5em;border:0}
.aqt-fast table.aqt-table td.aqt-number{text-align:right;white-space:nowrap}
"""
_STYLE = "".join(
    [
        *_RULES.strip().splitlines(),
        *(f".aqt-fast .aqt-{name}{{--aqt-colour:{it}}}" for name, it in STATE_COLOURS.items()),
    ]
)


def block(*parts: str) -> str:
    """Put parts below each other, with the stylesheet."""
    return f'<div class="aqt-fast"><style>{_STYLE}</style>{"".join(parts)}</div>'


def text(value: object, most: int = LONGEST_NAME) -> str:
    """Escape a text as it can be shown, in one line.

    Args:
        value: the text, or a number.
        most: its length in characters from which on the rest is left out.
    """
    return escape(one_line(str(value), most))


def state(word: str) -> str:
    """Write a state with a dot in its colour: of a job, an API job or a device.

    Args:
        word: the state; what stands in brackets after it changes no colour.
    """
    first = word.partition(" ")[0]
    kind = _STATE_OF_WORD.get(first, first)
    colour = f" aqt-{kind}" if kind in STATE_COLOURS else ""
    return f'<span class="aqt-state{colour}">{text(word)}</span>'


def heading(name: str, *details: str) -> str:
    """Write what it is about, and details in HTML."""
    return (
        f'<div class="aqt-head"><span class="aqt-name">{text(name)}</span>{" ".join(details)}</div>'
    )


def faint(words: str) -> str:
    """Write text that stands back."""
    return f'<span class="aqt-faint">{text(words)}</span>'


def line(words: str, most: int = 4000) -> str:
    """Write a line of text."""
    return f"<div>{text(words, most)}</div>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Write a table of labels and values."""
    cells = "".join(
        f"<tr><th>{text(label)}</th><td>{text(value, 4000)}</td></tr>" for label, value in rows
    )
    return f'<table class="aqt-table">{cells}</table>'


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], states: str | None = None) -> str:
    """Write a table with a row of headers; numbers stand to the right.

    Args:
        headers: names of the columns.
        rows: a value for each column.
        states: name of the column whose values are states.
    """
    place = headers.index(states) if states in headers else None
    head = "".join(f"<th>{text(name)}</th>" for name in headers)
    body = "".join(
        f"<tr>{''.join(_cell(value, index == place) for index, value in enumerate(row))}</tr>"
        for row in rows
    )
    return f'<table class="aqt-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(value: Any, is_state: bool) -> str:
    if is_state and value:
        return f"<td>{state(str(value))}</td>"
    if isinstance(value, (int, float)):
        return f'<td class="aqt-number">{value:,}</td>'
    return f"<td>{text('' if value is None else value)}</td>"


def fill(start: float, end: float, kind: str) -> str:
    """Fill a part of a track with the colour of a state.

    Args:
        start: where it begins, from 0 to 1.
        end: where it ends, from 0 to 1.
        kind: one of :data:`STATE_COLOURS`.
    """
    place = f"left:{100 * start:.2f}%;width:{100 * (end - start):.2f}%"
    return f'<div class="aqt-fill aqt-{kind}" style="{place}"></div>'


def track(*fills: str, title: str = "") -> str:
    """Draw a horizontal bar of :func:`fill` parts; ``title`` is shown to a pointer above it."""
    told = f' title="{text(title)}"' if title else ""
    return f'<div class="aqt-track"{told}>{"".join(fills)}</div>'


def progress(share: float, kind: str, told: str) -> str:
    """Draw a progress bar.

    Args:
        share: from 0 to 1.
        kind: one of :data:`STATE_COLOURS`.
        told: the progress in words.
    """
    return f'<div class="aqt-progress">{track(fill(0, share, kind))}<div>{text(told)}</div></div>'


def bars(rows: Iterable[tuple[str, str, str]]) -> str:
    """Write rows of a label, a track and a text: all in HTML."""
    cells = "".join(
        f'<div class="aqt-code">{label}</div>{drawn}<div class="aqt-faint">{told}</div>'
        for label, drawn, told in rows
    )
    return f'<div class="aqt-rows">{cells}</div>'


def details(summary: str, body: str, *, shown: bool = True) -> str:
    """Write a part that can be folded.

    Args:
        summary: its title, as text.
        body: what is folded, in HTML.
        shown: whether it is unfolded at first.
    """
    is_open = " open" if shown else ""
    return f"<details{is_open}><summary>{text(summary)}</summary>{body}</details>"
