"""What the local portal knows and does, without HTTP: workspaces, resources, queues, jobs."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, Protocol

ResourceType = Literal["device", "simulator"]
ResourceStatus = Literal["online", "offline", "maintenance", "unavailable"]
Status = Literal["queued", "ongoing", "finished", "error", "cancelled"]

RESULT_LIFETIME = 24 * 3600.0
"""Seconds for which a result is kept after it was first fetched."""

SECONDS_PER_CIRCUIT = 0.1
SECONDS_PER_SHOT = 0.01
"""Realistic device time: loading a circuit, then cooling, gates and read-out shot by shot."""

DIRECT_WORKSPACE = "direct-access"
"""Stands in the record in place of a workspace for circuits that came by direct access."""


@dataclass
class Resource:
    """A machine; the same object in two workspaces is one machine with one queue."""

    id: str
    name: str
    type: ResourceType
    available_qubits: int
    noisy: bool = False
    """Whether its outcomes suffer from depolarising noise."""
    status: ResourceStatus = "online"
    max_shots: int = 2000
    """Most repetitions of a circuit."""
    status_updated_at: float | None = None
    """Seconds since the epoch; None means since the portal was made."""


@dataclass
class Workspace:
    """Resources under one name, open to some of the users."""

    id: str
    resources: Sequence[Resource]
    accepting_job_submissions: bool = True
    jobs_being_processed: bool = True


def default_workspaces() -> list[Workspace]:
    """Two workspaces that share a simulator; one of the three devices is under maintenance."""
    ideal = Resource("simulator_ideal", "Simulator without noise", "simulator", 20)
    noisy = Resource("simulator_noise", "Simulator with noise", "simulator", 20, noisy=True)
    ibex = Resource("ibex", "IBEX", "device", 12, noisy=True)
    pine = Resource("pine", "PINE", "device", 20, noisy=True)
    rowan = Resource("rowan", "ROWAN", "device", 12, noisy=True, status="maintenance")
    return [
        Workspace("default", [ideal, noisy]),
        Workspace("lab", [ibex, pine, rowan, noisy]),
    ]


class Workload(Protocol):
    """The circuits of one job, ready to be measured one after the other."""

    label: str | None
    sizes: Sequence[tuple[int, int]]
    """Repetitions and number of qubits of each circuit."""
    digests: Sequence[str] | None
    """What identifies each circuit, see :func:`aqt_fast.server.sampling.circuit_digest`."""

    def measure(self, index: int, *, noisy: bool, seed: int) -> None:
        """Run one circuit."""

    def result(self, *, seed: int) -> bytes:
        """The outcomes of all circuits as ``{"0":[[0,1],…],…}``."""


@dataclass(frozen=True)
class AcceptedJob:
    """What the record says about a job that was accepted."""

    job_id: str
    label: str | None
    workspace_id: str
    resource_id: str
    sha256: str
    """Of the request body, byte for byte."""
    status: Status
    repetitions: tuple[int, ...]
    """Of each circuit."""
    digests: tuple[str, ...] | None
    """Of each circuit; None if circuits are not identified."""
    runs: tuple[int, ...]
    """How often each circuit ran; never more than once."""
    fetches: int
    """How often the result was asked for while it was there."""


class PortalError(Exception):
    """A request that the portal refuses; ``status`` and ``detail`` are those of the answer."""

    def __init__(self, status: int, detail: Any) -> None:
        """``detail`` is text, or a list of ``{loc, msg, type}`` with status 422."""
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


def invalid(location: Sequence[str | int], message: str) -> PortalError:
    """A 422 with one entry."""
    return PortalError(422, [{"loc": list(location), "msg": message, "type": "value_error"}])


@dataclass(eq=False)
class Job:
    """A job on its way; changed by the portal alone, under its lock."""

    job_id: str
    number: int
    workspace_id: str
    resource: Resource
    sha256: str
    label: str | None
    sizes: Sequence[tuple[int, int]]
    digests: Sequence[str] | None
    workload: Workload | None
    changes: list[tuple[Status, float]] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    finished_count: int = 0
    cancelling: bool = False
    message: str | None = None
    result: bytes | None = None
    fetches: int = 0
    expired: bool = False
    ended: Future[None] = field(default_factory=Future)

    @property
    def status(self) -> Status:
        """Where the job stands."""
        return self.changes[-1][0]


class _Machine:
    """A resource with its queue."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.queue: deque[Job] = deque()
        self.busy = False
        self.in_flight: Job | None = None
        """The last circuit that came by direct access."""


class Portal:
    """The state of the local server; lives on while no socket listens.

    Each machine with work has one thread, which ends when there is none left.
    """

    def __init__(
        self,
        workspaces: Sequence[Workspace],
        *,
        speed: float | None,
        seed: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``speed`` divides the realistic device time; None means no device time at all."""
        self.workspaces = {workspace.id: workspace for workspace in workspaces}
        self._machines = {
            resource.id: _Machine(resource)
            for workspace in workspaces
            for resource in workspace.resources
        }
        self._speed = speed
        self._seed = seed
        self._clock = clock
        self._ahead = 0.0
        self._created = clock()
        self._jobs: dict[str, Job] = {}
        self._kept: deque[tuple[float, Job]] = deque()
        self._failures: deque[str] = deque()
        self._permits: int | None = None
        self._closed = False
        self._changed = threading.Condition()

    # -- time ---------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch by the portal's clock."""
        return self._clock() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put the portal's clock forward; device time does not depend on it."""
        self._ahead += seconds

    # -- machines -----------------------------------------------------------------------------

    def resource(self, resource_id: str) -> Resource:
        """Find a resource by its identifier alone.

        Raises:
            PortalError: there is none (404).
        """
        machine = self._machines.get(resource_id)
        if machine is None:
            raise PortalError(404, "unknown resource")
        return machine.resource

    def details(self, resource: Resource) -> dict[str, Any]:
        """The answer to ``GET /resources/{id}``."""
        updated = resource.status_updated_at
        details: dict[str, Any] = {
            "id": resource.id,
            "name": resource.name,
            "type": resource.type,
            "status": resource.status,
            "available_qubits": resource.available_qubits,
            "status_updated_at": _iso(self._created if updated is None else updated),
        }
        if resource.type == "device":
            details["characterisation"] = _characterisation(resource, _iso(self._created))
        return details

    def set_status(self, resource_id: str, status: ResourceStatus) -> None:
        """Switch a machine on or off; queued jobs wait until it is online."""
        resource = self.resource(resource_id)
        with self._changed:
            resource.status = status
            resource.status_updated_at = self.now()
            self._wake(self._machines[resource_id])

    def hold(self) -> None:
        """Make every machine wait before its next circuit."""
        with self._changed:
            self._permits = 0

    def release(self, circuits: int | None = None) -> None:
        """Let so many circuits run while held; None ends the hold."""
        with self._changed:
            self._permits = None if circuits is None else (self._permits or 0) + circuits
            self._changed.notify_all()

    def fail(self, message: str, count: int = 1) -> None:
        """Make the next jobs that start end with an error."""
        with self._changed:
            self._failures.extend([message] * count)

    def close(self) -> None:
        """Stop all machines; a job that is under way stays so for ever."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- jobs ---------------------------------------------------------------------------------

    def submit(self, workspace_id: str, resource: Resource, workload: Workload, sha256: str) -> Job:
        """Accept a job.

        Raises:
            PortalError: it needs more than the resource has (422), or the machine is in use and
                serves one circuit at a time, as by direct access (409).
        """
        direct = workspace_id == DIRECT_WORKSPACE
        place = ("body",) if direct else ("body", "payload", "circuits")
        for index, (repetitions, qubits) in enumerate(workload.sizes):
            here = place if direct else (*place, index)
            if qubits > resource.available_qubits:
                message = f"the resource has {resource.available_qubits} qubits"
                raise invalid((*here, "number_of_qubits"), message)
            if repetitions > resource.max_shots:
                message = f"the resource takes {resource.max_shots} repetitions"
                raise invalid((*here, "repetitions"), message)
        with self._changed:
            machine = self._machines[resource.id]
            if direct and machine.in_flight is not None and not machine.in_flight.ended.done():
                raise PortalError(409, "a circuit is in flight")
            job = Job(
                job_id=str(uuid.uuid4()),
                number=len(self._jobs),
                workspace_id=workspace_id,
                resource=resource,
                sha256=sha256,
                label=workload.label,
                sizes=workload.sizes,
                digests=workload.digests,
                workload=workload,
                changes=[("queued", self.now())],
                runs=[0] * len(workload.sizes),
            )
            # Once running, a future cannot be cancelled by who waits for it.
            job.ended.set_running_or_notify_cancel()
            self._jobs[job.job_id] = job
            if direct:
                machine.in_flight = job
            machine.queue.append(job)
            self._drop_expired()
            self._wake(machine)
        return job

    def job(self, job_id: str) -> Job:
        """Find a job.

        Raises:
            PortalError: the identifier is no UUID (422) or unknown (404).
        """
        try:
            key = str(uuid.UUID(job_id))
        except ValueError:
            raise invalid(("path", "job_id"), "not a valid UUID") from None
        job = self._jobs.get(key)
        if job is None:
            raise PortalError(404, "unknown job_id")
        return job

    def fetch(self, job: Job) -> bytes | None:
        """The outcomes if the job is finished; counts as a fetch of its result.

        Raises:
            PortalError: the result has expired (410).
        """
        with self._changed:
            self._drop_expired()
            if job.expired:
                raise PortalError(410, "the result has expired")
            if job.result is not None:
                if not job.fetches:
                    self._kept.append((self.now(), job))
                job.fetches += 1
            return job.result

    def cancel(self, job: Job) -> bool:
        """Cancel a job: at once if queued, else after the circuit in hand.

        Returns:
            False if it was cancelled already.

        Raises:
            PortalError: the job has ended otherwise (422).
        """
        with self._changed:
            if job.cancelling:
                return False
            if job.ended.done():
                raise invalid(("path", "job_id"), f"the job has ended: {job.status}")
            job.cancelling = True
            queue = self._machines[job.resource.id].queue
            if job.status == "queued":
                queue.remove(job)
                self._end(job, "cancelled")
            self._changed.notify_all()
            return True

    def record(self) -> list[AcceptedJob]:
        """Every job that was accepted, in order."""
        with self._changed:
            return [
                AcceptedJob(
                    job_id=job.job_id,
                    label=job.label,
                    workspace_id=job.workspace_id,
                    resource_id=job.resource.id,
                    sha256=job.sha256,
                    status=job.status,
                    repetitions=tuple(repetitions for repetitions, _ in job.sizes),
                    digests=None if job.digests is None else tuple(job.digests),
                    runs=tuple(job.runs),
                    fetches=job.fetches,
                )
                for job in self._jobs.values()
            ]

    # -- the machines' threads ----------------------------------------------------------------

    def _wake(self, machine: _Machine) -> None:
        if machine.busy or not machine.queue or machine.resource.status != "online":
            return
        machine.busy = True
        name = f"aqt-fast machine {machine.resource.id}"
        threading.Thread(target=self._work, args=(machine,), name=name, daemon=True).start()

    def _work(self, machine: _Machine) -> None:
        while True:
            with self._changed:
                if self._closed or not machine.queue or machine.resource.status != "online":
                    machine.busy = False
                    return
                job = machine.queue.popleft()
                job.changes.append(("ongoing", self.now()))
                failure = self._failures.popleft() if self._failures else None
            try:
                if failure is not None:
                    raise RuntimeError(failure)
                self._run(job)
            except Exception as error:  # noqa: BLE001 - the job must end and tell, whatever it is
                with self._changed:
                    job.message = str(error) or repr(error)
                    self._end(job, "error")

    def _run(self, job: Job) -> None:
        assert job.workload is not None  # noqa: S101 - dropped at the end only
        seed = _derive(self._seed, job.number)
        for index, (repetitions, _) in enumerate(job.sizes):
            if not self._wait_turn(job, repetitions):
                return
            job.workload.measure(index, noisy=job.resource.noisy, seed=_derive(seed, index))
            with self._changed:
                job.finished_count += 1
                job.runs[index] += 1
                if job.cancelling:
                    self._end(job, "cancelled")
                    return
        result = job.workload.result(seed=seed)
        with self._changed:
            if job.cancelling:
                self._end(job, "cancelled")
            else:
                job.result = result
                self._end(job, "finished")

    def _wait_turn(self, job: Job, repetitions: int) -> bool:
        """Wait while held, then as long as the circuit takes; False if it must not run."""
        with self._changed:
            self._changed.wait_for(lambda: self._permits != 0 or job.cancelling or self._closed)
            if job.cancelling:
                self._end(job, "cancelled")
            elif self._permits:
                self._permits -= 1
            if job.cancelling or self._closed:
                return False
            if self._speed is not None:
                seconds = (SECONDS_PER_CIRCUIT + SECONDS_PER_SHOT * repetitions) / self._speed
                self._changed.wait_for(lambda: self._closed, seconds)
            return not self._closed

    def _end(self, job: Job, status: Status) -> None:
        job.changes.append((status, self.now()))
        job.workload = None
        job.ended.set_result(None)

    def _drop_expired(self) -> None:
        while self._kept and self._kept[0][0] + RESULT_LIFETIME <= self.now():
            _, job = self._kept.popleft()
            job.expired = True
            job.result = None


def job_metadata(job: Job) -> dict[str, Any]:
    """The part ``job`` of the portal's answers."""
    return {
        "job_id": job.job_id,
        "job_type": "quantum_circuit",
        "label": job.label,
        "resource_id": job.resource.id,
        "workspace_id": job.workspace_id,
    }


def timing_data(job: Job) -> list[dict[str, str]]:
    """The job's changes of status with their times."""
    return [{"new_status": status, "timestamp": _iso(when)} for status, when in list(job.changes)]


def record_as_json(record: Sequence[AcceptedJob]) -> dict[str, Any]:
    """The record in JSON's types: ``{"jobs": [{…}]}`` with the fields of :class:`AcceptedJob`."""
    return {"jobs": [asdict(job) for job in record]}


def _derive(seed: int, number: int) -> int:
    """A seed of 64 bits for one of several things of a kind."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{number}".encode()).digest()[:8], "big")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def _characterisation(resource: Resource, updated_at: str) -> Mapping[str, Any]:
    """Fidelities of the server's own noise model; times in the order of an ion trap's.

    A depolarising channel of strength p on d levels has the average gate fidelity 1 − p (1 − 1/d).
    """
    single = {"value": 99.85, "uncertainty": 0.01}
    double = {"value": 99.25, "uncertainty": 0.05}
    qubits = range(resource.available_qubits)
    return {
        "single_qubit_gate_fidelity": {str(qubit): single for qubit in qubits},
        "mean_two_qubit_gate_fidelity": double,
        "two_qubit_gate_fidelity": [
            {"qubits": [low, high], **double} for high in qubits for low in range(high)
        ],
        "spam_fidelity_lower_bound": 99.7,
        "t1_s": {"value": 1.14, "uncertainty": 0.06},
        "t2_coherence_time_s": {"value": 0.45, "uncertainty": 0.07},
        "readout_time_micros": 2500.0,
        "single_qubit_gate_duration_micros": 15.0,
        "two_qubit_gate_duration_micros": 200.0,
        "updated_at": updated_at,
    }
