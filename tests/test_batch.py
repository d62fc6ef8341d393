"""Batches of any size: cut into API jobs, merged in order, and what happens when parts fail."""

from __future__ import annotations

import asyncio
import math
import threading

import pytest
import workloads
from aqt_fast import AQTJob, AQTProvider, Progress, wire
from aqt_fast.backends.cloud.poller import Poller
from aqt_fast.exceptions import (
    IncompleteBatchError,
    InvalidCircuitError,
    ResponseMismatchError,
    ResultExpiredError,
    SubmissionUncertainError,
    UnsavableJobError,
)
from aqt_fast.jobs.dispatcher import Dispatcher
from aqt_fast.testing import ArnicaServer
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.plan import Part, cut
from aqt_fast.wire.snapshot import Snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import SECONDS, wait_until

WIDTH = 10
"""Qubits of a marker circuit."""


def marker(number: int) -> QuantumCircuit:
    """A circuit in AQT's gates whose every shot is the number in binary."""
    return workloads.marker(f"{number:0{WIDTH}b}")


def counts_of(numbers, shots: int) -> list[dict[str, int]]:
    """What markers count."""
    return [{f"{number:0{WIDTH}b}": shots} for number in numbers]


@pytest.fixture
def server():
    """A server of one's own."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture
def backend(server):
    """A backend of it, polled as often as is allowed."""
    with AQTProvider(
        server.token, portal_url=server.url, load_dotenv=False, read_timeout=2
    ) as provider:
        backend = provider.get_backend("simulator_ideal")
        backend.set_options(query_period_seconds=0.1, with_progress_bar=False)
        yield backend


class TestCut:
    """From a batch to API jobs."""

    @settings(deadline=None)
    @given(st.integers(1, 400), st.integers(1, 9000), st.integers(1, 60), st.integers(50, 3000))
    def test_everything_once(self, circuits, shots, width, most):
        """In order, within the limits, and no more API jobs than it takes."""
        chunks = cut(circuits, shots, Limits(circuits=width, shots=most))
        taken = dict.fromkeys(range(circuits), 0)
        for chunk in chunks:
            assert 1 <= len(chunk.circuits) <= width
            assert 1 <= chunk.shots <= most
            for circuit in chunk.circuits:
                taken[circuit] += chunk.shots
        assert set(taken.values()) == {shots}
        assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
        assert len(chunks) == math.ceil(circuits / width) * math.ceil(shots / most)

    def test_no_limits(self):
        """One chunk."""
        assert cut(7, 9, Limits(circuits=None, shots=None)) == [Part(0, 7, 9)]


class TestSnapshot:
    """Circuits that were read once."""

    def test_encoding(self):
        """As the codec does it from Qiskit's circuits."""
        circuits = [marker(number) for number in range(60)]
        batch = Snapshot(circuits, API_LIMITS)
        assert len(batch) == 60
        assert batch.encode_job(5, 55, 7, "x") == wire.encode_job(circuits[5:55], 7, label="x")
        assert b'"circuits":[' + batch.encode_circuit(3, 8) + b"]" in wire.encode_job(
            circuits[3], 8
        )
        assert batch.name(9) == f"marker {9:0{WIDTH}b}"
        with pytest.raises(IndexError):
            batch.encode_job(5, 61, 7, "x")

    def test_changes(self):
        """They do not reach it, and are noticed."""
        circuits = [marker(number) for number in range(3)]
        batch = Snapshot(circuits, API_LIMITS)
        before = batch.encode_job(0, 3, 1, "x")
        assert batch.is_of(circuits)
        circuits[1].name = "other"
        assert not batch.is_of(circuits)
        circuits[1].name = "marker 1"
        circuits[2].remove_final_measurements()
        circuits[2].r(1, 1, 0)
        circuits[2].measure_all()
        assert not batch.is_of(circuits)
        assert batch.encode_job(0, 3, 1, "x") == before

    def test_bad_circuits(self):
        """All are listed."""
        with pytest.raises(InvalidCircuitError, match="circuit 1: not a QuantumCircuit"):
            Snapshot([marker(1), "no circuit"], API_LIMITS)

    def test_runs_of_different_circuits(self):
        """They cannot be joined."""
        one, two = (
            wire.decode_response(
                b'{"response":{"status":"finished","result":{"0":[%s]}}}' % shot
            ).samples[0]
            for shot in (b"[0,1]", b"[0]")
        )
        assert wire.Samples.concatenate([one, one]).memory() == ["0x2", "0x2"]
        for parts in ([], [one, two]):
            with pytest.raises(ResponseMismatchError):
                wire.Samples.concatenate(parts)


class TestMerge:
    """From API jobs to one result."""

    def test_circuits_and_shots(self, server, backend):
        """Counts and memory of each circuit, in order, as those of one big job."""
        numbers = list(range(500, 623))
        job = backend.run(map(marker, numbers), shots=4500, memory=True, label="big")
        result = job.result()
        assert result.get_counts() == counts_of(numbers, 4500)
        assert result.get_memory(122) == [f"{622:0{WIDTH}b}"] * 4500
        assert [entry.shots for entry in result.results] == [4500] * 123
        assert job.progress() == Progress(123, 123)
        assert job.status() is JobStatus.DONE
        assert result.job_id == job.job_id()
        assert job.job_id() not in {record.job_id for record in server.jobs}
        records = sorted(server.jobs, key=lambda record: int(record.label.split("[")[1][0]))
        assert [record.label for record in records] == [f"big [{n}/9]" for n in range(1, 10)]
        assert [record.repetitions[0] for record in records] == [2000, 2000, 500] * 3
        assert {record.fetches for record in records} == {1}
        assert job.timing.total > 0

    def test_against_one_job(self):
        """The same shots as an offline batch would merge them, random ones too."""
        bell = QuantumCircuit(2)
        bell.rxx(math.pi / 2, 0, 1)
        bell.measure_all()
        with (
            ArnicaServer(seed=5) as server,
            AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider,
        ):
            backend = provider.get_backend("simulator_ideal")
            backend.set_options(query_period_seconds=0.1, with_progress_bar=False)
            job = backend.run([bell] * 2, shots=5000, memory=True)
            result = job.result()
            parts = [part.state.samples[1] for part in job._execution._jobs]
        memory = [shot for part in parts for shot in part.memory(bell)]
        assert result.data(1)["memory"] == memory
        assert sum(result.get_counts(1).values()) == 5000
        assert result.get_counts(1)["00"] == memory.count("0x0")

    def test_long_labels(self, server, backend):
        """Numbers are added within the length that labels may have."""
        job = backend.run([marker(1)] * 51, label="x" * 255)
        job.result()
        assert {len(record.label) for record in server.jobs} == {255}
        assert {record.label[-6:] for record in server.jobs} == {" [1/2]", " [2/2]"}

    def test_long_labels_again(self, server, backend):
        """The numbers stay when API jobs are submitted once more."""
        server.fail_jobs("hot", count=2)
        job = backend.run([marker(1)] * 51, label="x" * 255)
        job.wait_for_final_state(timeout=30)
        assert job.resubmit_failed() == 2
        assert job.result().success
        labels = {record.label[-18:] for record in server.jobs[2:]}
        assert labels == {"x [1/2] (again 1)".rjust(18, "x"), "x [2/2] (again 1)".rjust(18, "x")}
        assert {len(record.label) for record in server.jobs} == {255}

    def test_several_jobs_at_once(self, server, backend):
        """From several threads; each gets its own."""
        counts = {}

        def work(first: int) -> None:
            job = backend.run([marker(first + k) for k in range(120)], shots=3)
            counts[first] = job.result().get_counts()

        threads = [threading.Thread(target=work, args=(first,)) for first in (0, 200, 400, 600)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert counts == {
            first: counts_of(range(first, first + 120), 3) for first in (0, 200, 400, 600)
        }
        assert len(server.jobs) == 12


class TestAsCompleted:
    """Parts, as they come."""

    def test_each_once(self, backend):
        """In any order, with the same entries as the whole result."""
        numbers = list(range(230))
        job = backend.run([marker(number) for number in numbers], shots=2)
        seen = {}
        for part in job.as_completed():
            assert len(part.results) == len(part.circuits)
            for index, entry in zip(part.circuits, part.results, strict=True):
                assert index not in seen
                seen[index] = entry.data.counts
        assert seen == {number: {hex(number): 2} for number in numbers}

    def test_while_others_run(self, server, backend):
        """The first part is there before the last has run."""
        server.hold()
        job = backend.run([marker(number) for number in range(101)], shots=1)
        parts = job.as_completed()
        wait_until(lambda: len(server.jobs) == 3)
        # The submissions go out in order, but several at the same time: the first may be overtaken.
        circuits = len(server.jobs[0].repetitions)
        server.release(circuits)
        assert len(next(parts).circuits) == circuits
        assert job.status() is JobStatus.RUNNING
        assert job.progress().finished_count == circuits
        server.release()
        assert sum(len(part.circuits) for part in parts) == 101 - circuits

    def test_failures_come_last(self, server, backend):
        """Every circuit comes once, evaluated or not."""
        server.hold()
        job = backend.run([marker(number) for number in range(120)], shots=1)
        server.fail_jobs("lost", 1)
        server.release()
        entries = {
            index: entry.success
            for part in job.as_completed()
            for index, entry in zip(part.circuits, part.results, strict=True)
        }
        assert len(entries) == 120
        assert sorted(entries.values()).count(False) in (50, 20)

    def test_time_out(self, server, backend):
        """As for the whole result."""
        server.hold()
        job = backend.run(marker(1), query_timeout_seconds=0.2)
        with pytest.raises(JobTimeoutError):
            next(job.as_completed())
        server.release()
        assert len(list(job.as_completed())) == 1

    def test_giving_up(self, server, backend):
        """A loop ends when it is told to, not when the job does."""
        server.hold()
        job = backend.run([marker(1)], shots=2)

        async def impatient():
            return await asyncio.wait_for(job, 0.2)

        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(impatient())
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        assert job.result().get_counts() == counts_of([1], 2)[0]

    def test_asyncio(self, backend):
        """``await`` and ``async for`` do not hold up other tasks."""

        async def work() -> tuple[list[range], dict, int]:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0.001)

            ticking = asyncio.create_task(tick())
            job = backend.run([marker(number) for number in range(60)], shots=2)
            parts = [part.circuits async for part in job]
            counts = (await job).get_counts(59)
            ticking.cancel()
            return parts, counts, ticks

        parts, counts, ticks = asyncio.run(work())
        assert sorted(parts, key=lambda part: part.start) == [range(50), range(50, 60)]
        assert counts == counts_of([59], 2)[0]
        assert ticks > 1

    def test_offline_and_direct(self, provider, server):
        """Other backends have parts, too."""
        backend = provider.get_backend("offline_simulator_no_noise")
        with AQTProvider(server.token, load_dotenv=False) as connected:
            machine = connected.get_direct_access_backend(server.direct_url)
            for each in (backend, machine):
                job = each.run([marker(number) for number in range(5)], shots=1)
                parts = list(job.as_completed())
                assert sorted(index for part in parts for index in part.circuits) == list(range(5))
                assert all(entry.success for part in parts for entry in part.results)


class TestFailures:
    """A part fails, the others do not."""

    def test_failed_chunk(self, server, backend):
        """Named with its circuits; run again on request only."""
        server.hold()
        job = backend.run([marker(number) for number in range(120)], shots=2)
        server.fail_jobs("the ions have left", 1)
        server.release()
        result = job.result()
        assert not result.success
        failed = [index for index, entry in enumerate(result.results) if not entry.success]
        assert len(failed) in (20, 50)
        first, last = failed[0], failed[-1]
        expected = f"API job {first // 50} (circuits {first} to {last}): the ions have left"
        assert job.error_message == result.status == expected
        assert job.status() is JobStatus.ERROR
        good = (last + 1) % 120
        assert result.get_counts(good) == counts_of([good], 2)[0]
        assert len(server.jobs) == 3
        assert job.resubmit_failed() == 1
        assert job.result().get_counts() == counts_of(range(120), 2)
        assert job.status() is JobStatus.DONE
        assert len(server.jobs) == 4
        assert server.jobs[-1].label.endswith("] (again 1)")
        assert job.resubmit_failed() == 0

    @pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
    def test_uncertain_chunk(self, server, backend, kind):
        """Named; the others' results are there. Both ways out."""
        server.faults.next(kind, method="POST")
        job = backend.run([marker(number) for number in range(120)], shots=2, label="b")
        with pytest.raises(IncompleteBatchError, match=r"partial=True") as caught:
            job.result()
        (failure,) = caught.value.failures
        assert isinstance(failure.error, SubmissionUncertainError)
        assert failure.label == failure.error.label == f"b [{failure.chunk + 1}/3]"
        partial = job.result(partial=True)
        assert [index for index, entry in enumerate(partial.results) if not entry.success] == list(
            failure.circuits
        )
        assert job.resubmit_failed() == 0
        accepted = {record.label: record.job_id for record in server.jobs}
        if kind == "reset_after":
            with pytest.raises(LookupError, match="no uncertain submission"):
                job.adopt("other", accepted[failure.label])
            with pytest.raises(ValueError, match="UUID"):
                job.adopt(failure.label, "not an id")
            job.adopt(failure.label, accepted[failure.label])
            assert len(server.jobs) == 3
        else:
            assert failure.label not in accepted
            assert job.resubmit_failed(uncertain=True) == 1
        assert job.result().get_counts() == counts_of(range(120), 2)
        assert len(server.jobs) == 3
        assert all(set(record.runs) == {1} for record in server.jobs)

    def test_all_at_once(self, server, backend):
        """Adopted, submitted again, and what was expired asked for again, one after the other."""
        server.faults.next("500_after", method="POST")
        server.faults.next("500", method="POST")
        server.faults.next("410", method="GET", path="/result/")
        job = backend.run([marker(number) for number in range(151)], shots=3)
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        errors = [item.error for item in caught.value.failures]
        kinds = [SubmissionUncertainError] * 2 + [ResultExpiredError]
        assert sorted(type(error).__name__ for error in errors) == sorted(
            kind.__name__ for kind in kinds
        )
        labels = {getattr(error, "label", None) for error in errors}
        (accepted,) = [record for record in server.jobs if record.label in labels]
        server.hold()
        job.adopt(accepted.label, accepted.job_id)
        assert job.resubmit_failed(uncertain=True) == 1
        assert job.resubmit_failed(uncertain=True) == 0
        server.release()
        assert job.result().get_counts() == counts_of(range(151), 3)
        assert len(server.jobs) == 4

    def test_cancel(self, server, backend):
        """What has run stays; what has not does not run."""
        server.hold()
        job = backend.run([marker(number) for number in range(1000)], shots=1)
        parts = job.as_completed()
        server.release(50)
        first = next(parts).circuits
        assert job.cancel()
        server.release()
        job.wait_for_final_state(timeout=SECONDS)
        assert job.status() is JobStatus.CANCELLED
        result = job.result()
        assert not result.success
        assert all(result.results[index].success for index in first)
        assert sum(entry.success for entry in result.results) < 1000
        assert sum(sum(record.runs) for record in server.jobs) < 1000
        assert not job.cancel()
        assert job.resubmit_failed() == 0

    def test_faults_on_the_way(self, server, backend):
        """Everything that can be repeated is."""
        server.faults.set(
            rate=0.3, kinds=["slow", "429", "500", "502", "504", "truncated", "bad_json"], seed=3
        )
        server.faults.retry_after = 0
        job = backend.run([marker(number) for number in range(300)], shots=1)
        job.wait_for_final_state(timeout=SECONDS)
        server.faults.clear()
        for failure in getattr(job._execution.error, "failures", ()):
            assert isinstance(failure.error, SubmissionUncertainError)
        assert all(set(record.runs) == {1} for record in server.jobs)
        labels = [record.label for record in server.jobs]
        assert len(labels) == len(set(labels))
        result = job.result(partial=True)
        for index, entry in enumerate(result.results):
            if entry.success:
                assert entry.data.counts == {hex(index): 1}


class TestSaving:
    """A batch goes on in another process."""

    @pytest.fixture(autouse=True)
    def environment(self, server, monkeypatch):
        """What ``restore`` finds."""
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        monkeypatch.setenv("AQT_TOKEN", server.token)

    def test_persist_and_restore(self, server, backend, tmp_path):
        """With all its API jobs, none of them submitted again."""
        server.hold()
        job = backend.run([marker(number) for number in range(101)], shots=2500, label="kept")
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        server.release()
        assert (again.job_id(), again.label) == (job.job_id(), "kept")
        assert again.result().get_counts() == counts_of(range(101), 2500)
        assert len(server.jobs) == 6

    def test_failed_parts(self, server, backend, tmp_path):
        """They are still failed, and can be run again."""
        server.faults.next("reset_before", method="POST")
        job = backend.run([marker(number) for number in range(60)], shots=2)
        with pytest.raises(IncompleteBatchError):
            job.result()
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        with pytest.raises(IncompleteBatchError, match="uncertain whether the submission"):
            again.result()
        assert again.resubmit_failed() == 0
        assert again.resubmit_failed(uncertain=True) == 1
        assert again.result().get_counts() == counts_of(range(60), 2)

    def test_changed_circuits(self, backend, tmp_path):
        """What is saved must be what was run."""
        circuit = marker(3)
        job = backend.run(circuit)
        circuit.name = "changed"
        with pytest.raises(UnsavableJobError, match="a circuit was changed"):
            job.persist(store_path=tmp_path)


class TestPoller:
    """First come, first served: so few requests."""

    class Job:
        """A job that has ended when its resource has worked off so many before it."""

        period = 0.01

        def __init__(self, number: int, clock: list[int]) -> None:
            """``clock`` counts the jobs that have ended."""
            self.number, self.clock, self.polls = number, clock, 0

        def poll(self) -> bool:
            """One more request."""
            self.polls += 1
            return self.clock[0] > self.number

    def test_number_of_polls(self):
        """It does not grow with the number of jobs that wait."""
        dispatcher = Dispatcher(8, name="test")
        poller = Poller(dispatcher, 8)
        clock = [0]
        jobs = [self.Job(number, clock) for number in range(200)]
        for job in jobs:
            poller.watch("ibex", job)
        waited = threading.Event()
        for step in (1, 3, 50, 200):
            while sum(job.polls for job in jobs) < step:
                waited.wait(0.01)
            clock[0] = step
        wait_until(lambda: all(job.polls for job in jobs))
        dispatcher.close()
        # Nobody is asked for twice but who was the first in the queue, or next to them.
        assert sum(job.polls > 1 for job in jobs) <= 4 * 16
        assert all(job.polls == 1 for job in jobs[70:184])

    def test_overtaken(self):
        """The first in our order need not be the first in the resource's."""
        dispatcher = Dispatcher(8, name="test")
        poller = Poller(dispatcher, 8)
        clock = [6]
        jobs = [self.Job(6 - number, clock) for number in range(7)]
        for job in jobs:
            poller.watch("ibex", job)
        wait_until(lambda: all(job.polls for job in jobs[1:]) and jobs[0].polls > 3)
        dispatcher.close()
        assert [job.polls for job in jobs[1:]] == [1] * 6
