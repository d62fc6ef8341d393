"""Shots for each circuit: from ``run`` to the result, with the server's record as the judge."""

from __future__ import annotations

import re

import numpy as np
import pytest
from aqt_fast import AQTJob, AQTOptions, Progress, execute
from aqt_fast.exceptions import InvalidOptionError, InvalidShotsError
from markers import marker, markers, word
from qiskit.providers import JobStatus
from waiting import wait_until


def counts_of(numbers, shots):
    """The counts of markers with different shots."""
    return [{word(number): count} for number, count in zip(numbers, shots, strict=True)]


def in_order(server, label):
    """The accepted API jobs of a job, in the order of its circuits."""
    records = [record for record in server.jobs if record.label.partition(" [")[0] == label]
    number = re.compile(r"\[(\d+)/")
    return sorted(records, key=lambda record: int((number.search(record.label) or [0, 0])[1]))


class TestCloud:
    """As few API jobs as possible, which take a number of repetitions for each circuit."""

    def test_one_api_job(self, server, device):
        """Counts, memory, entries and figures of each circuit, also of one in several runs."""
        shots = [3, 4500, 1, 2000]
        job = device.run(markers(range(4)), shots=shots, memory=True)
        result = job.result()
        assert result.get_counts() == counts_of(range(4), shots)
        assert [entry.shots for entry in result.results] == shots
        assert [len(result.get_memory(index)) for index in range(4)] == shots
        assert [result.get_memory(index)[-1] for index in range(4)] == [*map(word, range(4))]
        (record,) = server.jobs
        assert record.repetitions == (3, 2000, 2000, 500, 1, 2000)
        assert record.job_id == job.job_id()
        assert job.options.shots == tuple(shots)
        assert job.metrics()["executions"] == sum(shots)
        assert job.progress() == Progress(4, 4)

    def test_random_batches(self, server, device):
        """The server has seen the shots of each circuit, in order, in as few runs as possible."""
        rng = np.random.default_rng(13)
        for number in range(12):
            shots = rng.choice([1, 7, 500, 2000, 2001, 9000], rng.integers(2, 160))
            shots[rng.integers(len(shots))] = rng.choice([3, 99_999, 120_000])
            label = f"job {number}"
            job = device.run(markers(range(len(shots))), shots=shots, label=label)
            assert job.result().get_counts() == counts_of(range(len(shots)), shots)
            records = in_order(server, label)
            assert all(len(record.repetitions) <= 50 for record in records)
            runs = [count for record in records for count in record.repetitions]
            for count in shots:
                needed = -(-count // 2000)
                assert sum(runs[:needed]) == count
                del runs[:needed]
            assert runs == []

    def test_more_runs_than_an_api_job_takes(self, server, device):
        """Shots of one circuit from several API jobs, in order."""
        job = device.run(markers(range(3)), shots=(5, 51 * 2000, 6), memory=True, label="big")
        result = job.result()
        assert result.get_counts() == counts_of(range(3), (5, 102_000, 6))
        assert len(result.get_memory(1)) == 102_000
        records = in_order(server, "big")
        assert [record.repetitions for record in records] == [(5,), (2000,) * 50, (2000,), (6,)]
        assert [record.label for record in records] == [f"big [{n}/4]" for n in range(1, 5)]

    def test_memory_of_several_runs(self, device, bell):
        """The runs' memory one after the other."""
        result = device.run([bell, marker(1)], shots=[4100, 9], memory=True).result()
        counts = result.get_counts(0)
        memory = result.get_memory(0)
        assert sum(counts.values()) == len(memory) == 4100
        assert {text: memory.count(text) for text in counts} == counts

    def test_equal_numbers(self, server, device):
        """One number for all: the same API jobs as ever."""
        job = device.run(markers(range(60)), shots=[2500] * 60, label="same")
        assert job.options.shots == 2500
        job.result()
        assert [record.repetitions for record in in_order(server, "same")] == [
            (2000,) * 50, (500,) * 50, (2000,) * 10, (500,) * 10,
        ]  # fmt: skip

    def test_progress_counts_circuits(self, server, device):
        """A circuit is done when its last run is."""
        server.hold()
        job = device.run(markers(range(3)), shots=[1, 6000, 2])
        seen = []
        for runs, finished in ((1, 1), (2, 1), (1, 2)):
            server.release(runs)
            wait_until(lambda number=finished: job.progress().finished_count >= number)
            seen.append(job.progress().finished_count)
        assert seen == [1, 1, 2]
        server.release()
        assert job.result().get_counts() == counts_of(range(3), [1, 6000, 2])

    def test_as_completed(self, device):
        """Parts with the entries of the whole result."""
        shots = [2000 + index for index in range(70)]
        job = device.run(markers(range(70)), shots=shots)
        seen = {}
        for part in job.as_completed():
            for index, entry in zip(part.circuits, part.results, strict=True):
                assert index not in seen
                seen[index] = (entry.shots, entry.data.counts)
        assert seen == {index: (n, {hex(index): n}) for index, n in enumerate(shots)}

    def test_failures(self, server, device):
        """Failed circuits name their shots; they are submitted again, with them."""
        server.hold()
        shots = [*range(1, 51), *range(101, 121)]
        job = device.run(markers(range(70)), shots=shots)
        server.fail_jobs("hot", 1)
        server.release()
        job.wait_for_final_state(timeout=30)
        result = job.result()
        assert not result.success
        assert [entry.shots for entry in result.results] == shots
        assert 0 < sum(entry.success for entry in result.results) < 70
        assert job.resubmit_failed() == 1
        assert job.result().get_counts() == counts_of(range(70), shots)

    def test_cancelled(self, server, device):
        """Entries of circuits that were not run name their shots."""
        server.hold()
        job = device.run(markers(range(3)), shots=[5, 2001, 6])
        job.cancel()
        result = job.result()
        assert job.status() is JobStatus.CANCELLED
        assert [(entry.shots, entry.success) for entry in result.results] == [
            (5, False), (2001, False), (6, False),
        ]  # fmt: skip

    def test_options_of_the_backend(self, server, device):
        """Set once for all jobs with as many circuits."""
        device.set_options(shots=(3, 4))
        assert device.options.shots == (3, 4)
        assert device.run(markers([1, 2])).result().get_counts() == counts_of([1, 2], [3, 4])
        with pytest.raises(InvalidShotsError, match="2 numbers"):
            device.run(markers([1, 2, 3]))
        assert len(server.jobs) == 1
        assert device.run(markers([1, 2, 3]), shots=2).options.shots == 2

    def test_execute(self, server, device):
        """With any gates, from an iterator of circuits."""
        batch = (circuit for circuit in markers([1, 2]))
        assert execute(batch, device, shots=[3, 4]).result().get_counts() == counts_of(
            [1, 2], [3, 4]
        )
        assert [record.repetitions for record in server.jobs] == [(3, 4)]


class TestRefusals:
    """Before anything is sent."""

    @pytest.mark.parametrize(
        ("shots", "message"),
        [
            ([1, 0, 2], r"from 1 to 2147483647 for each circuit, not 0 \(circuit 1\)$"),
            ([1, -1, 2**31], r"not -1 \(circuit 1\), 2147483648 \(circuit 2\)$"),
            ((True, 1.5, "7"), r"not True \(circuit 0\), 1.5 \(circuit 1\), '7' \(circuit 2\)$"),
            (np.array([1.0, 2.0, 3.0]), r"circuit 0\).*circuit 1\).*circuit 2\)$"),
            ([1, None, [2]], r"None \(circuit 1\), \[2\] \(circuit 2\)$"),
            ([0] * 30, r"0 \(circuit 9\) and 20 more$"),
            ([], "or one for each circuit, not an empty list"),
            (np.ones((1, 3), int), r"not an array of shape \(1, 3\)"),
        ],
    )
    def test_bad_numbers(self, server, device, shots, message):
        """The option, the range, and all offenders, of which ten are shown."""
        with pytest.raises(InvalidShotsError, match=message) as caught:
            device.run(markers(range(3)), shots=shots)
        assert str(caught.value).startswith("shots must be a whole number from 1 to")
        assert (caught.value.option, caught.value.value) == ("shots", shots) or isinstance(
            shots, np.ndarray
        )
        assert server.jobs == []

    def test_all_offenders(self):
        """The error has the indices of all of them."""
        with pytest.raises(InvalidShotsError) as caught:
            AQTOptions(shots=[5, *[0] * 20, 5])
        assert caught.value.circuits == tuple(range(1, 21))

    @pytest.mark.parametrize("shots", ["77", b"77", {1: 2}, {1, 2}, None, 1.5, object()])
    def test_no_numbers(self, shots):
        """What could be taken for numbers by mistake."""
        with pytest.raises(InvalidOptionError, match="shots must be a whole number"):
            AQTOptions(shots=shots)

    @pytest.mark.parametrize("number", [1, 2, 4, 60])
    def test_other_number(self, server, device, number):
        """The error gives both numbers."""
        message = f"one number for all or for each of the 3 circuits, not {number} numbers"
        with pytest.raises(InvalidShotsError, match=message):
            device.run(markers(range(3)), shots=[7] * number)
        assert server.jobs == []


class TestOptions:
    """Whole numbers of any type, in lists, tuples and arrays of one dimension."""

    @pytest.mark.parametrize(
        "shots",
        [
            [3, 4],
            (3, 4),
            np.array([3, 4]),
            np.array([3, 4], np.uint8),
            [np.int64(3), np.uint16(4)],
            range(3, 5),
            (number for number in (3, 4)),
        ],
    )
    def test_forms(self, shots):
        """They are kept as a tuple of ``int``."""
        kept = AQTOptions(shots=shots).shots
        assert kept == (3, 4)
        assert [type(number) for number in kept] == [int, int]

    def test_array_of_no_dimension(self):
        """One number."""
        assert AQTOptions(shots=np.array(7)).shots == 7

    def test_of_a_job(self, device):
        """Taken again if they are the same; others are refused."""
        job = device.run(markers([1, 2]), shots=[3, 4])
        job.options.shots = [3, 4]
        job.options.update_options(shots=np.array([3, 4]))
        for other in (5, [4, 3], np.array([4, 3]), [3], "x"):
            with pytest.raises(ValueError, match="option 'shots' of a job cannot be changed"):
                job.options.shots = other
        assert job.options.shots == (3, 4)


@pytest.mark.usefixtures("environment")
class TestElsewhere:
    """What another process knows."""

    def test_restored_from_the_journal(self, server, device):
        """All of it, by the job's id alone."""
        shots = [5, 102_000, 4500]
        job = device.run(markers(range(3)), shots=shots, memory=True)
        expected = job.result().to_dict()
        fetches = [record.fetches for record in server.jobs]
        again = AQTJob.restore(job.job_id())
        assert again.options.shots == tuple(shots)
        assert again.result().to_dict() == expected
        assert [record.fetches for record in server.jobs] == fetches

    def test_restored_while_it_runs(self, server, device):
        """It goes on where it is."""
        server.hold()
        job = device.run(markers(range(2)), shots=[5, 4500])
        again = AQTJob.restore(job.job_id())
        server.release()
        assert again.result().get_counts() == counts_of(range(2), [5, 4500])

    def test_persisted(self, device, tmp_path):
        """A copy has the shots, too."""
        job = device.run(markers(range(2)), shots=[5, 4500], journal=False)
        expected = job.result().to_dict()
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert again.options.shots == (5, 4500)
        assert again.result().to_dict() == expected

    def test_listed(self, device, portal):
        """Tables show the range, and lists the numbers."""
        job = device.run(markers(range(70)), shots=[*range(1, 71)])
        job.result()
        (row,) = portal.jobs()
        assert row.shots == tuple(range(1, 71))
        assert [part.shots for part in row.api_jobs] == [tuple(range(1, 51)), tuple(range(51, 71))]
        assert "1 to 70" in str(portal.jobs())
        assert row.to_dict()["api_jobs"][1]["shots"] == [*range(51, 71)]
