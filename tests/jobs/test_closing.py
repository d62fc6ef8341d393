"""Closing with submissions under way: in ten seconds, with what is uncertain named in full."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.execution import CloudExecution
from aqt_fast.exceptions import AQTError, SubmissionUncertainError
from aqt_fast.jobs import connection
from aqt_fast.jobs.connection import Connection, close_connections
from aqt_fast.jobs.dispatcher import Dispatcher
from clients import connect, device_of, machine_of
from markers import marker, markers
from qiskit.providers import JobStatus
from waiting import SECONDS, wait_until

STUCK = 40.0
"""How long the server keeps a submission waiting: longer than a test may take."""


@pytest.fixture
def stuck(server):
    """The server accepts each submission and does not answer."""
    server.faults.slow_seconds = STUCK
    server.faults.next("slow", 40, method="POST")
    return server


def in_time(close) -> None:
    """Close, and fail if that does not come to an end."""
    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    closing.join(SECONDS / 2)
    assert not closing.is_alive()


@pytest.mark.parametrize("number", [1, 8, 20])
@pytest.mark.parametrize("journal", [True, False])
def test_uncertain(stuck, monkeypatch, capfd, number, journal):
    """Typed errors with label, hash and both ways out, wherever somebody looks."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 1.0)
    provider = connect(stuck, read_timeout=2 * STUCK)
    device = device_of(provider)
    jobs = [device.run(marker("1"), label=f"job {at}", journal=journal) for at in range(number)]
    wait_until(lambda: len(stuck.jobs) == min(number, 8))
    in_time(provider.close)
    told = capfd.readouterr().err
    accepted = {record.label: record for record in stuck.jobs}
    for job in jobs:
        assert job.status() is JobStatus.ERROR
        if job.label not in accepted:
            assert "the job is not submitted" in job.error_message
            assert f"'{job.label}' was not submitted" in told
            continue
        with pytest.raises(SubmissionUncertainError) as caught:
            job.result()
        assert caught.value.label == job.label
        assert caught.value.payload_hash == accepted[job.label].sha256
        whole = str(caught.value)
        partial = job.result(partial=True)
        assert job.error_message == whole == partial.status
        assert partial.results[0].status == whole
        assert [line for line in told.splitlines() if whole in line]
        if journal:
            ways = f"AQTJob.restore('{job.batch_id}')"
            assert f"{ways}.adopt('{job.label}', ID)" in told
            assert f"{ways}.resubmit_failed(uncertain=True)" in told
    with connect(stuck) as other:
        for job in jobs if journal else ():
            again = other.restore(job.batch_id)
            if job.label not in accepted:
                assert again.status() is JobStatus.ERROR
                continue
            with pytest.raises(SubmissionUncertainError):
                again.result()
            assert again.resubmit_failed() == 0
            again.adopt(job.label, accepted[job.label].job_id)
            assert again.result(timeout=SECONDS).success
    assert len(stuck.jobs) == len(accepted)


def test_in_a_batch(stuck, monkeypatch, capfd):
    """Each API job is named."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 1.0)
    provider = connect(stuck, read_timeout=2 * STUCK)
    job = device_of(provider).run(markers(range(100)), shots=2)
    wait_until(lambda: len(stuck.jobs) == 2)
    in_time(provider.close)
    told = capfd.readouterr().err
    for record in stuck.jobs:
        assert record.label in told
        assert record.sha256 in told
        assert any(record.sha256 in entry.status for entry in job.result(partial=True).results)


def test_several_connections(stuck, monkeypatch):
    """One limit for all of them, and for machines, which nobody waits for."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 2.0)
    stuck.faults.next("slow", 4, method="PUT")
    providers = [connect(stuck, read_timeout=2 * STUCK) for _ in range(4)]
    devices = [device_of(provider) for provider in providers]
    machines = [machine_of(provider, stuck, shots=3) for provider in providers]
    jobs = [device.run(marker("1")) for device in devices]
    jobs += [machine.run(markers([1, 2])) for machine in machines]
    wait_until(lambda: len(stuck.jobs) >= 5)
    connections = [backend._connect() for backend in (*devices, *machines)]  # noqa: SLF001
    in_time(lambda: close_connections(connections))
    for job in jobs:
        assert job.in_final_state()
    for provider in providers:
        in_time(provider.close)


def test_the_end_of_a_program(stuck):
    """It takes no longer than promised, and says what is uncertain."""
    script = """
        import sys
        from aqt_fast import AQTProvider
        from aqt_fast.jobs.connection import Connection
        from qiskit import QuantumCircuit
        url, token = sys.argv[1:]
        Connection.SETTLING_SECONDS = 1.0
        circuit = QuantumCircuit(1)
        circuit.measure_all()
        for number in range(3):
            provider = AQTProvider(token, portal_url=url, load_dotenv=False)
            device = provider.get_backend("simulator_ideal")
            device.run([circuit] * 60, label=f"job {number}")
        sys.stdin.readline()
    """
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", textwrap.dedent(script), stuck.url, stuck.token],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        wait_until(lambda: len(stuck.jobs) == 6)
        _, told = process.communicate("\n", timeout=SECONDS)
    for record in stuck.jobs:
        assert record.sha256 in told
        assert f"adopt('{record.label}', ID)" in told
    assert process.returncode == 0
    assert "Traceback" not in told


STEPS = {
    "wait_submitted": (CloudExecution, "wait_submitted"),
    "unsent": (CloudExecution, "unsent"),
    "disconnect": (CloudConnection, "disconnect"),
    "abandon": (CloudExecution, "abandon"),
    "losses": (CloudExecution, "losses"),
    "say": (connection, "say"),
    "dispatcher": (Dispatcher, "close"),
}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError, SystemExit])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_is_raised(stuck, monkeypatch, step, kind):
    """All jobs end all the same, at the latest when it is closed again."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 1.0)
    provider = connect(stuck, read_timeout=2 * STUCK)
    device = device_of(provider)
    jobs = [device.run(marker("1")) for _ in range(12)]
    wait_until(lambda: len(stuck.jobs) == 8)
    place, name = STEPS[step]
    known = next(
        vars(base)[name] for base in getattr(place, "__mro__", [place]) if name in vars(base)
    )
    left = iter([True])

    def strike(*arguments):
        if next(left, False):
            raise kind
        return (known.fget if isinstance(known, property) else known)(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(place, name, property(strike) if isinstance(known, property) else strike)
        with pytest.raises(kind):
            provider.close()
    provider.close()
    labels = {record.label for record in stuck.jobs}
    for job in jobs:
        with pytest.raises(AQTError) as caught:
            job.result(timeout=SECONDS)
        assert ("not submitted" in str(caught.value)) != (job.label in labels)


def test_by_several_threads(stuck, monkeypatch, capfd):
    """What is lost is told once, and nobody returns before all jobs have ended."""
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 1.0)
    provider = connect(stuck, read_timeout=2 * STUCK)
    job = device_of(provider).run(marker("1"))
    wait_until(lambda: stuck.jobs)
    ended = []

    def close() -> None:
        provider.close()
        ended.append(job.in_final_state())

    threads = [threading.Thread(target=close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert ended == [True] * 4
    assert capfd.readouterr().err.count(stuck.jobs[0].sha256) == 1


def test_an_observer(server, monkeypatch):
    """One that is closed leaves the journal to others, also if its owner has just ended."""
    server.faults.slow_seconds = STUCK
    server.faults.next("slow", 40, method="POST")
    monkeypatch.setattr(Connection, "SETTLING_SECONDS", 1.0)
    script = """
        import os, sys
        from aqt_fast import AQTProvider
        from qiskit import QuantumCircuit
        url, token = sys.argv[1:]
        circuit = QuantumCircuit(1)
        circuit.measure_all()
        provider = AQTProvider(token, portal_url=url, load_dotenv=False)
        job = provider.get_backend("simulator_ideal").run([circuit] * 60, shots=3)
        print(job.batch_id, flush=True)
        sys.stdin.readline()
        os._exit(0)
    """
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", textwrap.dedent(script), server.url, server.token],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        batch_id = process.stdout.readline().strip()
        wait_until(lambda: len(server.jobs) == 2)
        observer = connect(server)
        job = observer.restore(batch_id)
        job.options.query_period_seconds = 100.0
        process.communicate("\n")
    observer.close()
    assert job.in_final_state()
    with connect(server) as other:
        again = other.restore(batch_id)
        assert again.in_final_state()
        with pytest.raises(AQTError, match="uncertain"):
            again.result()
