"""The backend for a machine in the same network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aqt_fast.api_client import Resource
from aqt_fast.aqt_job import AQTDirectAccessJob
from aqt_fast.aqt_options import AQTDirectAccessOptions, AQTOptions
from aqt_fast.backends.base import AQTResource, start_journal
from aqt_fast.backends.direct.connection import DirectConnection
from aqt_fast.backends.direct.execution import DirectExecution
from aqt_fast.jobs.execution import Execution
from aqt_fast.store.loading import LoadedJob
from aqt_fast.store.location import MachineLocation
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot


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
            max_shots: maximum number of shots per circuit on the machine.
        """
        super().__init__(resource, provider=provider)
        self._connect = connect
        self._max_shots = max_shots

    @classmethod
    def _default_options(cls) -> AQTDirectAccessOptions:
        return AQTDirectAccessOptions()

    @property
    def limits(self) -> Limits:
        """No limit of circuits, which run one after the other; the machine's shots and qubits."""
        qubits = min(self._resource.available_qubits, API_LIMITS.qubits)
        return replace(API_LIMITS, circuits=None, shots=self._max_shots, qubits=qubits)

    def execution(self, snapshot: Snapshot, options: AQTOptions) -> Execution:
        """Make the execution of a snapshot, one circuit after the other."""
        connection = self._connect()
        one_by_one = replace(self.limits, circuits=1)
        plan = BatchPlan.new(
            len(snapshot), options.shots, one_by_one, options.label, by_circuit=True
        )
        location = MachineLocation(
            machine_url=connection.client.base_url,
            resource_name=self._resource.resource_name,
            max_shots=self._max_shots,
        )
        journal = start_journal(self, location, plan, snapshot, options)
        return DirectExecution(connection, location, snapshot, options, plan, journal=journal)

    def resumed(self, snapshot: Snapshot, options: AQTOptions, job: LoadedJob) -> Execution:
        """Make an execution that continues another process's."""
        description = job.description
        if description.plan is None or not isinstance(description.location, MachineLocation):
            raise ValueError("it is no job of a machine")
        if job.journal is None and not description.ended:
            raise ValueError("it was saved before its end, and its journal is not there")
        return DirectExecution(
            self._connect(),
            description.location,
            snapshot,
            options,
            description.plan,
            journal=job.journal,
            records=job.records,
        )
