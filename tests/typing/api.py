"""Only type-checked: what users write, with the types that they may rely on."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from aqt_fast import (
    AQTJob,
    AQTOptions,
    AQTProvider,
    PriceList,
    Progress,
    __version__,
    compile,  # noqa: A004
    execute,
    wire,
)
from aqt_fast.aqt_provider import BackendsTable
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.devices import (
    Cost,
    DeviceTimes,
    DeviceUsage,
    Interval,
    JobEstimate,
    SpendingLimits,
)
from aqt_fast.primitives import AQTSampler
from aqt_fast.provider.jobs_table import JobsTable
from aqt_fast.store.listing import StoredJob
from qiskit import QuantumCircuit
from qiskit.result import Result


def provider_and_backends() -> AQTResource:
    """Backends are found by name and listed in a table."""
    provider = AQTProvider("", load_dotenv=True, dotenv_path=None)
    table: BackendsTable = provider.backends(backend_type="offline_simulator")
    first: AQTResource = table[0]
    rest: Sequence[AQTResource] = table[1:]
    text: str = first.name + __version__ + str(len(rest))
    return provider.get_backend(text, available_qubits=3)


def jobs(circuit: QuantumCircuit, backend: AQTResource) -> AQTJob:
    """A job tells how far it is and can be saved and restored."""
    job: AQTJob = execute(circuit, backend, shots=100)
    progress: Progress = job.progress()
    done: int = progress.finished_count
    message: str | None = job.error_message
    used: float = job.usage() + job.metrics()["executions"]
    made: datetime | None = job.creation_date
    tags: list[str] = job.tags
    result: Result = job.result(timeout=3, wait=1)
    path: Path = job.persist(store_path="jobs")
    options: AQTOptions = job.options
    shots: int | tuple[int, ...] = options.shots
    limit: float | None = options.query_timeout_seconds
    print(done, message, path, shots, limit, used, made, tags, result)  # noqa: T201
    return AQTJob.restore("id", store_path=Path("jobs"), remove_from_store=False)


def spending(circuit: QuantumCircuit, backend: AQTResource) -> JobEstimate:
    """A dry run returns an estimate, a run a job; limits are options."""
    job: AQTJob = backend.run(circuit, max_cost=5, dry_run=False)
    dry: JobEstimate = backend.run([circuit], dry_run=True, require_online=True)
    hashes: tuple[str, ...] = execute(circuit, backend, dry_run=True).payload_hashes
    again: int = job.resubmit_failed(max_cost=10.0, max_shots=1000)
    of_sampler: JobEstimate = AQTSampler(backend).dry_run([circuit], shots=5)
    limits: SpendingLimits = AQTProvider("", max_cost=5.0, max_shots=100).spending_limits
    print(dry, hashes, again, limits.max_cost)  # noqa: T201
    return of_sampler


def estimated(circuit: QuantumCircuit, backend: AQTResource) -> float:
    """What a job will take, and what it took."""
    prices = PriceList(per_shot=0.02, currency="EUR", source="us", as_of=date(2026, 11, 1))
    backend.device_times = DeviceTimes(shot_overhead=0.2, rxx=(1e-4, 2e-4, 3e-4))
    times: DeviceTimes = backend.device_times.replaced(circuit_overhead=1)
    estimate: JobEstimate = backend.estimate(
        [circuit], shots=[3], price_list=prices, device_times=times, optimization_level=1
    )
    cost: Cost | None = estimate.cost
    seconds: Interval | None = estimate.device_seconds
    used: DeviceUsage = execute(circuit, backend).usage()
    ratio: float | None = used.ratio
    print(cost and cost.amount, ratio, times.r.low)  # noqa: T201
    return used if seconds is None else seconds.likely


def stored(provider: AQTProvider) -> AQTJob:
    """Stored jobs are listed, found and restored."""
    table: JobsTable = provider.jobs(state="done", limit=3)
    rows: Sequence[StoredJob[AQTJob]] = provider.jobs(
        re.compile("simulator"), since=table[0].created
    )
    job: StoredJob[AQTJob] = table.find("3f2a")
    known: AQTJob = provider.job("id", circuits=None, memory=True)
    same: AQTJob = known.backend().retrieve_job(known.job_id())
    print(same.queue_info())  # noqa: T201
    active: bool | None = job.active or rows[0].active
    print(active, job.to_dict())  # noqa: T201
    return job.restore(remove_from_store=False)


def compiled(circuit: QuantumCircuit, backend: AQTResource) -> list[QuantumCircuit]:
    """One circuit for one circuit, a list for several."""
    one: QuantumCircuit = compile(circuit, backend)
    several: list[QuantumCircuit] = compile((circuit, one), backend, optimization_level=3)
    return several


def codec(circuit: QuantumCircuit, body: bytes) -> tuple[bytes, dict[str, int]]:
    """The codec's functions and what they return."""
    state: wire.JobState = wire.decode_response(body)
    samples: list[wire.Samples] | None = state.samples
    counts = samples[0].counts(circuit) if samples else {}
    return wire.encode_job([circuit], 5, label=None), counts
