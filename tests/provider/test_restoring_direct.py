"""Jobs of a machine that go on in another process, from their journals.

Longer than 400 lines: restoring a machine's jobs is one subject, and its cases share their batch.
"""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import closing, contextmanager
from itertools import count

import httpx
import pytest
from aqt_fast import AQTJob, AQTProvider, Progress
from aqt_fast.aqt_job import AQTDirectAccessJob
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    DamagedJobError,
    IncompleteBatchError,
    JobNotFoundError,
    JournalError,
    NotSubmittedError,
    SubmissionUncertainError,
)
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.store.journal import Journal, JournalWarning
from aqt_fast.testing import ArnicaServer
from qiskit.providers import JobStatus
from store.killed_client import BATCHES, Zygote
from waiting import SECONDS, wait_until
from workloads import marker

SHOTS = 5
NUM_CIRCUITS = 4
CIRCUITS = [marker(f"{number:06b}") for number in range(NUM_CIRCUITS)]
COUNTS = [{f"{number:06b}": SHOTS} for number in range(NUM_CIRCUITS)]


@pytest.fixture
def server(monkeypatch):
    """A server of one's own, which ``restore`` finds."""
    with ArnicaServer(simulate=False) as server:
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        monkeypatch.setenv("AQT_TOKEN", server.token)
        yield server


@contextmanager
def client():
    """A machine as one process has it."""
    with AQTProvider(load_dotenv=False, read_timeout=0.5) as provider:
        machine = provider.get_direct_access_backend()
        machine.set_options(query_period_seconds=0.1, with_progress_bar=False, shots=SHOTS)
        yield machine


@pytest.fixture
def machine(server):  # noqa: ARG001 - found through the environment
    """That of the first process."""
    with client() as machine:
        yield machine


def journal_of(job: AQTJob) -> Journal:
    """A look at a job's journal."""
    return Journal.find(get_store_path(), job.job_id())


def accepted(job: AQTJob, number: int) -> bool:
    """Whether the journal has the machine's identifier of a circuit."""
    return journal_of(job).replay().record(number).job_id is not None


def left_behind(server: ArnicaServer, done: int, circuits=CIRCUITS) -> str:
    """A job whose provider was closed with one circuit in hand, after so many."""
    server.hold()
    server.release(done)
    with client() as machine:
        job = machine.run(circuits)
        wait_until(lambda: job.progress().finished_count == done and len(server.jobs) == done + 1)
        # Known to be accepted, and not just sent.
        wait_until(lambda: accepted(job, done))
    with pytest.raises(APIConnectionError):
        job.result()
    return job.job_id()


class TestGoingOn:
    """After the first process, and beside it."""

    def test_after_the_end(self, server, machine):
        """By the job's id or that of any run, without the machine; the results are the same."""
        job = machine.run(CIRCUITS, memory=True, label="mine")
        result = job.result()
        server.stop()
        for job_id in (job.job_id(), *(record.job_id for record in server.jobs)):
            again = AQTJob.restore(job_id)
            assert isinstance(again, AQTDirectAccessJob)
            assert (again.job_id(), again.label) == (job.job_id(), "mine")
            assert again.options == job.options
            assert again.result().get_counts() == COUNTS
            assert (again.status(), again.progress()) == (JobStatus.DONE, Progress(4, 4))
            ours, theirs = again.result().to_dict(), result.to_dict()
            assert ours.pop("date") != theirs.pop("date")
            assert ours == theirs
        assert [record.fetches for record in server.jobs] == [1] * NUM_CIRCUITS

    def test_in_hand(self, server):
        """It is asked for; what comes after it was not sent, and is sent on demand, in order."""
        again = AQTJob.restore(left_behind(server, done=1))
        assert (again.status(), again.progress()) == (JobStatus.RUNNING, Progress(1, 4))
        server.release()
        with pytest.raises(IncompleteBatchError, match="it was not submitted") as caught:
            again.result()
        assert [failure.part for failure in caught.value.failures] == [2, 3]
        assert all(isinstance(item.error, NotSubmittedError) for item in caught.value.failures)
        assert again.error_message == "circuits 2 to 3: it was not submitted"
        assert again.result(partial=True).get_counts(1) == COUNTS[1]
        assert len(server.jobs) == 2
        assert again.resubmit_failed() == 2
        assert again.result().get_counts() == COUNTS
        assert len(server.jobs) == NUM_CIRCUITS
        assert AQTJob.restore(again.job_id()).result().get_counts() == COUNTS

    def test_between_runs_of_a_circuit(self, server):
        """The runs that were measured are kept, also one of a circuit that is not complete."""
        server.hold()
        server.release(3)
        with client() as machine:
            job = machine.run(CIRCUITS[:3], shots=2001)
            wait_until(lambda: len(server.jobs) == 4)
            wait_until(lambda: accepted(job, 3))
        again = AQTJob.restore(job.job_id())
        assert again.progress() == Progress(1, 3)
        server.release()
        with pytest.raises(IncompleteBatchError):
            again.result()
        assert again.error_message == "circuit 2 (marker 000010): it was not submitted"
        assert again.resubmit_failed() == 2
        assert again.result().get_counts() == [{f"{number:06b}": 2001} for number in range(3)]
        assert [record.repetitions for record in server.jobs] == [(2000,), (1,)] * 3

    def test_beside_the_first(self, server, machine):
        """Who looks on has each result as it comes, and neither sends, asks nor cancels."""
        server.hold()
        job = machine.run(CIRCUITS)
        again = AQTJob.restore(job.job_id())
        for finished in range(NUM_CIRCUITS):
            wait_until(lambda done=finished: again.progress().finished_count == done)
            wait_until(lambda done=finished: len(server.jobs) == done + 1)
            assert not again.cancel()
            assert again.resubmit_failed() == 0
            server.release(1)
        assert again.result().get_counts() == COUNTS
        assert job.result().get_counts() == COUNTS
        assert [record.fetches for record in server.jobs] == [1] * NUM_CIRCUITS

    def test_taking_over(self, server):
        """When the first ends, who looks on asks for the circuit in hand."""
        server.hold()
        with client() as machine:
            job = machine.run(CIRCUITS)
            again = AQTJob.restore(job.job_id())
            wait_until(lambda: accepted(job, 0))
            assert again.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        with pytest.raises(IncompleteBatchError):
            again.result()
        assert again.progress() == Progress(1, 4)
        assert again.resubmit_failed() == 3
        assert again.result().get_counts() == COUNTS
        with pytest.raises(JournalError, match="restore it again"):
            job.resubmit_failed()
        assert len(server.jobs) == NUM_CIRCUITS

    def test_closed_while_looking_on(self, server, machine):
        """It ends, and says that the other process goes on."""
        server.hold()
        job = machine.run(CIRCUITS)
        with AQTProvider(load_dotenv=False) as provider:
            again = provider.restore(job.job_id())
        with pytest.raises(APIConnectionError, match="provider is closed"):
            again.result()
        server.release()
        assert job.result().get_counts() == COUNTS

    def test_expired(self, server):
        """The machine has deleted the result of the circuit in hand; the others can be had."""
        job_id = left_behind(server, done=1)
        server.release()
        wait_until(lambda: server.jobs[1].status == "finished")
        # A result expires a day after somebody has fetched it.
        url = f"{server.direct_url}/circuit/result/{server.jobs[1].job_id}"
        assert httpx.get(url, headers={"Authorization": f"Bearer {server.token}"}).is_success
        server.advance(25 * 3600)
        again = AQTJob.restore(job_id)
        with pytest.raises(APIError, match="410"):
            again.result()
        assert again.resubmit_failed() == 2
        again.wait_for_final_state(timeout=SECONDS)
        success = [entry.success for entry in again.result(partial=True).results]
        assert success == [True, False, True, True]

    def test_cancelled(self, server, machine):
        """What was not wanted any more is not sent by others either."""
        server.hold()
        job = machine.run(CIRCUITS)
        wait_until(lambda: accepted(job, 0))
        assert job.cancel()
        server.release()
        expected = job.result()
        again = AQTJob.restore(job.job_id())
        assert again.result().status == expected.status
        assert again.status() is JobStatus.CANCELLED
        assert again.resubmit_failed() == 0
        assert len(server.jobs) == 1


class TestFailures:
    """Circuits that the machine has not run, or nobody knows."""

    def test_failed_on_the_machine(self, server, machine):
        """They stay failed until they are sent again, here or there; results keep their order."""
        server.fail_jobs("ion lost", count=3)
        job = machine.run(CIRCUITS)
        assert not job.result().success
        again = AQTJob.restore(job.job_id())
        result = again.result()
        assert [entry.success for entry in result.results] == [False, False, False, True]
        assert again.error_message == job.error_message
        assert again.error_message.startswith("circuits 0 to 2: ")
        server.fail_jobs("ion lost")
        assert again.resubmit_failed() == 3
        assert [entry.success for entry in again.result().results] == [False, True, True, True]
        last = AQTJob.restore(job.job_id())
        last.wait_for_final_state(timeout=SECONDS)
        assert last.resubmit_failed() == 1
        assert last.result().get_counts() == COUNTS
        assert len(server.jobs) == NUM_CIRCUITS + 4
        hashes = [record.sha256 for record in server.jobs]
        assert hashes[4:] == [*hashes[:3], hashes[0]]

    @pytest.mark.parametrize("elsewhere", [True, False])
    def test_uncertain(self, server, machine, elsewhere):
        """Its label and hash are told; it is adopted, or sent again, by this process or another."""
        server.hold()
        job = machine.run(CIRCUITS, label="careful")
        wait_until(lambda: len(server.jobs) == 1)
        server.faults.next("reset_after", method="PUT")
        server.release()
        with pytest.raises(SubmissionUncertainError) as first:
            job.result()
        again = AQTJob.restore(job.job_id()) if elsewhere else job
        with pytest.raises(SubmissionUncertainError, match="'careful, circuit 1'") as caught:
            again.result()
        assert caught.value.payload_hash == first.value.payload_hash == server.jobs[1].sha256
        assert again.result(partial=True).get_counts(0) == COUNTS[0]
        again.adopt(caught.value.label, server.jobs[1].job_id)
        with pytest.raises(IncompleteBatchError, match="it was not submitted"):
            again.result()
        server.faults.next("reset_before", method="PUT")
        assert again.resubmit_failed() == 2
        with pytest.raises(SubmissionUncertainError, match="'careful, circuit 2"):
            again.result()
        assert again.resubmit_failed(uncertain=True) == 2
        assert again.result().get_counts() == COUNTS
        assert len(server.jobs) == NUM_CIRCUITS
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS

    def test_refused(self, server, machine):
        """Known not to have been accepted: the first goes on by itself, another when asked to."""
        server.revoke(server.token)
        job = machine.run(CIRCUITS)
        with pytest.raises(APIError, match="not accepted"):
            job.result()
        again = AQTJob.restore(job.job_id())
        with pytest.raises(APIError, match="not accepted"):
            again.result()
        server.accept(server.token)
        assert job.result().get_counts() == COUNTS
        with pytest.raises(JournalError, match="restore it again"):
            again.resubmit_failed()
        assert len(server.jobs) == NUM_CIRCUITS

    def test_damaged_line(self, server, machine):
        """There may have been submissions that nobody knows of: all are named, none is repeated."""
        job = machine.run(CIRCUITS)
        job.result()
        file = journal_of(job).path / "events"
        lines = file.read_bytes().splitlines(keepends=True)
        lines[4] = lines[4].replace(b"accepted", b"aXcepted")
        file.write_bytes(b"".join(lines[:5]))
        for number in range(1, NUM_CIRCUITS):
            (file.parent / f"result-{number}.zst").unlink()
        again = AQTJob.restore(job.job_id())
        with pytest.raises(IncompleteBatchError) as caught:
            again.result()
        assert [failure.part for failure in caught.value.failures] == [1, 2, 3]
        labels = {failure.error.label for failure in caught.value.failures}
        assert len(labels) == 3
        assert again.resubmit_failed() == 0
        for record, label in zip(server.jobs[1:], sorted(labels), strict=True):
            again.adopt(label, record.job_id)
        assert again.result().get_counts() == COUNTS
        assert len(server.jobs) == NUM_CIRCUITS

    def test_long_labels(self, server, machine):
        """They differ, also when a circuit is sent again."""
        server.fail_jobs("ion lost", count=NUM_CIRCUITS)
        job = machine.run(CIRCUITS, label="x" * 255)
        job.wait_for_final_state(timeout=SECONDS)
        assert job.resubmit_failed() == NUM_CIRCUITS
        assert job.result().get_counts() == COUNTS
        labels = [record.label for _, record in sorted(journal_of(job).replay().records.items())]
        for index, label in enumerate(labels):
            assert label.endswith(f"x, circuit {index} (again 1)")
            assert len(label) == 255


class TestStore:
    """What is written, and what it takes to use it."""

    def test_switched_off(self, server, machine):
        """No journal: what is saved waits for the end, and the machine is asked again."""
        job = machine.run(CIRCUITS, journal=False)
        job.result()
        assert not get_store_path().exists()
        with pytest.raises(JobNotFoundError):
            AQTJob.restore(job.job_id())
        path = job.persist()
        again = AQTJob.restore(server.jobs[2].job_id)
        assert not path.exists()
        assert again.result().get_counts() == COUNTS
        assert [record.fetches for record in server.jobs] == [2] * NUM_CIRCUITS

    def test_no_store(self, machine, monkeypatch):
        """The job runs all the same, and the user knows what that means."""
        monkeypatch.setenv("AQT_STORE_PATH", "/proc/aqt-fast")
        with pytest.warns(JournalWarning, match="lost if this process ends"):
            job = machine.run(CIRCUITS)
        assert job.result().get_counts() == COUNTS

    def test_disk_becomes_full(self, server, machine, monkeypatch):
        """A result that cannot be stored is there all the same; others ask the machine for it."""

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("aqt_fast.store.job_directory.JobDirectory.keep_result", full)
            job = machine.run(CIRCUITS)
            with pytest.warns(JournalWarning, match=r"cannot be stored in .*No space left"):
                assert job.result().get_counts() == COUNTS
        assert AQTJob.restore(job.job_id()).result().get_counts() == COUNTS
        assert [record.fetches for record in server.jobs] == [2] * NUM_CIRCUITS

    def test_persisted_under_way(self, server, machine, tmp_path):
        """Where the file says less than the journal, it is of no use without."""
        server.hold()
        job = machine.run(CIRCUITS)
        file = job.persist(store_path=tmp_path)
        server.release()
        job.result()
        again = AQTJob.restore(job.job_id(), store_path=tmp_path, remove_from_store=False)
        assert again.result().get_counts() == COUNTS
        assert again.circuits == CIRCUITS
        JobStore().remove(job.job_id())
        with pytest.raises(DamagedJobError, match="its journal is not there"):
            AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert file.exists()

    def test_who_gets_the_token(self, server, monkeypatch):
        """A machine that the user has named, not one that a file alone names."""
        job_id = left_behind(server, done=0)
        server.release()
        for url in ("", server.direct_url.replace("127.0.0.1", "localhost")):
            monkeypatch.setenv("AQT_DIRECT_URL", url)
            with pytest.raises(APIError, match="set AQT_DIRECT_URL"):
                AQTJob.restore(job_id)
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url + "/")
        AQTJob.restore(job_id).wait_for_final_state(timeout=SECONDS)
        monkeypatch.delenv("AQT_DIRECT_URL")
        monkeypatch.setenv("AQT_TOKEN", "")
        # What is stored needs neither.
        assert AQTJob.restore(job_id).result(partial=True).get_counts(0) == COUNTS[0]
        contents = b"".join(
            path.read_bytes() for path in get_store_path().rglob("*") if path.is_file()
        )
        assert server.token.encode() not in contents


@pytest.fixture
def zygote():
    """One for all clients that are killed."""
    with closing(Zygote("direct")) as zygote:
        yield zygote


def test_kills(zygote, tmp_path, monkeypatch):
    """At every third step that touches disk or network: nothing is lost, nothing runs twice."""
    batch = BATCHES["direct"]
    done: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for step in count(1, 3):
        store = tmp_path / str(step)
        with ArnicaServer(simulate=False) as server:
            monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
            code, name = zygote.run(server.direct_url, server.token, store, step)
            if code == 0:
                break
            assert code == -signal.SIGKILL
            steps[name] += 1
            batches = list(JobStore(store).job_ids())
            try:
                job = AQTJob.restore(batches[0], access_token=server.token, store_path=store)
            except (IndexError, JobNotFoundError):
                done["nothing"] += 1
                assert server.jobs == []
                continue
            done[finish(job, server)] += 1
            result = job.result()
            assert result.success
            assert result.get_counts() == batch.counts()
            assert len(server.jobs) == batch.num_api_jobs, (name, done)
            assert all(record.runs == (1,) for record in server.jobs)
            server.stop()
            again = AQTJob.restore(
                server.jobs[-1].job_id, access_token=server.token, store_path=store
            )
            assert again.result().get_counts() == batch.counts()
    print(sum(steps.values()), "kills:", dict(steps), "then:", dict(done))  # noqa: T201
    assert sum(steps.values()) >= 20
    assert {"nothing", "polled", "adopted", "uncertain", "unsent"} == set(done)


def finish(job: AQTJob, server: ArnicaServer) -> str:
    """Do what a user does who finds out that the client has died; tell what there was to do."""
    try:
        job.result()
    except SubmissionUncertainError as error:
        # The machine's own record tells if it has the circuit.
        found = [record for record in server.jobs if record.sha256 == error.payload_hash]
        for record in found:
            job.adopt(error.label, record.job_id)
        job.wait_for_final_state(timeout=SECONDS)
        job.resubmit_failed(uncertain=not found)
        return "adopted" if found else "uncertain"
    except IncompleteBatchError:
        job.resubmit_failed()
        return "unsent"
    return "polled"
