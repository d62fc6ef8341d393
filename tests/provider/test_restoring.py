"""Jobs that go on in another process, from their journals.

Longer than 400 lines: restoring from journals is one subject, and its cases share their batch.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from contextlib import contextmanager
from datetime import datetime

import httpx
import pytest
from aqt_fast import AQTJob, AQTProvider, Progress, wire
from aqt_fast.exceptions import (
    DamagedJobError,
    IncompleteBatchError,
    InvalidInputError,
    JobNotFoundError,
    JournalError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.store.journal import Journal, JournalWarning
from aqt_fast.testing import ArnicaServer
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus
from store.samples import files_in
from waiting import SECONDS, wait_until
from workloads import marker

SHOTS = 2001
CIRCUITS = [marker(f"{number:06b}") for number in range(60)]
COUNTS = [{f"{number:06b}": SHOTS} for number in range(60)]
API_JOBS = 4


@pytest.fixture
def server(monkeypatch):
    """A server of one's own, which ``restore`` finds."""
    monkeypatch.setattr("aqt_fast.jobs.connection.Connection.SETTLING_SECONDS", 1.0)
    with ArnicaServer(simulate=False) as server:
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        monkeypatch.setenv("AQT_TOKEN", server.token)
        yield server


@contextmanager
def client():
    """A backend as one process has it."""
    with AQTProvider(load_dotenv=False) as provider:
        backend = provider.get_backend("simulator_ideal")
        backend.set_options(query_period_seconds=0.1, with_progress_bar=False, shots=SHOTS)
        yield backend


@pytest.fixture
def backend(server):  # noqa: ARG001 - found through the environment
    """The first process."""
    with client() as backend:
        yield backend


def journal_of(job: AQTJob) -> Journal:
    """A look at a job's journal."""
    return Journal.find(get_store_path(), job.job_id())


def ends_of(server: ArnicaServer) -> list[str]:
    """When the API jobs have ended, as the portal tells anybody who asks."""
    with httpx.Client(headers={"Authorization": f"Bearer {server.token}"}) as client:
        server.start()
        answers = [
            client.get(
                f"{server.url}/api/v1/result/{record.job_id}?include_timing_data=true"
            ).json()
            for record in server.jobs
        ]
    return [answer["response"]["timing_data"][-1]["timestamp"] for answer in answers]


class TestGoingOn:
    """After the first process, and beside it."""

    def test_after_the_end(self, server, backend):
        """By any id, without the portal; the results are the same."""
        job = backend.run(CIRCUITS, memory=True, label="mine")
        result = job.result()
        server.stop()
        for job_id in (job.job_id(), *(record.job_id for record in server.jobs)):
            again = AQTJob.restore(job_id)
            assert again.job_id() == job.job_id()
            assert again.label == "mine"
            assert again.options == job.options
            assert again.result().get_counts() == COUNTS
            assert again.status() is JobStatus.DONE
            assert again.progress() == Progress(60, 60)
            assert again.result().to_dict() == result.to_dict()
        assert [record.fetches for record in server.jobs] == [1] * API_JOBS

    def test_known_at_once(self, server, backend):
        """What the journal knows needs no poll: status, progress, timing and date."""
        job = backend.run(CIRCUITS, label="mine")
        result = job.result()
        server.stop()
        again = AQTJob.restore(job.job_id())
        assert again.status() is JobStatus.DONE
        assert again.progress() == Progress(60, 60)
        assert again.timing == job.timing
        assert again.result().date == AQTJob.restore(job.job_id()).result().date == result.date
        ends = [datetime.fromisoformat(stamp) for stamp in ends_of(server)]
        assert datetime.fromisoformat(result.date) == max(ends)

    @pytest.mark.parametrize("how", ["failed", "cancelled"])
    def test_an_end_without_result_is_known_at_once(self, server, backend, how):
        """Message, timing and date are in the journal, too."""
        if how == "failed":
            server.fail_jobs("ion lost")
        else:
            server.hold()
        job = backend.run(CIRCUITS[0], shots=1)
        if how == "cancelled":
            job.job_id()
            job.cancel()
        result = job.result()
        server.stop()
        again = AQTJob.restore(job.job_id())
        assert again.status() is job.status()
        assert again.status().name == {"failed": "ERROR"}.get(how, "CANCELLED")
        assert again.timing == job.timing is not None
        assert again.result().to_dict() == result.to_dict()

    def test_single(self, server, backend):
        """One API job is called what the portal calls it; its journal knows both names."""
        job = backend.run(CIRCUITS[5], shots=7)
        job.result()
        again = AQTJob.restore(job.job_id())
        assert again.result().get_counts() == {"000101": 7}
        assert again.job_id() == job.job_id() == server.jobs[0].job_id
        assert AQTJob.restore(journal_of(job).path.name).job_id() == job.job_id()

    def test_expired(self, server, backend):
        """The portal has deleted the result; the store has it."""
        job = backend.run(CIRCUITS)
        job.result()
        server.advance(25 * 3600)
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS

    def test_beside_the_first(self, server, backend):
        """The first submits, both have the result, nothing is sent twice."""
        server.hold()
        job = backend.run(CIRCUITS)
        wait_until(lambda: len(server.jobs) == API_JOBS)
        again = AQTJob.restore(job.job_id())
        assert again.status() not in (JobStatus.DONE, JobStatus.ERROR)
        server.release()
        assert again.result().get_counts() == COUNTS
        assert job.result().get_counts() == COUNTS
        assert len(server.jobs) == API_JOBS

    def test_beside_one_that_cannot_submit(self, server, backend):
        """What the first still has to send is waited for, not called lost."""
        server.faults.next("429", count=3, method="POST")
        server.faults.retry_after = 1
        job = backend.run(CIRCUITS)
        again = AQTJob.restore(job.job_id())
        assert again.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        assert again.resubmit_failed() == 0
        assert again.result().get_counts() == COUNTS
        assert job.result().get_counts() == COUNTS
        assert len(server.jobs) == API_JOBS

    def test_looking_on_ends_quickly(self, server, backend, monkeypatch):
        """A provider that only looks on does not wait for what another one submits."""
        server.hold()
        server.faults.next("429", count=30, method="POST")
        job = backend.run(CIRCUITS)
        with AQTProvider(load_dotenv=False) as provider:
            again = provider.restore(job.job_id())
            # Waiting for the other process would take longer than the whole test may.
            monkeypatch.setattr("aqt_fast.jobs.connection.Connection.SETTLING_SECONDS", 1e6)
        monkeypatch.setattr("aqt_fast.jobs.connection.Connection.SETTLING_SECONDS", 1.0)
        with pytest.raises(IncompleteBatchError, match="another process submits the job"):
            again.result()

    def test_both_at_once(self, server, backend):
        """Two processes restore the same job; both have the result."""
        server.hold()
        job = backend.run(CIRCUITS)
        wait_until(lambda: len(server.jobs) == API_JOBS)
        job.persist()
        script = (
            "import sys\nfrom aqt_fast import AQTJob\n"
            "job = AQTJob.restore(sys.argv[1])\nprint('here', flush=True)\n"
            "counts = job.result().get_counts()\nprint(counts == [{f'{number:06b}': "
            f"{SHOTS}}} for number in range(60)])"
        )
        others = [
            subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", script, job.job_id()], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        for other in others:
            assert other.stdout.readline() == "here\n"
        server.release()
        assert [other.communicate(timeout=SECONDS)[0] for other in others] == ["True\n"] * 2
        assert job.result().get_counts() == COUNTS
        assert len(server.jobs) == API_JOBS

    def test_cancel_beside_the_first(self, server, backend):
        """Whoever has the job may cancel it."""
        server.hold()
        job = backend.run(CIRCUITS)
        wait_until(lambda: len(server.jobs) == API_JOBS)
        again = AQTJob.restore(job.job_id())
        assert again.cancel()
        server.release()
        job.wait_for_final_state(timeout=SECONDS)
        again.wait_for_final_state(timeout=SECONDS)
        assert {job.status(), again.status()} == {JobStatus.CANCELLED}


class TestCircuits:
    """A journal's snapshot, as circuits."""

    def test_rebuilt(self, backend):
        """The same gates, measurements, registers, names and metadata."""
        circuit = QuantumCircuit(
            QuantumRegister(3, "ions"), ClassicalRegister(1, "a"), ClassicalRegister(2, "b")
        )
        circuit.name, circuit.metadata = "mine", {"angle": 0.1, "list": [1, None]}
        circuit.rz(0.1, 0)
        circuit.r(1.1, 2.2, 2)
        circuit.barrier()
        circuit.rxx(0.3, 2, 0)
        circuit.measure([0, 2], [2, 0])
        job = backend.run(circuit, shots=5)
        expected = job.result()
        again = AQTJob.restore(job.job_id())
        (rebuilt,) = again.circuits
        assert (rebuilt.name, rebuilt.metadata) == (circuit.name, circuit.metadata)
        assert [(reg.name, reg.size) for reg in rebuilt.cregs] == [("a", 1), ("b", 2)]
        without = circuit.copy()
        without.data = [item for item in circuit.data if item.operation.name != "barrier"]
        assert rebuilt.count_ops() == without.count_ops()
        assert backend.prepare([rebuilt], backend.options) is not None
        assert wire.encode_job([rebuilt], 5) == wire.encode_job([circuit], 5)
        assert again.result().get_counts() == expected.get_counts()

    def test_runs_again(self, backend):
        """They can be run and saved as any others."""
        job = backend.run(CIRCUITS)
        job.result()
        again = AQTJob.restore(job.job_id())
        again.result()
        path = again.persist()
        assert AQTJob.restore(again.job_id()).circuits[7].name == "marker 000111"
        assert path == journal_of(again).path
        assert not (path / "circuits.qpy.zst").exists()
        assert backend.run(again.circuits).result().get_counts() == COUNTS


class TestUncertain:
    """A submission of unknown fate, in another process."""

    def test_both_ways_out(self, server, backend):
        """The label and hash are there; an identifier is adopted, or it is sent again."""
        server.faults.next("reset_after", method="POST")
        server.faults.next("reset_before", method="POST")
        job = backend.run(CIRCUITS)
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        errors = {item.error.label: item.error for item in caught.value.failures}
        again = AQTJob.restore(job.job_id())
        with pytest.raises(IncompleteBatchError) as caught:
            again.result()
        assert {item.error.label for item in caught.value.failures} == set(errors)
        for failure in caught.value.failures:
            assert isinstance(failure.error, SubmissionUncertainError)
            assert failure.error.payload_hash == errors[failure.error.label].payload_hash
        (accepted,) = [record for record in server.jobs if record.label in errors]
        assert accepted.sha256 == errors[accepted.label].payload_hash
        again.adopt(accepted.label, accepted.job_id)
        assert again.resubmit_failed() == 0
        assert again.resubmit_failed(uncertain=True) == 1
        assert again.result().get_counts() == COUNTS
        assert len(server.jobs) == API_JOBS
        # The first must not do it a second time.
        with pytest.raises(JournalError, match="restore it again"):
            job.resubmit_failed(uncertain=True)
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS

    def test_single(self, server, backend):
        """One API job raises its own error; until it is adopted it has no id of the portal."""
        server.faults.next("reset_after", method="POST")
        job = backend.run(CIRCUITS[3], shots=9)
        with pytest.raises(SubmissionUncertainError):
            job.result()
        (name,) = JobStore().job_ids()
        again = AQTJob.restore(name)
        with pytest.raises(SubmissionUncertainError) as caught:
            again.result()
        again.adopt(caught.value.label, server.jobs[0].job_id)
        assert again.result().get_counts() == {"000011": 9}
        assert AQTJob.restore(server.jobs[0].job_id).result().get_counts() == {"000011": 9}

    def test_wrong_identifiers(self, server, backend):
        """Another part's, another job's, nobody's: refused, or taken back and told."""
        other = backend.run(CIRCUITS[0], shots=1)
        assert other.result().success
        server.faults.next("reset_after", method="POST")
        job = backend.run(CIRCUITS)
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        (failure,) = caught.value.failures
        label = failure.error.label
        accepted = {record.label: record.job_id for record in server.jobs}
        part = next(
            accepted[name] for name in accepted if name.startswith(job.label) and name != label
        )
        with pytest.raises(ValueError, match="is the identifier of"):
            job.adopt(label, part)
        with pytest.raises(ValueError, match="'xx' is no identifier"):
            job.adopt(label, "xx")
        for known in (job, AQTJob.restore(job.job_id())):
            with pytest.raises(InvalidInputError, match="is the identifier of API job 1 of job"):
                known.adopt(label, other.job_id())
        with client() as elsewhere:
            unknown = elsewhere.run(CIRCUITS[0], shots=1, journal=False).job_id()
        for wrong in (unknown, str(uuid.UUID(int=1))):
            job.adopt(label, wrong)
            with pytest.raises(IncompleteBatchError, match=f"{wrong} was adopted, which is wrong"):
                job.result()
        job = AQTJob.restore(job.job_id())
        job.adopt(label, wrong)
        job = AQTJob.restore(job.job_id())
        with pytest.raises(IncompleteBatchError, match="was adopted, which is wrong"):
            job.result()
        # Whichever of the two has found out first: the other one's journal is older now.
        job = AQTJob.restore(job.job_id())
        with pytest.raises(IncompleteBatchError, match="was adopted, which is wrong"):
            job.result()
        job.adopt(label, accepted[label])
        assert job.result().get_counts() == COUNTS

    def test_expired_may_run_again(self, server, backend):
        """But only if somebody says so."""
        server.faults.next("410", count=9, method="GET", path="/result/")
        job = backend.run(CIRCUITS[3], shots=9)
        for _ in range(2):
            with pytest.raises(ResultExpiredError):
                job.result()
            assert job.resubmit_failed(uncertain=True) == 0
        assert job.resubmit_failed(expired=True) == 1
        server.faults.clear()
        assert job.result().get_counts() == {"000011": 9}
        assert len(server.jobs) == 2

    def test_labels_stay_unique(self, server, backend):
        """Sent again by one process, then by another: never the same label twice."""
        server.fail_jobs("hot", count=3)
        job = backend.run(CIRCUITS[3], shots=9, label="x")
        job.wait_for_final_state(timeout=SECONDS)
        assert job.resubmit_failed() == 1
        job.wait_for_final_state(timeout=SECONDS)
        again = AQTJob.restore(job.job_id())
        again.wait_for_final_state(timeout=SECONDS)
        assert (again.status(), again.error_message) == (JobStatus.ERROR, "hot")
        assert again.resubmit_failed() == 1
        again.wait_for_final_state(timeout=SECONDS)
        assert [record.label for record in server.jobs] == ["x", "x (again 1)", "x (again 2)"]

    def test_refused(self, server, backend):
        """Known not to have been accepted, here and there: it can be sent without a risk."""
        server.revoke(server.token)
        job = backend.run(CIRCUITS)
        with pytest.raises(IncompleteBatchError):
            job.result()
        server.accept(server.token)
        again = AQTJob.restore(job.job_id())
        again.wait_for_final_state(timeout=SECONDS)
        assert again.resubmit_failed() == API_JOBS
        assert again.result().get_counts() == COUNTS
        assert len(server.jobs) == API_JOBS


class TestStore:
    """Disks that are full, read-only, damaged, or from the future."""

    def test_switched_off(self, backend):
        """Nothing is written."""
        job = backend.run(CIRCUITS, journal=False)
        assert job.result().success
        assert not get_store_path().exists()
        with pytest.raises(JobNotFoundError):
            AQTJob.restore(job.job_id())

    def test_no_store(self, backend, monkeypatch):
        """The job runs all the same, and the user knows what that means."""
        monkeypatch.setenv("AQT_STORE_PATH", "/proc/aqt-fast")
        with pytest.warns(JournalWarning, match="lost if this process ends"):
            job = backend.run(CIRCUITS)
        assert job.result().get_counts() == COUNTS

    def test_disk_becomes_full(self, server, backend, monkeypatch):
        """A result that cannot be stored is there all the same; that it is not stored is told."""

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("aqt_fast.store.job_directory.JobDirectory.keep_result", full)
            job = backend.run(CIRCUITS)
            with pytest.warns(JournalWarning, match=r"cannot be stored in .*No space left"):
                result = job.result()
        assert result.get_counts() == COUNTS
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS
        assert [record.fetches for record in server.jobs] == [2] * API_JOBS

    def test_disk_is_full_before_it_is_sent(self, server, backend, monkeypatch):
        """What the journal does not have is not sent; later it is, and once."""

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("os.fdatasync", full)
            job = backend.run(CIRCUITS)
            with pytest.raises(IncompleteBatchError, match="No space left") as caught:
                job.result()
            assert {type(item.error) for item in caught.value.failures} == {JournalError}
            assert server.jobs == []
        assert job.result().get_counts() == COUNTS
        assert len(server.jobs) == API_JOBS
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS

    def test_damaged_line(self, server, backend):
        """There may have been a submission that nobody knows of: uncertain, not sent again."""
        server.faults.next("reset_before", method="POST")
        job = backend.run(CIRCUITS)
        with pytest.raises(IncompleteBatchError):
            job.result()
        journal = journal_of(job)
        file = journal.path / "events"
        lines = file.read_bytes().splitlines(keepends=True)
        known = [line for line in lines if b"reset" not in line and b"uncertain" not in line]
        first = next(index for index, line in enumerate(known) if b"accepted" in line)
        known[first] = known[first].replace(b"accepted", b"aXcepted")
        file.write_bytes(b"".join(known))
        for path in journal.path.glob("result-*"):
            path.unlink()
        again = AQTJob.restore(job.job_id())
        with pytest.raises(IncompleteBatchError) as caught:
            again.result()
        assert len(caught.value.failures) == 2
        for failure in caught.value.failures:
            assert isinstance(failure.error, SubmissionUncertainError)
        assert again.resubmit_failed() == 0
        assert file.read_bytes().startswith(b"".join(known))

    def test_lost_lines(self, server, backend):
        """What is stored proves that it was accepted; the rest is not sent without a word."""
        job = backend.run(CIRCUITS)
        job.result()
        journal = journal_of(job)
        (journal.path / "events").write_bytes(b"")
        (journal.path / "result-2.zst").unlink()
        again = AQTJob.restore(journal.path.name)
        with pytest.raises(IncompleteBatchError) as caught:
            again.result()
        (failure,) = caught.value.failures
        assert isinstance(failure.error, SubmissionUncertainError)
        assert again.resubmit_failed() == 0
        (lost,) = [record for record in server.jobs if record.label == failure.error.label]
        again.adopt(lost.label, lost.job_id)
        assert again.result().get_counts() == COUNTS

    def test_swapped_results(self, backend):
        """They are those of other circuits: the portal is asked instead."""
        job = backend.run(CIRCUITS)
        job.result()
        path = journal_of(job).path
        (path / "result-0.zst").rename(path / "x")
        (path / "result-2.zst").rename(path / "result-0.zst")
        (path / "x").rename(path / "result-2.zst")
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS

    def test_journal_is_removed(self, server, backend):
        """What is in memory can be had all the same."""
        server.faults.next("410", method="GET", path="/result/")
        job = backend.run(CIRCUITS)
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        (failure,) = caught.value.failures
        for summary in backend.provider.jobs():
            summary.remove()
        server.faults.next("410", method="GET", path="/result/")
        missing = [
            number
            for number, item in enumerate(job.result(partial=True).results)
            if not item.success
        ]
        assert missing == list(failure.circuits)
        assert job.result().get_counts() == COUNTS

    def test_unreadable_neighbours(self, backend):
        """They keep nobody from finding another job."""
        job = backend.run(CIRCUITS)
        job.result()
        for number, name in enumerate(("x.json", "x/events")):
            (get_store_path() / name.replace("x", str(uuid.UUID(int=number)))).mkdir(parents=True)
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS
        for job_id in ("", "x", str(uuid.UUID(int=9))):
            with pytest.raises(JobNotFoundError):
                AQTJob.restore(job_id)

    def test_newer(self, backend):
        """It says so, and stays."""
        job = backend.run(CIRCUITS)
        job.result()
        file = journal_of(job).path / "job.json"
        file.write_bytes(file.read_bytes().replace(b'"format":5', b'"format":6'))
        with pytest.raises(DamagedJobError, match="written by a newer aqt-fast"):
            AQTJob.restore(job.job_id())
        assert file.exists()
        assert len(list(file.parent.glob("result-*.zst"))) == API_JOBS

    def test_persisted_elsewhere(self, server, backend, tmp_path):
        """What was saved in another place still has its journal."""
        job = backend.run(CIRCUITS)
        job.result()
        job.persist(store_path=tmp_path)
        server.advance(25 * 3600)
        again = AQTJob.restore(server.jobs[2].job_id, store_path=tmp_path)
        assert again.result().get_counts() == COUNTS
        assert files_in(tmp_path) == []
