"""A picture of a device's figures. Loading this module loads matplotlib (extra ``plot``)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aqt_fast.devices.figures import Figures
from aqt_fast.devices.report import day_and_time, facts, per_cent
from aqt_fast.devices.report import title as device
from aqt_fast.visualization.picture import (
    BAR,
    FAINT,
    INK,
    LINE,
    Picture,
    headline,
    picture,
    plain,
    title,
)

_SHADES = LinearSegmentedColormap.from_list(
    "fidelity", ["#f3c9a5", "#fbf3e6", "#cfe3ee", "#2f6f9f"]
)
"""From the lowest fidelity to the highest."""

_MOST_LABELLED = 14
"""Number of qubits up to which each pair has its value written in its cell."""


_FEWEST_WITH_SCALE = 5
"""Number of qubits from which on the corner without pairs has room for the scale."""


def draw(known: Figures) -> Picture:
    """Draw a matrix of the pairs, bars for the qubits, and what holds for the device."""
    side = min(max(4.4, 0.48 * known.num_qubits), 9.5)
    figure = picture(side + 4.6, side + 1)
    left, right = figure.subfigures(1, 2, width_ratios=[side, 4.2])
    upper, lower = right.subplots(2, 1, height_ratios=[max(2.0, side - 2.2), 2.2])
    _draw_pairs(known, left.subplots(), figure)
    _draw_qubits(known, upper)
    _draw_facts(known, lower)
    date = known.updated_at or known.fetched_at
    headline(figure, device(known) + (f", {day_and_time(date)}" if date else ""))
    return figure


def _draw_pairs(known: Figures, axes: Axes, figure: Figure) -> None:
    mean = known.mean_rxx_fidelity
    told = "" if mean is None else f"mean {per_cent(mean)}"
    if not known.rxx_fidelity:
        title(axes, "Fidelity of rxx")
        _say(axes, told or ("one qubit has no pair" if known.num_qubits == 1 else "unknown"))
        return
    heading = f"Fidelity of rxx, %{told and f' ({told})'}"
    title(axes, heading)
    qubits = known.num_qubits
    values = np.full((qubits, qubits), np.nan)
    for (low, high), found in known.rxx_fidelity.items():
        values[high, low] = 100 * found.value
    lowest, highest = np.nanmin(values), np.nanmax(values)
    differ = bool(lowest < highest)
    spread = (lowest, highest) if differ else (lowest - 1, lowest + 1)
    image = axes.imshow(values, cmap=_SHADES, aspect="equal", vmin=spread[0], vmax=spread[1])
    axes.set_xlim(-0.5, qubits - 1.5)
    axes.set_ylim(qubits - 0.5, 0.5)
    ticks = range(0, qubits, 1 if qubits <= 24 else 5)
    axes.set_xticks([tick for tick in ticks if tick < qubits - 1])
    axes.set_yticks([tick for tick in ticks if tick > 0])
    axes.set_xlabel("qubit", color=FAINT)
    axes.set_ylabel("qubit", color=FAINT)
    axes.tick_params(length=0, labelcolor=FAINT)
    axes.spines[:].set_visible(False)
    if qubits <= _MOST_LABELLED:
        for (row, column), value in np.ndenumerate(values):
            if not np.isnan(value):
                _label(axes, (column, row), f"{value:.2f}", image.to_rgba(value))
    if not differ or qubits < _FEWEST_WITH_SCALE:  # there is nothing to tell, or no room
        return
    bar = axes.inset_axes((0.62, 0.94, 0.36, 0.025))
    scale = figure.colorbar(image, cax=bar, orientation="horizontal")
    scale.outline.set_visible(False)
    bar.tick_params(length=2, labelsize=8, labelcolor=FAINT, color=LINE)


def _label(axes: Axes, place: tuple[int, int], text: str, behind: tuple[float, ...]) -> None:
    """Write a text in a cell, white on a dark ground."""
    brightness = 0.299 * behind[0] + 0.587 * behind[1] + 0.114 * behind[2]
    color = "white" if brightness < 0.5 else INK
    axes.text(*place, text, ha="center", va="center", fontsize=7.5, color=color)


def _draw_qubits(known: Figures, axes: Axes) -> None:
    title(axes, "Error of r, %")
    if not known.r_fidelity:
        _say(axes, "unknown")
        return
    qubits = list(known.r_fidelity)
    found = known.r_fidelity.values()
    axes.barh(
        qubits,
        [100 * (1 - each.value) for each in found],
        xerr=[100 * _or_nan(each.uncertainty) for each in found],
        color=BAR,
        height=0.62,
        error_kw={"ecolor": INK, "elinewidth": 1.1, "capsize": 2.5},
    )
    axes.set_ylim(max(qubits) + 0.6, min(qubits) - 0.6)
    axes.set_yticks(qubits if len(qubits) <= 24 else qubits[::5])
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.set_ylabel("qubit", color=FAINT)
    plain(axes, "x")


def _or_nan(uncertainty: float | None) -> float:
    return np.nan if uncertainty is None else uncertainty


def _draw_facts(known: Figures, axes: Axes) -> None:
    """Write what holds for all qubits."""
    axes.axis("off")
    rows = facts(known)
    for index, (label, text) in enumerate(rows):
        height = 1 - (index + 0.5) / len(rows)
        axes.text(0, height, label, color=FAINT, fontsize=9, va="center", transform=axes.transAxes)
        axes.text(0.52, height, text, color=INK, fontsize=9, va="center", transform=axes.transAxes)


def _say(axes: Axes, text: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(LINE)
    axes.text(
        0.5,
        0.5,
        text,
        color=FAINT,
        ha="center",
        va="center",
        fontsize=11,
        transform=axes.transAxes,
    )
