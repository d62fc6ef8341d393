"""A picture of API jobs on a timeline. Loading this module loads matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from aqt_fast.visualization.html import STATE_COLOURS
from aqt_fast.visualization.picture import Picture, headline, picture, plain, title
from aqt_fast.visualization.quantities import local_time, unit_of
from aqt_fast.visualization.timeline import ApiJobTimes, bounds, numbers, spans

_NARROWEST = 0.004
"""Width of a stage without a duration, as a share of the whole."""


def draw(
    jobs: Sequence[ApiJobTimes], name: str, told: str | None, created: datetime, now: datetime
) -> Picture:
    """Draw a row for each API job.

    Args:
        jobs: the API jobs, in the order of the circuits.
        name: what they belong to.
        told: what is written above them; None for how many there are in each state.
        created: when the job was submitted.
        now: the end of stages that go on.
    """
    whole = bounds(jobs, created, now)
    start, seconds = created, 1.0
    if whole is not None:
        start, seconds = whole.start, (whole.end - whole.start).total_seconds()
    unit, size = unit_of(seconds)
    figure = picture(9, min(1.8 + 0.22 * len(jobs), 8))
    axes = figure.subplots()
    stages = [(row, stage) for row, job in enumerate(jobs, 1) for stage in spans(job, created, now)]
    for state, colour in STATE_COLOURS.items():
        height = 0.16 if state == "queued" else 0.4
        corners = []
        for row, stage in stages:
            if stage.state == state:
                left = (stage.start - start).total_seconds()
                right = max((stage.end - start).total_seconds(), left + _NARROWEST * seconds)
                low, high = row - height, row + height
                corners.append([(left, low), (right, low), (right, high), (left, high)])
        if corners:
            axes.add_collection(PolyCollection(np.array(corners) / (size, 1), facecolors=colour))
    axes.set_xlim(0, 1.01 * seconds / size)
    axes.set_ylim(len(jobs) + 0.6, 0.4)
    if told is None:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=20, integer=True, min_n_ticks=1))
        axes.set_ylabel("API job")
    else:
        axes.set_yticks([])
    axes.set_xlabel(f"time since {local_time(start, seconds=True)}, {unit}")
    plain(axes, "x")
    words = numbers(jobs) if told is None else told
    title(axes, words if whole is not None else f"{words}; no times are known yet")
    shown = [state for state in STATE_COLOURS if any(stage.state == state for _, stage in stages)]
    if shown:
        handles = [Patch(color=STATE_COLOURS[state], label=state) for state in shown]
        figure.legend(
            handles=handles, loc="outside lower left", ncols=len(shown), frameon=False, fontsize=9
        )
    headline(figure, name)
    return figure
