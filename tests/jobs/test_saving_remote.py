"""Jobs of the cloud, saved by ``persist()`` and restored in another process."""

from __future__ import annotations

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import (
    APIError,
    AQTCredentialsError,
    IncompleteBatchError,
    JobNotFoundError,
    SubmissionUncertainError,
    UnsavableJobError,
)
from markers import marker, marker_counts, markers
from store.samples import files_in


@pytest.mark.usefixtures("environment")
class TestSaving:
    """Another process continues a saved job."""

    def test_persist_and_restore(self, server, device, tmp_path):
        """Restoring continues the same job and removes the saved one."""
        server.hold()
        job = device.run([marker("10"), marker("01")], shots=5, label="kept")
        path = job.persist(store_path=tmp_path)
        token = server.token.encode()
        assert [file.name for file in path.iterdir() if token in file.read_bytes()] == []
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        server.release()
        assert (again.job_id(), again.label) == (job.job_id(), "kept")
        assert again.result().get_counts() == [{"10": 5}, {"01": 5}]
        assert again.backend().name == "simulator_ideal"
        assert len(server.jobs) == 1
        assert not path.exists()
        with pytest.raises(JobNotFoundError):
            AQTJob.restore(job.job_id(), store_path=tmp_path)

    def test_other_portal(self, device, tmp_path, monkeypatch):
        """Restoring refuses another portal or a missing token, and keeps the saved job."""
        job = device.run(marker("1"))
        path = job.persist(store_path=tmp_path)
        monkeypatch.setenv("AQT_PORTAL_URL", "https://portal.invalid")
        with pytest.raises(APIError, match=r"not with https://portal\.invalid"):
            AQTJob.restore(job.job_id(), store_path=tmp_path)
        with pytest.raises(AQTCredentialsError, match="no access token"):
            AQTJob.restore(job.job_id(), access_token="", store_path=tmp_path)
        assert path.exists()

    def test_failed_submission(self, server, device, tmp_path):
        """There is nothing to save."""
        server.faults.next("500", method="POST")
        with pytest.raises(SubmissionUncertainError):
            device.run(marker("1")).persist(store_path=tmp_path)
        assert files_in(tmp_path) == []


@pytest.mark.usefixtures("environment")
class TestBatch:
    """Another process continues a saved batch."""

    def test_persist_and_restore(self, server, device, tmp_path):
        """With all its API jobs, none of them submitted again."""
        server.hold()
        job = device.run(markers(range(101)), shots=2500, label="kept")
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        server.release()
        assert (again.job_id(), again.label) == (job.job_id(), "kept")
        assert again.result().get_counts() == marker_counts(range(101), 2500)
        assert len(server.jobs) == 6

    def test_failed_parts(self, server, device, tmp_path):
        """Failed parts stay failed after restoring, and can be resubmitted."""
        server.faults.next("reset_before", method="POST")
        job = device.run(markers(range(60)), shots=2)
        with pytest.raises(IncompleteBatchError):
            job.result()
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        with pytest.raises(IncompleteBatchError, match="uncertain whether the submission"):
            again.result()
        assert again.resubmit_failed() == 0
        assert again.resubmit_failed(uncertain=True) == 1
        assert again.result().get_counts() == marker_counts(range(60), 2)

    def test_changed_circuits(self, device, tmp_path):
        """``persist()`` refuses circuits that were changed after ``run``."""
        circuit = marker(3)
        job = device.run(circuit)
        circuit.name = "changed"
        with pytest.raises(UnsavableJobError, match="a circuit was changed"):
            job.persist(store_path=tmp_path)
