"""Ctrl-C while waiting, and programs without a terminal."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap

import pytest
from aqt_fast import AQTJob
from aqt_fast.primitives import AQTSampler
from markers import marker, markers
from waiting import wait_until


def advice(error: BaseException) -> str:
    """What the traceback of an interrupt shows."""
    return "\n".join([*map(str, error.args), *getattr(error, "__notes__", [])])


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C strikes as soon as somebody waits."""

    def strike(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("aqt_fast.jobs.execution.Execution.wait", strike)


WAITING = {
    "result": lambda job: job.result(),
    "wait_for_final_state": lambda job: job.wait_for_final_state(),
    "as_completed": lambda job: list(job.as_completed()),
}


@pytest.mark.parametrize("wait", WAITING.values(), ids=WAITING.keys())
@pytest.mark.usefixtures("interrupted")
class TestInterrupt:
    """The job is named, and how to go on."""

    def test_in_the_cloud(self, server, device, wait):
        """By the portal's id, with which another process restores it."""
        server.hold()
        job = device.run(marker("1"))
        job_id = job.job_id()
        with pytest.raises(KeyboardInterrupt) as caught:
            wait(job)
        assert advice(caught.value).startswith(f"job {job_id} goes on: result() waits again")
        assert f"AQTJob.restore('{job_id}')" in advice(caught.value)
        assert "persist()" not in advice(caught.value)
        job.cancel()

    def test_without_a_journal(self, server, device, wait):
        """It must be saved first."""
        server.hold()
        job = device.run(marker("1"), journal=False)
        job.job_id()
        with pytest.raises(KeyboardInterrupt) as caught:
            wait(job)
        assert "persist() saves it" in advice(caught.value)
        job.cancel()

    def test_offline(self, backend, wait):
        """It ends with the process."""
        job = backend.run(markers(range(300)), shots=1000)
        if not job.in_final_state():
            with pytest.raises(KeyboardInterrupt) as caught:
                wait(job)
            assert f"job {job.job_id()} goes on in this process" in advice(caught.value)
        job.cancel()


def test_a_task_that_is_cancelled(server, device):
    """As Ctrl-C does to the task that awaits a job."""
    server.hold()
    job = device.run(marker("1"))
    job_id = job.job_id()

    async def impatient() -> None:
        await asyncio.wait_for(asyncio.ensure_future(wrapped()), 0.01)

    async def wrapped():
        try:
            return await job
        except asyncio.CancelledError as error:
            told.append(advice(error))
            raise

    told: list[str] = []
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(impatient())
    assert f"AQTJob.restore('{job_id}')" in told[0]
    job.cancel()


def test_a_primitive(server, device, monkeypatch):
    """It is restored as what it is."""
    server.hold()
    job = AQTSampler(device).run([marker("1")])
    job_id = job.job.job_id()

    def strike(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("aqt_fast.jobs.execution.Execution.wait", strike)
        with pytest.raises(KeyboardInterrupt) as caught:
            job.result()
    told = advice(caught.value)
    assert told.startswith(f"job {job_id} goes on: result() waits again")
    assert told.endswith(f"AQTPrimitiveJob.restore('{job_id}') gets it in another process")
    server.release()
    assert job.result()[0].data.meas.get_counts() == {"1": 1024}


@pytest.mark.usefixtures("environment")
def test_the_advice_works(server, device):
    """Whoever follows it gets the result."""
    server.hold()
    job = device.run(markers(range(60)), shots=2)
    wait_until(lambda: len(server.jobs) == 2)
    words = job.job_id()
    server.release()
    assert AQTJob.restore(words).result().success


def test_no_error_stream(tmp_path):
    """A program without a terminal has none: no bar, and nothing else is written there."""
    script = """
        import sys
        sys.stderr = None
        from aqt_fast import AQTProvider
        from aqt_fast.testing import ArnicaServer
        from qiskit import QuantumCircuit
        circuit = QuantumCircuit(1)
        circuit.r(3.141592653589793, 0, 0)
        circuit.measure_all()
        with ArnicaServer(simulate=False) as server:
            provider = AQTProvider(server.token, portal_url=server.url, load_dotenv=False)
            for name in ("simulator_ideal", "offline_simulator_no_noise"):
                backend = provider.get_backend(name)
                job = backend.run(circuit, with_progress_bar=True, query_period_seconds=0.1)
                print(job.result().get_counts())
            server.hold()
            server.faults.next("stall", method="POST")
            provider.get_backend("simulator_ideal").run(circuit)
    """
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        env={"AQT_STORE_PATH": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.splitlines() == ["{'1': 100}"] * 2
    assert done.stderr == ""


def test_a_closed_error_stream(backend, monkeypatch, tmp_path):
    """Neither can a closed one be written."""
    with (tmp_path / "errors").open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
    assert backend.run(markers(range(30)), with_progress_bar=True).result().success
