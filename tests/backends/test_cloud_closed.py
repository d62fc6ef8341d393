"""Jobs of a provider that is closed: they end, and say so."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

import pytest
from aqt_fast import AQTJob
from aqt_fast.backends.cloud.execution import CloudExecution
from aqt_fast.exceptions import APIConnectionError, AQTError, SubmissionUncertainError
from aqt_fast.jobs.connection import Connection
from aqt_fast.jobs.dispatcher import Dispatcher
from clients import connect, device_of, machine_of
from markers import marker, markers
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import SECONDS, wait_until


def test_restored_with_a_closed_provider(portal, device, circuit, tmp_path):
    """A copy without results needs the portal, which nobody asks any more."""
    job = device.run(circuit, journal=False)
    job.result()
    job.persist(store_path=tmp_path)
    portal.close()
    again = portal.restore(job.job_id(), store_path=tmp_path, remove_from_store=False)
    with pytest.raises(APIConnectionError, match="the provider is closed"):
        again.result()
    assert again.status() is JobStatus.ERROR


def check_ends(jobs: list[AQTJob], accepted: set[str | None]) -> dict[str, int]:
    """Check that all jobs end, and that none is called unsent that was accepted."""
    ends = {"done": 0, "with the portal": 0, "unsent": 0, "uncertain": 0}
    for job in jobs:
        job.wait_for_final_state(timeout=SECONDS)
        error = error_of(job)
        assert job.in_final_state()
        if error is None:
            ends["done"] += 1
        elif isinstance(error, SubmissionUncertainError):
            ends["uncertain"] += 1
        elif job.label in accepted:
            assert "not submitted" not in str(error)
            ends["with the portal"] += 1
        else:
            ends["unsent"] += 1
    return ends


def error_of(job: AQTJob) -> AQTError | None:
    """What its result raises."""
    try:
        assert job.result(timeout=SECONDS).success
    except AQTError as error:
        return error
    return None


@pytest.mark.parametrize("seed", range(12))
def test_while_others_run(server, figures, seed):
    """Every job ends, in bounded time, whatever the order."""
    chance = random.Random(seed)  # noqa: S311
    provider = connect(server)
    device = device_of(provider)
    machine = machine_of(provider, server, shots=3)
    jobs: list[AQTJob] = []
    begin = threading.Barrier(5)

    def work(chance: random.Random) -> None:
        begin.wait(SECONDS)
        for number in range(15):
            where = machine if chance.random() < 0.1 else device
            circuits = markers(range(60)) if chance.random() < 0.1 else marker("1")
            kept = {"journal": chance.random() < 0.3}
            with suppress(APIConnectionError):
                jobs.append(where.run(circuits, shots=2, label=f"{id(chance)} {number}", **kept))
            if jobs and chance.random() < 0.2:
                with suppress(AQTError, JobTimeoutError):
                    chance.choice(jobs).result(timeout=0.01)

    def close(after: float) -> None:
        begin.wait(SECONDS)
        time.sleep(after)
        provider.close()

    seeds = [random.Random(chance.random()) for _ in range(4)]  # noqa: S311
    threads = [threading.Thread(target=work, args=(own,)) for own in seeds]
    threads.append(threading.Thread(target=close, args=(chance.random() * 0.3,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    ends = check_ends(jobs, {record.label for record in server.jobs})
    figures(f"closing while working, seed {seed}", jobs=len(jobs), **ends)


MOMENTS = {
    "before it begins": (CloudExecution, "begin", True),
    "after it has begun": (CloudExecution, "begin", False),
    "before it is registered": (Connection, "register", True),
    "before it is started": (CloudExecution, "_start", True),
    "before a step is taken": (Dispatcher, "call", True),
    "before it is submitted": (CloudExecution, "_submit_next", True),
    "before it is watched": (CloudExecution, "_watch", True),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [1, 60])
def test_at_a_moment(server, monkeypatch, moment, number):
    """Another thread closes the provider just then."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 0.3)
    provider = connect(server)
    device = device_of(provider)
    kind, name, before = MOMENTS[moment]
    known, once = getattr(kind, name), iter([True])

    def closing(*args, **kwargs):
        now = next(once, False)
        if now and before:
            closer = threading.Thread(target=provider.close)
            closer.start()
            closer.join(SECONDS)
            assert not closer.is_alive()
        value = known(*args, **kwargs)
        if now and not before:
            provider.close()
        return value

    job = AQTJob(device, markers(range(number)), device.options)
    with monkeypatch.context() as patch:
        patch.setattr(kind, name, closing)
        with suppress(APIConnectionError):
            job.submit()
        job.wait_for_final_state(timeout=SECONDS)
        wait_until(lambda: next(once, None) is None)
    provider.close()
    labels = {record.label for record in server.jobs}
    ends = check_ends([job], labels)
    assert ends["uncertain"] == 0
    if moment not in ("after it has begun", "before it is watched", "before it is submitted"):
        assert not labels
        with pytest.raises(AQTError, match="closed"):
            job.result()


def test_nothing_is_submitted_again(server):
    """A closed provider sends nothing, and says so; another one does."""
    with connect(server) as provider:
        device = device_of(provider)
        server.stop()
        job = device.run(marker("1"))
        job_id = job.batch_id
        assert job.cancel()
    server.start()
    with connect(server) as provider:
        device = device_of(provider)
    job = AQTJob(device, marker("1"), device.options)
    with pytest.raises(APIConnectionError, match="closed"):
        job.submit()
    with pytest.raises(APIConnectionError, match="closed"):
        job.resubmit_failed()
    with connect(server) as provider:
        again = provider.restore(job.batch_id)
        assert again.resubmit_failed() == 1
        assert again.result(timeout=SECONDS).success
    assert job_id != job.batch_id
    assert len(server.jobs) == 1
