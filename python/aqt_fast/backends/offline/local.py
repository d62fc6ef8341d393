"""Simulations in this process: one chunk after the other, in a thread of its own."""

from __future__ import annotations

import threading
import time

from qiskit.providers import JobStatus

from aqt_fast.backends.offline.aer import outcomes, seed_at
from aqt_fast.backends.offline.simulation import AerExecution, fitting_size

_SECONDS_PER_CHUNK = 0.1
"""Aer holds Python's global lock while it simulates: other threads wait this long."""


class LocalAerExecution(AerExecution):
    """A batch that Aer runs in this process."""

    _num_started = 0
    """Number of circuits in the chunks that were started."""

    def begin(self) -> None:
        """Start a thread that simulates."""
        threading.Thread(
            target=self._guarded, args=(self._run,), name="aqt-fast simulation", daemon=True
        ).start()

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

    def _run(self) -> None:
        size = 1
        while self._num_started < len(self._snapshot):
            with self._changed:
                if self._cancelled:
                    break
                self._status = JobStatus.RUNNING
                start = self._num_started
                self._num_started = min(start + size, len(self._snapshot))
            part = range(start, self._num_started)
            began = time.perf_counter()
            found = outcomes(
                self._simulator,
                [self._snapshot.bare_circuit(index) for index in part],
                shots=self._shots,
                memory=self._memory,
                seed=seed_at(self._seed, start),
            )
            self._keep(part, found)
            size = fitting_size(_SECONDS_PER_CHUNK, time.perf_counter() - began, len(part))
        self._finish()
