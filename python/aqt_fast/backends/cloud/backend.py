"""The backend for a resource of AQT's portal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aqt_fast.api_client import Resource
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.base import AQTResource, start_journal
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.execution import CloudExecution, portal_location
from aqt_fast.jobs.execution import Execution
from aqt_fast.store.loading import LoadedJob
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot


class CloudResource(AQTResource):
    """A quantum computer or simulator that is reached through AQT's portal."""

    def __init__(self, resource: Resource, *, provider: Any, connection: CloudConnection) -> None:
        """``connection`` leads to the portal, and is shared by all backends of a provider."""
        super().__init__(resource, provider=provider)
        self._connection = connection

    @property
    def limits(self) -> Limits:
        """Any number of circuits and shots, which are cut into API jobs; qubits as there are."""
        return replace(self.api_limits, circuits=None, shots=None)

    @property
    def api_limits(self) -> Limits:
        """What one API job takes."""
        qubits = min(self._resource.available_qubits, API_LIMITS.qubits)
        return replace(API_LIMITS, qubits=qubits)

    def execution(self, snapshot: Snapshot, options: AQTOptions) -> Execution:
        """Circuits on their way to the portal, in as many API jobs as it takes."""
        plan = BatchPlan.new(len(snapshot), options.shots, self.api_limits, options.label)
        location = portal_location(self._connection, self._resource)
        journal = start_journal(self, location, plan, snapshot, options)
        return CloudExecution(
            self._connection, self._resource, snapshot, options, plan, journal=journal
        )

    def resumed(self, snapshot: Snapshot, options: AQTOptions, job: LoadedJob) -> Execution:
        """API jobs that were submitted before."""
        plan = job.description.plan
        if plan is None:
            raise ValueError("it has no API jobs")
        return CloudExecution(
            self._connection,
            self._resource,
            snapshot,
            options,
            plan,
            journal=job.journal,
            records=job.records,
        )
