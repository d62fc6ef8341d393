"""Batches of any size, cut into API jobs: results merged in order, and parts as they come."""

from __future__ import annotations

import asyncio
import math
import threading

import pytest
from aqt_fast import AQTProvider, Progress, wire
from aqt_fast.api_client import PortalClient
from aqt_fast.testing import ArnicaServer
from markers import marker, marker_counts, markers, word
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import SECONDS, wait_until


class TestMerge:
    """From API jobs to one result."""

    def test_circuits_and_shots(self, server, device):
        """Counts and memory of each circuit, in order, as those of one big job."""
        numbers = list(range(500, 623))
        job = device.run(markers(numbers), shots=4500, memory=True, label="big")
        result = job.result()
        assert result.get_counts() == marker_counts(numbers, 4500)
        assert result.get_memory(122) == [word(622)] * 4500
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
            device = provider.get_backend("simulator_ideal")
            device.set_options(query_period_seconds=0.1, with_progress_bar=False)
            job = device.run([bell] * 2, shots=5000, memory=True)
            result = job.result()
            records = sorted(server.jobs, key=lambda record: record.label)
            client = PortalClient(server.token, portal_url=server.url)
            answers = [client.result(record.job_id, wire.decode_response) for record in records]
            client.close()
        parts = [answer.samples[1] for answer in answers]
        memory = [shot for part in parts for shot in part.memory(bell)]
        assert result.data(1)["memory"] == memory
        assert sum(result.get_counts(1).values()) == 5000
        assert result.get_counts(1)["00"] == memory.count("0x0")

    def test_long_labels(self, server, device):
        """Numbers are added within the length that labels may have."""
        job = device.run([marker(1)] * 51, label="x" * 255)
        job.result()
        assert {len(record.label) for record in server.jobs} == {255}
        assert {record.label[-6:] for record in server.jobs} == {" [1/2]", " [2/2]"}

    def test_long_labels_again(self, server, device):
        """Resubmitted API jobs keep the numbers in their labels."""
        server.fail_jobs("hot", count=2)
        job = device.run([marker(1)] * 51, label="x" * 255)
        job.wait_for_final_state(timeout=30)
        assert job.resubmit_failed() == 2
        assert job.result().success
        labels = {record.label[-18:] for record in server.jobs[2:]}
        assert labels == {"x [1/2] (again 1)".rjust(18, "x"), "x [2/2] (again 1)".rjust(18, "x")}
        assert {len(record.label) for record in server.jobs} == {255}

    def test_several_jobs_at_once(self, server, device):
        """Jobs of several threads keep their own results."""
        counts = {}

        def work(first: int) -> None:
            job = device.run([marker(first + k) for k in range(120)], shots=3)
            counts[first] = job.result().get_counts()

        threads = [threading.Thread(target=work, args=(first,)) for first in (0, 200, 400, 600)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert counts == {
            first: marker_counts(range(first, first + 120), 3) for first in (0, 200, 400, 600)
        }
        assert len(server.jobs) == 12


class TestAsCompleted:
    """Parts are yielded as they complete."""

    def test_each_once(self, device):
        """Parts come in any order, with the entries of the whole result."""
        numbers = list(range(230))
        job = device.run(markers(numbers), shots=2)
        seen = {}
        for part in job.as_completed():
            assert [entry.status for entry in part.results if not entry.success] == []
            assert len(part.results) == len(part.circuits)
            for index, entry in zip(part.circuits, part.results, strict=True):
                assert index not in seen
                seen[index] = entry.data.counts
        assert seen == {number: {hex(number): 2} for number in numbers}

    def test_while_others_run(self, server, device):
        """The first part is there before the last has run."""
        server.hold()
        job = device.run(markers(range(101)), shots=1)
        parts = job.as_completed()
        wait_until(lambda: len(server.jobs) == 3)
        # Several submissions are sent at the same time, so that the first may be overtaken.
        circuits = len(server.jobs[0].repetitions)
        server.release(circuits)
        assert len(next(parts).circuits) == circuits
        assert job.status() is JobStatus.RUNNING
        assert job.progress().finished_count == circuits
        server.release()
        assert sum(len(part.circuits) for part in parts) == 101 - circuits

    def test_failures_come_last(self, server, device):
        """Each circuit is yielded once, evaluated or not."""
        server.hold()
        job = device.run(markers(range(120)), shots=1)
        server.fail_jobs("lost", 1)
        server.release()
        entries = {
            index: entry.success
            for part in job.as_completed()
            for index, entry in zip(part.circuits, part.results, strict=True)
        }
        assert len(entries) == 120
        assert sorted(entries.values()).count(False) in (50, 20)

    def test_time_out(self, server, device):
        """``as_completed()`` raises the same timeout as ``result()``."""
        server.hold()
        job = device.run(marker(1), query_timeout_seconds=0.2)
        with pytest.raises(JobTimeoutError):
            next(job.as_completed())
        server.release()
        assert len(list(job.as_completed())) == 1

    def test_giving_up(self, server, device):
        """A timeout of asyncio ends the wait and leaves the job running."""
        server.hold()
        job = device.run([marker(1)], shots=2)

        async def impatient():
            return await asyncio.wait_for(job, 0.2)

        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(impatient())
        assert job.status() in (JobStatus.QUEUED, JobStatus.RUNNING)
        server.release()
        assert job.result().get_counts() == marker_counts([1], 2)[0]

    def test_many_that_give_up(self, server, device):
        """Tasks that do not wait any more leave no threads, and few that wait have any."""
        server.hold()
        job = device.run(marker(1))
        job.job_id()

        def num_threads() -> int:
            return sum(thread.name == "aqt-fast waiting" for thread in threading.enumerate())

        async def wait(seconds: float) -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(job, seconds)

        async def first_part(seconds: float) -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(aiter(job)), seconds)

        async def impatient() -> None:
            for _ in range(10):
                await asyncio.gather(*(wait(0.02) for _ in range(10)))
                await asyncio.gather(*(first_part(0.02) for _ in range(10)))
            waiting = asyncio.gather(*(wait(1) for _ in range(50)))
            while num_threads():
                await asyncio.sleep(0.01)
            await waiting

        asyncio.run(impatient())
        wait_until(lambda: num_threads() == 0)
        server.release()
        assert job.result().success

    def test_awaited_by_several(self, device):
        """Each of them gets the same result; errors are raised again."""

        async def work() -> list[int]:
            job = device.run(markers(range(3)), shots=2)
            results = await asyncio.gather(*(wrapped(job) for _ in range(5)))
            return [id(result) for result in results]

        async def wrapped(job):
            return await job

        assert len(set(asyncio.run(work()))) == 1

    def test_asyncio(self, device):
        """``await`` and ``async for`` do not hold up other tasks."""

        async def work() -> tuple[list[range], dict, int]:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0.001)

            ticking = asyncio.create_task(tick())
            job = device.run(markers(range(60)), shots=2)
            parts = [part.circuits async for part in job]
            counts = (await job).get_counts(59)
            ticking.cancel()
            return parts, counts, ticks

        parts, counts, ticks = asyncio.run(work())
        assert sorted(parts, key=lambda part: part.start) == [range(50), range(50, 60)]
        assert counts == marker_counts([59], 2)[0]
        assert ticks > 1

    def test_offline_and_direct(self, provider, server):
        """Offline and direct access backends yield parts as well."""
        device = provider.get_backend("offline_simulator_no_noise")
        with AQTProvider(server.token, load_dotenv=False) as connected:
            machine = connected.get_direct_access_backend(server.direct_url)
            for each in (device, machine):
                job = each.run(markers(range(5)), shots=1)
                parts = list(job.as_completed())
                assert sorted(index for part in parts for index in part.circuits) == list(range(5))
                assert all(entry.success for part in parts for entry in part.results)
