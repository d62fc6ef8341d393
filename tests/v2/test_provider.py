"""The provider of the 2.x face: what it gives without a network, and what closing does."""

from __future__ import annotations

import subprocess
import sys

import aqt_fast.v2 as face
import pytest
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import APIConnectionError
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.aqt_provider import ArnicaConfig
from aqt_fast.v2.exceptions import AQTRequestError
from clients import QUIET
from markers import marker
from qiskit import QuantumCircuit, transpile

NAMES = {
    "": ["AQTProvider", "__version__"],
    ".aqt_provider": ["AQTProvider", "AnyAQTResource", "ArnicaConfig"],
    ".api_client": [
        "DEFAULT_PORTAL_URL", "AQTBackendType", "PortalClient", "Resource", "Workspace",
        "Workspaces", "__version__",
    ],
    ".api_client.errors": ["APIError"],
    ".api_client.models": ["Resource", "Workspace", "Workspaces"],
    ".api_client.portal_client": ["DEFAULT_PORTAL_URL", "PortalClient"],
    ".exceptions": [
        "AQTError", "AQTJobError", "AQTJobInvalidStateError", "AQTJobFailedError",
        "AQTJobPersistenceError", "AQTJobNotFoundError", "AQTJobCorruptError",
        "AQTJobIncompatibleError", "AQTJobBackendMismatchError", "AQTApiError",
        "AQTCredentialsError", "AQTValueError", "AQTRequestError",
    ],
    ".options": ["ResourceRunOptions"],
    ".persistence": [
        "FileJobStore", "JobBackendMismatchError", "JobCorruptError", "JobIncompatibleError",
        "JobNotFoundError", "JobPersistenceError", "JobSnapshot", "JobStore", "decode_job",
        "delete_job", "encode_job", "persist_job", "restore_job",
    ],
    ".primitives": ["AQTEstimator", "AQTSampler"],
    ".primitives.estimator": ["AQTEstimator"],
    ".primitives.sampler": ["AQTSampler"],
    ".transpiler_plugin": [
        "AQTSchedulingPlugin", "EnsureSingleFinalMeasurement", "RewriteRxAsR", "TranspilerMixin",
        "WrapRxxAngles",
    ],
    ".versions": ["QISKIT_VERSION", "__version__"],
}  # fmt: skip
"""What a program for 2.x imports."""


@pytest.mark.parametrize("module", NAMES)
def test_names(module):
    """Every name of 2.0.1 is at its place, with its import statement."""
    names = {}
    exec(f"from aqt_fast.v2{module} import {', '.join(NAMES[module])}", names)  # noqa: S102
    assert set(NAMES[module]) <= set(names)


def test_lazy():
    """Neither the package nor the offline simulators load an HTTP client; nothing loads Aer."""
    script = (
        "import sys, aqt_fast.v2\n"
        "print('AQTProvider' in dir(aqt_fast.v2))\n"
        "print(sorted({'qiskit', 'numpy', 'httpx', 'qiskit_aer'} & set(sys.modules)))\n"
        "aqt_fast.v2.AQTProvider().offline.ideal()\n"
        "print(sorted({'httpx', 'tenacity', 'aqt_connector', 'qiskit_aer'} & set(sys.modules)))"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert run.stdout.splitlines() == ["True", "[]", "[]"]


def test_unknown_name():
    """An unknown name raises AttributeError."""
    with pytest.raises(AttributeError, match="has no attribute 'Provider'"):
        _ = face.Provider


class TestProvider:
    """One object leads to all backends."""

    def test_parts(self, config):
        """The name is the peer's; each part is the same object in each call."""
        provider = AQTProvider()
        assert provider.name == "aqt_provider"
        cloud = provider.cloud(config)
        assert provider.cloud() is cloud
        assert provider.cloud(config) is cloud
        assert provider.direct_access() is provider.direct_access()

    def test_another_config_is_another_cloud(self, config, tmp_path):
        """A second configuration is not ignored."""
        provider = AQTProvider()
        cloud = provider.cloud(config)
        assert provider.cloud(ArnicaConfig(tmp_path / "other")) is not cloud

    def test_needs_no_token(self, recwarn):
        """Neither the provider nor its cloud warns before somebody asks for something."""
        with AQTProvider() as provider:
            provider.cloud()
        assert not recwarn.list

    def test_closing(self, server, config):
        """The end of the block closes all parts; a running job ends with a typed error."""
        server.hold()
        with AQTProvider() as provider:
            cloud = provider.cloud(config)
            resource = cloud.fetch_workspaces()[0].get_backend("simulator_ideal")
            job = resource.run(marker("10"), **QUIET)
        assert job.job_id() == server.jobs[0].job_id
        with pytest.raises(AQTRequestError, match="the provider is closed") as caught:
            job.result()
        assert isinstance(caught.value, APIConnectionError)
        assert provider.cloud(config) is not cloud


class TestOffline:
    """The simulators in this process."""

    def test_what_they_are(self):
        """Names, sizes and noise are those of 2.x."""
        offline = AQTProvider().offline
        ideal, noisy = offline.ideal(), offline.noisy()
        assert (ideal.name, noisy.name) == ("offline_simulator_no_noise", "offline_simulator_noise")
        for resource in (ideal, noisy):
            assert isinstance(resource, AQTResource)
            assert resource.id == resource.name
            assert resource.num_qubits == 20
            assert resource.workspace_id == "default"
            assert (resource.max_circuits, resource.MAX_SHOTS) == (50, 2000)
            assert resource.options.shots == 100
        assert ideal.simulator.options.noise_model is None
        noise = noisy.simulator.options.noise_model
        assert set(noise.noise_instructions) == {"r", "rxx"}

    def test_more_than_one_api_job_holds(self, capsys):
        """Any number of circuits and shots run; nothing is drawn unless asked for."""
        resource = AQTProvider().offline.ideal()
        job = resource.run([marker("01")] * 51, shots=2001, memory=True)
        result = job.result(timeout=60)
        assert result.get_counts(50) == {"01": 2001}
        assert result.get_memory(0)[:2] == ["01", "01"]
        assert result.job_id == job.job_id()
        assert job.progress().finished_count == 51
        assert capsys.readouterr().err == ""

    def test_seed(self):
        """The seed of a run decides the outcomes."""
        resource = AQTProvider().offline.ideal()
        circuit = QuantumCircuit(3)
        circuit.h(range(3))
        circuit.measure_all()
        native = transpile(circuit, resource)
        runs = [resource.run(native, seed_simulator=7, memory=True).result() for _ in range(2)]
        assert runs[0].get_memory() == runs[1].get_memory()

    def test_submitting_twice(self):
        """``run`` has submitted the job."""
        job = AQTProvider().offline.ideal().run(marker("1"))
        with pytest.raises(RuntimeError, match=r"already submitted via backend\.run\(\)"):
            job.submit()
