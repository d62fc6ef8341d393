"""The progress bar of ``result()``: on request, and only for jobs that take a while."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from aqt_fast.jobs import progress_bar
from aqt_fast.jobs.execution import ExecutionState
from aqt_fast.primitives import AQTSampler
from aqt_fast.v2 import AQTProvider as AQTProviderOf2
from aqt_fast.visualization.timeline import ApiJobTimes
from qiskit.providers import JobStatus, JobTimeoutError
from waiting import wait_until

LONG = 3600.0
"""Seconds that no test waits."""


@pytest.fixture
def at_once(monkeypatch):
    """Every job takes long enough for a bar."""
    monkeypatch.setattr(progress_bar, "BAR_DELAY_SECONDS", 0.0)


@pytest.fixture
def never(monkeypatch):
    """No job does."""
    monkeypatch.setattr(progress_bar, "BAR_DELAY_SECONDS", LONG)


def test_delay():
    """A second, as people do not read faster."""
    assert progress_bar.BAR_DELAY_SECONDS == 1.0


@pytest.mark.usefixtures("at_once")
def test_bar(server, device, circuit, capfd):
    """Name, circuits done and all circuits, on standard error."""
    server.hold()
    job = device.run([circuit] * 3, shots=4, with_progress_bar=True)
    timer = threading.Timer(0.1, server.release)
    timer.start()
    assert job.result().success
    timer.join()
    out, err = capfd.readouterr()
    assert out == ""
    assert "simulator_ideal: " in err
    assert "0/3" in err
    assert "3/3" in err


@pytest.mark.usefixtures("never")
def test_short_jobs(backend, bell, capfd):
    """A loop of short jobs leaves nothing."""
    for _ in range(3):
        assert backend.run(bell, with_progress_bar=True).result().success
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("at_once")
def test_unwanted(server, device, circuit, capfd):
    """The option turns it off."""
    server.hold()
    job = device.run(circuit, with_progress_bar=False)
    timer = threading.Timer(0.1, server.release)
    timer.start()
    assert job.result().success
    timer.join()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("delay", [0.0, LONG])
def test_time_out(server, device, circuit, monkeypatch, delay):
    """It ends the waiting, with a bar and before there is one; the job goes on."""
    monkeypatch.setattr(progress_bar, "BAR_DELAY_SECONDS", delay)
    server.hold()
    job = device.run(circuit, query_timeout_seconds=0.05, with_progress_bar=True)
    with pytest.raises(JobTimeoutError, match=r"within 0\.05 s"):
        job.result()
    server.release()
    job.wait_for_final_state()
    assert job.result().success


@pytest.mark.usefixtures("at_once")
def test_no_error_stream(server, device, circuit, monkeypatch):
    """A program without one gets its result."""
    monkeypatch.setattr(sys, "stderr", None)
    server.hold()
    job = device.run(circuit, with_progress_bar=True)
    timer = threading.Timer(0.1, server.release)
    timer.start()
    assert job.result().success
    timer.join()


class Waiting:
    """Somebody waits in a thread; the test reads the bar meanwhile."""

    def __init__(self, capfd, wait):
        self.shown = ""
        self._capfd = capfd
        self._thread = threading.Thread(target=wait)
        self._thread.start()

    def shows(self, text):
        """Whether the bar has shown a text."""
        self.shown += self._capfd.readouterr().err
        return text in self.shown

    def end(self):
        """Wait until the job has ended."""
        self._thread.join()
        return self.shows("done]")


def sampler_job(device, circuit):
    """A primitive shows a bar if it is asked for."""
    return AQTSampler(device, {"with_progress_bar": True}).run([circuit])


WAYS = {
    "result": lambda device, circuit: device.run(circuit, with_progress_bar=True).result(),
    "await": lambda device, circuit: asyncio.run(awaited(device, circuit)),
    "sampler": lambda device, circuit: sampler_job(device, circuit).result(),
}


async def awaited(device, circuit):
    """Await a job."""
    return await device.run(circuit, with_progress_bar=True)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.usefixtures("at_once")
def test_maintenance(server, device, circuit, capfd, monkeypatch, way):
    """A queued job tells what it waits for, once the portal has told; later that it runs."""
    monkeypatch.setattr(progress_bar, "ASK_SECONDS", 0.0)
    server.set_status(device.name, "maintenance")
    waiting = Waiting(capfd, lambda: way(device, circuit))
    wait_until(lambda: waiting.shows("queued 00:0"))
    wait_until(lambda: waiting.shows("device: maintenance]"))
    assert device.status().operational  # the backend stays as it is
    server.set_status(device.name, "online")
    assert waiting.end()


@pytest.mark.usefixtures("at_once")
def test_the_face_of_2(circuit, capfd):
    """The same bar, if the backend is told to show one."""
    backend = AQTProviderOf2().offline.ideal()
    backend.set_options(with_progress_bar=True)
    assert backend.run([circuit] * 500, shots=500).result().success
    assert "offline_simulator_no_noise: " in capfd.readouterr().err


NOW = datetime(2026, 11, 27, 12, 30, tzinfo=timezone.utc)


def times(state, started=None, ended=None):
    """An API job that has started or ended so many minutes ago."""
    at = [None if ago is None else NOW - timedelta(minutes=ago) for ago in (started, ended)]
    return ApiJobTimes("x", state, NOW - timedelta(hours=2), *at)


PLACES = {
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "done": JobStatus.DONE,
    "unsent": JobStatus.INITIALIZING,
}

STAGES = {
    "a simulator": (None, "running 3:00:00", "running 3:00:08"),
    "not sent": ([times("unsent")] * 2, "submitting 3:00:00, device: offline", "running 00:00"),
    "queued": ([times("unsent"), times("queued")], "queued 3:00:00, device: o", "running 00:00"),
    "running": ([times("running", 5), times("running", 9)], "running 09:00", "running 09:08"),
    "no start known": ([times("running")], "running 00:00", "running 00:08"),
    "queued again": ([times("done", 60, 7), times("queued")], "queued 07:00, d", "running 00:00"),
}
"""API jobs, what the bar tells, and what it tells later, when they run."""


@pytest.mark.parametrize(("api_jobs", "told", "later"), STAGES.values(), ids=STAGES.keys())
@pytest.mark.usefixtures("at_once")
def test_stages(monkeypatch, capfd, api_jobs, told, later):
    """Where a job is, and since when, as far as the portal tells."""
    monkeypatch.setattr(progress_bar, "now", lambda: NOW)
    monkeypatch.setattr(progress_bar, "REFRESH_SECONDS", 0.0)
    execution = SimpleNamespace(
        state=ExecutionState(JobStatus.RUNNING, 1),
        created=NOW - timedelta(hours=3),
        places=api_jobs and [PLACES[job.state] for job in api_jobs],
        api_job_times=api_jobs or [],
    )
    bar = progress_bar.ProgressBar(4, "ibex", True, lambda _ask: "offline")
    with bar.of(execution) as report:
        report(execution.state)
        assert f"<?, {told}" in capfd.readouterr().err
        monkeypatch.setattr(progress_bar, "now", lambda: NOW + timedelta(seconds=8))
        execution.places = [JobStatus.RUNNING]
        report(ExecutionState(JobStatus.RUNNING, 3))
        assert f", {later}]" in capfd.readouterr().err
        report(ExecutionState(JobStatus.ERROR, 3))
        assert "failed]" in capfd.readouterr().err


class KernelStream:
    """A stream of a notebook."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        """Keep it."""
        self.text += text

    def flush(self):
        """Nothing to do."""


KernelStream.__module__ = "ipykernel.iostream"


@pytest.mark.usefixtures("at_once")
def test_a_notebook_without_widgets(device, circuit, monkeypatch):
    """A bar of characters, and nothing that looks like an error."""
    find = importlib.util.find_spec
    hidden = lambda name: None if name == "ipywidgets" else find(name)  # noqa: E731
    monkeypatch.setattr(progress_bar, "find_spec", hidden)
    out, err = KernelStream(), KernelStream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert device.run([circuit] * 3, with_progress_bar=True).result().success
    assert "3/3" in out.text
    assert err.text == ""
