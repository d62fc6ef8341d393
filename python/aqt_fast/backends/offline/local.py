"""Simulations in this process: one chunk after the other, in turn with those of other jobs."""

from __future__ import annotations

import time

from qiskit.providers import JobStatus

from aqt_fast._shots import shots_of
from aqt_fast.backends.offline.aer import outcomes, seed_at
from aqt_fast.backends.offline.simulation import AerExecution, fitting_part, fitting_size
from aqt_fast.backends.offline.turns import TURNS

_SECONDS_PER_CHUNK = 0.1
"""Aer holds Python's global lock while it simulates: other threads wait this long."""


class LocalAerExecution(AerExecution):
    """A batch that Aer runs in this process."""

    _num_started = 0
    """Number of circuits in the chunks that were started."""
    _size = 1
    """Number of circuits in the next chunk."""

    def begin(self) -> None:
        """Have the chunks simulated, in turn with those of other jobs."""
        TURNS.add(self._turn)

    @property
    def stall(self) -> str | None:
        """Why nothing is simulated for want of a thread, None if all is well."""
        return TURNS.problem

    def cancel(self) -> bool:
        """Stop after the current chunk. Return False if it is the last, or the batch has ended.

        Raises:
            OtherProcessError: called in a fork of the process that simulates.
        """
        self._require_process()
        with self._changed:
            cancellable = not self.state.ended and self._num_started < len(self._snapshot)
            self._cancelled = self._cancelled or cancellable
            return cancellable

    def _turn(self) -> bool:
        self._guarded(self._simulate_chunk)
        return not self.state.ended

    def _simulate_chunk(self) -> None:
        with self._changed:
            part = range(
                self._num_started, min(self._num_started + self._size, len(self._snapshot))
            )
            if self._cancelled:
                part = range(0)
            else:
                part = fitting_part(part, self._shots, self._measured)
                self._status = JobStatus.RUNNING
                self._num_started = part.stop
        if part:
            began = time.perf_counter()
            bare = self._bare(part)
            simulate = outcomes if self._sampler is None else self._sampler.outcomes
            found = simulate(
                self._simulator,
                bare,
                shots=shots_of(self._shots, part),
                memory=self._memory,
                seed=seed_at(self._seed, part.start),
            )
            self._size = fitting_size(_SECONDS_PER_CHUNK, time.perf_counter() - began, len(part))
            self._measured = part
            self._keep(part, found, bare)
        if not part or part.stop == len(self._snapshot):
            self._finish()
