"""What a client sees of each kind of fault."""

import time
from email.utils import parsedate_to_datetime

import httpx
import pytest
from aqt_connector.models.arnica.response_bodies.jobs import SubmitJobResponse
from aqt_fast.testing import KINDS
from server.cloud_client import SUBMIT, flips, job, reachable, state, submit
from waiting import wait_until

SHORT = 0.3
"""A read time-out in seconds, for answers that do not come."""


def post(client, timeout=60):
    """Submit a job; the server is busy, not silent, if that takes a while."""
    return client.post(SUBMIT, json=job(flips(9)), timeout=timeout)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse", httpx.ReadError),
        ("reset_before", httpx.ReadError),
        ("reset_after", httpx.ReadError),
        ("stall", httpx.ReadTimeout),
        ("truncated", httpx.RemoteProtocolError),
    ],
)
def test_broken_connections(faulty, faulty_client, kind, error):
    """The client gets no usable response; the record shows whether the job was accepted."""
    faulty.faults.refuse_seconds = 3600
    faulty_client.get("/workspaces")
    faulty.faults.next(kind)
    with pytest.raises(error) as raised:
        post(faulty_client, timeout=SHORT if kind == "stall" else 60)
    if kind.startswith("reset"):
        assert "reset" in str(raised.value).lower()
    if kind == "stall":
        wait_until(lambda: faulty.jobs)
    assert len(faulty.jobs) == (0 if kind in ("refuse", "reset_before") else 1)
    if kind == "refuse":
        with pytest.raises(httpx.ConnectError):
            post(faulty_client)
        faulty.stop()
        faulty.start()
    wait_until(lambda: reachable(faulty_client))
    (fault,) = faulty.faults.log
    assert (fault.kind, fault.method) == (kind, "POST")
    assert fault.path == "/api/v1/submit/default/simulator_ideal"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[0].isdigit() and kind != "410"])
def test_error_responses(faulty, faulty_client, kind):
    """Status, detail and ``Retry-After``; the job is accepted or not, as the kind says."""
    faulty.faults.retry_after = 3
    faulty.faults.next(kind)
    before = time.time()
    response = post(faulty_client)
    assert response.status_code == int(kind[:3])
    assert isinstance(response.json()["detail"], str)
    assert len(faulty.jobs) == (1 if kind.endswith("_after") else 0)
    retry_after = response.headers.get("retry-after")
    if kind in ("429", "503_retry"):
        assert retry_after == "3"
    elif kind == "429_date":
        when = parsedate_to_datetime(retry_after).timestamp()
        assert before + 3 <= when <= time.time() + 4
    else:
        assert retry_after is None
    # Only the response was wrong: the token is still accepted.
    assert post(faulty_client).status_code == 200


def test_expired_by_fault(faulty, faulty_client):
    """The 410 does not count as a fetch."""
    job_id = submit(faulty_client, job(flips(1)))
    wait_until(lambda: faulty.jobs[0].status == "finished")
    faulty.faults.next("410", path="/result/")
    assert faulty_client.get("/workspaces").status_code == 200
    assert faulty_client.get(f"/result/{job_id}").status_code == 410
    assert faulty.jobs[0].fetches == 0
    assert state(faulty_client, job_id).result


def test_slow(faulty, faulty_client):
    """A patient client gets the right response, an impatient one times out."""
    faulty.faults.next("slow", count=2)
    assert post(faulty_client).status_code == 200
    faulty.faults.slow_seconds = 3600
    with pytest.raises(httpx.ReadTimeout):
        post(faulty_client, timeout=SHORT)
    wait_until(lambda: len(faulty.jobs) == 2)


@pytest.mark.parametrize("kind", ["bad_json", "wrong_shape"])
def test_unusable_bodies(faulty, faulty_client, kind):
    """A success has an unusable body; a refusal stays one, and the log does not show it."""
    faulty.faults.next(kind)
    response = post(faulty_client)
    assert response.status_code == 200
    if kind == "bad_json":
        with pytest.raises(ValueError, match=r"Expecting|Invalid|Extra"):
            response.json()
    else:
        with pytest.raises(ValueError, match="validation error"):
            SubmitJobResponse.model_validate(response.json())
    assert len(faulty.jobs) == 1
    assert [fault.kind for fault in faulty.faults.log] == [kind]
    faulty.faults.next(kind)
    assert faulty_client.post(SUBMIT, content=b"").status_code == 422
    assert len(faulty.faults.log) == 1
