"""Exceptions that nobody expects: they end one API job with a typed error, and no other."""

from __future__ import annotations

import pytest
from aqt_fast.api_client import PortalClient
from aqt_fast.exceptions import APIError
from qiskit.providers import JobStatus

UNEXPECTED = [
    RecursionError("maximum recursion depth exceeded"),
    ValueError("malformed location"),
    MemoryError(),
    OSError(5, "Input/output error"),
]


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_while_polling(device, circuit, monkeypatch, error):
    """The job ends and says why; others of the resource go on, and asking again helps."""

    def result(*_arguments) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(PortalClient, "result", result)
        job = device.run(circuit, label="first")
        with pytest.raises(APIError, match=f"'first' cannot be read: {type(error).__name__}"):
            job.result()
        assert job.status() is JobStatus.ERROR
    assert device.run([circuit] * 60, label="second").result().success
    assert job.result().success


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_while_reading_an_answer(device, circuit, monkeypatch, error):
    """Also where the answer is decoded or kept."""

    def keep(*_arguments) -> None:
        monkeypatch.undo()
        raise error

    monkeypatch.setattr("aqt_fast.store.journal.Journal.keep", keep)
    job = device.run(circuit, label="mine")
    with pytest.raises(APIError, match=f"'mine' cannot be read: {type(error).__name__}"):
        job.result()
    assert device.run(circuit).result().success
    assert job.result().success


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_while_cancelling(server, device, circuit, monkeypatch, error):
    """A typed error, and cancelling can be repeated."""
    server.hold()
    job = device.run(circuit, label="mine")
    job.job_id()

    def cancel(*_arguments) -> bool:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(PortalClient, "cancel", cancel)
        for _ in range(2):
            with pytest.raises(
                APIError, match=f"'mine' cannot be cancelled: {type(error).__name__}"
            ):
                job.cancel()
    assert job.cancel()
    server.release()
    assert job.status() in (JobStatus.CANCELLED, JobStatus.QUEUED, JobStatus.RUNNING)
    job.wait_for_final_state(timeout=30)
    assert job.status() is JobStatus.CANCELLED
