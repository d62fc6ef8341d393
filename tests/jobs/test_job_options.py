"""The options of a job that has begun: how it waits can be changed, how it runs cannot."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest
from aqt_fast import AQTJob, AQTOptions
from aqt_fast.aqt_options import AQTDirectAccessOptions
from aqt_fast.exceptions import FixedOptionError, InvalidInputError, InvalidOptionError
from aqt_fast.jobs import progress_bar
from qiskit.providers import JobTimeoutError
from waiting import wait_until

FIXED = {
    "shots": 7,
    "memory": True,
    "seed_simulator": 7,
    "label": "another",
    "strict_angles": True,
    "journal": False,
}


@pytest.mark.parametrize(("name", "value"), FIXED.items())
def test_how_it_runs(backend, bell, name, value):
    """Refused with the option's name and the mend; the job and the backend stay as they are."""
    of_backend = dict(backend.options)
    job = backend.run(bell)
    before = dict(job.options)
    message = f"option '{name}' of a job cannot be changed.*{name}={value!r}"
    with pytest.raises(FixedOptionError, match=message) as caught:
        setattr(job.options, name, value)
    assert isinstance(caught.value, InvalidInputError)
    assert (caught.value.option, caught.value.value) == (name, value)
    with pytest.raises(FixedOptionError):
        job.options[name] = value
    with pytest.raises(FixedOptionError):
        job.options.update_options(query_period_seconds=7, **{name: value})
    assert dict(job.options) == before
    setattr(job.options, name, before[name])  # no change
    assert dict(backend.options) == of_backend


def test_invalid(backend, bell):
    """Values are validated, and unknown options refused, as in all options."""
    options = backend.run(bell).options
    with pytest.raises(InvalidOptionError, match="query_period_seconds"):
        options.query_period_seconds = 0
    with pytest.raises(AttributeError, match="query_perio"):
        options.query_perio = 1.0


def test_copies(backend, bell):
    """A copy, also by pickle, is an ordinary set of options for another job."""
    options = backend.run(bell, shots=7).options
    for other in (copy.copy(options), copy.deepcopy(options), pickle.loads(pickle.dumps(options))):  # noqa: S301
        assert type(other) is AQTOptions
        assert other == options
        other.shots = 8
    assert options.shots == 7


def test_direct_access(machine, circuit):
    """Options of a machine's job are those of a machine."""
    options = machine.run(circuit).options
    assert isinstance(options, AQTDirectAccessOptions)
    assert type(copy.copy(options)) is AQTDirectAccessOptions
    with pytest.raises(FixedOptionError):
        options.shots += 1


def test_time_out(server, device, circuit):
    """It counts from the next call of ``result()`` on, and can be taken back."""
    server.hold()
    job = device.run(circuit)
    job.options.query_timeout_seconds = 0.05
    with pytest.raises(JobTimeoutError, match=r"within 0\.05 s"):
        job.result()
    job.options.query_timeout_seconds = None
    server.release()
    assert job.result().success


def test_period(server, device, circuit):
    """A shorter period counts from the next poll on: the job is not asked about only once."""
    server.hold()
    job = AQTJob(device, [circuit], AQTOptions(query_period_seconds=3600.0))
    job.options.query_period_seconds = 0.1
    polls = []
    decide = server.faults.decide

    def note(method: str, path: str):
        if "/result/" in path:
            polls.append(path)
        return decide(method, path)

    server.faults.decide = note
    job.submit()
    wait_until(lambda: len(polls) >= 3)
    server.release()
    assert job.result().success


def test_progress_bar(server, device, circuit, capfd, monkeypatch):
    """It can be turned on while the job runs."""
    monkeypatch.setattr(progress_bar, "BAR_DELAY_SECONDS", 0.0)
    server.hold()
    job = device.run([circuit] * 3)
    job.options.with_progress_bar = True
    timer = threading.Timer(0.1, server.release)
    timer.start()
    assert job.result().success
    timer.join()
    assert "3/3" in capfd.readouterr().err
