"""Which requests get a fault: scripted, or by rate and seed."""

import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from aqt_fast.testing import KINDS
from server.cloud_client import SUBMIT, client_of, flips, job, reachable, state
from waiting import wait_until


def test_scripted_faults_choose(faulty, faulty_client):
    """By method and by path; a fault waits for a request that fits."""

    def post():
        return faulty_client.post(SUBMIT, json=job(flips(9))).status_code

    faulty.faults.next("500", count=2, method="POST")
    faulty.faults.next("502", path="/resources/")
    assert faulty_client.get("/workspaces").status_code == 200
    assert faulty_client.get("/resources/ibex").status_code == 502
    assert [post() for _ in range(3)] == [500, 500, 200]
    faulty.faults.next("500", count=5)
    faulty.faults.clear()
    assert post() == 200
    for wrong in (lambda: faulty.faults.next("fire"), lambda: faulty.faults.set(rate=2)):
        with pytest.raises(ValueError, match=r"fire|rate"):
            wrong()


def test_random_faults_repeat(faulty, faulty_client):
    """The seed fixes the decisions; the rate holds; the record gets no faults."""

    def run(seed):
        faulty.faults.set(rate=0.3, kinds=["500", "503", "410"], seed=seed)
        statuses = [faulty_client.get("/workspaces").status_code for _ in range(200)]
        assert faulty_client.get(f"{faulty.url}/testing/record").status_code == 200
        return statuses

    first = run(1)
    assert run(1) == first
    assert run(2) != first
    assert set(first) == {200, 500, 503}
    assert 35 < sum(status != 200 for status in first) < 85


def test_many_jobs_under_faults(faulty, faulty_client):
    """Three threads meet all kinds of faults: every accepted job runs once, no request hangs."""
    kinds = [kind for kind in KINDS if kind not in ("stall", "410")]
    faulty.faults.refuse_seconds = faulty.faults.slow_seconds = 0.005
    faulty.faults.set(rate=0.2, kinds=kinds, seed=11)

    def submit_jobs(thread):
        """Return the identifiers that the server tells; None for an unusable response."""
        generator = random.Random(thread)  # noqa: S311
        with client_of(faulty) as client:
            return [submit_one(client, generator.randrange(16)) for _ in range(60)]

    def submit_one(client, value):
        try:
            return client.post(SUBMIT, json=job(flips(value))).json()["job"]["job_id"]
        except (httpx.TransportError, ValueError, KeyError):
            return None

    with ThreadPoolExecutor(3) as threads:
        told = [job_id for ids in threads.map(submit_jobs, range(3)) for job_id in ids]
    faulty.faults.clear()
    wait_until(lambda: all(entry.status == "finished" for entry in faulty.jobs))
    accepted = faulty.jobs
    known = [job_id for job_id in told if job_id is not None]
    assert len(told) == 180
    assert set(known) <= {entry.job_id for entry in accepted}
    assert len(known) < len(accepted) < 180
    assert all(entry.runs == (1,) for entry in accepted)
    wait_until(lambda: reachable(faulty_client))
    for job_id in known:
        assert state(faulty_client, job_id).result
