"""Only type-checked: what users of the 2.x face write, with the types that they may rely on."""

from aqt_connector import ArnicaConfig
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.aqt_provider import AnyAQTResource
from aqt_fast.v2.cloud import CloudProvider, WorkspaceCollection, WorkspaceProvider
from aqt_fast.v2.jobs import CloudJob, DirectAccessJob, OfflineSimulatorJob
from aqt_fast.v2.options import ResourceRunOptions
from aqt_fast.v2.persistence import FileJobStore, JobSnapshot, JobStore, decode_job, encode_job
from aqt_fast.v2.primitives import AQTSampler
from aqt_fast.v2.resources import CloudResource, DirectAccessResource
from qiskit import QuantumCircuit


def cloud(config: ArnicaConfig, circuit: QuantumCircuit) -> str:
    """From a configuration to a job."""
    with AQTProvider() as provider:
        found: CloudProvider = provider.cloud(config)
        workspaces: WorkspaceCollection = found.fetch_workspaces()
        workspace: WorkspaceProvider | None = workspaces.get_by_id("lab")
        assert workspace is not None
        backend: CloudResource = workspace.get_backend("ibex")
        options: ResourceRunOptions = {"shots": 5, "memory": True}
        job: CloudJob = backend.run([circuit], **options)
        job.persist(store=FileJobStore())
        again: CloudJob = backend.restore_job(job.job_id(), delete=True)
        again.result(timeout=5.0, wait=1)
        return backend.workspace_id + backend.id


def others(circuit: QuantumCircuit, store: JobStore) -> list[AnyAQTResource]:
    """Machines and simulators."""
    provider = AQTProvider()
    machine: DirectAccessResource = provider.direct_access().get_resource("https://ibex", "token")
    one: DirectAccessJob = machine.run(circuit, shots=3)
    simulated: OfflineSimulatorJob = provider.offline.noisy().run(circuit, seed_simulator=5)
    one.persist(store=store)
    snapshot: JobSnapshot = decode_job(store.load(simulated.job_id()))
    store.save("id", encode_job(snapshot))
    AQTSampler(backend=machine, options={"default_shots": 5}).run([circuit], shots=3)
    return [machine, provider.offline.ideal()]
