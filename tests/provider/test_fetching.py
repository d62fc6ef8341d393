"""A job by its id alone: from the store, or on another computer from the portal."""

from __future__ import annotations

import math
import pickle
import uuid

import pytest
from aqt_fast import AQTProvider, Progress
from aqt_fast.aqt_resource import UnknownOptionWarning
from aqt_fast.exceptions import (
    APIError,
    AQTCredentialsError,
    FixedOptionError,
    InvalidCircuitError,
    InvalidInputError,
    InvalidOptionError,
    JobNotFoundError,
    ResponseMismatchError,
    ResultExpiredError,
    UnknownOptionError,
    UnsavableJobError,
)
from clients import QUIET, connect, device_of
from markers import marker, markers
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus
from waiting import wait_until


@pytest.fixture
def circuit() -> QuantumCircuit:
    """Two registers in another order than the qubits, a qubit that is not measured, metadata."""
    circuit = QuantumCircuit(
        QuantumRegister(4, "q"),
        ClassicalRegister(1, "a"),
        ClassicalRegister(2, "b"),
        name="mine",
        metadata={"day": 3},
    )
    circuit.r(math.pi, 0, 2)
    circuit.r(math.pi, 0, 3)
    circuit.measure(2, 0)
    circuit.measure(0, 1)
    return circuit


@pytest.fixture
def elsewhere(server, tmp_path, monkeypatch):
    """A provider on another computer, whose store has none of the jobs."""

    def connected(**settings) -> AQTProvider:
        monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "another computer"))
        return connect(server, **settings)

    return connected


@pytest.fixture
def sent(device, circuit):
    """A job of the first computer that has ended, and its result."""
    job = device.run([circuit, marker("10")], shots=50, memory=True, label="mine")
    return job, job.result()


class TestFromThePortal:
    """The store does not have it."""

    def test_without_circuits(self, sent, elsewhere):
        """All qubits, in one register; what the portal tells of the job."""
        job, result = sent
        with elsewhere() as provider:
            again = provider.job(job.job_id(), **QUIET)
            found = again.result()
            assert again.status() is JobStatus.DONE
            assert again.job_id() == found.job_id == job.job_id()
            assert (again.label, again.backend().name) == ("mine", "simulator_ideal")
            assert again.backend().resource_id.workspace_id == "default"
            assert again.backend().num_qubits == job.backend().num_qubits
            assert found.get_counts() == [{"1100": 50}, {"10": 50}]
            assert found.results[0].header["creg_sizes"] == [["meas", 4]]
            assert [entry.shots for entry in found.results] == [50, 50]
            assert found.date == result.date
            assert again.progress() == Progress(2, 2)
            assert again.circuits == []
            assert again.timing == job.timing
            assert again.usage() == job.usage()
            assert again.options.shots == 50
            assert again.cancel() is False
            with pytest.raises(UnsavableJobError, match="circuits are not known"):
                again.persist()

    def test_different_shots(self, device, elsewhere):
        """Each circuit has its own, stored with the result if the circuits are given."""
        batch = [marker("01"), marker("10")]
        job = device.run(batch, shots=[3, 4])
        expected = job.result().to_dict()
        with elsewhere() as provider:
            plain = provider.job(job.job_id(), **QUIET)
            assert plain.result().get_counts() == [{"01": 3}, {"10": 4}]
            assert plain.options.shots == (3, 4)
            assert plain.metrics()["executions"] == 7
            assert len(provider.jobs()) == 0
            known = provider.job(job.job_id(), batch, **QUIET)
            assert known.result().to_dict() == expected
            (stored,) = provider.jobs()
            assert stored.shots == (3, 4)
        with elsewhere(token="of-nobody") as provider:  # noqa: S106
            restored = provider.job(job.job_id(), shots=[3, 4])
            assert restored.result().to_dict() == expected
            with pytest.raises(FixedOptionError):
                provider.job(job.job_id(), shots=[4, 3])

    def test_several_runs(self, device, elsewhere):
        """A circuit that was sent several times for its shots: they are one circuit again."""
        batch, shots = [marker("01"), marker("10"), marker("11")], [3, 4001, 5]
        job = device.run(batch, shots=shots, memory=True)
        expected = job.result().to_dict()
        with elsewhere() as provider:
            plain = provider.job(job.job_id(), **QUIET)
            assert plain.options.shots == (3, 2000, 2000, 1, 5)
            options = {"shots": shots, "memory": True, **QUIET}
            assert provider.job(job.job_id(), batch, **options).result().to_dict() == expected
            assert provider.jobs()[0].shots == tuple(shots)
        with elsewhere(token="of-nobody") as provider:  # noqa: S106
            assert provider.job(job.job_id()).result().to_dict() == expected

    @pytest.mark.parametrize("shots", [None, 3, [3, 4001, 6], [3, 4002, 5], [3, 2000, 5]])
    def test_other_runs(self, device, elsewhere, shots):
        """Shots of other circuits."""
        batch = [marker("01"), marker("10"), marker("11")]
        job_id = device.run(batch, shots=[3, 4001, 5]).job_id()
        device.provider.job(job_id).result()
        with elsewhere() as provider, pytest.raises(ResponseMismatchError):
            provider.job(job_id, batch, shots=shots, **QUIET)

    def test_several_runs_under_way(self, server, device, elsewhere):
        """Progress counts circuits."""
        server.hold()
        batch = [marker("01"), marker("10"), marker("11")]
        job_id = device.run(batch, shots=[3, 4001, 5]).job_id()
        with elsewhere() as provider:
            job = provider.job(job_id, batch, shots=[3, 4001, 5], **QUIET)
            server.release(1)
            wait_until(lambda: job.progress() == Progress(1, 3))
            server.release(3)
            wait_until(lambda: job.progress() == Progress(2, 3))
            server.release()
            assert job.result().get_counts() == [{"01": 3}, {"10": 4001}, {"11": 5}]

    def test_different_shots_under_way(self, server, device, elsewhere):
        """They are known after the end, and saved then."""
        server.hold()
        batch = [marker("01"), marker("10")]
        job_id = device.run(batch, shots=[3, 4]).job_id()
        with elsewhere() as provider:
            plain, exact = provider.job(job_id, **QUIET), provider.job(job_id, batch, **QUIET)
            server.release()
            assert plain.result().get_counts() == [{"01": 3}, {"10": 4}]
            assert [entry.shots for entry in exact.result().results] == [3, 4]
            assert provider.jobs()[0].shots == (3, 4)
            assert provider.job(job_id, batch).options.shots == (3, 4)

    def test_memory(self, sent, elsewhere):
        """On request."""
        with elsewhere() as provider:
            found = provider.job(sent[0].job_id(), memory=True, **QUIET).result()
            assert found.get_memory(0) == ["1100"] * 50

    def test_with_circuits(self, sent, elsewhere, circuit):
        """The result is that of the first computer, and is stored on this one."""
        job, result = sent
        with elsewhere() as provider:
            again = provider.job(job.job_id(), [circuit, marker("10")], memory=True, **QUIET)
            assert again.result().to_dict() == result.to_dict()
            assert again.result().get_counts(0) == {"00 1": 50}
            assert again.circuits == [circuit, marker("10")]
            (stored,) = provider.jobs()
            assert (stored.job_id, stored.state, stored.label) == (job.job_id(), "done", "mine")
            assert stored.shots == 50
        with elsewhere(token="of-nobody") as provider:  # noqa: S106
            restored = provider.job(job.job_id())
            assert restored.result().to_dict() == result.to_dict()

    def test_not_stored(self, sent, elsewhere, circuit):
        """Without a journal nothing is written, until the user saves it."""
        job, result = sent
        batch = [circuit, marker("10")]
        with elsewhere() as provider:
            again = provider.job(job.job_id(), batch, journal=False, memory=True, **QUIET)
            again.result()
            assert len(provider.jobs()) == 0
            again.persist()
            restored = provider.jobs()[0].restore()
            assert restored.result().to_dict() == result.to_dict()

    def test_under_way(self, server, device, elsewhere):
        """Polled until the end; the number of circuits is known then."""
        server.hold()
        job_id = device.run(markers(range(3)), shots=7).job_id()
        with elsewhere() as provider:
            plain, exact = provider.job(job_id, **QUIET), provider.job(job_id, markers(range(3)))
            assert plain.progress().total_count == 0
            assert exact.progress().total_count == 3
            server.release(1)
            wait_until(lambda: plain.progress().finished_count == 1)
            assert plain.status() is JobStatus.RUNNING
            with pytest.raises(UnsavableJobError, match="known after its end only"):
                exact.persist()
            server.release()
            assert [part.circuits for part in plain.as_completed()] == [range(3)]
            assert plain.progress() == Progress(3, 3)
            exact.wait_for_final_state()
            assert exact.result().get_counts() == plain.result().get_counts()

    def test_pickled(self, sent, elsewhere):
        """With its result, and without the circuits."""
        with elsewhere() as provider:
            again = provider.job(sent[0].job_id(), **QUIET)
            copied = pickle.loads(pickle.dumps(again))  # noqa: S301
            assert copied.result().get_counts() == again.result().get_counts()
            assert copied.job_id() == again.job_id()
            assert copied.progress() == Progress(2, 2)

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickled_otherwise(self, server, device, elsewhere, protocol):
        """Of a job that has failed, was cancelled, or is under way."""

        def copied(job):
            return pickle.loads(pickle.dumps(job, protocol))  # noqa: S301

        with elsewhere() as provider:
            server.hold()
            under_way = provider.job(device.run(marker("1"), journal=False).job_id(), **QUIET)
            stopped = provider.job(device.run(marker("1"), journal=False).job_id(), **QUIET)
            assert stopped.cancel() is True
            assert copied(stopped).status() is JobStatus.CANCELLED
            server.release()
            assert copied(under_way).result().get_counts() == {"1": 100}
            server.fail_jobs("ion lost")
            failed = provider.job(device.run(marker("1"), journal=False).job_id(), **QUIET)
            assert copied(failed).error_message == "ion lost"

    def test_cancel(self, server, device, elsewhere):
        """From another computer."""
        server.hold()
        job_id = device.run(marker("1")).job_id()
        with elsewhere() as provider:
            again = provider.job(job_id, **QUIET)
            assert again.cancel() is True
            result = again.result()
            assert (result.success, again.status()) == (False, JobStatus.CANCELLED)
            assert again.cancel() is False

    def test_failed(self, server, device, elsewhere):
        """The reason."""
        server.fail_jobs("ion lost")
        job = device.run(marker("1"))
        job.result()
        with elsewhere() as provider:
            again = provider.job(job.job_id(), marker("1"), **QUIET)
            assert again.error_message() == again.result().status == "ion lost"
            assert again.status() is JobStatus.ERROR

    def test_one_of_several(self, server, device, elsewhere):
        """Each API job of a batch has an id of its own."""
        batch = markers(range(60))
        device.run(batch, shots=2, label="big").result()
        (record,) = [record for record in server.jobs if record.label == "big [2/2]"]
        with elsewhere() as provider:
            again = provider.job(record.job_id, batch[50:], **QUIET)
            assert again.result().get_counts() == [{f"{n:010b}": 2} for n in range(50, 60)]

    def test_the_portal_fails_meanwhile(self, server, device, elsewhere):
        """Another call of ``result`` goes on."""
        server.hold()
        job_id = device.run(marker("1")).job_id()
        with elsewhere() as provider:
            again = provider.job(job_id, **QUIET)
            server.revoke(server.token)
            with pytest.raises(AQTCredentialsError):
                again.result()
            server.accept(server.token)
            server.release()
            assert again.result().get_counts() == {"1": 100}

    def test_a_closed_provider(self, server, device, elsewhere):
        """The job ends here, and stays with the portal."""
        server.hold()
        job_id = device.run(marker("1")).job_id()
        with elsewhere() as provider:
            again = provider.job(job_id, **QUIET)
        with pytest.raises(APIError, match="provider is closed; the job is with the portal"):
            again.result()
        assert server.jobs[0].status != "cancelled"


class TestRefused:
    """Clear errors."""

    def test_unknown(self, portal, provider, server):
        """The message tells where it was searched."""
        job_id = str(uuid.uuid4())
        with pytest.raises(JobNotFoundError, match=rf"'{job_id}' in .*, nor .* at {server.url}$"):
            portal.job(job_id)
        with pytest.raises(JobNotFoundError, match="portal was not asked, for there is no access"):
            provider.job(job_id)
        with pytest.raises(JobNotFoundError, match="no job 'banana' in"):
            portal.job("banana")

    def test_other_circuits(self, sent, elsewhere):
        """In number, in size, or such as no device runs."""
        job_id = sent[0].job_id()
        with elsewhere() as provider:
            with pytest.raises(ResponseMismatchError, match="has 2 circuits, not 1"):
                provider.job(job_id, marker("10"))
            with pytest.raises(ResponseMismatchError, match="qubits"):
                provider.job(job_id, [marker("10")] * 2)
            with pytest.raises(InvalidCircuitError, match="circuit 1: no measurement"):
                provider.job(job_id, [marker("10"), QuantumCircuit(2)])
            with pytest.raises(InvalidOptionError, match="memory must be"):
                provider.job(job_id, memory="yes")
            assert len(provider.jobs()) == 0

    def test_other_circuits_of_a_job_under_way(self, server, device, elsewhere):
        """Known at the end."""
        server.hold()
        job_id = device.run(marker("10")).job_id()
        with elsewhere() as provider:
            again = provider.job(job_id, [marker("10")] * 2, **QUIET)
            server.release()
            for _ in range(2):
                with pytest.raises(ResponseMismatchError, match="has 1 circuits, not 2"):
                    again.result()

    def test_unknown_option_of_a_device(self, server, portal, elsewhere):
        """As for ``run``."""
        job_id = device_of(portal, "ibex").run(marker("1")).job_id()
        with elsewhere() as provider, pytest.raises(UnknownOptionError, match="'memory'"):
            provider.job(job_id, memry=True)
        assert len(server.jobs) == 1

    def test_expired(self, server, sent, elsewhere):
        """The portal has deleted the result."""
        server.advance(25 * 3600)
        with elsewhere() as provider, pytest.raises(ResultExpiredError):
            provider.job(sent[0].job_id())


class TestFromTheStore:
    """The store has it: the portal is not asked."""

    def test_journal(self, server, portal, sent):
        """All is known, without circuits, by any id; the options say how to wait."""
        job, result = sent
        server.stop()
        again = portal.job(job.job_id(), query_timeout_seconds=3, with_progress_bar=False)
        assert again.result().to_dict() == result.to_dict()
        assert again.options.query_timeout_seconds == 3

    def test_saved(self, backend, bell):
        """An offline job runs again; it stays saved."""
        job = backend.run(bell, shots=20, seed_simulator=1)
        job.persist()
        for _ in range(2):
            again = backend.provider.job(job.job_id(), with_progress_bar=False)
            assert again.result().get_counts() == job.result().get_counts()

    def test_other_circuits(self, portal, sent, circuit):
        """Refused as those of a job from the portal; the very circuits are welcome."""
        job, result = sent
        same = [circuit, marker("10")]
        assert portal.job(job.job_id(), same, **QUIET).result().to_dict() == result.to_dict()
        job.persist()
        for _ in range(2):
            with pytest.raises(ResponseMismatchError, match="has 2 circuits, not 1"):
                portal.job(job.job_id(), marker("10"))
            with pytest.raises(ResponseMismatchError, match=r"circuit 0 .* has 4 qubits, not 2"):
                portal.job(job.job_id(), [marker("10")] * 2)
            with pytest.raises(InvalidInputError, match="circuit"):
                portal.job(job.job_id(), ["10"])
            portal.restore(job.job_id()).result()  # then only the journal is left

    def test_other_circuits_of_an_offline_job(self, backend, bell):
        """They are not run."""
        job = backend.run(bell, shots=20)
        job.persist()
        with pytest.raises(ResponseMismatchError, match="has 1 circuits, not 2"):
            backend.provider.job(job.job_id(), [bell, bell])

    def test_memory(self, portal, device):
        """On request, also of a job that was run without."""
        job = device.run(marker("10"), shots=3, journal=True)
        job.result()
        assert portal.job(job.job_id(), memory=True, **QUIET).result().get_memory() == ["10"] * 3
        assert "memory" not in portal.job(job.job_id(), **QUIET).result().data()

    def test_options_that_are_fixed(self, portal, device):
        """The job was run with them; its own values are fine."""
        job = device.run(marker("1"), shots=5, label="mine", tags=["a"])
        job.result()
        name = job.job_id()
        own = {"shots": 5, "label": "mine", "job_name": "mine", "tags": ["a"], "meas_level": 2}
        again = portal.job(name, journal=False, optimization_level=None, **own, **QUIET)
        assert (again.options.shots, again.options.journal) == (5, True)
        for option, value in (("shots", 7), ("label", "x"), ("tags", []), ("strict_angles", True)):
            with pytest.raises(FixedOptionError, match=f"'{option}' of a job cannot be changed"):
                portal.job(name, **{option: value})
        with pytest.raises(InvalidOptionError, match=r"^shots must be"):
            portal.job(name, shots=0)

    def test_unknown_option(self, portal, backend, bell):
        """As for ``run``: a device refuses it, a simulator warns."""
        job = device_of(portal, "ibex").run(marker("1"))
        job.result()
        with pytest.raises(UnknownOptionError, match="'memory'"):
            portal.job(job.job_id(), memry=True)
        offline = backend.run(bell)
        offline.persist()
        with pytest.warns(UnknownOptionWarning, match="did you mean 'memory'"):
            backend.provider.job(offline.job_id(), memry=True)

    def test_beginning(self, portal, device):
        """Unambiguous, as tables show it; or the label."""
        job = device.run(marker("1"), label="mine")
        result = job.result()
        for name in (job.job_id()[:8], job.job_id().upper(), "mine"):
            again = portal.job(name, **QUIET)
            assert (again.job_id(), again.result().to_dict()) == (job.job_id(), result.to_dict())
        device.run(marker("1"), label="mine").result()
        with pytest.raises(InvalidOptionError, match="that of one job, and here are"):
            portal.job("mine")
        for name in ("", "mi", None):
            with pytest.raises(JobNotFoundError, match=r"no job '.*' in "):
                portal.job(name)


class TestRetrieve:
    """By the backend, as users of other providers know it."""

    def test_same_backend(self, portal, device, sent):
        """That of the job."""
        job, result = sent
        assert device.retrieve_job(job.job_id()).result().to_dict() == result.to_dict()
        with pytest.raises(InvalidOptionError, match="that of a job of 'ibex'"):
            portal.get_backend("ibex").retrieve_job(job.job_id())

    def test_elsewhere(self, sent, elsewhere, circuit):
        """Also from the portal."""
        job, result = sent
        with elsewhere() as provider:
            device = device_of(provider)
            again = device.retrieve_job(job.job_id(), [circuit, marker("10")], memory=True)
            assert again.result().to_dict() == result.to_dict()
