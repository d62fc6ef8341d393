"""The handle of a job: composes the steps (check, execute, wait, result, save), does none."""

from __future__ import annotations

import copy
import math
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus, JobTimeoutError, JobV1
from qiskit.providers.jobstatus import JOB_FINAL_STATES
from qiskit.result import Result
from qiskit.result.models import ExperimentResult
from tqdm.auto import tqdm

import aqt_fast
from aqt_fast import wire
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.exceptions import DamagedJobError, InvalidInputError, UnsavableJobError
from aqt_fast.persistence import JobStore, SavedJob

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


class Execution(Protocol):
    """A batch of circuits on its way through a device or a simulator."""

    @property
    def status(self) -> JobStatus:
        """Where the batch stands."""

    @property
    def finished_count(self) -> int:
        """Circuits that were evaluated."""

    @property
    def message(self) -> str | None:
        """Why not all circuits were evaluated, None if they were or still may be."""

    def results(self) -> list[ExperimentResult]:
        """One entry a circuit, in order; those that were not evaluated have ``success=False``."""

    def cancel(self) -> bool:
        """Stop what has not run yet; False if the batch has ended already."""

    def wait(self, seconds: float | None, *, beyond: int | None = None) -> None:
        """Wait until the batch has ended, or until more than ``beyond`` circuits are done."""

    def settings(self) -> dict[str, Any]:
        """What makes its backend another than the provider's default, in JSON's types."""


class JobBackend(Protocol):
    """What a job needs of its backend."""

    name: str

    @property
    def num_qubits(self) -> int:
        """Size of the register."""

    @property
    def limits(self) -> wire.Limits:
        """What one job takes."""

    def start(self, circuits: Sequence[QuantumCircuit], options: AQTOptions) -> Execution:
        """Start the execution of circuits that were checked."""

    def restore_settings(self, settings: dict[str, Any]) -> None:
        """Take over what ``settings()`` of an execution on another backend returned."""


class AQTJob(JobV1):
    """One handle for any number of circuits that share options.

    Usually made by a backend's ``run`` or by :func:`aqt_fast.execute`.
    """

    _backend: JobBackend
    _job_id: str

    def __init__(
        self, backend: JobBackend, circuits: Iterable[QuantumCircuit], options: AQTOptions
    ) -> None:
        """Check the circuits and copy them, so that later changes do not reach the job.

        Raises:
            InvalidInputError: ``circuits`` or ``options`` are something else.
            InvalidJobError: there are no circuits, or too many.
            InvalidCircuitError: lists every circuit that cannot run.
        """
        super().__init__(backend, "")
        if not isinstance(options, AQTOptions):
            found = type(options).__name__
            raise InvalidInputError(f"options must be AQTOptions, not of type '{found}'")
        self._circuits = wire.check_circuits(circuits, backend.limits)
        self._copies = [circuit.copy() for circuit in self._circuits]
        self._options = copy.copy(options)
        self._execution: Execution | None = None
        self._result: Result | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        finished, total = self.progress()
        job_id = self._job_id or "not submitted"
        return f"<AQTJob {job_id}: {self.status().name}, {finished} of {total} circuits>"

    @property
    def circuits(self) -> list[QuantumCircuit]:
        """The circuits as they were passed in, in the order of the results."""
        return list(self._circuits)

    @property
    def options(self) -> AQTOptions:
        """A copy of the options of this job."""
        return copy.copy(self._options)

    def submit(self) -> None:
        """Hand the job over and return at once.

        Raises:
            RuntimeError: the job was submitted before.
        """
        with self._lock:
            if self._execution is not None:
                raise RuntimeError(f"Job already submitted (ID: {self._job_id})")
            self._job_id = str(uuid.uuid4())
            self._execution = self._backend.start(self._copies, self._options)

    def status(self) -> JobStatus:
        """One status for all circuits; ``INITIALIZING`` before submission."""
        return JobStatus.INITIALIZING if self._execution is None else self._execution.status

    def progress(self) -> Progress:
        """Circuits that were evaluated, and circuits in all."""
        finished = 0 if self._execution is None else self._execution.finished_count
        return Progress(finished, len(self._circuits))

    @property
    def error_message(self) -> str | None:
        """Why the job failed, None if it did not."""
        if self._execution is None or self._execution.status is not JobStatus.ERROR:
            return None
        return self._execution.message

    def cancel(self) -> bool:
        """Stop what has not run yet. False if there was nothing left to cancel."""
        return self._execution is not None and self._execution.cancel()

    def result(self) -> Result:
        """Wait until every circuit was evaluated and return all results in input order.

        A job that failed or was cancelled gives a result with ``success=False`` and the reason in
        its ``status``; circuits that were evaluated before have their counts nevertheless.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: the option ``query_timeout_seconds`` has passed. The job goes on, and
                ``result()`` may be called again.
        """
        execution = self._submitted()
        if self._result is None:
            self._wait_with_bar(execution)
        with self._lock:
            if self._result is None:
                self._result = wire.job_result(
                    execution.results(),
                    backend_name=self._backend.name,
                    job_id=self._job_id,
                    message=execution.message,
                )
            return self._result

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
            callback: called with the job's id, its status and the job.

        Raises:
            RuntimeError: the job was not submitted.
            JobTimeoutError: the job has not ended in time; it goes on.
        """
        execution = self._submitted()
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while execution.status not in JOB_FINAL_STATES:
            left = deadline - time.monotonic()
            if left <= 0:
                raise JobTimeoutError(f"job {self._job_id} has not ended within {timeout} s")
            if callback is not None:
                callback(self._job_id, execution.status, self)
                left = min(left, max(wait, 0.01))
            execution.wait(None if left == math.inf else left)

    def persist(self, *, store_path: str | Path | None = None) -> Path:
        """Save the job, so that another process can restore it.

        Args:
            store_path: directory of saved jobs, None for the default one.

        Returns:
            The file, inside the directory.

        Raises:
            RuntimeError: the job was not submitted.
            UnsavableJobError: the noise model, an option of the simulator, or something in a
                circuit cannot be saved and read again.
            OSError: the directory or the file cannot be written.
        """
        if self._execution is None:
            raise RuntimeError("Can only persist submitted jobs.")
        try:
            settings = self._execution.settings()
        except ValueError as error:
            raise UnsavableJobError(self._job_id, str(error)) from error
        saved = SavedJob(
            job_id=self._job_id,
            backend_name=self._backend.name,
            available_qubits=self._backend.num_qubits,
            backend_settings=settings,
            options=dict(self._options),
            circuits=self._copies,
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
    ) -> AQTJob:
        """Load a saved job.

        A job of an offline simulator runs again, with the same circuits, options, register, noise
        model and simulator options. It has a new id, and is not saved itself.

        Args:
            job_id: id of the job when it was saved.
            access_token: as for :class:`~aqt_fast.AQTProvider`.
            store_path: directory of saved jobs, None for the default one.
            remove_from_store: delete the saved data after it was loaded.

        Raises:
            JobNotFoundError: no saved job has this id.
            DamagedJobError: the saved data cannot be read; it stays where it is.
        """
        store = JobStore(store_path)
        saved = store.load(job_id)
        # Providers make backends and backends make jobs: only here does a job need a provider, and
        # gets it from the package's lazy face.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "no access token")  # an offline job needs none
            provider = aqt_fast.AQTProvider(access_token)
        try:
            options = AQTOptions(**saved.options)
            backend = provider.get_backend(
                saved.backend_name, available_qubits=saved.available_qubits
            )
            backend.restore_settings(saved.backend_settings)
            job = cls(backend, saved.circuits, options)
        except _UNUSABLE as error:
            raise DamagedJobError(store.file(job_id), f"{type(error).__name__}: {error}") from error
        job.submit()
        if remove_from_store:
            store.remove(job_id)
        return job

    def _submitted(self) -> Execution:
        if self._execution is None:
            raise RuntimeError("the job was not submitted; call submit() first")
        return self._execution

    def _wait_with_bar(self, execution: Execution) -> None:
        timeout = self._options.query_timeout_seconds
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        total = len(self._circuits)
        hidden = not self._options.with_progress_bar or execution.status in JOB_FINAL_STATES
        with tqdm(total=total, desc=self._backend.name, unit="circuit", disable=hidden) as bar:
            while True:
                finished = execution.finished_count
                bar.update(finished - bar.n)
                if execution.status in JOB_FINAL_STATES:
                    bar.update(execution.finished_count - bar.n)
                    return
                left = deadline - time.monotonic()
                if left <= 0:
                    raise JobTimeoutError(f"job {self._job_id} has not ended within {timeout} s")
                execution.wait(None if left == math.inf else left, beyond=finished)
