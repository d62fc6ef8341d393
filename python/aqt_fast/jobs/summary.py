"""Sums up what is known of a job, for people, without waiting for anything."""

from __future__ import annotations

from dataclasses import replace

from qiskit.result import Result
from qiskit.result.models import ExperimentResult

from aqt_fast._shots import Shots, in_table
from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.exceptions import OtherProcessError
from aqt_fast.jobs.execution import Execution
from aqt_fast.jobs.timing import STATE_NAMES
from aqt_fast.store.description import now
from aqt_fast.visualization.job import JobSummary
from aqt_fast.visualization.outcomes import MOST_CIRCUITS, CircuitOutcomes
from aqt_fast.visualization.quantities import plural
from aqt_fast.wire.plan import default_label
from aqt_fast.wire.snapshot import Snapshot


def job_summary(
    execution: Execution | None,
    snapshot: Snapshot,
    *,
    kind: str,
    backend_name: str,
    shots: Shots,
    circuit: int,
) -> JobSummary:
    """Sum up a job.

    Args:
        execution: the job's execution, None before submission.
        snapshot: its circuits.
        kind: the name of its class.
        backend_name: where it runs.
        shots: repetitions of each circuit.
        circuit: index of the circuit whose counts are shown.
    """
    summary = JobSummary(
        kind=kind,
        name=plural(len(snapshot), "circuit"),
        job_id="",
        backend_name=one_line(backend_name, LONGEST_NAME),
        state="not submitted",
        finished_count=0,
        total_count=len(snapshot),
        shots=in_table(shots),
        moment=now(),
    )
    if execution is None:
        return summary
    own = execution.label != default_label(execution.batch_id)
    summary = replace(
        summary,
        name=(own and execution.label) or execution.name,
        job_id=execution.name,
        created=execution.created,
    )
    try:
        state = execution.state
    except OtherProcessError as error:
        return replace(summary, state=f"in process {error.process}")
    timing = execution.timing
    chosen, results = _outcomes(execution, circuit)
    return replace(
        summary,
        state=STATE_NAMES[state.status],
        finished_count=state.finished_count,
        ended=execution.ended_at,
        queued_seconds=timing and timing.queued,
        device_seconds=execution.device_seconds or None,
        message=state.message,
        api_jobs=tuple(execution.api_job_times),
        chosen=chosen,
        results=results,
    )


def _outcomes(
    execution: Execution, circuit: int
) -> tuple[CircuitOutcomes | None, tuple[CircuitOutcomes, ...]]:
    """Return the outcomes of the chosen circuit, if it has ended, and of the first that have."""
    first: list[CircuitOutcomes] = []
    chosen = None
    for part in sorted(execution.completed, key=lambda part: part.start):
        missing = MOST_CIRCUITS - len(first)
        if not missing and circuit not in part:
            continue
        entries = execution.results(part)
        first += [
            _circuit_outcomes(index, entry)
            for index, entry in zip(part[:missing], entries, strict=False)
        ]
        if circuit in part:
            chosen = _circuit_outcomes(circuit, entries[circuit - part.start])
    return chosen, tuple(first)


def _circuit_outcomes(index: int, entry: ExperimentResult) -> CircuitOutcomes:
    return CircuitOutcomes(
        index,
        entry.header["name"],
        entry.shots,
        Result(results=[entry]).get_counts(0) if entry.success else None,
        "" if entry.success else entry.status,
    )
