"""What the tests of the peer 2.x find in place of its private parts: makes our public objects.

The suite makes the peer's backends and jobs with HTTP clients, or stand-ins of them, that it
scripts. Here, the same arguments make ours on a transport that asks those scripts. An answer with
another number of shots than was asked for is refused here at once; ours would ask again for a time.

Longer than 400 lines: what one suite asks for stands in one file, loaded by its name.
"""

from __future__ import annotations

import abc
import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aqt_connector
import httpx
from aqt_connector import exceptions as connector
from aqt_connector.models.circuits import QuantumCircuit as SentCircuit
from aqt_fast.api_client import (
    Credentials,
    DirectAccessClient,
    ListedResource,
    PortalClient,
    Resource,
)
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.direct.connection import DirectConnection
from aqt_fast.v2 import cloud, direct, jobs, offline, resources
from aqt_fast.v2.exceptions import AQTApiError, raised_as_v2
from aqt_fast.wire import encode_job
from qiskit import QuantumCircuit, transpile
from qiskit.providers import JobStatus

_PATIENCE = 10
"""The suite gives its servers 8 s to start: too short for a busy machine."""

_SETTLING_SECONDS = 3.0
"""How long to wait for what the peer does before it returns."""


def prepare() -> None:
    """Give the token in our way; the suite patches a function that the peer calls."""
    os.environ["AQT_TOKEN"] = "arnica_token"  # noqa: S105 - as in the suite
    servers = sys.modules.get("test.acceptance.conftest")
    if servers is not None:
        wait: Callable[[str, float], bool] = servers._wait_for  # noqa: SLF001 - the suite's own
        servers._wait_for = lambda url, timeout: wait(url, timeout * _PATIENCE)  # noqa: SLF001


_OTHER_SHOTS = "the suite's answer has another number of shots than was asked for"


def _samples(state: Any) -> list[list[Any]]:
    return list(getattr(state, "result", {}).values())


def _portal(client: httpx.Client) -> PortalClient:
    base = str(client.base_url).rstrip("/").removesuffix("/api") or "https://portal.test"
    return PortalClient("token", portal_url=base, transport=client._transport)  # noqa: SLF001


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SETTLING_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def _native(circuit: QuantumCircuit, backend: Any) -> QuantumCircuit:
    """A circuit that can have run: the suite makes jobs of circuits that no backend takes."""
    if "measure" not in circuit.count_ops():
        circuit = QuantumCircuit(1)
        circuit.measure_all()
    return transpile(circuit, backend)


class _AsItsBase(abc.ABCMeta):
    """Class of stand-ins for which every object of ours counts: the suite asks with isinstance."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])


class CloudResource(resources.CloudResource):
    """Made with a client of the portal and details of the resource."""

    def __init__(self, arnica: Any, api_client: httpx.Client, workspace_id: str, details: Any):
        del arnica
        connection = CloudConnection(_portal(api_client))
        kind = getattr(details.type, "value", details.type)
        resource = Resource(workspace_id, details.id, details.name, kind, details.available_qubits)
        super().__init__(resource, provider=None, connect=lambda: connection)
        self.set_options(query_period_seconds=0.1, journal=False)

    def run(self, circuits: Any, **options: Any) -> Any:
        """Return once the portal has answered."""
        job = super().run(circuits, **options)
        with suppress(Exception):
            job.job_id()
        return job

    def restore_job(self, job_id: str, **where: Any) -> Any:
        """Note what the suite looks for."""
        job = super().restore_job(job_id, **where)
        job._properties = CloudJobMetadata(  # noqa: SLF001 - the suite's own
            uuid.UUID(job_id), job.options.shots, self.name, job.circuits, None, job.options.memory
        )
        return job


@dataclass
class CloudJobMetadata:
    """What a job of the peer is made with."""

    job_id: uuid.UUID
    shots: int
    backend_name: str
    circuits: list[QuantumCircuit]
    initial_state: Any
    memory: bool


class CloudJob(jobs.CloudJob, metaclass=_AsItsBase):
    """Made with its metadata; its states come from a function of AQT's that the suite patches."""

    def __new__(cls, arnica: Any, api_client: Any, properties: CloudJobMetadata) -> Any:
        """Make the handle of an API job of ours."""
        del api_client
        served: list[JobStatus] = []

        def answer(_: httpx.Request) -> httpx.Response:
            state = properties.initial_state
            if state.status.value not in _FINAL:
                try:
                    state = aqt_connector.fetch_job_state(arnica, properties.job_id)
                except connector.RequestError as error:
                    raise httpx.ConnectError(str(error)) from error
                except Exception as error:  # noqa: BLE001 - any that the suite raises
                    status = _STATUS_CODES.get(type(error), 500)
                    return httpx.Response(status, json={"detail": str(error)})
            name = str(getattr(state.status, "value", state.status))
            if any(len(shots) != properties.shots for shots in _samples(state)):
                return httpx.Response(422, json={"detail": _OTHER_SHOTS})
            served.append(_STATUS.get(name, JobStatus.QUEUED))
            job = {
                "job_id": str(properties.job_id),
                "job_type": "quantum_circuit",
                "resource_id": properties.backend_name,
                "workspace_id": "w1",
            }
            content = state.model_dump(mode="json") if hasattr(state, "model_dump") else {}
            return httpx.Response(200, json={"job": job, "response": {**content, "status": name}})

        client = httpx.Client(base_url="https://portal.test", transport=httpx.MockTransport(answer))
        details = Resource("w1", properties.backend_name, "", "device", 20)
        backend = CloudResource(arnica, client, "w1", _Details(details))
        backend.job_class = _PolledJob
        native = [_native(item, backend) for item in properties.circuits or [QuantumCircuit(1)]]
        job = backend.api_job(
            str(properties.job_id), native, shots=properties.shots, memory=properties.memory
        )
        job.served, job._properties = served, properties  # noqa: SLF001 - the suite's own
        return job


class _PolledJob(jobs.CloudJob):
    """A job whose status is that of the first answer, as the peer requests it."""

    served: list[JobStatus] = []  # noqa: RUF012 - replaced

    def status(self) -> JobStatus:
        """Wait until an answer has arrived."""
        _until(lambda: bool(self.served) and super(_PolledJob, self).status() is self.served[-1])
        return super().status()


class _Details:
    """Details of a resource, with AQT's names."""

    def __init__(self, resource: Resource) -> None:
        self.id = resource.resource_id
        self.name = resource.resource_name
        self.type = resource.resource_type
        self.available_qubits = resource.available_qubits


_FINAL = ("finished", "error", "cancelled")
_STATUS = {
    "queued": JobStatus.QUEUED,
    "ongoing": JobStatus.RUNNING,
    "finished": JobStatus.DONE,
    "error": JobStatus.ERROR,
    "cancelled": JobStatus.CANCELLED,
}
_STATUS_CODES: dict[type[Exception], int] = {
    connector.NotAuthenticatedError: 401,
    connector.JobNotFoundError: 404,
    connector.InvalidJobIDError: 422,
}


class WorkspaceProvider(cloud.WorkspaceProvider):
    """Made with a workspace of AQT's models and a client of the portal."""

    def __init__(self, data: Any, arnica: Any, api_client: httpx.Client):
        def make(listed: ListedResource) -> Any:
            (found,) = _portal(api_client).resources([listed])
            return CloudResource(arnica, api_client, data.id, _Details(found))

        listed = [
            ListedResource(data.id, item.id, item.name, item.type.value) for item in data.resources
        ]
        super().__init__(data.id, listed, make)


class WorkspaceCollection(cloud.WorkspaceCollection):
    """Made with workspaces of AQT's models and a client of the portal."""

    def __init__(self, workspaces: list[Any], arnica: Any, api_client: httpx.Client):
        super().__init__(WorkspaceProvider(item, arnica, api_client) for item in workspaces)


class CloudProvider(cloud.CloudProvider):
    """Made with a function that makes its HTTP client."""

    def __init__(self, config: Any, *, http_client_factory: Any = None):
        super().__init__(config)
        self._factory = http_client_factory and (lambda: http_client_factory(config))

    def fetch_workspaces(self) -> Any:
        """Request them with the suite's client."""
        if self._factory is None:
            return super().fetch_workspaces()
        listing = _portal(self._factory()).list_workspaces()
        return cloud.WorkspaceCollection(
            cloud.WorkspaceProvider(name, listed, None)  # type: ignore[arg-type] - not used
            for name, listed in listing.items()
        )


class DirectAccessAPIClient:
    """The peer's client of a machine, on ours."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = DirectAccessClient(
            str(client.base_url),
            Credentials(""),
            transport=client._transport,  # noqa: SLF001
        )

    def fetch_available_qubits(self) -> int:
        """Number of ions."""
        return self._client.num_ions()

    def fetch_name(self) -> str:
        """Name of the machine."""
        return self._client.system_name()

    def submit_circuit(self, circuit: SentCircuit) -> uuid.UUID:
        """Submit a circuit."""
        with raised_as_v2():
            body = circuit.model_dump_json().encode()
            return uuid.UUID(self._client.submit(body, label="circuit"))

    def await_result(self, job_id: uuid.UUID, timeout: float | None = None) -> Any:
        """Wait for a result."""
        from qiskit_aqt_provider.api_client.models_direct import JobResult

        del timeout
        return self._client.result(str(job_id), JobResult.model_validate_json).payload


@dataclass
class DirectAccessResourceConfig:
    """What a machine of the peer is made with."""

    name: str
    number_of_ions: int
    client: Any


class DirectAccessResource(resources.DirectAccessResource):
    """Made with a client of the machine, or with a stand-in of one."""

    expected_shots = 0

    def __init__(self, config: DirectAccessResourceConfig):
        def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                try:
                    found = config.client.submit_circuit(
                        SentCircuit.model_validate_json(request.content)
                    )
                except Exception as error:  # noqa: BLE001 - any that the suite raises
                    status = 500 if isinstance(error, AQTApiError) else 400
                    return httpx.Response(status, json={"detail": str(error)})
                found = found if isinstance(found, uuid.UUID) else uuid.uuid4()
                return httpx.Response(200, json=str(found))
            name = request.url.path.rsplit("/", 1)[1]
            payload = config.client.await_result(uuid.UUID(name), timeout=None)
            if not hasattr(payload, "status") or not isinstance(payload.status, str):
                return httpx.Response(404, json={"detail": "no result"})
            if len(getattr(payload, "result", [])) not in (0, self.expected_shots):
                return httpx.Response(422, json={"detail": _OTHER_SHOTS})
            content = {"job_id": name, "payload": json.loads(payload.model_dump_json())}
            return httpx.Response(200, json=content)

        transport = httpx.MockTransport(answer)
        client = DirectAccessClient("https://machine.test", Credentials(""), transport=transport)
        connection = DirectConnection(client)
        resource = Resource(
            "default", config.name, config.name, "direct_access", config.number_of_ions
        )
        super().__init__(resource, provider=None, connect=lambda: connection)
        self.set_options(journal=False)

    def run(self, circuits: Any, **options: Any) -> Any:
        """Return once the machine has answered for a single circuit."""
        self.expected_shots = options.get("shots") or self.options.shots
        job = super().run(circuits, **options)
        if isinstance(circuits, QuantumCircuit):
            with suppress(Exception):
                job.job_id()
            job._job_id = job.job_id()  # noqa: SLF001 - the suite reads it
        return job

    def restore_job(self, job_id: str, **where: Any) -> Any:
        """Note what the suite looks for."""
        job = super().restore_job(job_id, **where)
        self.expected_shots = job.options.shots
        job._metadata = DirectAccessJobMetadata(  # noqa: SLF001 - the suite's own
            self.name, job.options.shots, job.circuits[0], job.options.memory
        )
        return job


@dataclass
class DirectAccessJobMetadata:
    """What a job of the peer is made with."""

    backend_name: str
    shots: int
    circuit: QuantumCircuit
    memory: bool


class DirectAccessJob(jobs.DirectAccessJob, metaclass=_AsItsBase):
    """Made with a client of the machine and metadata."""

    def __new__(cls, api_client: Any, job_id: uuid.UUID, metadata: DirectAccessJobMetadata) -> Any:
        """Make the handle of a circuit of ours."""
        config = DirectAccessResourceConfig(metadata.backend_name, 20, api_client)
        backend = DirectAccessResource(config)
        native = _native(metadata.circuit, backend)
        backend.expected_shots = metadata.shots
        job = backend.api_job(str(job_id), native, shots=metadata.shots, memory=metadata.memory)
        job._metadata = metadata  # noqa: SLF001 - the suite's own
        return job


class DirectAccessProvider(direct.DirectAccessProvider):
    """Made with a function that makes its HTTP clients."""

    def __init__(self, *, http_client_factory: Any):
        super().__init__()
        self._factory = http_client_factory
        self._made: list[httpx.Client] = []

    def get_resource(self, base_url: str, access_token: str) -> Any:
        """Connect with the suite's client."""
        made = self._factory(base_url, access_token)
        self._made.append(made)
        client = DirectAccessAPIClient(made)
        config = DirectAccessResourceConfig(
            client.fetch_name(), client.fetch_available_qubits(), client
        )
        return DirectAccessResource(config)


@dataclass
class OfflineSimulatorResourceConfig:
    """What a simulator of the peer is made with."""

    name: str
    number_of_ions: int
    simulator: Any


class OfflineSimulatorResource(resources.OfflineSimulatorResource, metaclass=_AsItsBase):
    """Made with a simulator of Aer."""

    def __init__(self, config: OfflineSimulatorResourceConfig):
        resource = Resource(
            "default", config.name, config.name, "offline_simulator", config.number_of_ions
        )
        super().__init__(resource)
        self.simulator = config.simulator


def _submitted(circuits: list[QuantumCircuit], shots: int) -> bytes:
    return encode_job(circuits, shots)


OBSTACLES: dict[str, dict[str, Any]] = {
    "_cloud.job": {"CloudJob": CloudJob},
    "_cloud.job_metadata": {"CloudJobMetadata": CloudJobMetadata},
    "_cloud.provider": {"CloudProvider": CloudProvider},
    "_cloud.resource": {"CloudResource": CloudResource},
    "_cloud.workspace_collection": {"WorkspaceCollection": WorkspaceCollection},
    "_cloud.workspace_provider": {"WorkspaceProvider": WorkspaceProvider},
    "_direct.api_client": {"DirectAccessAPIClient": DirectAccessAPIClient},
    "_direct.composite_job": {"CompositeDirectAccessJob": jobs.DirectAccessJob},
    "_direct.job": {
        "DirectAccessJob": DirectAccessJob,
        "DirectAccessJobMetadata": DirectAccessJobMetadata,
    },
    "_direct.provider": {"DirectAccessProvider": DirectAccessProvider},
    "_direct.resource": {
        "DirectAccessResource": DirectAccessResource,
        "DirectAccessResourceConfig": DirectAccessResourceConfig,
    },
    "_offline_sim.job": {"OfflineSimulatorJob": jobs.OfflineSimulatorJob},
    "_offline_sim.provider": {"OfflineSimulatorProvider": offline.OfflineSimulatorProvider},
    "_offline_sim.resource": {
        "OfflineSimulatorResource": OfflineSimulatorResource,
        "OfflineSimulatorResourceConfig": OfflineSimulatorResourceConfig,
    },
    "_transformers": {"circuits_to_aqt_job": _submitted},
}
