"""A picture of the counts of a circuit. Loading this module loads matplotlib."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.ticker import MaxNLocator

from aqt_fast.visualization.outcomes import most_frequent
from aqt_fast.visualization.picture import BAR, INK, Picture, headline, picture, plain, title
from aqt_fast.visualization.quantities import plural, share

_MOST_BARS = 32
_MOST_LABELLED = 16
"""Number of bars up to which each has its share above it."""


def draw(counts: Mapping[str, int], name: str) -> Picture:
    """Draw a bar for each outcome, in their order; of many, for the most frequent ones.

    Args:
        counts: how often each outcome was measured.
        name: whose counts they are.
    """
    shown, others, rest = most_frequent(counts, _MOST_BARS)
    bars = sorted(shown)
    longest = max((len(label) for label, _ in bars), default=1)
    crowded = longest * len(bars) > 60
    figure = picture(min(max(4.5, 1.2 + 0.4 * len(bars)), 12), 3.6 + 0.07 * longest * crowded)
    axes = figure.subplots()
    taken = sum(counts.values())
    drawn = axes.bar(range(len(bars)), [count for _, count in bars], color=BAR, width=0.68)
    if len(bars) <= _MOST_LABELLED:
        labels = [share(count, taken) for _, count in bars]
        axes.bar_label(drawn, labels, color=INK, fontsize=8, padding=2)
    axes.set_xticks(range(len(bars)), [label for label, _ in bars], rotation=90 * crowded)
    axes.set_xlim(-0.6, max(len(bars), 1) - 0.4)
    axes.margins(y=0.12)
    for label in axes.get_xticklabels():
        label.set_family("monospace")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("counts")
    plain(axes, "y")
    told = f"{plural(taken, 'shot')}, {plural(len(counts), 'outcome')}"
    if others:
        told += f", of which {others:,} are not shown: {share(rest, taken)} of the shots"
    title(axes, told)
    headline(figure, name)
    return figure
