"""Simulations on an executor's workers: a batch in chunks, many of them at a time."""

from __future__ import annotations

import math
import queue
import secrets
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from functools import partial

from qiskit.providers import JobStatus
from qiskit_aer import AerSimulator

from aqt_fast._shots import shots_of
from aqt_fast._threads import stalled, start_thread
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.offline.aer import Outcome, seed_at
from aqt_fast.backends.offline.simulation import AerExecution, fitting_part, fitting_size
from aqt_fast.backends.offline.worker import (
    described,
    pack_part,
    pack_simulator,
    simulate_chunk,
    unpack_answer,
)
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.wire.snapshot import Snapshot

_SECONDS_PER_CHUNK = 0.2
"""Target duration of a chunk in seconds, once the time per circuit is known."""

_FEWEST_UNDER_WAY = 32
"""Initial number of concurrent chunks; it grows if the executor has more workers."""

_MOST_UNDER_WAY = 1024

_MOST_ERRORS_AT_FIRST = 32
"""Send no more chunks to an executor whose first answers are this many errors."""

_SECONDS_BETWEEN_LOOKS = 1.0
"""Seconds between checks of an executor that does not answer."""


class ExecutorAerExecution(AerExecution):
    """A batch on an executor, which belongs to the user and is not shut down here."""

    def __init__(
        self,
        executor: Executor,
        simulator: AerSimulator,
        snapshot: Snapshot,
        options: AQTOptions,
    ) -> None:
        """As for :class:`AerExecution`, on the workers of an executor.

        Raises:
            InvalidOptionError: ``executor`` is not an executor, or the simulator cannot be sent
                to it.
        """
        super().__init__(simulator, snapshot, options)
        if not isinstance(executor, Executor):
            expected = (
                "a concurrent.futures.Executor, such as a ProcessPoolExecutor or what Dask's "
                "Client.get_executor() gives"
            )
            raise InvalidOptionError("executor", executor, expected)
        try:
            self._packed_simulator = pack_simulator(simulator, self._sampler)
        except Exception as error:  # options are the user's own objects
            expected = f"None for a simulator that cannot be pickled ({described(error)})"
            raise InvalidOptionError("executor", executor, expected) from error
        self._executor = executor
        if self._seed is None:
            # Forked workers could draw the same seed.
            self._seed = secrets.randbits(63)
        self._num_sent = 0
        self._size = 1
        self._num_errors = 0
        self._most_under_way = _FEWEST_UNDER_WAY
        self._under_way: dict[Future[bytes], tuple[range, float]] = {}
        self._landed: queue.SimpleQueue[Future[bytes]] = queue.SimpleQueue()
        self._refused: str | None = None
        self._thread: threading.Thread | None = None
        self._stall: str | None = None

    def begin(self) -> None:
        """Start a thread that sends chunks and receives outcomes."""
        self.revive()

    @property
    def stall(self) -> str | None:
        """Why nothing goes on for want of a thread, None if all is well."""
        return self._stall

    def revive(self) -> None:
        """Start the thread, unless it runs or has run."""
        if self._forked:
            return  # a thread of the parent may have held the lock
        with self._changed:
            if self._thread is not None and self._thread.ident is not None:
                return
            self._stall = start_thread(
                partial(self._guarded, self._run),
                "aqt-fast executor",
                partial(setattr, self, "_thread"),
            )
        if self._stall is not None:
            stalled(self)

    def cancel(self) -> bool:
        """Cancel the chunks that no worker has started. Return False if there are none.

        Raises:
            OtherProcessError: called in a fork of the process that owns the executor.
        """
        self._require_process()
        with self._changed:
            if self.state.ended:
                return False
            unsent = self._has_more()
            under_way = list(self._under_way)
            before, self._cancelled = self._cancelled, True
        stopped = [future.cancel() for future in under_way if not future.cancelled()]
        if unsent or any(stopped):
            return True
        with self._changed:
            self._cancelled = before
        return False

    def _run(self) -> None:
        with self._changed:
            if threading.current_thread() is not self._thread:
                return  # an interrupt has struck who started it, and there is another instead
        self._status = JobStatus.RUNNING
        try:
            while self._under_way or self._has_more():
                if self._has_more() and len(self._under_way) < self._most_under_way:
                    self._send()
                    self._receive(wait=False)
                else:
                    self._receive(wait=True)
        finally:
            self._withdraw()
        rest = range(self._num_sent, len(self._snapshot))
        if self._refused is not None and rest:
            self._keep(rest, [self._refused] * len(rest))
        self._finish()

    def _has_more(self) -> bool:
        more = self._num_sent < len(self._snapshot)
        return more and not self._cancelled and self._refused is None

    def _withdraw(self) -> None:
        for future in list(self._under_way):
            future.cancel()

    def _send(self) -> None:
        start, total = self._num_sent, len(self._snapshot)
        # Small final chunks keep all workers busy until the end.
        share = math.ceil((total - start) / self._most_under_way)
        size = min(self._size, max(1, share, self._size // 8))
        part = fitting_part(range(start, min(start + size, total)), self._shots, self._measured)
        arguments = (
            self._packed_simulator,
            pack_part(self._snapshot, part),
            shots_of(self._shots, part),
            self._memory,
            seed_at(self._seed, start),
            self._job_id,
        )
        try:
            future = self._executor.submit(simulate_chunk, *arguments)
        except Exception as error:  # noqa: BLE001 - executors have errors of their own
            self._refused = f"the executor takes no more chunks: {described(error)}"
            return
        with self._changed:
            self._num_sent = part.stop
            self._under_way[future] = (part, time.perf_counter())
            cancelled = self._cancelled
        future.add_done_callback(self._landed.put)
        if cancelled:
            future.cancel()

    def _receive(self, *, wait: bool) -> None:
        try:
            future = self._landed.get(wait, _SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            if wait and self._client_is_closed():
                self._refused = "the executor's client is closed"
                self._withdraw()
            return
        with self._changed:
            part, sent = self._under_way.pop(future)
        if not (future.cancelled() and self._cancelled):
            self._keep(part, self._outcomes(future, part, sent))

    def _client_is_closed(self) -> bool:
        """Return whether the executor belongs to a Dask client that was closed.

        Dask's executor has no public attribute for this. When its client closes, futures whose
        outcome was in transit stay pending forever, and only the others are cancelled.
        """
        return getattr(getattr(self._executor, "_client", None), "status", None) == "closed"

    def _outcomes(self, future: Future[bytes], part: range, sent: float) -> list[Outcome]:
        try:
            outcomes, seconds = unpack_answer(future.result(), len(part))
        except CancelledError:
            reason = self._refused or "the executor has cancelled what it was given"
        except Exception as error:  # noqa: BLE001 - workers and executors have errors of their own
            reason = described(error)
            self._num_errors += 1
            hopeless = not self._finished_count and self._num_errors >= _MOST_ERRORS_AT_FIRST
            if hopeless or isinstance(error, BrokenExecutor):
                self._refused = reason
        else:
            self._size = fitting_size(_SECONDS_PER_CHUNK, seconds, len(part))
            self._measured = part
            if time.perf_counter() - sent < 2 * seconds:
                # It hardly waited for a worker: there are more workers than chunks.
                self._most_under_way = min(self._most_under_way + 1, _MOST_UNDER_WAY)
            return outcomes
        return [reason] * len(part)
