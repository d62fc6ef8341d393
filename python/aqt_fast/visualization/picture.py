"""Figures that notebooks show, and their colours. Loading this module loads matplotlib."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aqt_fast._texts import one_line

INK = "#1f2933"
FAINT = "#6b7785"
LINE = "#d5dbe1"
BAR = "#2f6f9f"
BAR_BEFORE = "#b9c4ce"
_MARGIN = 0.015
"""Share of the width beside a headline."""


class Picture(Figure):
    """A figure that notebooks show, whether or not matplotlib was told to draw there."""

    def _repr_png_(self) -> bytes:
        data = io.BytesIO()
        self.savefig(data, format="png")
        return data.getvalue()


def picture(width: float, height: float) -> Picture:
    """Make a figure on white, with room around what is drawn.

    Args:
        width: in inches.
        height: in inches.
    """
    made = Picture(figsize=(width, height), dpi=120, facecolor="white", layout="constrained")
    made.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    return made


def headline(figure: Figure, words: str) -> None:
    """Write above everything what the figure is about, as far as its width has room."""
    words = one_line(words)
    written = figure.suptitle(
        words, color=INK, fontsize=13, fontweight="bold", x=_MARGIN, ha="left"
    )
    written.set_parse_math(False)  # names of others: a dollar sign begins no formula
    room = (1 - 2 * _MARGIN) * figure.bbox.width
    while words and (width := written.get_window_extent().width) > room:
        words = words[: min(len(words) - 1, int(len(words) * room / width))]
        written.set_text(f"{words}…")


def title(axes: Axes, words: str) -> None:
    """Write above a part of the figure what it shows."""
    axes.set_title(one_line(words), color=INK, fontsize=11, loc="left").set_parse_math(False)


def plain(axes: Axes, grid: str) -> None:
    """Leave out what is not needed to read a chart.

    Args:
        axes: the chart.
        grid: the axis whose values have lines, ``x`` or ``y``.
    """
    axes.tick_params(length=0, labelcolor=FAINT)
    axes.xaxis.label.set_color(FAINT)
    axes.yaxis.label.set_color(FAINT)
    axes.grid(axis=grid, color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
