"""AQT's cloud in the 2.x face, against the local server."""

from __future__ import annotations

import aqt_connector
import pytest
from aqt_fast import exceptions as core
from aqt_fast.testing import ArnicaServer, Workspace, default_workspaces
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.api_client.errors import APIError
from aqt_fast.v2.cloud import ResourceType, WorkspaceResource
from aqt_fast.v2.exceptions import (
    AQTApiError,
    AQTCredentialsError,
    AQTError,
    AQTJobFailedError,
    AQTJobInvalidStateError,
    AQTRequestError,
    AQTValueError,
)
from markers import marker, marker_counts, markers
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobTimeoutError, QiskitBackendNotFoundError
from waiting import wait_until


class TestWorkspaces:
    """Workspaces and the backends in them."""

    def test_listing(self, cloud):
        """Workspaces are a list that can be searched by identifier."""
        workspaces = cloud.fetch_workspaces()
        assert [workspace.id for workspace in workspaces] == ["default", "lab"]
        lab = workspaces.get_by_id("lab")
        assert lab is workspaces[1]
        assert workspaces.get_by_id("nowhere") is None
        first = lab.list_backends()[0]
        assert first == WorkspaceResource(id="ibex", name="IBEX", type="device")
        assert first.type is ResourceType.DEVICE
        assert [item.id for item in lab.list_backends()] == [
            "ibex",
            "pine",
            "rowan",
            "simulator_noise",
        ]

    def test_empty_workspace(self, config, monkeypatch):
        """A workspace without resources is listed."""
        with ArnicaServer(
            simulate=False, workspaces=[*default_workspaces(), Workspace("empty", [])]
        ) as server:
            monkeypatch.setenv("AQT_TOKEN", server.token)
            config.arnica_url = f"{server.url}/api"
            with AQTProvider() as provider:
                empty = provider.cloud(config).fetch_workspaces().get_by_id("empty")
                assert empty.list_backends() == []
                with pytest.raises(QiskitBackendNotFoundError, match="Its backends: none"):
                    empty.get_backend("ibex")

    def test_backend(self, cloud):
        """A backend knows its workspace, its size and its target."""
        backend = cloud.fetch_workspaces().get_by_id("lab").get_backend("ibex")
        assert (backend.id, backend.name, backend.workspace_id) == ("ibex", "ibex", "lab")
        assert backend.num_qubits == 12
        assert set(backend.target.operation_names) == {"r", "rz", "rxx", "measure"}
        assert (backend.max_circuits, backend.MAX_SHOTS) == (50, 2000)

    def test_unknown_backend(self, cloud):
        """The message names what the workspace has."""
        default = cloud.fetch_workspaces()[0]
        with pytest.raises(QiskitBackendNotFoundError) as caught:
            default.get_backend("ibex")
        assert "'ibex' not found in workspace 'default'" in str(caught.value)
        assert "simulator_ideal, simulator_noise" in str(caught.value)


class TestAccess:
    """Where the portal is, and who may use it."""

    @pytest.mark.parametrize("path", ["/api", "/api/", "", "/"])
    def test_url(self, server, config, path):
        """The URL is that of the API, or that of the portal."""
        config.arnica_url = server.url + path
        with AQTProvider() as provider:
            workspaces = provider.cloud(config).fetch_workspaces()
            resource = workspaces[0].get_backend("simulator_ideal")
            assert resource.run(marker("1"), query_period_seconds=0.1).result().success

    def test_wrong_url(self, server, config):
        """A server without AQT's interface: the error names the request."""
        config.arnica_url = f"{server.url}/elsewhere"
        with AQTProvider() as provider:
            cloud = provider.cloud(config)
            with pytest.raises(AQTRequestError, match="404"):
                cloud.fetch_workspaces()

    def test_no_token(self, config, monkeypatch):
        """Without a token, the error says how to get one."""
        monkeypatch.delenv("AQT_TOKEN")
        with AQTProvider() as provider:
            cloud = provider.cloud(config)
            with pytest.raises(AQTCredentialsError, match=r"log_in\(\).*AQT_TOKEN"):
                cloud.fetch_workspaces()

    def test_wrong_token(self, config, monkeypatch):
        """A token that is not accepted, as an error of both trees."""
        monkeypatch.setenv("AQT_TOKEN", "wrong-token")
        with AQTProvider() as provider:
            cloud = provider.cloud(config)
            with pytest.raises(AQTCredentialsError) as caught:
                cloud.fetch_workspaces()
        assert isinstance(caught.value, core.AQTCredentialsError)
        assert caught.value.status_code == 401

    def test_log_in(self, tmp_path, monkeypatch):
        """AQT's own configuration object decides how to log in and where tokens are."""
        monkeypatch.delenv("AQT_TOKEN", raising=False)
        with ArnicaServer(simulate=False) as server:
            config = aqt_connector.ArnicaConfig(tmp_path / "aqt")
            config.arnica_url = f"{server.url}/api"
            config.oidc_config = server.oidc_config()
            config.client_id, config.client_secret = "local-client", "local-secret"
            with AQTProvider() as provider:
                provider.cloud(config).log_in()
                assert provider.cloud().fetch_workspaces().get_by_id("lab") is not None
            assert (tmp_path / "aqt" / "access_token").exists()
            with AQTProvider() as later:
                assert later.cloud(config).fetch_workspaces().get_by_id("lab") is not None

    def test_failed_login(self, tmp_path):
        """A login that is refused is a credentials error."""
        with ArnicaServer(simulate=False) as server, AQTProvider() as provider:
            config = aqt_connector.ArnicaConfig(tmp_path / "aqt")
            config.oidc_config = server.oidc_config()
            config.client_id, config.client_secret = "local-client", "wrong"
            with pytest.raises(AQTCredentialsError, match="login"):
                provider.cloud(config).log_in()


class TestJobs:
    """Jobs in the cloud."""

    def test_result(self, server, resource):
        """Counts, memory and identifier; the portal's id is the job's."""
        job = resource.run(markers([1, 2]), shots=3, memory=True)
        result = job.result(timeout=60, wait=0.1)
        assert result.get_counts() == marker_counts([1, 2], 3)
        assert result.get_memory(1) == ["0000000010"] * 3
        assert job.job_id() == result.job_id == server.jobs[0].job_id
        assert job.status() is JobStatus.DONE
        assert result.backend_name == "simulator_ideal"

    def test_more_than_one_api_job(self, server, resource):
        """More circuits and shots than the portal takes at once are one job."""
        job = resource.run(markers(range(51)), shots=2001)
        assert job.result().get_counts() == marker_counts(range(51), 2001)
        assert len(server.jobs) == 4

    def test_failed(self, server, resource):
        """A failed job raises; what is known is there on request."""
        server.fail_jobs("the trap is empty")
        job = resource.run(marker("1"))
        with pytest.raises(AQTJobFailedError, match="Job failed: the trap is empty"):
            job.result()
        with pytest.raises(AQTJobFailedError, match="Job failed: the trap is empty"):
            job.result()
        assert job.status() is JobStatus.ERROR
        assert not job.result(partial=True).success

    def test_cancelled(self, server, resource):
        """A cancelled job has no result."""
        server.hold()
        job = resource.run(marker("1"))
        job.job_id()
        assert job.cancel()
        with pytest.raises(AQTJobInvalidStateError, match="Job is cancelled") as caught:
            job.result()
        assert job.job_id() in str(caught.value)
        server.release()

    def test_time_out(self, server, resource):
        """A job that takes longer continues."""
        server.hold()
        job = resource.run(marker("1"))
        with pytest.raises(JobTimeoutError):
            job.result(timeout=0.05)
        server.release()
        assert job.result().success

    def test_refused_submission(self, server, resource):
        """What the portal refuses, ``job_id`` and ``result`` raise."""
        server.revoke(server.token)
        job = resource.run(marker("1"))
        for call in (job.job_id, job.result):
            with pytest.raises(AQTCredentialsError) as caught:
                call()
            assert isinstance(caught.value, APIError)
            assert isinstance(caught.value, core.AQTCredentialsError)

    def test_uncertain_submission(self, server, resource):
        """An answer that never came: the error of our core, with its label."""
        server.faults.next("500_after", method="POST")
        job = resource.run(marker("1"), label="mine")
        with pytest.raises(AQTApiError) as caught:
            job.result()
        assert isinstance(caught.value, core.SubmissionUncertainError)
        assert caught.value.label == "mine"
        job.adopt("mine", server.jobs[0].job_id)
        assert job.result().success

    def test_await(self, resource):
        """Jobs can be awaited."""
        import asyncio

        async def main():
            return await resource.run(marker("1"))

        assert asyncio.run(main()).get_counts() == {"1": 100}

    def test_status(self, server, resource):
        """The status follows the portal without waiting."""
        server.hold()
        job = resource.run(marker("1"))
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        wait_until(lambda: job.status() is JobStatus.DONE)


class TestRefusals:
    """What is refused before anything is sent."""

    @pytest.mark.parametrize("shots", [0, -1, 1.5, True, "many", 2**31])
    def test_shots(self, server, resource, shots):
        """The number of shots is named."""
        with pytest.raises(AQTValueError, match="shots must be") as caught:
            resource.run(marker("1"), shots=shots)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, core.InvalidOptionError)
        assert caught.value.value == shots
        assert not server.jobs

    def test_circuits(self, server, resource):
        """Every circuit that cannot run is named, in one error of both trees."""
        bad = QuantumCircuit(1)
        bad.h(0)
        bad.measure_all()
        empty = QuantumCircuit(1)
        with pytest.raises(AQTValueError) as caught:
            resource.run([marker("1"), bad, empty])
        assert isinstance(caught.value, core.InvalidCircuitError)
        assert [problem.circuit for problem in caught.value.problems] == [1, 2]
        assert "circuit 1" in str(caught.value)
        assert not server.jobs

    def test_no_circuits(self, resource):
        """An empty list is an error of value."""
        with pytest.raises(AQTError, match="at least one circuit") as caught:
            resource.run([])
        assert isinstance(caught.value, ValueError)

    def test_mistyped_option(self, server, cloud):
        """On a device, an option that does not exist is refused, with a suggestion."""
        device = cloud.fetch_workspaces().get_by_id("lab").get_backend("ibex")
        with pytest.raises(AQTValueError, match="shots"):
            device.run(marker("1"), shoots=5)
        assert not server.jobs
