"""The handle of a job: delegates checking, running, waiting and saving, and does none itself.

Longer than 400 lines: most of them are docstrings of the one class that users call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobV1
from qiskit.result import Result

from aqt_fast._forks import ForkSafeLock
from aqt_fast._ids import canonical_uuid
from aqt_fast._native import Samples
from aqt_fast._pickles import AnyProtocol, Single
from aqt_fast._texts import LONGEST_NAME, one_line, printable
from aqt_fast._warnings import warn_caller
from aqt_fast.aqt_options import AQTOptions, JobOptions, checked_integer, checked_seconds
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.devices.usage import DeviceUsage
from aqt_fast.exceptions import (
    APIConnectionError,
    AQTError,
    DamagedJobError,
    DeviceNotOnlineError,
    InvalidInputError,
    JobFailedError,
    JournalError,
    OtherProcessError,
    SpendingLimitError,
    UnsavableJobError,
)
from aqt_fast.jobs.backend import JobBackend
from aqt_fast.jobs.error_text import ErrorText
from aqt_fast.jobs.execution import Checkpoint, Execution, ExecutionState
from aqt_fast.jobs.interrupts import interruptible
from aqt_fast.jobs.metrics import QueueInfo, metrics, queue_info
from aqt_fast.jobs.progress_bar import ProgressBar
from aqt_fast.jobs.saving import saved_job
from aqt_fast.jobs.summary import job_summary
from aqt_fast.jobs.timing import JobTiming
from aqt_fast.jobs.waiting import (
    CompletedPart,
    completed_parts,
    timed_out,
    wait_with_bar,
    wait_with_callback,
)
from aqt_fast.store.job_store import JobStore
from aqt_fast.store.journal import JournalWarning
from aqt_fast.store.listing import JobRestorer
from aqt_fast.visualization.job import JobSummary
from aqt_fast.visualization.plots import plot_counts, plot_timeline, require_matplotlib
from aqt_fast.wire.circuits import checked_shots, listed
from aqt_fast.wire.results import job_result
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aqt_fast import AQTProvider, AQTResource
    from aqt_fast.jobs.pickled import EndedJob, RunningJob


class Progress(NamedTuple):
    """Progress of a job."""

    finished_count: int
    """Number of circuits that were evaluated."""
    total_count: int
    """Number of circuits in the job."""


class AQTJob(Single, AnyProtocol, JobV1):
    """One handle for any number of circuits that share options.

    Usually made by a backend's ``run`` or by :func:`aqt_fast.execute`.

    A copy by ``copy.copy`` or ``copy.deepcopy`` is the same job. A pickle of a job in the cloud is
    made once the portal has answered its submissions; the job continues where it is unpickled. Any
    other job needs the process that runs it: its pickle waits for the end and holds the results.
    """

    _backend: JobBackend
    _job_id: str
    _options_class: ClassVar[type[JobOptions]] = JobOptions

    def __init__(
        self,
        backend: JobBackend,
        circuits: Iterable[QuantumCircuit] | Snapshot,
        options: AQTOptions,
        *,
        rescue: Callable[[Checkpoint], object] | None = None,
        evaluation: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        """Check the circuits and take a snapshot; later changes to them do not affect the job.

        Args:
            backend: where to run the circuits.
            circuits: one circuit, any number of circuits, or a snapshot of checked circuits.
            options: how to run them.
            rescue: called before :meth:`result` raises an error, with what is known then, so that
                the job is not lost.
            evaluation: returns what a primitive makes of the outcomes, in JSON's types. It is
                stored with the job.

        Raises:
            InvalidInputError: ``circuits`` or ``options`` has the wrong type.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot run.
            InvalidOptionError: ``shots`` exceed the backend's limit, or are not as many as the
                circuits.
        """
        super().__init__(backend, "")
        if not isinstance(options, AQTOptions):
            found = type(options).__name__
            raise InvalidInputError(f"options must be AQTOptions, not of type '{found}'")
        self._circuits: list[QuantumCircuit] | None = None
        if isinstance(circuits, Snapshot):
            self._snapshot = circuits
        else:
            self._circuits = listed(circuits)
            self._snapshot = backend.prepare(self._circuits, options)
        shots = checked_shots(options.shots, backend.limits, len(self._snapshot) or None)
        self._options = self._options_class.of(options, shots)
        self._execution: Execution | None = None
        self._begun = False
        """Whether the execution was begun to the end; an interrupt may have prevented that."""
        self._result: Result | None = None
        self._reopened = 0
        """How often the execution had been reopened before it had this result."""
        self._estimate: JobEstimate | None = None
        self._rescue = rescue
        self._evaluation = evaluation
        self._warned = False
        self._lock = ForkSafeLock()

    def __repr__(self) -> str:
        told = self.label or (self._execution and self._execution.name) or "not submitted"
        name = one_line(told, LONGEST_NAME)
        kind = type(self).__name__
        try:
            finished, total = self.progress()
            return f"<{kind} {name!r}: {self.status().name}, {finished} of {total} circuits>"
        except OtherProcessError as error:
            return f"<{kind} {name!r}: in process {error.process}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Wait until a job of the portal was submitted, or until any other job has ended."""
        from aqt_fast.jobs.pickled import pickled

        known = None if self._execution is None else pickled(self._execution)
        return _unpickled, (
            type(self), self._backend, self._snapshot, self._options, known, self._evaluation,
        )  # fmt: skip

    @property
    def circuits(self) -> list[QuantumCircuit]:
        """The circuits as they were passed in, in the order of the results.

        A job that was restored from its journal rebuilds them from its snapshot, with the same
        gates, measurements, names and metadata, but without barriers and layout. The list is empty
        if ``provider.job()`` was not given the circuits.
        """
        if self._circuits is None:
            self._circuits = self._snapshot.rebuilt()
        return list(self._circuits)

    @property
    def snapshot(self) -> Snapshot:
        """What was read of the circuits."""
        return self._snapshot

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """What a primitive makes of the outcomes, in JSON's types; None for other jobs."""
        return None if self._evaluation is None else self._evaluation()

    if TYPE_CHECKING:

        def backend(self) -> AQTResource:  # noqa: D102 - it is Qiskit's
            ...

    @property
    def options(self) -> JobOptions:
        """The job's options. How it waits can be changed; other changes are refused."""
        return self._options

    def submit(self, execution: Callable[[Any, AQTOptions], Execution] | None = None) -> None:
        """Submit the job and return at once.

        Args:
            execution: makes the job's execution, None for the backend's own.

        Raises:
            RuntimeError: the job was already submitted.
        """
        with self._lock:
            if self._execution is None:
                make = execution or self._backend.execution
                # Assigned before anything is sent: an interrupt cannot make us send it twice.
                self._execution = make(self._snapshot, self._options)
                if self._evaluation is not None:
                    self._execution.keep_evaluation(self._evaluation)
                self._begin(self._execution)
                return
        raise RuntimeError(f"Job already submitted (ID: {self._execution.name})")

    def job_id(self) -> str:
        """Return the portal's identifier of the job, or the identifier of its batch.

        Return the empty string before submission; then wait until the portal has answered it.

        Raises:
            AQTError: the submission has failed, or may have failed.
        """
        if self._execution is None:
            return ""
        with interruptible(self._advice):
            return self._execution.job_id

    @property
    def batch_id(self) -> str:
        """The job's own identifier, known as soon as it is submitted; empty before.

        It names the job's directory in the store. :meth:`restore` takes it, too.
        """
        return "" if self._execution is None else self._execution.batch_id

    def api_job_id(self, index: int = 0) -> str:
        """Return the portal's identifier of one API job, or the machine's of one circuit.

        Wait until portal or machine has accepted it.

        Args:
            index: which API job of the batch, from 0; with direct access, which circuit, or which
                run, if each circuit has several for its shots.

        Raises:
            RuntimeError: the job was not submitted.
            InvalidOptionError: there is no API job with this index.
            LookupError: the job of an offline simulator has no API jobs.
            AQTError: it was not accepted, or it is unknown whether it was.
        """
        execution = self._submitted()
        last = max(execution.num_api_jobs - 1, 0)
        return execution.accepted_id(checked_integer("index", index, 0, last))

    @property
    def label(self) -> str | None:
        """The job's label on the portal, None if it is on no portal."""
        return None if self._execution is None else self._execution.label

    @property
    def timing(self) -> JobTiming | None:
        """Seconds in the queue, on the device and in total; None if the portal reports none."""
        return None if self._execution is None else self._execution.timing

    def status(self) -> JobStatus:
        """Return one status for all circuits; ``INITIALIZING`` before submission."""
        return JobStatus.INITIALIZING if self._execution is None else self._execution.state.status

    def progress(self) -> Progress:
        """Return the numbers of evaluated circuits and of all circuits.

        The latter is 0 until the end if ``provider.job()`` was not given the circuits.
        """
        finished = 0 if self._execution is None else self._execution.state.finished_count
        return Progress(finished, len(self._snapshot))

    @property
    def error_message(self) -> ErrorText | None:
        """Why the job failed, None if it did not.

        The text of a failed job can also be called, as tools do once a job has failed.
        None cannot: a stand-in that can would not be None, and ``if job.error_message is not None``
        would take every job for a failed one, without a word.
        """
        if self._execution is None:
            return None
        state = self._execution.state
        text = printable(state.message or "")
        return ErrorText(text) if state.status is JobStatus.ERROR else None

    @property
    def creation_date(self) -> datetime | None:
        """When the job was submitted, in UTC; None before."""
        return None if self._execution is None else self._execution.created

    @property
    def tags(self) -> list[str]:
        """The texts to find the job by: the option ``tags``."""
        return list(self._options.tags)

    def usage(self) -> DeviceUsage:
        """Return the seconds on the device, as far as the portal has reported: a ``float``.

        That is when an API job has ended. A machine with direct access reports none.

        It also has the ``estimate`` of the job, the ``ratio`` to its likely seconds, and the
        ``cost``. The estimate is made when it is first asked for, also of a job that was restored:
        from its circuits, with the durations and prices that the backend knows then.
        """
        seconds = 0.0 if self._execution is None else self._execution.device_seconds
        return DeviceUsage(seconds, self._expected)

    def _expected(self) -> JobEstimate | None:
        """Return what the job was expected to take; None if its circuits are not known."""
        if self._estimate is None:
            with suppress(LookupError):
                self._estimate = self._backend.estimate_of(self._snapshot, self._options)
        return self._estimate

    def estimate_sent(self) -> JobEstimate:
        """Return what was sent so far may take and cost: what was sent twice counts twice.

        Submissions that were refused or withdrawn do not count. A simulation in this process counts
        as a whole.

        Raises:
            RuntimeError: the job was not submitted.
            LookupError: its circuits are not known.
        """
        parts = self._submitted().sent_parts
        return self._backend.estimate_of(self._snapshot, self._options, parts)

    def metrics(self) -> dict[str, Any]:
        """Return time stamps, usage and sizes, as Qiskit's tools read them.

        Raises:
            RuntimeError: the job was not submitted.
        """
        return metrics(
            self._submitted(), num_circuits=len(self._snapshot), shots=self._options.shots
        )

    def summary(self, circuit: int = 0) -> JobSummary:
        """Return what is known of the job now, without waiting.

        It prints as text. Notebooks show the state, a progress bar, the API jobs on a timeline, the
        counts of one circuit and the results of a few; they show the same for the job itself.

        Args:
            circuit: index of the circuit whose counts are shown.

        Raises:
            InvalidOptionError: there is no such circuit.
        """
        last = max(len(self._snapshot) - 1, 0)
        return job_summary(
            self._execution,
            self._snapshot,
            kind=type(self).__name__,
            backend_name=self._backend.name,
            shots=self._options.shots,
            circuit=checked_integer("circuit", circuit, 0, last),
        )

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def plot_timeline(self) -> Figure:
        """Draw when each API job was queued, and when it ran, as far as that is known now.

        Returns:
            A figure of matplotlib's. It belongs to no window; notebooks show it, and its method
            ``savefig`` writes it to a file.

        Raises:
            RuntimeError: the job was not submitted.
            MissingExtraError: matplotlib is not installed (extra ``plot``).
        """
        self._submitted()
        return plot_timeline(self.summary())

    def plot_counts(self, circuit: int = 0) -> Figure:
        """Draw how often each outcome of a circuit was measured.

        If the circuit was not evaluated yet, wait for the end of the job as :meth:`result` does.

        Args:
            circuit: index of the circuit.

        Returns:
            A figure of matplotlib's, as of :meth:`plot_timeline`.

        Raises:
            RuntimeError: the job was not submitted.
            InvalidOptionError: there is no such circuit.
            JobFailedError: the circuit was not evaluated.
            MissingExtraError: matplotlib is not installed (extra ``plot``).
            APIError: as for :meth:`result`.
        """
        require_matplotlib("the picture of counts")
        execution = self._submitted()
        chosen = self.summary(circuit).chosen
        if chosen is None or chosen.counts is None:
            self.result()
            chosen = self.summary(circuit).chosen
        if chosen is None or chosen.counts is None:
            reason = (chosen and chosen.status) or f"circuit {circuit} was not evaluated"
            raise JobFailedError(execution.name, reason)
        return plot_counts(chosen.counts, f"Circuit {circuit}: {chosen.name}")

    def queue_info(self) -> QueueInfo | None:
        """Return where the API jobs are; None before submission and offline, without a queue."""
        places = None if self._execution is None else self._execution.places
        return None if places is None else queue_info(places)

    def queue_position(self, refresh: bool = False) -> int | None:  # noqa: ARG002
        """Return None: AQT does not report the place in the queue, which tools ask for."""
        return None

    def cancel(self) -> bool:
        """Cancel what has not run yet. Return False if there was nothing left to cancel.

        Raises:
            APIError: the portal refuses or cannot be reached.
        """
        return self._execution is not None and self._execution.cancel()

    def result(
        self, timeout: float | None = None, wait: float | None = None, *, partial: bool = False
    ) -> Result:
        """Wait until every circuit was evaluated and return all results in input order.

        A job that failed or was cancelled returns a result with ``success=False`` and the reason in
        its ``status``. Circuits that were evaluated before keep their counts. The exception is an
        API job in the cloud that was not completed: the portal does not return its counts.

        Args:
            timeout: seconds to wait at most, from 0; None for the option ``query_timeout_seconds``.
            wait: taken for tools that give a time between polls. It changes nothing: the job is
                polled in the background, every ``query_period_seconds``.
            partial: return the known results instead of raising an error, also after the time-out.
                It waits like any call; ``timeout=0`` returns what there is now.

        Raises:
            RuntimeError: the job was not submitted.
            InvalidOptionError: ``timeout`` or ``wait`` is not a time.
            JobTimeoutError: the time has passed. The job continues; call ``result()`` again to wait
                longer.
            SubmissionUncertainError: it is unknown whether the job was accepted.
            SpendingLimitError: API jobs were not accepted yet, and a limit that is tighter now does
                not let them be sent.
            ResultExpiredError: the portal has deleted the result.
            APIError: the portal has refused the submission or cannot deliver the result. If the job
                was accepted, another call of ``result()`` retries.
        """
        execution = self._submitted()
        for name, value in (("timeout", timeout), ("wait", wait)):
            if value is not None:
                checked_seconds(name, value, zero=True)
        result = self._known(execution)
        while result is None:
            state = self._final_state(execution, timeout, quietly=partial)
            if state is None:
                return self._compose(execution, "not all circuits were evaluated in time")
            result = self._concluded(execution, state)
        return result

    def samples(self, timeout: float | None = None) -> list[Samples]:
        """Wait until every circuit was evaluated and return the packed outcomes, in input order.

        They have all qubits of each circuit and all shots in order, whatever the circuit measures.
        A simulator gives 0 for a qubit on which no gate acts. If its noise tells qubits apart, it
        does so for those that the circuit does not measure.

        Args:
            timeout: as for :meth:`result`.

        Raises:
            RuntimeError: the job was not submitted.
            InvalidOptionError: ``timeout`` is not a time, or the job is of a simulator and does not
                have the option ``memory``.
            JobTimeoutError: the time has passed. The job continues.
            JobFailedError: not every circuit was evaluated.
            APIError: as for :meth:`result`.
        """
        execution = self._submitted()
        if timeout is not None:
            checked_seconds("timeout", timeout, zero=True)
        state = self._final_state(execution, timeout)
        if state is None or state.status is not JobStatus.DONE:
            raise JobFailedError(
                execution.name, (state and state.message) or "it was not evaluated"
            )
        self._tell_problem(execution)
        return execution.samples()

    def _final_state(
        self, execution: Execution, timeout: float | None, *, quietly: bool = False
    ) -> ExecutionState | None:
        """Wait for the end, and resume the job before that if another attempt may succeed.

        Args:
            execution: the job's execution.
            timeout: seconds to wait at most, None for the option ``query_timeout_seconds``.
            quietly: raise no errors. None stands for a job that has not ended in time.
        """
        while True:
            self._retry(execution, quietly=quietly)
            limit = self._options.query_timeout_seconds if timeout is None else timeout
            try:
                ended = wait_with_bar(execution, self._bar, limit)
            except APIConnectionError:  # there is no thread
                if not quietly:
                    raise
                ended = False
            if not ended:
                if quietly:
                    return None
                raise timed_out(execution, limit)
            state = execution.state
            if not state.ended:
                continue  # another thread has resumed it
            if not quietly:
                self._raise_error(execution, state)
            return state

    def _raise_error(self, execution: Execution, state: ExecutionState) -> None:
        if state.error is None:
            return
        if self._rescue is not None:
            with suppress(OSError, DamagedJobError):
                self._rescue(execution.checkpoint())
        # The same error may be raised again, from another place.
        raise state.error.with_traceback(None)

    def _concluded(self, execution: Execution, state: ExecutionState) -> Result | None:
        """Return the result of a job that has ended, None if it has been reopened since.

        It is kept unless an error hides results.
        """
        if state.error is not None:
            return self._compose(execution, state.message)
        with self._lock:
            if self._known(execution) is None:
                self._result = self._compose(execution, state.message)
                self._reopened = state.reopened
            return self._known(execution)

    def _known(self, execution: Execution) -> Result | None:
        """Return the result that was composed, None if the job has gone on since."""
        return self._result if self._reopened == execution.reopened else None

    @property
    def _bar(self) -> ProgressBar:
        return ProgressBar(
            len(self._snapshot),
            self._backend.name,
            self._options.with_progress_bar,
            lambda ask: self._backend.device_status(ask=ask),
        )

    def _retry(self, execution: Execution, *, quietly: bool) -> None:
        """Resume after an error. If ``quietly``, ignore what prevents it: a journal, a limit."""
        try:
            execution.retry()
        except (JournalError, SpendingLimitError, DeviceNotOnlineError):
            if not quietly:
                raise

    def _tell_problem(self, execution: Execution) -> None:
        """Warn once of what the journal lacks."""
        if execution.problem is not None and not self._warned:
            self._warned = True
            warn_caller(execution.problem, JournalWarning)

    def _compose(self, execution: Execution, message: str | None) -> Result:
        self._tell_problem(execution)
        return job_result(
            execution.results(),
            backend_name=self._backend.name,
            job_id=execution.name,
            message=message,
            ended=execution.ended_at,
            header=execution.header,
        )

    def as_completed(self) -> Iterator[CompletedPart]:
        """Yield the parts of the job as they end, each circuit once.

        A part is an API job's share in the cloud, a single circuit with direct access, or a chunk
        of circuits on an offline simulator. Circuits that were not evaluated come last.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: ``query_timeout_seconds`` has passed since the last part.
        """
        execution = self._submitted()
        self._retry(execution, quietly=True)
        yield from completed_parts(
            execution, len(self._snapshot), self._options.query_timeout_seconds
        )

    def __await__(self) -> Generator[Any, None, Result]:
        """Wait for :meth:`result` with ``await job``, without blocking other tasks."""
        return self._awaited().__await__()

    async def _awaited(self) -> Result:
        from aqt_fast.jobs.coroutines import in_daemon_thread, wait_for_end

        execution = self._submitted()
        while (known := self._known(execution)) is None:
            await in_daemon_thread(lambda: self._retry(execution, quietly=False))
            limit = self._options.query_timeout_seconds
            if not await wait_for_end(execution, self._bar, limit):
                raise timed_out(execution, limit)
            state = execution.state
            if state.ended:  # otherwise another thread has resumed it
                await in_daemon_thread(partial(self._raise_error, execution, state))
                await in_daemon_thread(partial(self._concluded, execution, state))
        return known

    async def __aiter__(self) -> AsyncIterator[CompletedPart]:
        """Iterate over :meth:`as_completed` without blocking other tasks."""
        from aqt_fast.jobs.coroutines import in_daemon_thread, parts

        execution = self._submitted()
        await in_daemon_thread(lambda: self._retry(execution, quietly=True))
        limit = self._options.query_timeout_seconds
        async for part in parts(execution, len(self._snapshot), limit):
            yield part

    def resubmit_failed(
        self,
        *,
        uncertain: bool = False,
        expired: bool = False,
        max_cost: float | None = None,
        max_device_seconds: float | None = None,
        max_shots: int | None = None,
    ) -> int:
        """Submit again the API jobs that have failed so far. They are charged again, too.

        With direct access, each circuit is an API job. Limits count for all submissions of the job
        together: those that have run or may run, and those that would be sent now.

        Args:
            uncertain: include API jobs of which it is unknown whether they were accepted. They may
                run twice: first :meth:`adopt` those that were accepted.
            expired: include API jobs that have run, but whose results the portal has deleted.
            max_cost: takes the place of the job's own limit from now on, as long as this object
                lives; None leaves it. Limits of the backend and the provider stay.
            max_device_seconds: the same for the time on the device.
            max_shots: the same for the shots.

        Returns:
            The number of API jobs that were submitted again.

        Raises:
            RuntimeError: the job was not submitted.
            SpendingLimitError: a limit would be exceeded; nothing was sent.
            DeviceNotOnlineError: the job has the option ``require_online``, and the device is not.
            JournalError: another process works on the job or has continued it.
        """
        return self._submitted().resubmit_failed(
            uncertain=uncertain,
            expired=expired,
            limits=SpendingLimits(max_cost, max_device_seconds, max_shots),
        )

    def adopt(self, label: str, job_id: str) -> None:
        """Set the identifier that the portal has given to an uncertain submission.

        Args:
            label: the label in ``SubmissionUncertainError``, which the portal's page shows.
            job_id: the identifier next to that label on the portal's page; with direct access, the
                machine's identifier of the run.

        Raises:
            LookupError: no uncertain submission of this job has this label.
            InvalidInputError: ``job_id`` is certainly the identifier of another API job: an answer
                of the portal has named its label, or it was known before this one was sent. An API
                job that has it without such proof loses it, and becomes uncertain.
            ValueError: ``job_id`` is not a UUID.
            JournalError: another process works on the job or has continued it.
        """
        try:
            plain = canonical_uuid(job_id)
        except ValueError:
            raise ValueError(f"{job_id!r} is no identifier of an API job: a UUID") from None
        self._submitted().adopt(label, plain)

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus, AQTJob], None] | None = None,
    ) -> None:
        """Wait until the job has ended.

        Args:
            timeout: seconds to wait at most, None for no limit.
            wait: seconds between calls of ``callback``, at least 0.01.
            callback: called with the job's id (its label until it has one), its status and the job.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: the job has not ended in time; it continues.
        """
        wait_with_callback(
            self._submitted(),
            timeout=timeout,
            period=wait,
            callback=None if callback is None else partial(_called_with, callback, self),
        )

    def persist(self, *, store_path: str | Path | None = None) -> Path:
        """Save the job for another process to restore.

        Wait until the portal has answered all submissions. For direct access without a journal,
        wait until the job has ended.

        Args:
            store_path: directory of saved jobs, None for that of the backend's provider.

        Returns:
            The job's directory inside ``store_path``.

        Raises:
            RuntimeError: the job was not submitted.
            AQTError: the submission has failed.
            UnsavableJobError: the noise model, a simulator option or something in a circuit
                cannot be saved and read again.
            OSError: the directory or a file cannot be written.
        """
        if self._execution is None:
            raise RuntimeError("Can only persist submitted jobs.")
        job_id = self._execution.job_id
        try:
            with interruptible(self._advice):
                saved = saved_job(
                    self._execution,
                    self._backend,
                    self._snapshot,
                    self.circuits if self._evaluation is None else None,
                    self._options,
                    self.evaluation,
                )
            return JobStore(store_path or self._backend.store_path).save(saved)
        except (TypeError, ValueError) as error:
            raise UnsavableJobError(job_id, str(error)) from error

    @classmethod
    def restore(
        cls,
        job_id: str,
        *,
        access_token: str | None = None,
        store_path: str | Path | None = None,
        remove_from_store: bool = True,
        provider: JobRestorer[AQTJob] | None = None,
    ) -> AQTJob:
        """Restore a job that was saved, or that has a journal.

        Nothing is submitted. A job on the portal or on a machine continues there, even while
        another process works on it. Then only that process submits, and only it queries a machine.
        Stored results are not fetched again. API jobs that were refused or not submitted count as
        failed: submit them with :meth:`resubmit_failed`. Those that may have been submitted raise
        ``SubmissionUncertainError``.

        A job of an offline simulator runs again, with the same circuits, options, number of qubits,
        noise model and simulator options. It has a new id, and is not saved itself.

        Args:
            job_id: the id of the job, or of any API job in it.
            access_token: as for :class:`~aqt_fast.AQTProvider`.
            store_path: directory of saved jobs and journals, None for the default one.
            remove_from_store: after loading, delete what ``persist()`` has saved. It is saved again
                if ``result()`` raises an error of the portal. Journals stay.
            provider: whose connections to use instead of ``access_token``; None makes a new one.

        Raises:
            JobNotFoundError: no saved job and no journal has this id.
            DamagedJobError: the saved data cannot be read; it stays as it is.
            APIError: the job belongs to another portal or machine, or there is no access token for
                it. A machine gets the token only if ``AQT_DIRECT_URL`` names it.
        """
        provider = provider or provider_for_restoring(access_token)
        return provider.restore(job_id, store_path=store_path, remove_from_store=remove_from_store)

    def _advice(self) -> str:
        return "" if self._execution is None else self._execution.advice

    def _submitted(self) -> Execution:
        if self._execution is None:
            raise RuntimeError("the job was not submitted; call submit() first")
        if not self._begun:
            with self._lock:
                if not self._begun:  # an interrupt
                    with suppress(APIConnectionError):  # closed meanwhile: it has ended
                        self._begin(self._execution)
        return self._execution

    def _begin(self, execution: Execution) -> None:
        try:
            execution.begin()
        except AQTError:
            self._begun = True  # it has ended
            raise
        self._begun = True


def provider_for_restoring(access_token: str | None = None) -> AQTProvider:
    """Make a provider for stored jobs.

    Declared exception: providers make backends, and backends make jobs. A job therefore gets its
    provider from the package, and the import cannot stand at the top.

    Args:
        access_token: as for :class:`~aqt_fast.AQTProvider`.
    """
    import aqt_fast

    return aqt_fast.AQTProvider.for_restoring(access_token)


def _unpickled(
    kind: type[AQTJob],
    backend: JobBackend,
    snapshot: Snapshot,
    options: AQTOptions,
    known: EndedJob | RunningJob | None,
    evaluation: Callable[[], dict[str, Any]] | None = None,
) -> AQTJob:
    job = kind(backend, snapshot, options, evaluation=evaluation)
    if known is not None:
        job.submit(partial(known.execution, backend))
    return job


def _called_with(
    callback: Callable[[str, JobStatus, AQTJob], None], job: AQTJob, name: str, status: JobStatus
) -> None:
    callback(name, status, job)


class AQTDirectAccessJob(AQTJob):
    """A job on a machine in the same network, which runs its circuits one after the other.

    The process that runs the job sends them. After it has ended, :meth:`AQTJob.restore` reads
    the results so far from the journal and the running circuit from the machine;
    :meth:`AQTJob.resubmit_failed` sends the others.
    """
