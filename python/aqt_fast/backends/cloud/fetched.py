"""An API job of which only the portal's identifier is known, and perhaps the circuits."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult

from aqt_fast._ids import same_uuid
from aqt_fast._native import JobState, Samples, decode_response
from aqt_fast._shots import shots_of
from aqt_fast._texts import one_line
from aqt_fast.api_client import Resource
from aqt_fast.api_client.decisions import is_misrouted, may_have_ended, will_pass
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.execution import portal_location
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTError,
    MisroutedResponseError,
    ResponseMismatchError,
    ResultExpiredError,
)
from aqt_fast.jobs.api_job import FINAL_STATUS
from aqt_fast.jobs.connection import CLOSED
from aqt_fast.jobs.execution import Checkpoint, Execution
from aqt_fast.jobs.group import joined
from aqt_fast.jobs.timing import job_timing
from aqt_fast.store.accepted_ids import Owner
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.location import PortalLocation
from aqt_fast.wire.plan import BatchPlan, Part, whole
from aqt_fast.wire.snapshot import Snapshot
from aqt_fast.wire.time_stamps import end_of, moments
from aqt_fast.wire.unknown_circuits import UnknownCircuits


class Fetched(NamedTuple):
    """An answer about an API job."""

    body: bytes
    """The answer as it came."""
    state: JobState
    """What it says."""

    @classmethod
    def read(cls, body: bytes, job_id: str) -> Fetched:
        """Decode an answer about an API job.

        Raises:
            MisroutedResponseError: it is about another one.
            ResponseError: it cannot be used.
        """
        state = decode_response(body)
        if state.job_id is not None and not same_uuid(state.job_id, job_id):
            raise MisroutedResponseError(f"it is about {state.job_id!r}, not about {job_id}")
        return cls(body, state)


class FetchedExecution(Execution):
    """An API job that another computer has sent: polled until it has ended.

    The portal tells the numbers of circuits and shots with the outcomes only.

    Args:
        connection: the connection to the portal.
        resource: where the API job runs.
        snapshot: its circuits, as far as they are known.
        options: how to poll, and whether results have memory.
        job_id: the portal's identifier.
        first: the portal's first answer.
        keep: called with this object and the answer that has the outcomes, to store it.
    """

    def __init__(
        self,
        connection: CloudConnection,
        resource: Resource,
        snapshot: Snapshot,
        options: AQTOptions,
        job_id: str,
        first: Fetched,
        keep: Callable[[FetchedExecution, bytes], str | None],
    ) -> None:
        """Poll nothing yet."""
        super().__init__()
        self._connection = connection
        self._resource = resource
        self._snapshot = snapshot
        self._options = options
        self._id = job_id
        self._answer = first
        self._keep = keep
        self._problem: str | None = None
        self._samples: list[Samples] = []
        """All shots of each circuit."""
        self._part: Part | None = None
        """The API job as a part of a batch, None until the outcomes are known."""
        self._batch_id = str(uuid.uuid4())
        self.created = min(moments(self.changes).get("queued", [self.created]))
        connection.known_ids.here.note(job_id, Owner(self._batch_id, 0, self.label), seen=True)
        connection.register(self)

    @property
    def name(self) -> str:
        """The portal's identifier."""
        return self._id

    @property
    def job_id(self) -> str:
        """The portal's identifier."""
        return self._id

    @property
    def num_api_jobs(self) -> int:
        """One."""
        return 1

    def accepted_id(self, index: int) -> str:  # noqa: ARG002
        """Return the portal's identifier."""
        return self._id

    @property
    def location(self) -> PortalLocation:
        """The portal and the resource, as the store describes them."""
        return portal_location(self._connection, self._resource)

    @property
    def label(self) -> str:
        """The label on the portal."""
        return self._answer.state.label or f"job {self._id}"

    @property
    def problem(self) -> str | None:
        """What could not be stored, None if everything was."""
        return self._problem

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The status changes that the portal has reported: pairs of status and time stamp."""
        return self._answer.state.timing or []

    @property
    def device_seconds(self) -> float:
        """Seconds on the device, as far as the portal has reported."""
        return job_timing(self.changes).running or 0.0

    @property
    def places(self) -> list[JobStatus]:
        """The status of the API job."""
        return [self.state.status]

    @property
    def ended_at(self) -> datetime | None:
        """When the API job has ended, as the portal reports it."""
        return (end_of(self.changes) or self._ended_at) if self.state.ended else None

    @property
    def period(self) -> float:
        """Minimum time between polls in seconds."""
        return self._options.query_period_seconds

    def begin(self) -> None:
        """Read the first answer, and poll until the API job has ended."""
        self._guarded(lambda: self._take(self._answer))
        if not self.state.ended:
            self._watch()

    def poll(self) -> bool:
        """Poll once and return whether the API job has ended."""
        if not self.state.ended:
            try:
                read = partial(Fetched.read, job_id=self._id)
                self._take(self._connection.portal.result(self._id, read))
            except APIError as error:
                if not will_pass(error) and not is_misrouted(error):
                    self._end(JobStatus.ERROR, str(error), error)
            except AQTError as error:
                self._end(JobStatus.ERROR, str(error), error)
            except BaseException as error:
                reason = f"the state of job {self._id} cannot be read: {type(error).__name__}"
                self._end(JobStatus.ERROR, reason, APIError(f"{reason}: {error}"))
                if not isinstance(error, Exception):
                    raise
        return self.state.ended

    def results(self, part: range | None = None) -> list[ExperimentResult]:  # noqa: ARG002
        """Return one entry per circuit, in order; ``success=False`` if it was not evaluated."""
        if self._samples:
            memory = self._options.memory
            return [
                entry
                for index, item in enumerate(self._samples)
                for entry in self._snapshot.results(
                    [item], index, index + 1, shots=item.num_shots, memory=memory
                )
            ]
        message = self._message or "not evaluated yet"
        number = len(self._snapshot)
        shots = shots_of(self._options.shots, range(number))
        return self._snapshot.failed(0, number, shots=shots, message=message)

    def samples(self, part: range | None = None) -> list[Samples]:
        """Return the outcomes of all qubits of each circuit, with all of its shots, in order.

        Raises:
            LookupError: the API job has no outcomes yet.
        """
        if not self._samples:
            raise LookupError(self._message or "not evaluated yet")
        return self._samples[:] if part is None else self._samples[part.start : part.stop]

    def cancel(self) -> bool:
        """Cancel the API job. Return False if it has ended, or was cancelled before.

        Raises:
            APIError: the portal refuses or cannot be reached.
        """
        self._require_process()
        if self.state.ended and self.state.error is None:
            return False
        try:
            cancelled = self._connection.portal.cancel(self._id)
        except APIError as error:
            if may_have_ended(error) and self.poll() and self._fate_is_known():
                return False
            raise
        self._connection.poller.poll_now(self)
        return cancelled

    def retry(self) -> None:
        """Poll again after an error of the portal."""
        self._require_process()
        with self._changed:
            lasting = isinstance(self._error, ResultExpiredError | ResponseMismatchError)
            if self._error is None or lasting or self._connection.closed:
                return
            self._error = self._message = None
            self._status = JobStatus.QUEUED
        try:
            self._watch()
        except BaseException:
            self.abandon("interrupted")
            raise

    def checkpoint(self) -> Checkpoint:
        """Return what another process needs: the circuits and the number of shots are known.

        Raises:
            ValueError: the circuits are not known, or have not ended.
        """
        plan = self.plan()
        record = ApiJobRecord(label=self.label, job_id=self._id)
        return Checkpoint(
            job_id=plan.batch_id,
            location=self.location,
            plan=plan,
            events=tuple(record.events(0)),
            ended=self.state.ended,
        )

    def plan(self) -> BatchPlan:
        """Return the API job as a batch.

        Raises:
            ValueError: the circuits are not known, or have not ended.
        """
        if isinstance(self._snapshot, UnknownCircuits):
            raise ValueError("its circuits are not known: give them to provider.job()")
        if self._part is None:
            raise ValueError("its shots are known after its end only")
        return BatchPlan(self._batch_id, self.label, [self._part])

    @property
    def stall(self) -> str | None:
        """Why nothing goes on for want of a thread, None if all is well."""
        return self._connection.stall

    @property
    def unsent(self) -> list[str]:
        """Nothing: the API job is with the portal."""
        return []

    def wait_submitted(self, deadline: float) -> None:
        """Do not wait: the API job is with the portal."""

    def losses(self, unsent: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return nothing: the API job is with the portal."""
        return []

    def abandon(self, reason: str, deadline: float = 0.0) -> None:  # noqa: ARG002
        """End now; the API job stays with the portal."""
        if not self.state.ended:
            error = APIConnectionError(f"{reason}; the job is with the portal")
            self._end(JobStatus.ERROR, str(error), error)

    def give_up(self, job_id: str, reason: str, *, keep: object) -> None:
        """Do nothing: the result is that of the identifier, whosever it is."""

    def _fate_is_known(self) -> bool:
        error = self.state.error
        return error is None or isinstance(error, ResultExpiredError | ResponseMismatchError)

    def _watch(self) -> None:
        if self._connection.closed:
            self.abandon(CLOSED)
        else:
            self._connection.poller.watch(self._resource.resource_id, self)

    def _take(self, answer: Fetched) -> None:
        """Apply an answer.

        Raises:
            ResponseMismatchError: it is about other circuits.
        """
        state = answer.state
        part: Part | None = None
        samples: list[Samples] = []
        if state.status == "finished":
            part, samples = self._divided(state.samples or [])
        with self._changed:
            if self.state.ended:
                return
            self._answer = answer
            self._part, self._samples = part, samples
            self._finished_count = len(samples) or self._num_finished(state.finished_count or 0)
            if state.status == "ongoing":
                self._status = JobStatus.RUNNING
            self._changed.notify_all()
        if state.status == "finished":
            self._completed.append(range(len(samples)))
            self._problem = self._keep(self, answer.body)
            self._end(JobStatus.DONE)
        elif state.status in FINAL_STATUS:
            message = one_line(state.message or f"the job is {state.status}")
            self._end(FINAL_STATUS[state.status], message)

    def _num_finished(self, runs: int) -> int:
        """Return the number of finished circuits, as far as it is known."""
        if isinstance(self._snapshot, UnknownCircuits):
            return runs
        return whole(len(self._snapshot), self._options.shots).num_finished(runs)

    def _divided(self, runs: list[Samples]) -> tuple[Part | None, list[Samples]]:
        """Divide the outcomes of runs among the circuits, and check that they fit.

        Each circuit is one run, unless the option ``shots`` says that some are several.

        Returns:
            The API job as a part of a batch, None if the circuits are not known; and all shots of
            each circuit.

        Raises:
            ResponseMismatchError: there are other circuits or qubits.
        """
        if isinstance(self._snapshot, UnknownCircuits):
            self._snapshot.learn(runs)
            return None, runs
        number = len(self._snapshot)
        part = whole(number, self._options.shots)
        if len(runs) == number:
            part = Part.of(0, [(item.num_shots,) for item in runs])
        elif len(runs) != part.num_runs:
            raise ResponseMismatchError(f"job {self._id} has {len(runs)} circuits, not {number}")
        self._snapshot.check_samples(runs, 0, number, repetitions=part.repetitions)
        return part, [joined(of_circuit) for of_circuit in part.by_circuit(runs)]
