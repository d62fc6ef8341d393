"""The backend for a resource of AQT's portal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit

from aqt_fast._warnings import warn_caller
from aqt_fast.api_client import ListedResource, Resource
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTOptions, RunOptions
from aqt_fast.backends.admission import BackendStatusWarning, Besides, payload_hashes
from aqt_fast.backends.base import AQTResource, checked_job_id, released_on_error, start_journal
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.endpoint import CloudEndpoint
from aqt_fast.backends.cloud.execution import CloudExecution, portal_location
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.exceptions import DeviceNotOnlineError
from aqt_fast.jobs.execution import Execution
from aqt_fast.jobs.foreign import foreign_job
from aqt_fast.store.description import utc
from aqt_fast.store.loading import ResumableJob
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from typing_extensions import Unpack


class CloudResource(AQTResource):
    """A quantum computer or simulator on AQT's portal."""

    def __init__(
        self, resource: Resource, *, provider: Any, connect: Callable[[], CloudConnection]
    ) -> None:
        """``connect`` returns this process's connection to the portal, which backends share."""
        super().__init__(resource, provider=provider)
        self._connect = connect

    @property
    def limits(self) -> Limits:
        """No limit of circuits and shots, which are cut into API jobs; the resource's qubits."""
        return replace(self.api_limits, circuits=None, shots=None)

    @property
    def api_limits(self) -> Limits:
        """Maximum number of circuits, shots, operations and qubits of one API job."""
        qubits = min(self._resource.available_qubits, API_LIMITS.qubits)
        return replace(API_LIMITS, qubits=qubits)

    def _asked_again(self) -> Resource:
        """Ask the portal for the present details of workspace and resource.

        Raises:
            APIError: it does not answer, or does not have the resource any more.
            AQTCredentialsError: there is no access token, or the portal does not accept it.
        """
        known = self._resource
        portal = self._connect().portal
        place = (known.workspace_id, known.resource_id)
        here = (it for it in portal.list_resources() if (it.workspace_id, it.resource_id) == place)
        # A workspace may hide what a token can still ask for.
        hidden = ListedResource(*place, known.resource_name, known.resource_type)
        (resource,) = portal.resources([next(here, hidden)])
        return resource

    def execution(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> Execution:
        """Make the execution of a snapshot, as one API job or several.

        Raises:
            AQTCredentialsError: the backend was unpickled, and there is no token for its portal.
            InvalidJobError: there are too many API jobs for one job.
            SpendingLimitError: a limit would be exceeded.
            DeviceNotOnlineError: the device takes no jobs, and the job requires that it does.

        Warns:
            BackendStatusWarning: the device or its workspace took no jobs when the portal was last
                asked.
        """
        plan = self._plan(snapshot, options)
        self.admit(snapshot, options, plan.parts, besides=besides)
        self._warn_of_status()
        connection = self._connect()
        location = portal_location(connection, self._resource)
        journal = start_journal(self, location, plan, snapshot, options)
        with released_on_error(journal):
            return CloudExecution(
                connection,
                self._resource,
                snapshot,
                options,
                plan,
                admit=partial(self.admit, snapshot, options, besides=besides),
                store_path=self.store_path,
                journal=journal,
            )

    def _plan(self, snapshot: Snapshot, options: AQTOptions) -> BatchPlan:
        return BatchPlan.new(len(snapshot), options.shots, self.api_limits, options.label)

    def dry_run(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> JobEstimate:
        """Return the estimate of a job, with the hash of each request body.

        Raises:
            AQTCredentialsError: as for :meth:`execution`, like the others.

        Warns:
            BackendStatusWarning: as for :meth:`execution`.
        """
        plan = self._plan(snapshot, options)
        self.admit(snapshot, options, plan.parts, besides=besides, asks=False)
        self._warn_of_status()
        self._connect()
        hashes = payload_hashes(plan, options.label, partial(CloudEndpoint.encode, snapshot))
        return replace(self.estimate_of(snapshot, options), payload_hashes=hashes)

    def _warn_of_status(self) -> None:
        if self._obstacles:
            text = "; ".join(f"{what}: {consequence}" for what, consequence in self._obstacles)
            warn_caller(text, BackendStatusWarning)

    def device_status(self, *, ask: bool) -> str | None:
        """Return the status of a device that does not run jobs, with what its workspace refuses."""
        status = (self._asked_again() if ask else self._resource).full_status
        return None if status == "online" else status

    @property
    def _obstacles(self) -> list[tuple[str, str]]:
        """What kept jobs from running when the portal was last asked, and what follows."""
        resource, found = self._resource, []
        workspace = f"workspace '{resource.workspace_id}'"
        if not resource.accepting_job_submissions:
            found.append((f"{workspace} accepts no jobs", "the portal refuses the job"))
        elif not resource.jobs_being_processed:
            found.append((f"{workspace} does not process its jobs", "the job waits until it does"))
        if resource.status != "online":
            status = {"maintenance": "in maintenance"}.get(resource.status, resource.status)
            since = self._status_since
            place = f" since {since.astimezone():%Y-%m-%d %H:%M %Z}" if since else ""
            consequence = "the job waits until the device is online"
            found.append((f"{self.name} is {status}{place}", consequence))
        return found

    @property
    def _status_since(self) -> datetime | None:
        try:
            return utc(self._resource.status_since or "")
        except ValueError:
            return None

    def _require_online(self, *, asks: bool) -> None:
        if asks:
            self.refresh()
        if self._obstacles:
            text = "; ".join(what for what, _ in self._obstacles)
            message = f"{text}; the job requires a device that is online, and nothing was sent"
            raise DeviceNotOnlineError(message, self._resource.status, self._status_since)

    def api_job(
        self,
        job_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        **options: Unpack[RunOptions],
    ) -> AQTJob:
        """Return the handle of an API job that any program has sent to this resource.

        Nothing is sent but requests for its result, which the portal keeps for 24 hours. The job
        has no journal.

        Args:
            job_id: the portal's identifier.
            circuits: its circuits, in order.
            options: ``shots`` as it was sent; and others as for :meth:`run`.

        Raises:
            InvalidOptionError: ``job_id`` is not a UUID, or an option has an invalid value.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot have run here.
        """
        known = checked_job_id(job_id)
        job = self._job(circuits, {**options, "journal": False})

        def continued(snapshot: Snapshot, options: AQTOptions) -> Execution:
            moved = foreign_job(
                known,
                options,
                backend_name=self.name,
                available_qubits=self.num_qubits,
                location=portal_location(self._connect(), self._resource),
                num_circuits=len(snapshot),
            )
            return self.resumed(snapshot, options, moved)

        job.submit(continued)
        return job

    def resumed(self, snapshot: Snapshot, options: AQTOptions, job: ResumableJob) -> Execution:
        """Make an execution that continues API jobs of another process."""
        plan = job.description.plan
        if plan is None:
            raise ValueError("it has no API jobs")
        return CloudExecution(
            self._connect(),
            self._resource,
            snapshot,
            options,
            plan,
            admit=partial(self.admit, snapshot, options),
            store_path=self.store_path,
            journal=job.journal,
            records=job.records,
        )
