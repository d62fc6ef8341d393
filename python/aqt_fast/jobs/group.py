"""API jobs that share circuits: a circuit is done when all of its shots were taken."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby

from qiskit.providers import JobStatus

from aqt_fast._native import Samples
from aqt_fast._texts import one_line
from aqt_fast.jobs.api_job import ApiJob


class Group:
    """The API jobs of the same circuits, each with a part of the shots."""

    def __init__(self, jobs: Sequence[ApiJob]) -> None:
        """Count all API jobs as open."""
        self.jobs = tuple(jobs)
        """The API jobs, in the order of the shots."""
        self.circuits = jobs[0].part.circuits
        """Indices of the circuits."""
        self.finished_count = 0
        """Number of circuits of which all shots were taken, as far as is known."""
        self._open = set(jobs)
        self._behind = set(jobs)
        """API jobs without a finished circuit. There may be many API jobs: their minimum is
        computed only when this set is empty."""

    @property
    def ended(self) -> bool:
        """Whether all API jobs have ended."""
        return not self._open

    def update(self, job: ApiJob) -> None:
        """Update the group after a change of one of its API jobs."""
        if job.finished_count:
            self._behind.discard(job)
        if not self._behind:
            self.finished_count = min(member.finished_count for member in self.jobs)
        if job.ended:
            self._open.discard(job)

    def reopen(self, job: ApiJob) -> None:
        """Undo the end of one of the API jobs."""
        self._open.add(job)

    def recount(self) -> None:
        """Do all updates again, after an exception within one."""
        self._open = {job for job in self.jobs if not job.ended}
        for job in self.jobs:
            self.update(job)

    @property
    def message(self) -> str | None:
        """Why there are no results, in one line; None if there are."""
        if all(job.status is JobStatus.DONE for job in self.jobs):
            return None
        failures = [job.failure.message for job in self.jobs if job.failure is not None]
        return one_line(next(filter(None, failures), "not evaluated yet"))

    def samples(self) -> list[Samples]:
        """Return the outcomes of each circuit, with the shots of all API jobs concatenated."""
        parts = [job.part.by_circuit(job.state.samples or []) for job in self.jobs if job.state]
        return [
            joined([*chain.from_iterable(of_circuit)]) for of_circuit in zip(*parts, strict=True)
        ]


def joined(runs: Sequence[Samples]) -> Samples:
    """Return the shots of the runs of one circuit, one after the other."""
    return runs[0] if len(runs) == 1 else Samples.concatenate(runs)


def grouped(jobs: Sequence[ApiJob]) -> list[Group]:
    """Group API jobs by circuits; they must be in the order of their circuits."""
    return [Group(list(group)) for _, group in groupby(jobs, lambda job: job.part.circuits)]
