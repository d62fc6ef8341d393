"""A provider made before a fork works after it; its jobs belong to the process that made them."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from aqt_fast import AQTJob, compile, execute  # noqa: A004
from aqt_fast.api_client import PortalClient
from aqt_fast.exceptions import APIConnectionError, OtherProcessError
from clients import device_of, machine_of
from forking import begin_fork, end_fork, in_fork
from markers import marker
from qiskit.circuit.random import random_circuit
from qiskit.providers import JobStatus
from waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


def counts_of(backend, pattern, **options):
    """The counts of a marker."""
    return backend.run(marker(pattern), **options).result().get_counts()


def open_to(port):
    """The number of this process's connections to a port."""
    return sum(peer_port(int(entry.name)) == port for entry in Path("/proc/self/fd").iterdir())


def peer_port(descriptor):
    """The port that a descriptor is connected to; None if it is no connection."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            return copy.getpeername()[1]
    except (OSError, IndexError, TypeError):
        return None


class TestBackends:
    """What was made before the fork works in both processes."""

    def test_portal(self, server, portal, device):
        """Provider and backend of the cloud; the parent's connection is not used."""
        assert counts_of(device, "10") == {"10": 100}

        def child():
            assert open_to(server.port) == 0
            assert [backend.name for backend in portal.backends("ibex")] == ["ibex"]
            return counts_of(device, "01"), open_to(server.port) > 0

        assert open_to(server.port) > 0
        assert in_fork(child) == ({"01": 100}, True)
        assert open_to(server.port) > 0
        assert counts_of(device, "11") == {"11": 100}
        assert len(server.jobs) == 3

    def test_grandchild(self, server, device):
        """A fork of a fork."""
        assert in_fork(lambda: in_fork(lambda: counts_of(device, "01"))) == {"01": 100}
        assert len(server.jobs) == 1

    def test_machine(self, machine):
        """Direct access."""
        assert counts_of(machine, "10") == {"10": 5}
        assert in_fork(lambda: counts_of(machine, "01")) == {"01": 5}
        assert counts_of(machine, "11") == {"11": 5}

    @pytest.mark.parametrize("before", [True, False], ids=["simulated before", "not before"])
    def test_offline(self, provider, bell, before):
        """The outcomes in the child are the parent's, noise and order of shots included."""
        backend = provider.get_backend("offline_simulator_noise", available_qubits=4)
        backend.set_options(with_progress_bar=False, memory=True, seed_simulator=5)
        if before:
            backend.run(bell).result()
        memory = in_fork(lambda: backend.run(bell).result().get_memory())
        assert memory == backend.run(bell).result().get_memory()

    @pytest.mark.parametrize("level", [0, 1, 2, 3])
    def test_transpiling(self, backend, level):
        """Qiskit's own threads, which the parent has used, are not waited for."""
        circuits = [random_circuit(12, 12, seed=seed, measure=True) for seed in range(2)]

        def run():
            job = execute(circuits, backend, optimization_level=level, seed_simulator=1)
            return job.result().get_counts(), compile(circuits[0], backend).count_ops()

        assert run() == in_fork(run)

    def test_a_closed_provider_stays_closed(self, portal, device):
        """A fork does not open it again."""
        portal.close()

        def child():
            with pytest.raises(APIConnectionError, match="the provider is closed"):
                device.run(marker("1"))

        in_fork(child)

    def test_closing_in_the_child(self, server, portal, device):
        """It closes the child's connections alone."""
        server.hold()
        job = device.run(marker("1"))
        job.job_id()

        def child():
            assert device.run(marker("0")).job_id()
            portal.close()

        in_fork(child)
        server.release()
        assert job.result().get_counts() == {"1": 100}
        assert counts_of(device, "01") == {"01": 100}

    def test_client(self, server):
        """The client that providers use."""
        client = PortalClient(server.token, portal_url=server.url)
        names = [resource.resource_id for resource in client.list_resources()]
        assert in_fork(lambda: [item.resource_id for item in client.list_resources()]) == names
        client.close()


class TestJobs:
    """A job belongs to the process that runs it."""

    @pytest.fixture
    def running(self, server, device):
        """A job of the parent that the portal has not finished."""
        server.hold()
        job = device.run(marker("1"))
        job.job_id()
        yield job
        server.release()
        assert job.result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    def test_running(self, running):
        """Everything but its name is refused, with the process and what to do."""

        def child():
            told = []
            for call in (
                running.result, running.status, running.progress, running.cancel,
                running.queue_info, running.metrics,
            ):  # fmt: skip
                with pytest.raises(OtherProcessError, match="not in this one") as error:
                    call()
                assert isinstance(error.value, RuntimeError)
                told.append(str(error.value))
                assert error.value.process == os.getppid()
            assert f"in process {os.getppid()}" in repr(running)
            assert running.job_id()
            with pytest.raises(RuntimeError):
                running.persist()
            return set(told)

        (told,) = in_fork(child)
        assert "AQTJob.restore(" in told

    @pytest.mark.usefixtures("environment")
    def test_following_it(self, server, running):
        """What the message advises works."""
        job_id = running.job_id()
        child = begin_fork(lambda: AQTJob.restore(job_id).result().get_counts())
        server.release()
        assert end_fork(*child) == {"1": 100}

    def test_running_offline(self, backend):
        """A simulation of the parent."""
        job = backend.run([marker(number) for number in range(300)], shots=3)

        def child():
            with pytest.raises(OtherProcessError, match="run its circuits here"):
                job.result()

        in_fork(child)
        assert job.result().success

    @pytest.mark.parametrize("kind", ["device", "machine", "backend"])
    def test_ended(self, request, kind):
        """What has ended before the fork can be read in the child."""
        backend = request.getfixturevalue(kind)
        job = backend.run([marker("10"), marker("01")])
        job.wait_for_final_state()

        def child():
            assert job.status() is JobStatus.DONE
            assert job.progress() == (2, 2)
            assert [part.circuits for part in job.as_completed()]
            return job.result().get_counts()

        assert in_fork(child) == job.result().get_counts()

    def test_not_submitted(self, backend):
        """A job that was only made can be submitted in the child."""
        job = AQTJob(backend, [marker("1")], backend.options)

        def child():
            job.submit()
            return job.result().get_counts()

        assert in_fork(child) == {"1": 100}
        assert job.status() is JobStatus.INITIALIZING

    def test_journal(self, server, portal, device):
        """The parent keeps the lock of its journal as long as it works on the job, no longer."""
        server.hold()
        job = device.run(marker("1"))
        job.job_id()
        (stored,) = portal.jobs()
        end = os.pipe()
        child = begin_fork(lambda: os.read(end[0], 1))
        assert in_fork(lambda: portal.jobs()[0].active)
        assert portal.jobs()[0].active
        server.release()
        assert job.result().success
        wait_until(lambda: not portal.jobs()[0].active)
        stored.remove()
        os.write(end[1], b"x")
        assert end_fork(*child) == b"x"
        for descriptor in end:
            os.close(descriptor)


class TestWorkers:
    """Processes that ``multiprocessing`` forks."""

    def test_the_end_of_a_worker(self, server, device):
        """A worker that ends at once has submitted its job."""
        context = multiprocessing.get_context("fork")
        worker = context.Process(target=device.run, args=(marker("1"),))
        worker.start()
        worker.join(60)
        assert worker.exitcode == 0
        assert len(server.jobs) == 1

    def test_the_end_of_a_fork(self, server):
        """The end of a child leaves its parent's jobs alone, and says nothing."""
        server.hold()
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", PROGRAM, server.url, server.token],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as program:  # fmt: skip
            assert program.stdout.readline() == "the child has ended with 0\n"
            server.release()
            assert program.communicate(timeout=60) == ("{'0': 100}\n", "")
        assert len(server.jobs) == 1


PROGRAM = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit

backend = AQTProvider(sys.argv[2], portal_url=sys.argv[1]).get_backend("simulator_ideal")
circuit = QuantumCircuit(1)
circuit.measure_all()
job = backend.run(circuit, query_period_seconds=0.1, with_progress_bar=False)
job.job_id()
child = os.fork()
if not child:
    sys.exit()
_, status = os.waitpid(child, 0)
print("the child has ended with", os.waitstatus_to_exitcode(status), flush=True)
print(job.result().get_counts())
"""


def test_forks_during_traffic(server, portal):
    """No child waits for a lock that a thread of the parent held."""
    device = device_of(portal)
    machine = machine_of(portal, server, shots=1)
    ended = threading.Event()
    failures = []

    def work():
        while not ended.is_set():
            jobs = [device.run(marker("1")), machine.run(marker("1"))]
            failures.extend(job.error_message for job in jobs if not job.result().success)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            assert in_fork(lambda: counts_of(device, "01")) == {"01": 100}
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failures == []
