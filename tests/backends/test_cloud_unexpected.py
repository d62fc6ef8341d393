"""Exceptions that nobody expects: they end one API job with a typed error, and no other."""

from __future__ import annotations

import pkgutil
import re
import threading
from contextlib import suppress

import pytest
from aqt_fast.api_client import PortalClient
from aqt_fast.exceptions import APIError, AQTError, JournalError
from markers import marker, markers
from qiskit.providers import JobStatus
from waiting import SECONDS

UNEXPECTED = [
    RecursionError("maximum recursion depth exceeded"),
    ValueError("malformed location"),
    MemoryError(),
    OSError(5, "Input/output error"),
]


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_while_polling(device, circuit, monkeypatch, error):
    """The job ends and says why; others of the resource go on, and asking again helps."""

    def result(*_arguments, **_options) -> None:
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
    if isinstance(error, RecursionError | MemoryError):
        assert job.result().success  # as any answer that cannot be used, it is asked for again
    else:
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


STEPS = [
    "api_client.portal:PortalClient.submit",
    "api_client.portal:PortalClient.result",
    "api_client.http:HTTPClient._attempt",
    "api_client.http:HTTPClient._exchange",
    "backends.cloud.endpoint:CloudEndpoint.encode",
    "backends.cloud.endpoint:CloudEndpoint.decode",
    "backends.cloud.execution:CloudExecution._watch",
    "backends.cloud.poller:_Pace.pause",
    "backends.cloud.poller:_spread",
    "backends.cloud.poller:Poller.watch",
    "backends.cloud.poller:Poller._fill",
    "backends.cloud.poller:Poller._follow",
    "backends.cloud.poller:Poller._pause",
    "backends.cloud.poller:Poller._wake",
    "jobs.api_job:ApiJob.period",
    "jobs.api_job:ApiJob._accept",
    "jobs.api_job:ApiJob._decode",
    "jobs.api_job:ApiJob._take",
    "jobs.api_job:ApiJob._end_with",
    "jobs.api_job:ApiJob.submit",
    "jobs.api_job:ApiJob.poll",
    "jobs.group:Group.update",
    "jobs.known_ids:ApiJobIds.begin",
    "jobs.known_ids:ApiJobIds.claim",
    "jobs.remote:RemoteExecution._on_change",
    "jobs.remote:RemoteExecution._conclude",
    "jobs.remote:RemoteExecution._release_journal",
    "store.journal:ApiJobLog.intend",
    "store.journal:ApiJobLog.accepted",
    "store.journal:ApiJobLog.keep",
    "store.journal:Journal.note",
    "store.journal:Journal.close",
    "wire.snapshot:Snapshot.check_samples",
]
"""What threads of the package call, and what may raise there."""

KINDS = [
    RecursionError("maximum recursion depth exceeded"),
    MemoryError(),
    OSError(24, "Too many open files"),
    RuntimeError("can't start new thread"),
    AttributeError("'NoneType' object has no attribute 'x'"),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "invalid"),
    JournalError("a journal's"),
    APIError("an API's"),
    SystemExit(1),
    GeneratorExit(),
]


@pytest.mark.parametrize("step", STEPS)
def test_in_the_background(server, device, monkeypatch, step, figures):
    """Whatever raises wherever: the job ends, and a later one of the resource ends well."""
    monkeypatch.setattr(threading, "excepthook", lambda _hook: None)
    path, name = re.fullmatch(r"(.*)[.:](\w+)", step).groups()
    place = pkgutil.resolve_name(f"aqt_fast.{path}")
    known = vars(place)[name]
    done = 0
    for times, kinds in ((1, KINDS), (3, KINDS[-3:])):
        for error in kinds:
            left = [times]
            lock = threading.Lock()

            def strike(*args, _left=left, _lock=lock, _error=error, **kwargs):
                main = threading.current_thread() is threading.main_thread()
                with _lock:
                    strikes = not main and _left[0] > 0
                    _left[0] -= strikes
                if strikes:
                    raise _error.with_traceback(None)
                return (known.fget if isinstance(known, property) else known)(*args, **kwargs)

            server.hold()
            with monkeypatch.context() as patch:
                patch.setattr(
                    place, name, property(strike) if isinstance(known, property) else strike
                )
                jobs = [device.run(markers([1, 2]), shots=3), device.run(marker("1"), shots=3)]
                for job in jobs:
                    if step.endswith("_follow"):
                        job.job_id()
                        job.cancel()
                server.release()
                for job in jobs:
                    job.wait_for_final_state(timeout=SECONDS)
            for job in jobs:
                with suppress(AQTError):
                    done += job.result(timeout=SECONDS).success
    assert device.run(marker("0"), shots=3).result(timeout=SECONDS).success
    labels = [record.label for record in server.jobs]
    assert len(labels) == len(set(labels))
    figures(f"exceptions in {step}", jobs=2 * len(KINDS) + 6, done=done)
