"""What the tests of the peer 1.x find in place of its private parts: makes our public objects.

The suite derives test backends from the peer's and overrides the inner methods with which its jobs
talk to their backend. Here, the same test backends are ours on a scripted portal or machine. What
the suite needs of pydantic's models is added to our options.

Longer than 400 lines: what one suite asks for stands in one file, loaded by its name.
"""

from __future__ import annotations

import json
import math
import random
import re
import sys
import time
import uuid
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import hypothesis
import pytest
import qiskit.primitives
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_connector.models.arnica.response_bodies.workspaces import Workspace
from aqt_connector.models.circuits import Circuit
from aqt_connector.models.circuits import QuantumCircuit as SentCircuit
from aqt_fast import AQTJob, AQTOptions, AQTProvider
from aqt_fast.api_client import PortalClient, Resource
from aqt_fast.aqt_options import AQTDirectAccessOptions
from aqt_fast.aqt_resource import (
    AQTDirectAccessResource,
    AQTResource,
    CloudResource,
    OfflineSimulatorResource,
)
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.jobs.connection import _CONNECTIONS, Connection
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.wire import encode_job
from polyfactory.factories import pydantic_factory
from pydantic import RootModel
from pytest_httpx import HTTPXMock
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

_RANDOM = random.Random()  # noqa: S311 - options of tests

URL = "https://portal.test"
MACHINE = "https://direct-access-example:6020"
"""With https, as a token is not sent unprotected."""


def _provider(token: str) -> AQTProvider:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AQTProvider(token)


def _resource(name: str, workspace: str, kind: str) -> Resource:
    return Resource(workspace, name, name, kind, 20)  # type: ignore[arg-type]


class MockSimulator(OfflineSimulatorResource):
    """An offline simulator that notes what it is given."""

    def __init__(self, *, noisy: bool) -> None:
        """Make one of 20 qubits."""
        resource = _resource("mock_simulator", "default", "offline_simulator")
        super().__init__(resource, provider=_provider(""), with_noise_model=noisy)
        self.submit_call_args: list[tuple[list[QuantumCircuit], int]] = []

    @property
    def max_circuits(self) -> int:
        """That of one API job: the suite runs three times as many."""
        return 50

    def run(self, circuits: Any, **options: Any) -> AQTJob:
        """Run circuits and note them."""
        job = super().run(circuits, **options)
        self.submit_call_args.append((job.circuits, job.options.shots))
        return job

    @property
    def submitted_circuits(self) -> list[list[QuantumCircuit]]:
        """The circuits of each job."""
        return [circuits for circuits, _ in self.submit_call_args]


class _Submitted(NamedTuple):
    since: float
    label: str
    payload: dict[str, Any]


class ScriptedPortal(httpx.BaseTransport):
    """Takes one job after the other; each waits, runs and ends as the script says."""

    def __init__(self, queued: float, running: float, end: dict[str, Any] | None) -> None:
        """``end`` is the answer of a job that does not succeed."""
        self._queued, self._running, self._end = queued, running, end
        self._jobs: dict[str, _Submitted] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a submission, or a question for a result."""
        if request.method == "POST":
            job_id = str(uuid.uuid4())
            body = json.loads(request.read())
            self._jobs[job_id] = _Submitted(time.monotonic(), body["label"], body["payload"])
            return self._answer(job_id, {"status": "queued"})
        job_id = request.url.path.rsplit("/", maxsplit=1)[1]
        job = self._jobs[job_id]
        passed = time.monotonic() - job.since
        if self._end is not None and self._end["status"] == "cancelled":
            return self._answer(job_id, self._end)
        if passed < self._queued:
            return self._answer(job_id, {"status": "queued"})
        if passed < self._queued + self._running:
            return self._answer(job_id, {"status": "ongoing", "finished_count": 0})
        samples = {
            index: [[0] * circuit["number_of_qubits"]] * circuit["repetitions"]
            for index, circuit in enumerate(job.payload["circuits"])
        }
        return self._answer(job_id, self._end or {"status": "finished", "result": samples})

    def _answer(self, job_id: str, response: dict[str, Any]) -> httpx.Response:
        job = {"job_id": job_id, "job_type": "quantum_circuit", "label": self._jobs[job_id].label}
        job |= {"resource_id": "test", "workspace_id": "test-workspace"}
        return httpx.Response(200, json={"job": job, "response": response})


class TestResource(CloudResource):
    """A resource of a scripted portal."""

    __test__ = False

    def __init__(
        self,
        *,
        min_queued_duration: float = 0.0,
        min_running_duration: float = 0.0,
        always_cancel: bool = False,
        always_error: bool = False,
        error_message: str = "",
    ) -> None:
        """Let jobs wait, run and end in this way."""
        self.error_message = error_message or str(uuid.uuid4())
        end = {"status": "error", "message": self.error_message} if always_error else None
        end = {"status": "cancelled"} if always_cancel else end
        portal = ScriptedPortal(min_queued_duration, min_running_duration, end)
        connection = CloudConnection(PortalClient("token", portal_url=URL, transport=portal))
        resource = _resource("test", "test-workspace", "simulator")
        super().__init__(resource, provider=_provider(""), connect=lambda: connection)


class SameJob(httpx.BaseTransport):
    """The suite's answers, which name any job, as answers about the job that was asked for."""

    def __init__(self) -> None:
        """Ask the network, in whose place the suite answers."""
        self._network = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, and put the right identifier into the answer."""
        answer = self._network.handle_request(request)
        body = answer.read()
        if request.method == "GET" and answer.is_success:
            content = json.loads(body)
            content["job"]["job_id"] = request.url.path.rsplit("/", maxsplit=1)[1]
            body = json.dumps(content).encode()
        return httpx.Response(answer.status_code, content=body)


class DummyResource(CloudResource):
    """A resource on a portal in whose place the suite answers."""

    def __init__(self, token: str) -> None:
        """A portal without token does not let anybody in."""
        client = PortalClient(token or "token", portal_url=URL, transport=SameJob())
        connection = CloudConnection(client)
        resource = _resource("dummy", "dummy", "simulator")
        super().__init__(resource, provider=_provider(token), connect=lambda: connection)

    def run(self, circuits: Any, **options: Any) -> AQTJob:
        """Return the handle of a job that was submitted before."""
        shots = options.get("shots", 1)
        return self.api_job(str(uuid.uuid4()), circuits, shots=shots, with_progress_bar=False)


def online_resource(provider: AQTProvider, resource_id: Resource) -> CloudResource:
    """Make a resource of the provider's portal, in whose place the suite answers."""
    connection = CloudConnection(PortalClient(provider.access_token))
    return CloudResource(resource_id, provider=provider, connect=lambda: connection)


def dummy_direct_access_resource(token: str) -> AQTDirectAccessResource:
    """Connect to a machine in whose place the suite answers."""
    return _provider(token).get_direct_access_backend(MACHINE)


AQTDirectAccessResource.max_circuits = MockSimulator.max_circuits  # type: ignore[misc,method-assign]


class SamplerV1:
    """Our sampler, with the interface that Qiskit 2 has removed."""

    def __init__(self, backend: Any, options: dict[str, Any] | None = None) -> None:
        """Make ours."""
        self._sampler = AQTSampler(backend, options)

    def run(self, circuits: Any, values: Any = None) -> Any:
        """Run circuits, each with its parameters, and return quasi-distributions."""
        batch = circuits if isinstance(circuits, list) else [circuits]
        values = [values] if not isinstance(circuits, list) else values or [None] * len(batch)
        job = self._sampler.run(list(zip(batch, values, strict=True)), shots=100)

        def result() -> Any:
            counts = [found.data.meas.get_int_counts() for found in job.result()]
            return SimpleNamespace(
                quasi_dists=[
                    {outcome: number / 100 for outcome, number in each.items()} for each in counts
                ]
            )

        return SimpleNamespace(result=result)


class EstimatorV1:
    """Our estimator, with the interface that Qiskit 2 has removed."""

    def __init__(self, backend: Any, options: dict[str, Any] | None = None) -> None:
        """Make ours."""
        self._estimator = AQTEstimator(backend, options)

    def run(self, circuits: Any, observables: Any, values: Any = None) -> Any:
        """Estimate the observable of each circuit."""
        if not isinstance(circuits, list):
            circuits, observables, values = [circuits], [observables], [values]
        job = self._estimator.run(list(zip(circuits, observables, values, strict=True)))
        values_of = lambda: [float(found.data.evs) for found in job.result()]  # noqa: E731
        return SimpleNamespace(result=lambda: SimpleNamespace(values=values_of()))


class Removed:
    """A class of Qiskit 1 that Qiskit 2 does not have."""

    def __init__(self, *_: Any) -> None:
        """Refuse."""
        raise NotImplementedError("Qiskit 2 has no primitives of version 1")


for _name in ("BackendEstimator", "BackendSampler", "BaseEstimatorV1", "BaseSamplerV1", "Sampler"):
    vars(qiskit.primitives).setdefault(_name, Removed)


@pytest.fixture(name="offline_simulator_no_noise")
def fixture_offline_simulator_no_noise() -> MockSimulator:
    """An ideal simulator."""
    return MockSimulator(noisy=False)


@pytest.fixture(name="offline_simulator_no_noise_direct_access")
def fixture_offline_simulator_no_noise_direct_access(
    httpx_mock: HTTPXMock,
) -> AQTDirectAccessResource:
    """A machine that simulates."""
    running: dict[str, SentCircuit] = {}
    simulator = AerSimulator(method="statevector")

    def submit(request: httpx.Request) -> httpx.Response:
        run_id = str(uuid.uuid4())
        running[run_id] = SentCircuit.model_validate_json(request.content)
        return httpx.Response(200, json=run_id)

    def result(request: httpx.Request) -> httpx.Response:
        run_id = request.url.path.rsplit("/", maxsplit=1)[1]
        sent = running[run_id]
        circuit = received_circuit(sent.quantum_circuit, sent.number_of_qubits)
        memory = simulator.run(circuit, shots=sent.repetitions, memory=True).result().get_memory()
        samples = [[int(bit) for bit in reversed(outcome)] for outcome in memory]
        payload = {"status": "finished", "result": samples}
        return httpx.Response(200, json={"job_id": run_id, "payload": payload})

    httpx_mock.add_callback(submit, method="PUT", url=re.compile(".+/circuit/?$"))
    httpx_mock.add_callback(result, method="GET", url=re.compile(".+/circuit/result/[0-9a-f-]+$"))
    httpx_mock.add_response(json={"num_ions": 21}, url=re.compile(".+/status/ions"))
    httpx_mock.add_response(json="direct-access-dummy", url=re.compile(".+/system/name"))
    return dummy_direct_access_resource("token")


@pytest.fixture(
    name="any_offline_simulator_no_noise",
    params=["offline_simulator_no_noise", "offline_simulator_no_noise_direct_access"],
)
def fixture_any_offline_simulator_no_noise(request: pytest.FixtureRequest) -> Any:
    """A simulator, then a machine."""
    return request.getfixturevalue(request.param)


def submitted_job(circuits: list[QuantumCircuit], shots: int) -> SubmitJobRequest:
    """Return the request body as the portal reads it."""
    return SubmitJobRequest.model_validate_json(encode_job(circuits, shots))


def sent_circuit(circuit: QuantumCircuit) -> Circuit:
    """Return the circuit as the portal reads it."""
    return submitted_job([circuit], 1).payload.circuits[0].quantum_circuit


def received_circuit(circuit: Circuit, number_of_qubits: int) -> QuantumCircuit:
    """Make a circuit of one that was sent."""
    made = QuantumCircuit(number_of_qubits)
    for item in circuit.root:
        operation = item.root
        if operation.operation == "RZ":
            made.rz(operation.phi * math.pi, operation.qubit)
        elif operation.operation == "R":
            made.r(operation.theta * math.pi, operation.phi * math.pi, operation.qubit)
        elif operation.operation == "RXX":
            made.rxx(operation.theta * math.pi, *operation.qubits)
        else:
            made.measure_all()
    return made


class _AnyResource(AQTResource):
    """``AQTResource(provider, resource)`` makes a resource of the portal."""

    def __new__(cls, provider: AQTProvider, resource_id: Resource) -> Any:
        """Make ours."""
        return online_resource(provider, resource_id)


class ApiWorkspaces(RootModel[list[Workspace]]):
    """The data of the suite's portal."""


class OptionsFactory:
    """Stands in for the factory of pydantic models: random options."""

    def __class_getitem__(cls, _: object) -> type[OptionsFactory]:
        return cls

    @classmethod
    def build(cls) -> AQTOptions:
        """Make valid options."""
        return AQTOptions(
            shots=_RANDOM.randint(1, 2000),
            memory=_RANDOM.random() < 0.5,
            query_period_seconds=_RANDOM.uniform(0.1, 10),
            query_timeout_seconds=10.0,
            with_progress_bar=_RANDOM.random() < 0.5,
        )


class _Factories:
    """Gives the tests our factory, and everybody else pydantic's."""

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs

    def __getitem__(self, model: Any) -> Any:
        ours = (AQTOptions, AQTDirectAccessOptions)
        return OptionsFactory if model in ours else self._theirs[model]


pydantic_factory.ModelFactory = _Factories(pydantic_factory.ModelFactory)  # type: ignore[misc,assignment]
AQTOptions.model_dump = lambda self: dict(self)  # type: ignore[attr-defined]
AQTOptions.model_copy = lambda self: type(self)(**self)  # type: ignore[attr-defined]

_FIXTURES = sys.modules[__name__]

OBSTACLES: dict[str, dict[str, Any]] = {
    "test.resources": {
        "TestResource": TestResource,
        "DummyResource": DummyResource,
        "DummyDirectAccessResource": dummy_direct_access_resource,
    },
    "test.fixtures": {"MockSimulator": MockSimulator, "pytest_plugins": []},
    "circuit_to_aqt": {
        "circuits_to_aqt_job": submitted_job,
        "qiskit_to_aqt_circuit": sent_circuit,
        "aqt_to_qiskit_circuit": received_circuit,
    },
    "api_client.models": {"ApiWorkspaces": ApiWorkspaces},
    "aqt_resource": {"AQTResource": _AnyResource},
    "primitives": {"AQTSampler": SamplerV1},
    "primitives.estimator": {"AQTEstimator": EstimatorV1},
    "versions": {"USER_AGENT_EXTRA": "aqt-fast/"},
}


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variables of ours before, and no threads that ask after a test."""
    for name in ("AQT_TOKEN", "AQT_PORTAL_URL", "AQT_DIRECT_URL"):
        monkeypatch.delenv(name, raising=False)
    if "httpx_mock" in request.fixturenames:
        request.getfixturevalue("httpx_mock")  # it counts requests when it ends
    yield
    for connection in list(_CONNECTIONS):
        connection.close()


Connection.SETTLING_SECONDS = 0.5

# The suite's examples may take longer on a busy machine.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
