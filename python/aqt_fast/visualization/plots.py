"""Pictures with matplotlib, which is loaded when the first one is drawn (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aqt_fast.exceptions import MissingExtraError
from aqt_fast.visualization.job import JobSummary
from aqt_fast.visualization.timeline import ApiJobTimes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from qiskit import QuantumCircuit


def require_matplotlib(what: str) -> None:
    """Check that matplotlib is installed, before a module of ours that loads it.

    Args:
        what: what needs it.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import matplotlib as mpl  # noqa: F401 - an error in our own module is another one
    except ImportError as error:
        raise MissingExtraError(what, "matplotlib", "plot") from error


def plot_timeline(summary: JobSummary) -> Figure:
    """Draw when each API job was queued, and when it ran: a row for each.

    A job that runs in this process has one row.

    Args:
        summary: of a job that was submitted, from :meth:`AQTJob.summary
            <aqt_fast.AQTJob.summary>`.

    Returns:
        A figure of matplotlib's. It belongs to no window; notebooks show it, and its method
        ``savefig`` writes it to a file.

    Raises:
        ValueError: the job was not submitted.
        MissingExtraError: matplotlib is not installed (extra ``plot``).
    """
    if summary.created is None:
        raise ValueError("a job has no timeline before it is submitted")
    require_matplotlib("the picture of a timeline")
    from aqt_fast.visualization.timeline_picture import draw

    jobs, told = summary.api_jobs, None
    if not jobs:
        jobs = (ApiJobTimes(summary.name, summary.stage, None, summary.created, summary.ended),)
        told = summary.state
    name = f"{summary.name} on {summary.backend_name}"
    return draw(jobs, name, told, summary.created, summary.moment)


def plot_counts(counts: Mapping[str, int], name: str = "Counts") -> Figure:
    """Draw a bar for each outcome, with its share of the shots.

    Args:
        counts: how often each outcome was measured, such as ``result.get_counts()``. Of more than
            33 outcomes, the 32 most frequent have a bar.
        name: what is written above it.

    Returns:
        A figure of matplotlib's, as of :func:`plot_timeline`.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
    """
    require_matplotlib("the picture of counts")
    from aqt_fast.visualization.counts_picture import draw

    return draw(counts, name)


def plot_compilation(before: QuantumCircuit, after: QuantumCircuit) -> Figure:
    """Draw a circuit before and after its compilation, and how many gates of each name it has.

    Args:
        before: the circuit.
        after: what :func:`aqt_fast.compile` or ``qiskit.transpile`` has made of it.

    Returns:
        A figure of matplotlib's, as of :func:`plot_timeline`.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
    """
    require_matplotlib("the picture of a circuit")
    from aqt_fast.visualization.circuit_picture import draw

    return draw(before, after)
