"""The backend for a machine in the same network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit

from aqt_fast.api_client import Resource
from aqt_fast.aqt_job import AQTDirectAccessJob, AQTJob
from aqt_fast.aqt_options import AQTDirectAccessOptions, AQTOptions, RunOptions
from aqt_fast.backends.admission import Besides, payload_hashes
from aqt_fast.backends.base import AQTResource, checked_job_id, released_on_error, start_journal
from aqt_fast.backends.direct.connection import DirectConnection
from aqt_fast.backends.direct.endpoint import DirectEndpoint
from aqt_fast.backends.direct.execution import DirectExecution
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.exceptions import APIConnectionError, DeviceNotOnlineError, InvalidJobError
from aqt_fast.jobs.execution import Execution
from aqt_fast.jobs.foreign import foreign_job
from aqt_fast.store.loading import ResumableJob
from aqt_fast.store.location import MachineLocation
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from typing_extensions import Unpack


class AQTDirectAccessResource(AQTResource):
    """A quantum computer in the same network, which runs one circuit at a time."""

    job_class = AQTDirectAccessJob

    def __init__(
        self,
        resource: Resource,
        *,
        provider: Any,
        connect: Callable[[], DirectConnection],
        max_shots: int = 2000,
    ) -> None:
        """Usually made by ``AQTProvider.get_direct_access_backend``.

        Args:
            resource: the machine.
            provider: the provider that makes the backend.
            connect: returns this process's connection to the machine.
            max_shots: maximum number of shots of one run on the machine.
        """
        super().__init__(resource, provider=provider)
        self._connect = connect
        self._max_shots = max_shots

    @classmethod
    def _default_options(cls) -> AQTDirectAccessOptions:
        return AQTDirectAccessOptions()

    @property
    def limits(self) -> Limits:
        """No limit of circuits and shots, which are cut into runs; the machine's qubits."""
        return replace(self.api_limits, circuits=None, shots=None)

    @property
    def api_limits(self) -> Limits:
        """One circuit, and the maximum number of shots, operations and qubits of one run."""
        qubits = min(self._resource.available_qubits, API_LIMITS.qubits)
        return replace(API_LIMITS, circuits=1, shots=self._max_shots, qubits=qubits)

    def execution(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> Execution:
        """Make the execution of a snapshot, one circuit after the other.

        Raises:
            InvalidJobError: there are too many runs for one job.
            SpendingLimitError: a limit would be exceeded.
            DeviceNotOnlineError: the machine does not answer, and the job requires that it does.
        """
        plan = self._plan(snapshot, options)
        self.admit(snapshot, options, plan.parts, besides=besides)
        connection = self._connect()
        location = self._location(connection)
        journal = start_journal(self, location, plan, snapshot, options)
        with released_on_error(journal):
            return DirectExecution(
                connection,
                location,
                snapshot,
                options,
                plan,
                admit=partial(self.admit, snapshot, options, besides=besides),
                store_path=self.store_path,
                journal=journal,
            )

    def _plan(self, snapshot: Snapshot, options: AQTOptions) -> BatchPlan:
        return BatchPlan.new(
            len(snapshot), options.shots, self.api_limits, options.label, by_circuit=True
        )

    def dry_run(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> JobEstimate:
        """Return the estimate of a job, with the hash of each request body.

        Bodies have no label. The machine is not asked whether it answers.

        Raises:
            SpendingLimitError: as for :meth:`execution`.
        """
        plan = self._plan(snapshot, options)
        self.admit(snapshot, options, plan.parts, besides=besides, asks=False)
        self._connect()
        hashes = payload_hashes(plan, options.label, partial(DirectEndpoint.encode, snapshot))
        return replace(self.estimate_of(snapshot, options), payload_hashes=hashes)

    def _require_online(self, *, asks: bool) -> None:
        """Ask the machine for its size: it tells no status."""
        if asks:
            try:
                self._connect().client.num_ions()
            except APIConnectionError as error:
                message = f"{self.name} does not answer, and nothing was sent: {error}"
                raise DeviceNotOnlineError(message, "unavailable") from error

    def api_job(
        self,
        run_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        **options: Unpack[RunOptions],
    ) -> AQTJob:
        """Return the handle of one circuit that any program has sent to this machine.

        Nothing is sent but requests for its result. The job has no journal.

        Args:
            run_id: the machine's identifier of the run.
            circuits: the circuit.
            options: ``shots`` as it was sent; and others as for :meth:`run`.

        Raises:
            InvalidOptionError: ``run_id`` is not a UUID, or an option has an invalid value.
            InvalidJobError: there is not exactly one circuit.
            InvalidCircuitError: the circuit cannot have run here.
        """
        known = checked_job_id(run_id)
        job = self._job(circuits, {**options, "journal": False})

        def continued(snapshot: Snapshot, options: AQTOptions) -> Execution:
            if len(snapshot) != 1:
                raise InvalidJobError(f"a run of a machine has one circuit, not {len(snapshot)}")
            moved = foreign_job(
                known,
                options,
                backend_name=self.name,
                available_qubits=self.num_qubits,
                location=self._location(self._connect()),
                num_circuits=1,
            )
            return self.resumed(snapshot, options, moved)

        job.submit(continued)
        return job

    def _location(self, connection: DirectConnection) -> MachineLocation:
        return MachineLocation(
            machine_url=connection.client.base_url,
            resource_name=self._resource.resource_name,
            max_shots=self._max_shots,
        )

    def resumed(self, snapshot: Snapshot, options: AQTOptions, job: ResumableJob) -> Execution:
        """Make an execution that continues another process's."""
        description = job.description
        if description.plan is None or not isinstance(description.location, MachineLocation):
            raise ValueError("it is no job of a machine")
        if job.journal is None and not description.ended and not _all_sent(job, description.plan):
            raise ValueError("it was saved before its end, and its journal is not there")
        return DirectExecution(
            self._connect(),
            description.location,
            snapshot,
            options,
            description.plan,
            admit=partial(self.admit, snapshot, options),
            store_path=self.store_path,
            journal=job.journal,
            records=job.records,
        )


def _all_sent(job: ResumableJob, plan: BatchPlan) -> bool:
    """Whether the machine has accepted every circuit, or the circuit has ended otherwise."""
    if job.records is None:
        return False
    state = job.records.replay()
    records = map(state.record, range(len(plan.parts)))
    return all(record.job_id is not None or record.status is not None for record in records)
