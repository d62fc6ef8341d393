"""Format a table so that it fits the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from aqt_fast._texts import LONGEST_NAME, one_line

_SHORTEST_TEXT = 12
"""Fewest characters that are left of a shortened text."""
_READABLE_TEXT = 60
"""So many characters of a text are worth more than other columns."""

Rows: TypeAlias = Sequence[Sequence[Any]]
Paint: TypeAlias = Mapping[str, Callable[[str], str]]
"""For names of columns: what colours a cell by escapes of the terminal."""


def fitted(
    rows: Rows,
    headers: Sequence[str],
    *,
    drop: Sequence[str] = (),
    shorten: str | None = None,
    short_rows: Rows | None = None,
    style: str = "simple",
    paint: Paint | None = None,
) -> str:
    """Format a table for the terminal: of 80 columns if there is none, or as ``COLUMNS`` says.

    While the terminal is too narrow, go on to the next means: the style ``simple``,
    ``short_rows``, leaving out empty columns, leaving out columns of ``drop``, shortening a column,
    a table without lines. Before a column is left out, the texts of ``shorten`` are shortened, but
    for so many characters that they can be read.

    Args:
        rows: rows of the table.
        headers: names of the columns.
        drop: columns that may be left out, in this order.
        shorten: the column whose texts may be shortened, or else left out.
        short_rows: rows to use instead in a narrow terminal.
        style: one of tabulate's.
        paint: colours of the cells.
    """
    rows = _shown(rows)
    short_rows = short_rows and _shown(short_rows)
    shortened = None if shorten is None else headers.index(shorten)
    width = shutil.get_terminal_size().columns
    styles = (style, "simple") if style != "simple" else (style,)  # the narrowest
    for number, (content, kept) in enumerate(_attempts(rows, headers, drop, short_rows)):
        for narrower in styles:
            # A table is as wide as one of its widest cells, and that one is made in no time.
            excess = _width(_tabulated(*_only(kept, _widest(content), headers), narrower)) - width
            if excess <= 0:
                return _tabulated(*_painted(paint, *_only(kept, content, headers)), narrower)
        if shortened is not None and number >= _UNSHORTENED:
            short, left = _shortened(content, kept, shortened, excess, _READABLE_TEXT)
            if left == kept and short is not content:
                return _tabulated(*_painted(paint, *_only(kept, short, headers)), "simple")
    if shortened is not None:
        content, kept = _shortened(content, kept, shortened, excess, _SHORTEST_TEXT)
        cells, names = _only(kept, content, headers)
        if _width(_tabulated(cells, names, "simple")) <= width:
            return _tabulated(*_painted(paint, cells, names), "simple")
    cells, names = _painted(paint, *_only(kept, content, headers))
    # As headers, the names would make their columns wider.
    return _tabulated([names, *cells], (), "plain")


def tabulated(rows: Rows, headers: Sequence[str], style: str) -> str:
    """Format a table in one of tabulate's styles, however wide it gets; each cell is a line."""
    return _tabulated(_shown(rows), headers, style)


def _tabulated(rows: Rows, headers: Sequence[str], style: str) -> str:
    from tabulate import tabulate  # 5 ms that most programs save

    # Text that looks like a number must not be formatted as one.
    texts = [
        index
        for index in range(len(rows[0]) if rows else 0)
        if any(isinstance(row[index], str) for row in rows)
    ]
    return tabulate(rows, headers, tablefmt=style, disable_numparse=texts or not rows)


def fits_terminal(table: str) -> bool:
    """Whether no line of a table is longer than the terminal is wide."""
    return _width(table) <= shutil.get_terminal_size().columns


def _shown(rows: Rows) -> Rows:
    """Return rows with their texts as they can be shown."""
    return [
        [one_line(cell, LONGEST_NAME) if isinstance(cell, str) else cell for cell in row]
        for row in rows
    ]


_UNSHORTENED = 2
"""How many of the first attempts shorten no texts."""


def _attempts(
    rows: Rows, headers: Sequence[str], drop: Sequence[str], short_rows: Rows | None
) -> Iterator[tuple[Rows, list[int]]]:
    """Yield rows and the indices of the columns to show, each narrower than the one before."""
    kept = list(range(len(headers)))
    yield rows, kept
    content = rows if short_rows is None else short_rows
    yield content, kept
    kept = [0, *(index for index in kept[1:] if not rows or any(row[index] != "" for row in rows))]
    yield content, kept
    for name in drop:
        kept = [index for index in kept if headers[index] != name]
        yield content, kept


def _widest(rows: Rows) -> Rows:
    """Return a single row: the widest cell of each column."""
    return [[max(column, key=_cell_width) for column in zip(*rows, strict=True)]] if rows else []


def _cell_width(cell: Any) -> int:
    return 0 if cell is None else max(map(len, str(cell).strip().splitlines()), default=0)


def _only(
    columns: Sequence[int], rows: Rows, headers: Sequence[str]
) -> tuple[list[list[Any]], list[str]]:
    return [[row[index] for index in columns] for row in rows], [headers[i] for i in columns]


def _painted(
    paint: Paint | None, rows: list[list[Any]], names: list[str]
) -> tuple[list[list[Any]], list[str]]:
    """Colour the cells of a table that was fitted."""
    if not paint:
        return rows, names
    return [
        [
            paint[name](cell) if name in paint else cell
            for name, cell in zip(names, row, strict=True)
        ]
        for row in rows
    ], names


def _shortened(
    rows: Rows, columns: list[int], column: int, excess: int, least: int
) -> tuple[Rows, list[int]]:
    """Make a column narrower by ``excess`` characters, or leave it out if that is too narrow."""
    if column not in columns:
        return rows, columns
    longest = max((_cell_width(row[column]) for row in rows), default=0) - excess
    if longest < least:
        return rows, [index for index in columns if index != column]
    short = []
    for row in rows:
        text = str(row[column])
        cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
        short.append([*row[:column], cut, *row[column + 1 :]])
    return short, columns


def _width(table: str) -> int:
    return max(map(len, table.splitlines()), default=0)
