"""No thread can be started: for a moment, for a while, or for ever. No work is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from aqt_fast.backends.offline.turns import Turns
from aqt_fast.exceptions import APIConnectionError
from aqt_fast.jobs import execution, remote
from aqt_fast.primitives import AQTEstimator
from clients import connect, device_of, machine_of
from markers import marker, markers
from qiskit.providers import JobStatus, JobTimeoutError
from qiskit.quantum_info import SparsePauliOp
from waiting import SECONDS

FOREVER = 10**9
OURS = tuple(
    f"aqt-fast {name}"
    for name in (
        "submissions", "portal", "request", "direct access", "simulation", "executor",
        "continuing", "waiting",
    )
)  # fmt: skip
"""Threads of the package; the server's, in the same process here, can start."""


@pytest.fixture
def refusing(monkeypatch) -> Iterator[Callable[..., None]]:
    """Makes the system refuse the next threads whose names begin so."""
    start = threading.Thread.start
    lock = threading.Lock()
    left = {"number": 0, "until": 0.0, "refused": 0}
    names = [""]

    def refuse(number: int, name: str = "aqt-fast", seconds: float = 0.0) -> None:
        names[0] = name
        left.update(number=number, until=time.monotonic() + seconds)

    def started(thread: threading.Thread) -> None:
        with lock:
            due = left["number"] > 0 or time.monotonic() < left["until"]
            if due and thread.name.startswith(names[0]) and thread.name.startswith(OURS):
                left["number"] -= 1
                left["refused"] += 1
                raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", started)
    refuse.left = left
    yield refuse
    refuse(0)


@contextmanager
def impatient(monkeypatch) -> Iterator[None]:
    """Errors come after half a second."""
    with monkeypatch.context() as patch:
        patch.setattr(execution, "PATIENCE_SECONDS", 0.5)
        patch.setattr(remote, "_PATIENCE_AT_END_SECONDS", 0.3)
        yield


NAMES = ["aqt-fast submissions", "aqt-fast portal", "aqt-fast request", "aqt-fast"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("number", "seconds"), [(1, 0), (2, 0), (7, 0), (0, 1.2)])
class TestForAWhile:
    """Everything goes on once there are threads; nothing is sent twice."""

    def test_cloud(self, server, portal, refusing, name, number, seconds):
        """A batch of several API jobs, and later jobs."""
        device = device_of(portal)
        refusing(number, name, seconds)
        jobs = [device.run(markers(range(60)), shots=2), device.run(marker("1"))]
        for job in jobs:
            assert job.result(timeout=SECONDS).success
        refusing(number, name, seconds)
        job = device.run(marker("1"))
        assert job.result(timeout=SECONDS).success
        assert len(server.jobs) == 4

    def test_cancelling(self, server, portal, refusing, name, number, seconds):
        """Requests are made all the same."""
        device = device_of(portal)
        server.hold()
        job = device.run(markers(range(120)), shots=2)
        job.api_job_id(2)
        refusing(number, name, seconds)
        assert job.cancel()
        job.wait_for_final_state(timeout=SECONDS)
        assert job.status() is JobStatus.CANCELLED
        assert {record.status for record in server.jobs} == {"cancelled"}

    def test_discovery(self, portal, refusing, name, number, seconds):
        """The portal is asked in this thread."""
        refusing(number, name, seconds)
        assert len(portal.backends()) > 3


@pytest.mark.parametrize(("number", "seconds"), [(1, 0), (7, 0), (0, 1.2)])
class TestOthers:
    """The other ways of running."""

    def test_machine(self, server, machine, refusing, number, seconds):
        """One circuit after the other."""
        refusing(number, seconds=seconds)
        for _ in range(2):
            assert machine.run(markers([1, 2])).result(timeout=SECONDS).success
        assert len(server.jobs) == 4

    def test_simulation(self, backend, refusing, monkeypatch, number, seconds):
        """In this process."""
        monkeypatch.setattr("aqt_fast.backends.offline.local.TURNS", Turns())
        refusing(number, seconds=seconds)
        for _ in range(2):
            assert backend.run(marker("1"), shots=3).result(timeout=SECONDS).success

    def test_executor(self, provider, refusing, number, seconds):
        """On the workers of an executor."""
        with ThreadPoolExecutor(1) as executor:
            executor.submit(int).result()
            backend = provider.get_backend("offline_simulator_no_noise")
            backend.set_options(with_progress_bar=False)
            refusing(number, seconds=seconds)
            for _ in range(2):
                job = backend.run(marker("1"), shots=3, executor=executor)
                assert job.result(timeout=SECONDS).success

    def test_continuation(self, server, device, refusing, number, seconds):
        """The second job of an estimator."""
        server.simulate = True
        refusing(number, seconds=seconds)
        circuit = marker("1").remove_final_measurements(inplace=False)
        job = AQTEstimator(device, options={"adaptive": True}).run(
            [(circuit, SparsePauliOp("Z"))], precision=0.05
        )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                assert len(job.result()) == 1
                break
            except APIConnectionError:
                assert time.monotonic() < deadline

    def test_awaiting(self, device, refusing, number, seconds):
        """With asyncio."""

        async def wait() -> bool:
            return (await device.run(marker("1"))).success

        refusing(number, seconds=seconds)
        assert asyncio.run(wait())


class TestForEver:
    """Errors say so; once there are threads, all goes on."""

    @pytest.mark.parametrize("name", ["aqt-fast submissions", "aqt-fast portal", "aqt-fast"])
    def test_cloud(self, server, device, refusing, monkeypatch, name):
        """The job is not lost, whether it was sent before or not."""
        refusing(FOREVER, name)
        job = device.run(marker("1"))
        with impatient(monkeypatch):
            for _ in range(2):
                with pytest.raises(APIConnectionError, match="no thread can be started"):
                    job.result(timeout=SECONDS)
            with pytest.raises(JobTimeoutError):
                job.result(timeout=0.1)
            assert not job.result(partial=True).success
        accepted = len(server.jobs)
        assert accepted == (name == "aqt-fast portal")
        refusing(0)
        assert job.result(timeout=SECONDS).success
        assert device.run(marker("1")).result(timeout=SECONDS).success
        assert len(server.jobs) == 2

    @pytest.mark.parametrize("name", ["aqt-fast submissions", "aqt-fast portal", "aqt-fast"])
    def test_closing(self, server, refusing, monkeypatch, name):
        """It ends, and what it says agrees with the server's record."""
        with impatient(monkeypatch), connect(server) as provider:
            device = device_of(provider)
            refusing(FOREVER, name)
            jobs = [device.run(marker("1")) for _ in range(3)]
        for job in jobs:
            assert job.status() is JobStatus.ERROR
            with pytest.raises(APIConnectionError, match="the provider is closed") as caught:
                job.result()
            sent = "with" in str(caught.value)
            assert sent == (job.label in {record.label for record in server.jobs})

    def test_another_goes_on(self, device, refusing):
        """Any thread of the package that runs starts it, though nobody waits."""
        refusing(3, "aqt-fast portal")
        job = device.run(marker("1"))
        deadline = time.monotonic() + SECONDS
        while job.status() is not JobStatus.DONE and time.monotonic() < deadline:
            time.sleep(0.01)
        assert job.status() is JobStatus.DONE
        assert refusing.left["refused"] == 3

    def test_machine(self, server, portal, refusing, monkeypatch):
        """Direct access, too."""
        machine = machine_of(portal, server, shots=3)
        refusing(FOREVER)
        job = machine.run(markers([1, 2]))
        with impatient(monkeypatch), pytest.raises(APIConnectionError, match="no thread"):
            job.result(timeout=SECONDS)
        refusing(0)
        assert job.result(timeout=SECONDS).success
        assert len(server.jobs) == 2

    def test_simulation(self, backend, refusing, monkeypatch):
        """And in this process."""
        monkeypatch.setattr("aqt_fast.backends.offline.local.TURNS", Turns())
        refusing(FOREVER)
        job = backend.run(marker("1"), shots=3)
        with impatient(monkeypatch), pytest.raises(APIConnectionError, match="no thread"):
            job.result(timeout=SECONDS)
        refusing(0)
        assert job.result(timeout=SECONDS).success


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
def test_a_limit_on_processes(server):
    """A real one: the system refuses threads until the limit is lifted."""
    script = """
        import os, resource, sys, threading
        from aqt_fast import AQTProvider
        from qiskit import QuantumCircuit
        url, token = sys.argv[1:]
        provider = AQTProvider(token, portal_url=url, load_dotenv=False)
        device = provider.get_backend("simulator_ideal")
        device.set_options(with_progress_bar=False, query_period_seconds=0.1)
        circuit = QuantumCircuit(1)
        circuit.measure_all()
        assert device.run(circuit, journal=False).result().success  # all is loaded
        provider.close()
        provider = AQTProvider(token, portal_url=url, load_dotenv=False)
        device = provider.get_backend("simulator_ideal")
        device.set_options(with_progress_bar=False, query_period_seconds=0.1, journal=False)
        if os.getuid() == 0:  # for whom there is no such limit
            os.setuid(65534)
        soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
        try:
            threading.Thread(target=int).start()
        except RuntimeError:
            limited = True
        else:
            limited = False
        jobs = [device.run(circuit) for _ in range(3)]
        if limited:
            assert not jobs[0].result(timeout=1, partial=True).success
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
        print([job.result(timeout=30).success for job in jobs], limited)
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", textwrap.dedent(script), server.url, server.token],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("[True, True, True]"), done.stderr
    assert len(server.jobs) == 4
    if done.stdout.endswith("False\n"):
        pytest.skip("there is no limit for this user")
