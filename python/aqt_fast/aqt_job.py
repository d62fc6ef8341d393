"""The handle of a job: composes the steps (check, execute, wait, result, save), does none."""

from __future__ import annotations

import copy
import math
import threading
import time
import uuid
import warnings
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus, JobTimeoutError, JobV1
from qiskit.providers.jobstatus import JOB_FINAL_STATES
from qiskit.result import Result
from qiskit.result.models import ExperimentResult

import aqt_fast
from aqt_fast import wire
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.caller import warn_caller
from aqt_fast.exceptions import (
    APIError,
    DamagedJobError,
    InvalidInputError,
    JournalError,
    UnsavableJobError,
)
from aqt_fast.execution import Execution
from aqt_fast.job_timing import JobTiming
from aqt_fast.journal import Journal, JournalWarning
from aqt_fast.persistence import JobStore, SavedJob
from aqt_fast.stored_job import find_job

_UNUSABLE = (
    AttributeError, LookupError, TypeError, ValueError, ArithmeticError, MemoryError, QiskitError
)  # fmt: skip
"""What making a job of readable but wrong data can raise."""


class Progress(NamedTuple):
    """How far a job has come."""

    finished_count: int
    """Circuits that were evaluated."""
    total_count: int
    """Circuits in all."""


class JobBackend(Protocol):
    """What a job needs of its backend."""

    name: str
    job_class: type[AQTJob]

    @property
    def num_qubits(self) -> int:
        """Size of the register."""

    @property
    def limits(self) -> wire.Limits:
        """What one job takes."""

    def prepare(self, circuits: Sequence[QuantumCircuit]) -> Any:
        """Check circuits and make a snapshot of them."""

    def execution(self, batch: Any, options: AQTOptions) -> Execution:
        """Make an execution of circuits that were prepared; it has not begun."""

    def resumed(
        self, batch: Any, options: AQTOptions, settings: dict[str, Any], journal: Journal | None
    ) -> Execution:
        """Make one that goes on with that of another process.

        Args:
            batch: its circuits, prepared.
            options: its options.
            settings: what its ``settings()`` has returned.
            journal: its journal, if there is one.
        """

    def unchanged(self, circuits: Sequence[QuantumCircuit], batch: Any) -> list[QuantumCircuit]:
        """The circuits of a snapshot; raise ``ValueError`` if they were changed since."""


class CompletedPart(NamedTuple):
    """A part of a job that has ended."""

    circuits: range
    """Indices of its circuits."""
    results: list[ExperimentResult]
    """One entry a circuit; those that were not evaluated have ``success=False``."""


class AQTJob(JobV1):
    """One handle for any number of circuits that share options.

    Usually made by a backend's ``run`` or by :func:`aqt_fast.execute`.
    """

    _backend: JobBackend
    _job_id: str

    def __init__(
        self, backend: JobBackend, circuits: Iterable[QuantumCircuit] | Batch, options: AQTOptions
    ) -> None:
        """Check the circuits and make a snapshot, so that later changes do not reach the job.

        Args:
            backend: where to run them.
            circuits: one circuit, any number of them, or a snapshot that was made before.
            options: how to run them.

        Raises:
            InvalidInputError: ``circuits`` or ``options`` are something else.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot run.
            InvalidOptionError: more shots than the backend takes.
        """
        super().__init__(backend, "")
        if not isinstance(options, AQTOptions):
            found = type(options).__name__
            raise InvalidInputError(f"options must be AQTOptions, not of type '{found}'")
        wire.checked_shots(options.shots, backend.limits)
        self._circuits: list[QuantumCircuit] | None = None
        if isinstance(circuits, Batch):
            self._batch: Any = circuits
        else:
            self._circuits = wire.listed(circuits)
            self._batch = backend.prepare(self._circuits)
        self._options = copy.copy(options)
        self._execution: Execution | None = None
        self._result: Result | None = None
        self._restored: tuple[JobStore, SavedJob] | None = None
        self._warned = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        finished, total = self.progress()
        name = self.label or (self._execution and self._execution.name) or "not submitted"
        kind = type(self).__name__
        return f"<{kind} {name!r}: {self.status().name}, {finished} of {total} circuits>"

    @property
    def circuits(self) -> list[QuantumCircuit]:
        """The circuits as they were passed in, in the order of the results.

        Those of a job that was restored from its journal are made from its snapshot: the same
        gates, measurements, names and metadata, without barriers and layout.
        """
        if self._circuits is None:
            self._circuits = [self._batch.circuit(index) for index in range(len(self._batch))]
        return list(self._circuits)

    @property
    def options(self) -> AQTOptions:
        """A copy of the options of this job."""
        return copy.copy(self._options)

    def submit(self, execution: Callable[[Any, AQTOptions], Execution] | None = None) -> None:
        """Hand the job over and return at once.

        Args:
            execution: makes what brings the circuits forward, None for the backend's usual way.

        Raises:
            RuntimeError: the job was submitted before.
        """
        with self._lock:
            if self._execution is None:
                make = execution or self._backend.execution
                # Known before anything is sent: whatever interrupts us, nothing is sent twice.
                self._execution = make(self._batch, self._options)
                self._execution.begin()
                return
        raise RuntimeError(f"Job already submitted (ID: {self._execution.name})")

    def job_id(self) -> str:
        """What the job is called: the portal's identifier, or that of a batch in this process.

        The empty string before submission. Waits until the portal has answered the submission.

        Raises:
            AQTError: the submission has failed, or may have.
        """
        return "" if self._execution is None else self._execution.job_id

    @property
    def label(self) -> str | None:
        """What the portal shows with the job, None if no portal knows it."""
        return None if self._execution is None else self._execution.label

    @property
    def timing(self) -> JobTiming | None:
        """Seconds in the queue, on the device and in all; None if the portal has not told."""
        return None if self._execution is None else self._execution.timing

    def status(self) -> JobStatus:
        """One status for all circuits; ``INITIALIZING`` before submission."""
        return JobStatus.INITIALIZING if self._execution is None else self._execution.status

    def progress(self) -> Progress:
        """Circuits that were evaluated, and circuits in all."""
        finished = 0 if self._execution is None else self._execution.finished_count
        return Progress(finished, len(self._batch))

    @property
    def error_message(self) -> str | None:
        """Why the job failed, None if it did not."""
        if self._execution is None or self._execution.status is not JobStatus.ERROR:
            return None
        return self._execution.message

    def cancel(self) -> bool:
        """Stop what has not run yet. False if there was nothing left to cancel.

        Raises:
            APIError: the portal refuses, or cannot be asked.
        """
        return self._execution is not None and self._execution.cancel()

    def result(self, *, partial: bool = False) -> Result:
        """Wait until every circuit was evaluated and return all results in input order.

        A job that failed or was cancelled gives a result with ``success=False`` and the reason in
        its ``status``. Circuits that were evaluated before have their counts nevertheless, but for
        those of an API job on the cloud that did not end: the portal does not tell them.

        Args:
            partial: return what is known where an error would be raised instead, also after
                ``query_timeout_seconds``.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: the option ``query_timeout_seconds`` has passed. The job goes on, and
                ``result()`` may be called again.
            SubmissionUncertainError: nobody here knows whether the job was accepted.
            ResultExpiredError: the portal has deleted the result.
            APIError: the portal has refused the submission, or cannot be asked for the result.
                Where a job was accepted, calling ``result()`` again asks again.
        """
        execution = self._submitted()
        while self._result is None:
            self._go_on(execution, quietly=partial)
            try:
                self._wait_with_bar(execution)
            except JobTimeoutError:
                if partial:
                    return self._compose(execution, "not all circuits were evaluated in time")
                raise
            outcome = execution.outcome()
            if outcome is None:
                continue  # another thread has made it go on
            message, error = outcome
            if error is None:
                with self._lock:
                    self._result = self._result or self._compose(execution, message)
            elif partial:
                return self._compose(execution, message)
            else:
                self._save_again()
                # The same error may be raised again, from another place.
                raise error.with_traceback(None)
        return self._result

    def _go_on(self, execution: Execution, *, quietly: bool) -> None:
        """Take up again what an error has stopped; ``quietly`` if the rest is wanted anyway."""
        try:
            execution.go_on()
        except JournalError:
            if not quietly:
                raise

    def _compose(self, execution: Execution, message: str | None) -> Result:
        if execution.problem is not None and not self._warned:
            self._warned = True
            warn_caller(execution.problem, JournalWarning)
        return wire.job_result(
            execution.results(),
            backend_name=self._backend.name,
            job_id=execution.name,
            message=message,
        )

    def as_completed(self) -> Iterator[CompletedPart]:
        """Give the parts of the job as they end, each circuit once.

        Parts are those of the API jobs on a cloud, single circuits with direct access, and what an
        offline simulator does at a time. What was not evaluated comes last.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: ``query_timeout_seconds`` has passed since the last part.
        """
        execution = self._submitted()
        self._go_on(execution, quietly=True)
        given: set[int] = set()
        number = 0
        while True:
            ended = execution.ended
            for part in execution.completed[number:]:
                number += 1
                if given.isdisjoint(part):
                    given.update(part)
                    yield CompletedPart(part, execution.results(part))
            if ended:
                break
            execution.wait(self._options.query_timeout_seconds, completed=number)
            if not execution.ended and len(execution.completed) <= number:
                raise self._timed_out(execution, self._options.query_timeout_seconds)
        rest = [index for index in range(len(self._batch)) if index not in given]
        if rest:
            results = execution.results()
            for index in rest:
                yield CompletedPart(range(index, index + 1), [results[index]])

    def __await__(self) -> Generator[Any, None, Result]:
        """``await job`` waits for :meth:`result` without holding up other tasks."""
        return _in_daemon_thread(self.result).__await__()

    async def __aiter__(self) -> AsyncIterator[CompletedPart]:
        """``async for part in job`` is :meth:`as_completed` without holding up other tasks."""
        parts = self.as_completed()
        while (part := await _in_daemon_thread(lambda: next(parts, None))) is not None:
            yield part

    def resubmit_failed(self, *, uncertain: bool = False, expired: bool = False) -> int:
        """Submit those API jobs once more that have failed by now; they cost once more, too.

        With direct access each circuit is an API job.

        Args:
            uncertain: also those of which nobody knows whether they were accepted. They may then
                run twice; :meth:`adopt` first those that were.
            expired: also those that have run, and whose results the portal has deleted.

        Returns:
            How many API jobs were submitted again.

        Raises:
            RuntimeError: the job was not submitted.
            JournalError: another process works on the job, or has gone on with it.
        """
        number = self._submitted().resubmit_failed(uncertain=uncertain, expired=expired)
        if number:
            self._result = None
        return number

    def adopt(self, label: str, job_id: str) -> None:
        """Say which identifier the portal has given to a submission that was uncertain.

        Args:
            label: that of ``SubmissionUncertainError``, which the portal's page shows.
            job_id: the identifier that the portal's page shows with it; with direct access, that
                of the run on the machine.

        Raises:
            LookupError: no uncertain submission of this job has this label.
            ValueError: ``job_id`` is no UUID, or that of another API job of this job.
            JournalError: another process works on the job, or has gone on with it.
        """
        try:
            plain = str(uuid.UUID(job_id))
        except (ValueError, AttributeError, TypeError):
            raise ValueError(f"{job_id!r} is no identifier of an API job: a UUID") from None
        self._submitted().adopt(label, plain)
        self._result = None

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus, AQTJob], None] | None = None,
    ) -> None:
        """Wait until the job has ended.

        Args:
            timeout: seconds to wait at most, None for as long as it takes.
            wait: seconds between calls of ``callback``, at least 0.01.
            callback: called with the job's id (its label as long as there is none), its status
                and the job.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: the job has not ended in time; it goes on.
        """
        execution = self._submitted()
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while execution.status not in JOB_FINAL_STATES:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._timed_out(execution, timeout)
            if callback is not None:
                callback(execution.name, execution.status, self)
                left = min(left, max(wait, 0.01))
            execution.wait(None if left == math.inf else left)

    def persist(self, *, store_path: str | Path | None = None) -> Path:
        """Save the job, so that another process can restore it.

        A job of the portal is saved when its submissions were answered, one of direct access that
        has no journal when it has ended: this waits for it.

        Args:
            store_path: directory of saved jobs, None for the default one.

        Returns:
            The file, inside the directory.

        Raises:
            RuntimeError: the job was not submitted.
            AQTError: the submission has failed.
            UnsavableJobError: the noise model, an option of the simulator, or something in a
                circuit cannot be saved and read again.
            OSError: the directory or the file cannot be written.
        """
        if self._execution is None:
            raise RuntimeError("Can only persist submitted jobs.")
        job_id = self._execution.job_id
        try:
            settings = self._execution.settings()
            circuits = self._backend.unchanged(self.circuits, self._batch)
        except ValueError as error:
            raise UnsavableJobError(job_id, str(error)) from error
        saved = SavedJob(
            job_id=job_id,
            backend_name=self._backend.name,
            available_qubits=self._backend.num_qubits,
            backend_settings=settings,
            options=dict(self._options),
            circuits=circuits,
        )
        return JobStore(store_path).save(saved)

    @classmethod
    def restore(
        cls,
        job_id: str,
        *,
        access_token: str | None = None,
        store_path: str | Path | None = None,
        remove_from_store: bool = True,
        provider: aqt_fast.AQTProvider | None = None,
    ) -> AQTJob:
        """Go on with a job that was saved, or that has a journal.

        Nothing is submitted. A job of the portal or of direct access goes on where it is, also
        while another process works on it: that one then is the one that submits, and the only one
        that asks a machine. Results that were stored are not asked for again. What was not
        submitted, and what was refused, has failed and can be submitted with
        :meth:`resubmit_failed`; what may have been submitted raises ``SubmissionUncertainError``.

        A job of an offline simulator runs again, with the same circuits, options, register, noise
        model and simulator options. It has a new id, and is not saved itself.

        Args:
            job_id: the job's id, or that of any API job in it.
            access_token: as for :class:`~aqt_fast.AQTProvider`.
            store_path: directory of saved jobs and journals, None for the default one.
            remove_from_store: delete what ``persist()`` has saved after it was loaded. It is saved
                again if ``result()`` raises an error of the portal. Journals stay.
            provider: whose connections to use, instead of ``access_token``; None makes a new one.

        Raises:
            JobNotFoundError: no saved job and no journal has this id.
            DamagedJobError: the saved data cannot be read; it stays where it is.
            APIError: the job is one of another portal or machine, or there is no access token for
                it. A machine gets the token only if ``AQT_DIRECT_URL`` names it.
        """
        store = JobStore(store_path)
        stored = find_job(store, job_id)
        # Providers make backends and backends make jobs: only here does a job need a provider, and
        # gets it from the package's lazy face.
        if provider is None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "no access token")  # an offline job needs none
                provider = aqt_fast.AQTProvider(access_token)
        try:
            options = AQTOptions(**stored.options)
            backend = provider.saved_backend(
                stored.backend_name, stored.available_qubits, stored.backend_settings
            )
            job: AQTJob = backend.job_class(backend, stored.circuits(), options)
            job._execution = backend.resumed(
                job._batch, options, stored.backend_settings, stored.journal
            )
            job._execution.begin()
        except (APIError, DamagedJobError):
            raise
        except _UNUSABLE as error:
            raise DamagedJobError(stored.path, f"{type(error).__name__}: {error}") from error
        if remove_from_store and stored.saved is not None:
            store.remove(stored.saved.job_id)
            job._restored = (store, stored.saved)
        return job

    def _submitted(self) -> Execution:
        if self._execution is None:
            raise RuntimeError("the job was not submitted; call submit() first")
        return self._execution

    def _timed_out(self, execution: Execution, seconds: float | None) -> JobTimeoutError:
        return JobTimeoutError(f"job {execution.name} has not ended within {seconds} s")

    def _save_again(self) -> None:
        """What was restored and then failed must not be lost with this process."""
        if self._restored is not None:
            store, saved = self._restored
            with suppress(OSError):
                store.save(saved)

    def _wait_with_bar(self, execution: Execution) -> None:
        timeout = self._options.query_timeout_seconds
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        total = len(self._batch)
        hidden = not self._options.with_progress_bar or execution.status in JOB_FINAL_STATES
        tqdm = import_module("tqdm.auto").tqdm  # with asyncio, which takes a while to load
        with tqdm(total=total, desc=self._backend.name, unit="circuit", disable=hidden) as bar:
            while True:
                finished = execution.finished_count
                bar.update(finished - bar.n)
                if execution.status in JOB_FINAL_STATES:
                    bar.update(execution.finished_count - bar.n)
                    return
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._timed_out(execution, timeout)
                execution.wait(None if left == math.inf else left, beyond=finished)


def _in_daemon_thread(function: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
    """:func:`aqt_fast.waiting.in_daemon_thread`; asyncio is loaded when first used."""
    wait: Callable[..., Coroutine[Any, Any, Any]]
    wait = import_module("aqt_fast.waiting").in_daemon_thread
    return wait(function)


class AQTDirectAccessJob(AQTJob):
    """A job of a machine in the same network, which runs its circuits one after the other.

    They are sent by the process that runs the job. When that ends, :meth:`AQTJob.restore` finds
    what was measured in the journal and the circuit in hand at the machine;
    :meth:`AQTJob.resubmit_failed` sends the others.
    """
