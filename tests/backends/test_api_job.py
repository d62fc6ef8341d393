"""API jobs that another program has sent, known by identifier, circuits and shots."""

from __future__ import annotations

import uuid

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import (
    APIError,
    InvalidCircuitError,
    InvalidJobError,
    InvalidOptionError,
    ResponseMismatchError,
)
from clients import connect, device_of, machine_of
from markers import marker, marker_counts, markers, word
from qiskit import QuantumCircuit


class TestCloud:
    """On the portal."""

    def test_result(self, server, device):
        """The result of a job under another program's label; nothing is sent or stored."""
        name = device.run(markers([1, 2]), shots=7, label="theirs", journal=False).job_id()
        with connect(server) as other:
            job = device_of(other).api_job(name, markers([1, 2]), shots=7, memory=True)
            assert job.job_id() == name
            result = job.result()
        assert result.get_counts() == marker_counts([1, 2], 7)
        assert result.get_memory(0) == ["0000000001"] * 7
        assert result.job_id == name
        assert len(server.jobs) == 1
        assert not device.store_path.exists()

    def test_shots_for_each(self, server, device, tmp_path):
        """Circuits with different shots, one of them sent in several runs."""
        batch, shots = markers([1, 2, 3]), [7, 4001, 1]
        name = device.run(batch, shots=shots, journal=False).job_id()
        with connect(server) as other:
            job = device_of(other).api_job(name, batch, shots=shots)
            assert [entry.shots for entry in job.result().results] == shots
            assert job.result().get_counts(1) == {word(2): 4001}
            path = job.persist(store_path=tmp_path)
        again = AQTJob.restore(path.name, store_path=tmp_path, provider=device.provider)
        assert again.result().get_counts() == job.result().get_counts()
        with pytest.raises(APIError, match="samples of 5 circuits for 4"):
            device.api_job(name, batch, shots=[7, 4000, 1]).result()

    def test_cancelled(self, server, device):
        """It can be cancelled from here."""
        server.hold()
        name = device.run(marker("1"), journal=False).job_id()
        job = device.api_job(name, marker("1"))
        assert job.cancel()
        assert not job.result().success
        server.release()

    def test_saved_again(self, device, tmp_path):
        """It can be saved and restored like any job."""
        name = device.run(marker("1"), label="theirs", journal=False).job_id()
        path = device.api_job(name, marker("1")).persist(store_path=tmp_path)
        job = AQTJob.restore(path.name, store_path=tmp_path, provider=device.provider)
        assert job.result().get_counts() == {"1": 100}

    def test_other_job(self, device):
        """An identifier of other circuits, or of another number of shots, or of nothing."""
        name = device.run(markers([1, 2]), shots=7, journal=False).job_id()
        for circuits, shots in ((markers([1]), 7), (markers([1, 2]), 8), ([marker("1")] * 2, 7)):
            with pytest.raises((ResponseMismatchError, APIError)):
                device.api_job(name, circuits, shots=shots).result()
        with pytest.raises(APIError, match="404"):
            device.api_job(str(uuid.uuid4()), marker("1")).result()

    def test_refused(self, device):
        """What cannot be a job here."""
        with pytest.raises(InvalidOptionError, match="job_id must be a UUID, not 'mine'"):
            device.api_job("mine", marker("1"))
        with pytest.raises(InvalidCircuitError):
            device.api_job(str(uuid.uuid4()), QuantumCircuit(1))
        with pytest.raises(InvalidJobError):
            device.api_job(str(uuid.uuid4()), [])


class TestDirect:
    """On a machine."""

    def test_result(self, server, machine):
        """The result of one circuit."""
        name = machine.run(marker("10"), shots=7, journal=False).api_job_id()
        with connect(server) as other:
            job = machine_of(other, server).api_job(name, marker("10"), shots=7)
            assert job.result().get_counts() == {"10": 7}
            assert job.api_job_id() == name
        assert len(server.jobs) == 1

    def test_one_circuit(self, machine):
        """A run of a machine has one circuit."""
        with pytest.raises(InvalidJobError, match="one circuit, not 2"):
            machine.api_job(str(uuid.uuid4()), markers([1, 2]))


class TestIdentifiers:
    """Identifiers of single API jobs."""

    def test_cloud(self, server, device):
        """Each API job of a batch has one."""
        job = device.run(markers(range(51)), shots=3)
        found = {job.api_job_id(index) for index in (0, 1)}
        assert found == {item.job_id for item in server.jobs}
        for index in (-1, 2, "0", None):
            with pytest.raises(InvalidOptionError, match="index"):
                job.api_job_id(index)

    def test_direct(self, server, machine):
        """Each circuit on a machine has one, also while others wait."""
        server.hold()
        job = machine.run(markers([1, 2]))
        assert job.api_job_id(0) == server.jobs[0].job_id
        server.release()
        assert job.api_job_id(1) == server.jobs[1].job_id

    def test_refused(self, server, device):
        """A submission that failed has none."""
        server.revoke(server.token)
        with pytest.raises(APIError, match="401"):
            device.run(marker("1")).api_job_id()

    def test_offline(self, backend):
        """A simulation has none."""
        with pytest.raises(LookupError, match="offline simulator"):
            backend.run(marker("1")).api_job_id()
