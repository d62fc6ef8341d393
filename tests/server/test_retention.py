"""What the server remembers, and what a long-running one forgets."""

import gc
import tracemalloc
import uuid

import pytest
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.testing import ArnicaServer, Limits
from server.cloud_client import client_of, flips, job, state, submit, wait_for_status
from waiting import wait_until


def ended(server, number):
    """Wait until this many of the remembered jobs have ended."""
    done = ("finished", "error", "cancelled")
    wait_until(lambda: sum(entry.status in done for entry in server.jobs) >= number)


def test_oldest_jobs_are_forgotten():
    """They answer 410 as expired results do, for ever; those that wait are kept."""
    with (
        ArnicaServer(simulate=False, limits=Limits(kept_jobs=5)) as server,
        client_of(server) as client,
    ):
        server.set_status("simulator_noise", "offline")
        waiting = submit(client, job(flips(1)), "default/simulator_noise")
        ids = [submit(client, job(flips(index % 16))) for index in range(12)]
        wait_until(lambda: len(server.jobs) == 6)
        ended(server, 5)
        for job_id in ids[:7]:
            for reply in (client.get(f"/result/{job_id}"), client.delete(f"/jobs/{job_id}")):
                assert (reply.status_code, reply.json()) == (
                    410,
                    {"detail": "the job was forgotten"},
                )
        for index, job_id in enumerate(ids[7:], 7):
            assert state(client, job_id).result[0][0] == [index >> bit & 1 for bit in range(4)]
        assert [entry.job_id for entry in server.jobs] == [waiting, *ids[7:]]
        for number in (ids[0].replace("-", ""), ids[0].upper()):
            assert client.get(f"/result/{number}").status_code == 410
        forged = uuid.UUID(bytes=uuid.uuid4().bytes[:10] + uuid.UUID(ids[0]).bytes[10:])
        ahead = uuid.UUID(bytes=uuid.UUID(ids[0]).bytes[:10] + (99).to_bytes(6, "big"))
        for unknown in (uuid.uuid4(), forged, ahead):
            assert client.get(f"/result/{unknown}").status_code == 404
        server.set_status("simulator_noise", "online")
        wait_for_status(client, waiting, "finished")


def test_results_are_limited_in_all():
    """The oldest result goes when a new one needs its room; the job itself is still known."""
    with (
        ArnicaServer(simulate=False, limits=Limits(kept_result_bytes=2500)) as server,
        client_of(server) as client,
    ):
        ids = [submit(client, job(flips(1, shots=100))) for _ in range(4)]  # 906 bytes each
        large = submit(client, job(flips(1, shots=2000)))
        small = submit(client, job(flips(1, shots=100)))
        ended(server, 6)
        statuses = [client.get(f"/result/{job_id}").status_code for job_id in (*ids, large, small)]
        assert statuses == [410] * 5 + [200]
        assert {entry.status for entry in server.jobs} == {"finished"}
        assert client.delete(f"/jobs/{ids[0]}").status_code == 422


def test_labels_are_limited_in_all():
    """The oldest job goes when all labels are too long in sum; a longer one goes at once."""
    with (
        ArnicaServer(simulate=False, limits=Limits(kept_label_characters=100)) as server,
        client_of(server) as client,
    ):
        for label in ("a" * 60, "b" * 30, "c" * 20, "d" * 101):
            job_id = submit(client, job(flips(1), label=label))
            wait_until(lambda: all(entry.status == "finished" for entry in server.jobs))
            kept = [entry.label[0] for entry in server.jobs]
            assert kept == {"a": ["a"], "b": ["a", "b"], "c": ["b", "c"], "d": []}[label[0]]
        assert client.get(f"/result/{job_id}").status_code == 410


def test_scripts_are_limited():
    """Neither scripted faults nor failures of jobs can fill the memory."""
    with ArnicaServer(simulate=False) as server:
        for _ in range(10_000):
            server.faults.next("500")
        with pytest.raises(InvalidOptionError, match="10000 scripted faults at most"):
            server.faults.next("500")
        server.fail_jobs("no", 999_999)
        with pytest.raises(InvalidOptionError, match="count must be an integer from 1 to 1, not 2"):
            server.fail_jobs("no", 2)
        server.reset()
        server.fail_jobs("no", 2)
        server.faults.next("500")


def test_a_day_after_the_fetch():
    """The other limit counts from the first fetch, in any order of fetches."""
    with ArnicaServer(simulate=False) as server, client_of(server) as client:
        first, second = (submit(client, job(flips(1))) for _ in range(2))
        ended(server, 2)
        assert state(client, second).result
        server.advance(3600)
        assert state(client, first).result
        server.advance(23 * 3600)
        statuses = [client.get(f"/result/{job_id}").status_code for job_id in (first, second)]
        assert statuses == [200, 410]


def test_memory_stays_flat(figures):
    """Thousands of jobs later, the server holds what it held: jobs, results, tokens, faults."""
    limits = Limits(kept_jobs=40, kept_result_bytes=10_000)
    with (
        ArnicaServer(simulate=False, identify_circuits=True, limits=limits) as server,
        client_of(server) as client,
    ):
        sizes = []
        tracemalloc.start()
        for _ in range(4):
            for index in range(60):
                job_id = submit(client, job(flips(index % 16, shots=20), label=f"job {index}"))
                if index % 2:
                    client.get(f"/result/{job_id}")
                server.accept(f"token-{job_id}", lifetime=0)
            ended(server, 40)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(server.jobs) == 40
    figures(
        "memory of a server that keeps 40 jobs, after 60 and 240 jobs",
        kB=f"{sizes[0] // 1000} and {sizes[-1] // 1000}",
    )
    assert max(sizes[1:]) < sizes[0] + 100_000
