"""The backend for a resource of AQT's portal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from qiskit import QuantumCircuit

from aqt_fast._warnings import warn_caller
from aqt_fast.api_client import ListedResource, Resource
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.base import AQTResource, checked_job_id, start_journal
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.execution import CloudExecution, portal_location
from aqt_fast.jobs.execution import Execution
from aqt_fast.jobs.foreign import foreign_job
from aqt_fast.store.description import utc
from aqt_fast.store.loading import ResumableJob
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot


class BackendStatusWarning(UserWarning):
    """The device does not run jobs at present; they wait in its queue."""


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

    def execution(self, snapshot: Snapshot, options: AQTOptions) -> Execution:
        """Make the execution of a snapshot, as one API job or several.

        Raises:
            AQTCredentialsError: the backend was unpickled, and there is no token for its portal.
            InvalidJobError: there are too many API jobs for one job.

        Warns:
            BackendStatusWarning: the device was not online when the provider asked for it.
        """
        if self._resource.status != "online":
            warn_caller(self._status_message(), BackendStatusWarning)
        connection = self._connect()
        plan = BatchPlan.new(len(snapshot), options.shots, self.api_limits, options.label)
        location = portal_location(connection, self._resource)
        journal = start_journal(self, location, plan, snapshot, options)
        return CloudExecution(connection, self._resource, snapshot, options, plan, journal=journal)

    def _status_message(self) -> str:
        status = self._resource.status
        status = {"maintenance": "in maintenance"}.get(status, status)
        since = self._resource.status_since
        with suppress(ValueError):
            since = since and f"{utc(since).astimezone():%Y-%m-%d %H:%M %Z}"
        place = f" since {since}" if since else ""
        return f"{self.name} is {status}{place}: the job waits until the device is online"

    def api_job(
        self, job_id: str, circuits: QuantumCircuit | Iterable[QuantumCircuit], **options: Any
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
            journal=job.journal,
            records=job.records,
        )
