"""What people look at: HTML for notebooks, and pictures.

Everything here takes plain data and knows no job and no backend.

::

    html              building blocks of HTML: one stylesheet, escaped text
    quantities        times, durations and shares as people read them
    timeline          API jobs on a timeline
    outcomes          counts of a circuit, results of several
    job               all that is known of a job
    plots             plot_timeline(), plot_counts(), plot_compilation()
    picture           figures that notebooks show; it loads matplotlib, and so do the next
    timeline_picture  API jobs on a timeline
    counts_picture    counts of a circuit
    circuit_picture   a circuit before and after its compilation
"""

from aqt_fast.visualization.job import JobSummary
from aqt_fast.visualization.outcomes import CircuitOutcomes
from aqt_fast.visualization.plots import plot_compilation, plot_counts, plot_timeline
from aqt_fast.visualization.timeline import ApiJobTimes

__all__ = [
    "ApiJobTimes",
    "CircuitOutcomes",
    "JobSummary",
    "plot_compilation",
    "plot_counts",
    "plot_timeline",
]
