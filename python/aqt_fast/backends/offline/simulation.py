"""Common parts of all simulations: a batch, its results, its end."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, cast

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult
from qiskit_aer import AerSimulator

from aqt_fast._native import Samples
from aqt_fast._shots import Shots, shots_at, shots_of
from aqt_fast._texts import one_line
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.offline.aer import (
    Outcome,
    noise_header,
    simulator_location,
    tells_qubits_apart,
)
from aqt_fast.backends.offline.clbits import at_clbits
from aqt_fast.backends.offline.trajectories import Sampler
from aqt_fast.jobs.execution import Checkpoint, Execution, unordered_shots
from aqt_fast.wire.bare_circuits import BareCircuits
from aqt_fast.wire.results import experiment_result, failed_experiment
from aqt_fast.wire.snapshot import Snapshot

_MOST_CIRCUITS_PER_CHUNK = 500

_MOST_GROWTH = 4
"""A chunk has at most this many times the circuits and shots of the last one."""

_MOST_FAILURES_TOLD = 10


def fitting_size(seconds: float, elapsed: float, size: int) -> int:
    """Return the number of circuits of the next chunk.

    Args:
        seconds: target duration of a chunk.
        elapsed: duration of the last chunk in seconds.
        size: number of circuits of the last chunk; the next one has at most four times as many.
    """
    fitting = int(seconds / max(elapsed / size, 1e-6))
    return max(1, min(fitting, _MOST_GROWTH * size, _MOST_CIRCUITS_PER_CHUNK))


def fitting_part(part: range, shots: Shots, last: range) -> range:
    """Return the first circuits of a part: as many as have no surprising number of shots.

    Args:
        part: the circuits of the next chunk, at least one.
        shots: those of all circuits.
        last: the last chunk whose duration is known. The next one has at most four times as many
            shots, or one circuit.
    """
    if isinstance(shots, int):
        return part
    left = _MOST_GROWTH * sum(shots[last.start : last.stop]) - shots[part.start]
    for index in part[1:]:
        left -= shots[index]
        if left < 0:
            return range(part.start, index)
    return part


class AerExecution(Execution):
    """A batch that is simulated: the operations that a device would run, and nothing else.

    The native sampler simulates what it can, Aer the rest. The outcomes of a circuit follow from
    its shots and its seed, which is 2113 above that of the circuit before, as in a call of
    ``simulator.run`` with all of them. They are those of that call without noise, and with noise
    that Aer samples from a density matrix.
    """

    twin: dict[str, Any] | None = None
    """What makes the backend again if it is the twin of a device."""

    def __init__(
        self,
        simulator: AerSimulator,
        snapshot: Snapshot,
        options: AQTOptions,
    ) -> None:
        """Keep references: the simulator may not change any more."""
        super().__init__()
        self._job_id = str(uuid.uuid4())
        self._simulator = simulator
        self._snapshot = snapshot
        self._shots = options.shots
        self._memory = options.memory
        self._seed = options.seed_simulator
        if self._seed is None:
            self._seed = simulator.options.seed_simulator
        self.header = noise_header(simulator)
        self._in_place = tells_qubits_apart(simulator)
        self._sampler = Sampler.of(simulator)
        self._entries: list[ExperimentResult | Samples | None] = [None] * len(snapshot)
        self._cancelled = False
        self._measured = range(0)
        """The last chunk whose duration is known."""

    @property
    def name(self) -> str:
        """The job's identifier."""
        return self._job_id

    @property
    def job_id(self) -> str:
        """The job's identifier."""
        return self._job_id

    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """Return one entry per circuit, in order; ``success=False`` if it was not simulated."""
        indices = range(len(self._snapshot)) if part is None else part
        results: list[ExperimentResult] = []
        for sampled, group in groupby(indices, lambda at: isinstance(self._entries[at], Samples)):
            neighbours = list(group)
            start, stop = neighbours[0], neighbours[-1] + 1
            if sampled:
                results += self._snapshot.results(
                    cast(list[Samples], self._entries[start:stop]),
                    start,
                    stop,
                    shots=shots_of(self._shots, range(start, stop)),
                    memory=self._memory,
                )
            else:
                results += [self._entry(index) for index in neighbours]
        return results

    def samples(self, part: range | None = None) -> list[Samples]:
        """Return the outcomes of all qubits of each circuit, with all of its shots, in order.

        Raises:
            LookupError: a circuit was not simulated.
            InvalidOptionError: the job does not have the option ``memory``.
        """
        samples = []
        for outcome in self._entries if part is None else self._entries[part.start : part.stop]:
            if outcome is None or not (isinstance(outcome, Samples) or outcome.success):
                raise LookupError(self._message or "not simulated yet")
            if not self._memory or not isinstance(outcome, Samples):
                raise unordered_shots()
            samples.append(outcome)
        return samples

    def checkpoint(self) -> Checkpoint:
        """Describe how the simulator differs from the default one.

        Raises:
            ValueError: the noise model or an option cannot be described.
        """
        location = replace(simulator_location(self._simulator), twin=self.twin)
        return Checkpoint(self._job_id, location, ended=self.state.ended)

    def _bare(self, part: range) -> BareCircuits:
        """Return what Aer is to simulate."""
        return self._snapshot.bare(part, in_place=self._in_place)

    def _keep(
        self, part: range, outcomes: Sequence[Outcome], bare: BareCircuits | None = None
    ) -> None:
        """Store the outcomes of a chunk. A failed chunk does not affect the others.

        Args:
            part: the circuits of the chunk.
            outcomes: one per circuit.
            bare: its bare circuits if they are at hand, with what is known of them.
        """
        bare = self._bare(part) if bare is None else bare
        kept = [
            bare.placed(place, outcome)
            if isinstance(outcome, Samples)
            else self._kept(part[place], outcome)
            for place, outcome in enumerate(outcomes)
        ]
        with self._changed:
            self._entries[part.start : part.stop] = kept
            self._finished_count += sum(isinstance(item, Samples) or item.success for item in kept)
            self._completed.append(part)
            if self._finished_count < len(self._entries):  # else it ends at once
                self._changed.notify_all()

    def _kept(self, index: int, outcome: dict[str, int] | str) -> ExperimentResult:
        header, shots = self._snapshot.header(index), shots_at(self._shots, index)
        if isinstance(outcome, str):
            return failed_experiment(header, shots, outcome)
        moved_bits = self._snapshot.moved_bits(index, in_place=self._in_place)
        counts = outcome if moved_bits is None else at_clbits(outcome, moved_bits)
        return experiment_result(header, shots, counts, None)

    def _entry(self, index: int) -> ExperimentResult:
        """Return the entry of a circuit without samples."""
        entry = self._entries[index]
        if isinstance(entry, ExperimentResult):
            return entry
        message = self._message or "not simulated yet"
        return failed_experiment(
            self._snapshot.header(index), shots_at(self._shots, index), message
        )

    def _finish(self) -> None:
        """End the job after the last chunk."""
        if any(outcome is None for outcome in self._entries):
            self._end(JobStatus.CANCELLED, "the job was cancelled")
        elif self._finished_count < len(self._entries):
            self._end(JobStatus.ERROR, self._told_failures())
        else:
            self._end(JobStatus.DONE)

    def _told_failures(self) -> str:
        """Describe failed circuits; neighbours with the same reason share a line."""
        lines = []
        reasons = [
            None if isinstance(item, Samples) or item is None or item.success else str(item.status)
            for item in self._entries
        ]
        for reason, group in groupby(enumerate(reasons), lambda item: item[1]):
            if reason:
                failed = [index for index, _ in group]
                first, last = failed[0], failed[-1]
                which = f"circuits {first} to {last}"
                if first == last:
                    which = f"circuit {first} ({self._snapshot.name(first)})"
                lines.append(one_line(f"{which}: {reason}"))
        if len(lines) > _MOST_FAILURES_TOLD:
            lines[_MOST_FAILURES_TOLD:] = [f"and {len(lines) - _MOST_FAILURES_TOLD} more failures"]
        return "\n".join(lines)
