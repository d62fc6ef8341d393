"""Faults of a portal that is not sound."""

import time
from email.utils import parsedate_to_datetime

import pytest
from aqt_fast.testing import ODD_KINDS
from server.cloud_client import SUBMIT, final_state, flips, job, submit


def test_only_by_name(faulty):
    """Random faults leave them out, unless they are named."""
    faulty.faults.set(rate=1)
    drawn = {faulty.faults.decide("GET", "/api/v1/result/x").kind for _ in range(2000)}
    assert not drawn & set(ODD_KINDS)
    faulty.faults.set(rate=1, kinds=ODD_KINDS)
    assert {faulty.faults.decide("GET", "/api/v1/result/x").kind for _ in range(2000)} == set(
        ODD_KINDS
    )
    assert "404" not in {faulty.faults.decide("GET", "/api/v1/workspaces").kind for _ in range(99)}


@pytest.mark.parametrize("kind", [kind for kind in ODD_KINDS if kind.startswith("429")])
def test_retry_after(faulty, faulty_client, kind):
    """Too short, too long, past, or no time at all; nothing is accepted."""
    faulty.faults.next(kind)
    reply = faulty_client.post(SUBMIT, json=job(flips(1)))
    assert reply.status_code == 429
    value = reply.headers["retry-after"]
    if kind == "429_past":
        assert parsedate_to_datetime(value).timestamp() < time.time() - 3000
    else:
        assert value == {"429_zero": "0", "429_far": "31536000", "429_garbage": "soon"}[kind]
    assert faulty.jobs == []


def test_unknown_job(faulty, faulty_client):
    """An accepted job is unknown once, and known afterwards."""
    job_id = submit(faulty_client, job(flips(1)))
    faulty.faults.next("404", path="/result/")
    assert faulty_client.get(f"/result/{job_id}").status_code == 404
    assert final_state(faulty_client, job_id).result


def test_right_answers_in_odd_dress(faulty, faulty_client):
    """Cookies with new names each, and bytes one by one."""
    right = faulty_client.get("/workspaces").json()
    faulty.faults.drip_seconds = 0.0
    faulty.faults.next("cookie", count=3)
    faulty.faults.next("drip")
    replies = [faulty_client.get("/workspaces") for _ in range(4)]
    assert [reply.json() for reply in replies] == [right] * 4
    assert len({name for reply in replies for name in reply.cookies}) == 3


def test_unlabelled(faulty, faulty_client):
    """Answers about a job lack its label; others are right, and the log does not show the fault."""
    faulty.faults.next("unlabelled", count=3)
    reply = faulty_client.post(SUBMIT, json=job(flips(1), label="mine")).json()
    assert set(reply["job"]) == {"job_id", "job_type", "resource_id", "workspace_id"}
    assert "label" not in faulty_client.get(f"/result/{reply['job']['job_id']}").json()["job"]
    assert faulty_client.get("/workspaces").json()
    assert len(faulty.faults.log) == 2
    assert faulty.jobs[0].label == "mine"


def test_another_jobs_answer(faulty, faulty_client):
    """A submission and a poll get the answer about another job, if there is one."""
    faulty.faults.next("other_answer")
    first = submit(faulty_client, job(flips(1), label="first"))
    assert faulty.faults.log == []
    faulty.faults.next("other_answer", method="POST")
    reply = faulty_client.post(SUBMIT, json=job(flips(2), label="second")).json()
    assert (reply["job"]["job_id"], reply["job"]["label"]) == (first, "first")
    assert [entry.label for entry in faulty.jobs] == ["first", "second"]
    second = faulty.jobs[1].job_id
    right = {job_id: final_state(faulty_client, job_id).result for job_id in (first, second)}
    for asked, other in ((first, second), (second, first)):
        faulty.faults.next("other_answer", path="/result/")
        reply = faulty_client.get(f"/result/{asked}").json()
        assert reply["job"]["job_id"] == other
        assert reply["response"]["result"]["0"] == right[other][0]
    assert len(faulty.faults.log) == 3
