"""The progress bar of ``result()``: on request, and only for jobs that take a while."""

from __future__ import annotations

import sys
import threading

import pytest
from aqt_fast.jobs import waiting
from qiskit.providers import JobTimeoutError

LONG = 3600.0
"""Seconds that no test waits."""


@pytest.fixture
def at_once(monkeypatch):
    """Every job takes long enough for a bar."""
    monkeypatch.setattr(waiting, "BAR_DELAY_SECONDS", 0.0)


@pytest.fixture
def never(monkeypatch):
    """No job does."""
    monkeypatch.setattr(waiting, "BAR_DELAY_SECONDS", LONG)


def test_delay():
    """A second, as people do not read faster."""
    assert waiting.BAR_DELAY_SECONDS == 1.0


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
    monkeypatch.setattr(waiting, "BAR_DELAY_SECONDS", delay)
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
