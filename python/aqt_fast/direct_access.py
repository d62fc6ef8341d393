"""A batch on its way through a machine that takes one circuit at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from qiskit.providers import JobStatus

from aqt_fast import wire
from aqt_fast.api_client import DirectAccessClient, Resource
from aqt_fast.api_job import NOT_ACCEPTED, ApiJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.batch_execution import BatchExecution, saved_records
from aqt_fast.chunks import BatchPlan, Chunk
from aqt_fast.exceptions import (
    APIError,
    AQTError,
    ChunkFailure,
    IncompleteBatchError,
    NotSubmittedError,
    SubmissionUncertainError,
)
from aqt_fast.execution import Session
from aqt_fast.job_record import Records
from aqt_fast.journal import Journal
from aqt_fast.stored_job import new_journal


class DirectAccessSession(Session):
    """The connection to a machine, and the one thread that all jobs share."""

    def __init__(self, client: DirectAccessClient) -> None:
        """Connects to nothing yet."""
        super().__init__(1, "aqt-fast direct access")
        self.client = client
        """Who is asked."""

    def execution(
        self, resource: Resource, batch: Batch, options: AQTOptions, limits: wire.Limits
    ) -> DirectAccessExecution:
        """Make an execution of a new batch, with a journal if the options say so.

        Args:
            resource: the machine.
            batch: its circuits.
            options: its options.
            limits: what the machine takes.

        Warns:
            JournalWarning: the journal cannot be written, and there is none.
        """
        one_by_one = replace(limits, circuits=1)
        plan = BatchPlan.new(len(batch), options.shots, one_by_one, options.label)
        settings = {
            "machine_url": self.client.base_url,
            "resource_name": resource.resource_name,
            "max_shots": limits.shots,
            **plan.settings(),
        }
        journal = new_journal(resource, batch, options, settings)
        execution = DirectAccessExecution(self, batch, options, plan, settings, journal=journal)
        self.adopt(execution)
        return execution

    def resumed(
        self,
        batch: Batch,
        options: AQTOptions,
        settings: dict[str, Any],
        journal: Journal | None,
    ) -> DirectAccessExecution:
        """Make an execution that goes on with a batch of another process.

        Args:
            batch: its circuits.
            options: its options.
            settings: what :meth:`DirectAccessExecution.settings` has returned there.
            journal: its journal, which knows more, if there is one.

        Raises:
            ValueError: it was saved before its end, and its journal is gone.
        """
        if journal is None and not settings.get("ended"):
            raise ValueError("it was saved before its end, and its journal is not there")
        execution = DirectAccessExecution(
            self,
            batch,
            options,
            BatchPlan.saved(settings),
            settings,
            journal=journal,
            records=saved_records(settings, journal),
        )
        self.adopt(execution)
        return execution

    def disconnect(self) -> None:
        """Close the connection and end all waiting."""
        self.client.close()


class Machine:
    """A machine, as who takes API jobs: those of one circuit each."""

    name = "the machine"

    def __init__(self, client: DirectAccessClient) -> None:
        """``client`` is the connection to it."""
        self._client = client

    def encode(self, batch: Batch, chunk: Chunk, label: str) -> bytes:  # noqa: ARG002
        """The request body, which has no place for the label."""
        return batch.encode_circuit(chunk.start, chunk.shots)

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Hand a circuit over, once, and return the machine's identifier of the run."""
        return self._client.submit(body, label=label, wanted=wanted)

    def result(self, job_id: str, read: Callable[[bytes], wire.JobState]) -> wire.JobState | None:
        """Wait for the result; None if it has not come within the read time-out."""
        return self._client.result(job_id, read)

    def decode(self, body: bytes) -> wire.JobState:
        """Read an answer."""
        return wire.decode_direct_response(body)

    def cancel(self, job_id: str) -> bool:  # noqa: ARG002
        """False: the machine ends what it has begun."""
        return False

    def will_pass(self, error: APIError) -> bool:  # noqa: ARG002
        """False: a request for a result is repeated for a day before it fails."""
        return False


class DirectAccessExecution(BatchExecution):
    """Circuits that are sent one after the other, each when the one before has its result.

    A circuit that fails on the machine does not keep the others from running. One that is refused,
    or whose fate is not known, does.

    Args:
        session: the machine, with one circuit in flight for all jobs.
        batch: the circuits.
        options: of the job.
        plan: the API jobs, with one circuit each.
        settings: where the job lives, in JSON's types.
        journal: where to note what happens to them, None for nowhere.
        records: what has happened to them in another process, None for a new batch.
    """

    def __init__(
        self,
        session: DirectAccessSession,
        batch: Batch,
        options: AQTOptions,
        plan: BatchPlan,
        settings: dict[str, Any],
        *,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Sends nothing yet."""
        super().__init__(
            session,
            Machine(session.client),
            batch,
            options,
            plan,
            [plan.circuit_label(index) for index in range(len(plan.chunks))],
            journal=journal,
            records=records,
        )
        self._settings = settings
        self._line: deque[ApiJob] = deque()
        """The circuits whose turn is still to come."""

    @property
    def name(self) -> str:
        """The batch's own identifier."""
        return self._plan.batch_id

    @property
    def job_id(self) -> str:
        """The batch's own identifier; the machine knows single circuits only."""
        return self._plan.batch_id

    @property
    def unsent(self) -> list[str]:
        """The job's label as long as there is something to send, or nothing keeps its results."""
        if self.ended or self._others_work:
            return []
        sent = all(job.job_id is not None or job.ended for job in self._jobs)
        return [] if sent and self._journal is not None else [self._plan.label]

    def settle(self, deadline: float) -> None:
        """Nothing to wait for: the rest takes as long as the machine takes."""

    def cancel(self) -> bool:
        """Stop after the circuit in hand; False if there is nothing that can be stopped.

        That is so after its last circuit was sent, and while another process works on the job.
        """
        self._require_process()
        with self._changed:
            if self._others_work:
                return False
            waiting = self._drop_unsent()
        cancelled = [job.cancel() for job in self._jobs]
        for job in waiting:
            job.submit()  # sends nothing, and notes why
        return any(cancelled)

    def settings(self) -> dict[str, Any]:
        """Where the job lives. Waits until the job has ended if it has no journal."""
        if self._journal is None:
            self.wait(None)
        ended = self.ended  # asked first: what follows may know more
        return {**self._settings, "jobs": [job.saved() for job in self._jobs], "ended": ended}

    def _asks_for(self, job: ApiJob) -> bool:
        """Who works on the job asks the machine; all others find the results in the store."""
        return not job.take_stored() and not self._others_work

    def _bring_forward(self, jobs: Sequence[ApiJob]) -> None:
        """Queue behind the jobs that came before; what was accepted comes first."""
        with self._changed:
            self._line.extend(sorted(jobs, key=lambda job: job.job_id is None))
        self._session.dispatcher.call(lambda: self._guarded(self._work))

    def _work(self) -> None:
        """Bring one circuit after the other to its end."""
        while not self._session.closed:
            with self._changed:
                if not self._line:
                    return
                job = self._line.popleft()
            if job.job_id is None:
                job.submit()
                self._release_journal()
            while not job.poll():
                pass  # the machine has not answered within the read time-out

    def _stop(self, error: AQTError) -> None:
        """Send nothing more; what can go on later goes on with all that is left."""
        for job in self._drop_unsent():
            job.skip(error if isinstance(error, NOT_ACCEPTED) else NotSubmittedError())

    def _drop_unsent(self) -> list[ApiJob]:
        """Take the circuits that were not sent out of the line."""
        unsent = [job for job in self._line if job.job_id is None]
        self._line = deque(job for job in self._line if job.job_id is not None)
        return unsent

    def _note(self, job: ApiJob) -> None:
        """An error stops the circuits that come after it; what the machine has accepted runs."""
        if job.error is not None:
            self._stop(job.error)  # before anybody can see the end and send them again
        super()._note(job)
        with self._changed:
            if job.job_id is not None and not self.ended:
                self._status = JobStatus.RUNNING

    def _reason(self, failures: Sequence[ChunkFailure]) -> tuple[str, AQTError | None]:
        """The error of the circuit that has stopped the others; all, if several may be running."""
        message = "; ".join(self._descriptions(failures))
        serious = [failure for failure in failures if failure.error is not None]
        if not serious:
            return message, None
        errors = [
            failure.error for failure in serious if not isinstance(failure.error, NotSubmittedError)
        ]
        uncertain = [error for error in errors if isinstance(error, SubmissionUncertainError)]
        if not errors or len(uncertain) > 1:
            return message, IncompleteBatchError(serious)
        return message, (uncertain or errors)[0]

    def _descriptions(self, failures: Sequence[ChunkFailure]) -> list[str]:
        """What has become of circuits; neighbours with the same fate in one sentence."""
        described = []
        fates = groupby(
            enumerate(failures), lambda entry: (entry[1].message, entry[1].chunk - entry[0])
        )
        for (message, _), group in fates:
            chunks = [failure.chunk for _, failure in group]
            which = f"circuit {chunks[0]} ({self._batch.name(chunks[0])})"
            if len(chunks) > 1:
                which = f"circuits {chunks[0]} to {chunks[-1]}"
            described.append(f"{which}: {message}")
        return described
