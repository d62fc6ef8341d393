"""A batch on its way through a machine that takes one circuit at a time."""

from __future__ import annotations

import uuid
from typing import Any

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast import wire
from aqt_fast.api_client import DirectAccessClient
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.exceptions import APIConnectionError, AQTCredentialsError
from aqt_fast.execution import Execution, Session


class DirectAccessSession(Session):
    """The connection to a machine, and the one thread that all jobs share."""

    def __init__(self, client: DirectAccessClient) -> None:
        """Connects to nothing yet."""
        super().__init__(1, "aqt-fast direct access")
        self.client = client
        """Who is asked."""

    def execution(self, batch: Batch, options: AQTOptions) -> DirectAccessExecution:
        """Make an execution; the arguments are those of :class:`DirectAccessExecution`."""
        execution = DirectAccessExecution(self, batch, options)
        self.adopt(execution)
        return execution

    def disconnect(self) -> None:
        """Close the connection and end all waiting."""
        self.client.close()


class DirectAccessExecution(Execution):
    """Circuits that are sent one after the other, each when the one before has its result.

    A circuit that fails on the machine does not keep the others from running.

    Args:
        session: the machine, with one circuit in flight for all jobs.
        batch: the circuits.
        options: of the job.
    """

    def __init__(
        self,
        session: DirectAccessSession,
        batch: Batch,
        options: AQTOptions,
    ) -> None:
        """Sends nothing yet."""
        super().__init__()
        self._client = session.client
        self._dispatcher = session.dispatcher
        self._batch = batch
        self._options = options
        self._job_id = str(uuid.uuid4())
        self._label = options.label or f"aqt-fast {self._job_id}"
        self._results: list[ExperimentResult] = []
        self._failures: list[str] = []
        self._run_id: str | None = None
        self._cancelled = False
        self._sending = False

    def begin(self) -> None:
        """Queue behind the jobs that came before."""
        self._go()

    @property
    def name(self) -> str:
        """The batch's own identifier."""
        return self._job_id

    @property
    def unsent(self) -> list[str]:
        """The job's label as long as it has not ended: it does not survive this process."""
        return [] if self.ended else [self._label]

    def settle(self, deadline: float) -> None:
        """Nothing to wait for: the rest takes as long as the machine takes."""

    @property
    def job_id(self) -> str:
        """The batch's own identifier; the machine knows single circuits only."""
        return self._job_id

    @property
    def label(self) -> str:
        """What messages call the job."""
        return self._label

    @property
    def finished_count(self) -> int:
        """Circuits that the machine has done with."""
        return len(self._results)

    @property
    def completed(self) -> list[range]:
        """The circuits that the machine has done with, one by one."""
        return [range(index, index + 1) for index in range(len(self._results))]

    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """One entry a circuit, in order; those that were not evaluated have ``success=False``."""
        if part is not None:
            return self._results[part.start : part.stop]
        done = list(self._results)
        message = self._message or "not evaluated yet"
        shots = self._options.shots
        return done + self._batch.failed(len(done), len(self._batch), shots=shots, message=message)

    def cancel(self) -> bool:
        """Stop after the circuit in hand; False if that is the last one, or the job has ended."""
        self._require_process()
        with self._changed:
            in_hand = self._sending or self._run_id is not None
            left = len(self._batch) - len(self._results) - in_hand
            cancellable = not self.ended and left > 0 and not self._cancelled
            self._cancelled = self._cancelled or cancellable
            if cancellable and not in_hand:
                self._end(JobStatus.CANCELLED, "the job was cancelled")
            return cancellable

    def settings(self) -> dict[str, Any]:
        """Nothing: the machine cannot tell another process what it has run.

        Raises:
            ValueError: always.
        """
        raise ValueError("a direct-access job lives in the process that runs it")

    def go_on(self) -> None:
        """Go on after an error that has left the circuit in hand with the machine, or with us."""
        self._require_process()
        with self._changed:
            not_sent = isinstance(self._error, APIConnectionError | AQTCredentialsError)
            if self._error is None or (self._run_id is None and not not_sent):
                return
            self._error = self._message = None
            self._status = JobStatus.QUEUED if self._run_id is None else JobStatus.RUNNING
        self._guarded(self._go)

    def _go(self) -> None:
        self._dispatcher.call(lambda: self._guarded(self._run))

    def _run(self) -> None:
        while len(self._results) < len(self._batch):
            with self._changed:
                if self.ended:
                    return
                if self._cancelled and self._run_id is None:
                    self._end(JobStatus.CANCELLED, "the job was cancelled")
                    return
                self._sending = self._run_id is None
            self._step()
        failures = "; ".join(self._failures)
        self._end(JobStatus.ERROR if failures else JobStatus.DONE, failures or None)

    def _step(self) -> None:
        """Bring the circuit in hand forward."""
        index = len(self._results)
        shots = self._options.shots
        if self._run_id is None:
            body = self._batch.encode_circuit(index, shots)
            try:
                run_id = self._client.submit(body, label=f"{self._label}, circuit {index}")
            finally:
                self._sending = False
            with self._changed:
                self._run_id = run_id
                if not self.ended:
                    self._status = JobStatus.RUNNING
        state = self._client.result(self._run_id, self._read)
        if state is None:
            return
        if state.status == "finished":
            entries = self._batch.results(
                state.samples or [], index, index + 1, shots=shots, memory=self._options.memory
            )
        else:
            message = state.message or f"it is {state.status}"
            entries = self._batch.failed(index, index + 1, shots=shots, message=message)
            self._failures.append(f"circuit {index} ({self._batch.name(index)}): {message}")
        with self._changed:
            self._run_id = None
            self._results += entries
            self._changed.notify_all()

    def _read(self, body: bytes) -> wire.JobState:
        """Read an answer, which must be about the circuit in hand."""
        state = wire.decode_direct_response(body)
        if state.status == "finished":
            index = len(self._results)
            samples = state.samples or []
            self._batch.check_samples(samples, index, index + 1, shots=self._options.shots)
        return state
