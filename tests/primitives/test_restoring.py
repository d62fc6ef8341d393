"""Jobs of primitives, restored by their identifiers: here, in another process, after a kill."""

import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import orjson
import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import (
    DamagedJobError,
    InvalidOptionError,
    JobNotFoundError,
    UnsavableJobError,
)
from aqt_fast.primitives import AQTPrimitiveJob, AQTSampler
from aqt_fast.store.named_files import packed, unpacked
from markers import marker
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter, Qubit
from store.samples import files_in
from waiting import wait_until


def shared() -> QuantumCircuit:
    """Two registers with a bit in common, a loose bit, and metadata that JSON cannot express."""
    bits = [Clbit() for _ in range(4)]
    circuit = QuantumCircuit([Qubit() for _ in range(4)], bits, metadata={"a": 1, "b": object()})
    circuit.add_register(ClassicalRegister(name="first", bits=bits[:2]))
    circuit.add_register(ClassicalRegister(name="second", bits=[bits[2], bits[1]]))
    circuit.x([1, 3])
    circuit.measure(range(4), range(4))
    return circuit


def flipped() -> QuantumCircuit:
    """A parameter, one register."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "c"))
    circuit.rx(Parameter("θ"), 0)
    circuit.measure([0, 1], [0, 1])
    return circuit


PUBS = [(shared(), None, 5), (flipped(), [[0.0], [np.pi]], 3), QuantumCircuit(1, 9)]


def check(result) -> None:
    """Check that a result is that of ``PUBS``, with 7 shots where they have none."""
    first, second, third = result
    assert first.data.first.get_counts() == {"10": 5}
    assert first.data.second.get_counts() == {"10": 5}
    assert first.metadata["shots"] == 5
    assert first.metadata["circuit_metadata"]["a"] == 1
    assert second.data.c.shape == (2,)
    assert [second.data.c.get_counts(index) for index in (0, 1)] == [{"00": 3}, {"01": 3}]
    assert third.data.c.get_counts() == {"0" * 9: 7}


@pytest.mark.usefixtures("environment")
@pytest.mark.filterwarnings("ignore:PUB 2 measures nothing")
def test_on_a_device(server, device):
    """By its own identifier and by the portal's, running or not; AQTJob restores counts."""
    server.hold()
    job = AQTSampler(device).run(PUBS, shots=7)
    name = job.job.job_id()
    running = [AQTPrimitiveJob.restore(known) for known in (job.job_id(), name)]
    assert not any(item.done() for item in running)
    server.release()
    for item in (job, *running, AQTPrimitiveJob.restore(name)):
        assert item.job_id() == job.job_id()
        check(item.result())
    assert "b" not in running[0].result()[0].metadata["circuit_metadata"]
    counts = AQTJob.restore(name).result().get_counts()
    assert [sum(each.values()) for each in counts] == [5, 3, 3]
    assert len(server.jobs) == 1


@pytest.mark.usefixtures("environment")
def test_a_copy(device, tmp_path):
    """What ``persist()`` saves elsewhere has all of it, once."""
    job = AQTSampler(device).run(PUBS[:2])
    path = job.persist(store_path=tmp_path)
    assert path == tmp_path / job.job_id()
    for known in (job.job_id(), job.job.job_id()):
        other = AQTPrimitiveJob.restore(known, store_path=tmp_path, remove_from_store=False)
        check([*other.result(), job_of_nothing(device)])
    AQTPrimitiveJob.restore(job.job_id(), store_path=tmp_path)
    with pytest.raises(JobNotFoundError):
        AQTPrimitiveJob.restore(job.job_id(), store_path=tmp_path)


def job_of_nothing(device):
    """The result of the last of ``PUBS``."""
    with pytest.warns(UserWarning, match="measures nothing"):
        return AQTSampler(device).run(PUBS[2:], shots=7).result()[0]


@pytest.mark.usefixtures("environment")
@pytest.mark.filterwarnings("ignore:PUB 2 measures nothing")
def test_offline(backend, tmp_path):
    """It runs again; then it can be saved again."""
    job = AQTSampler(backend).run(PUBS, shots=7)
    job.persist(store_path=tmp_path)
    other = AQTPrimitiveJob.restore(job.job_id(), store_path=tmp_path)
    assert other.job_id() != job.job_id()
    check(other.result())
    other.persist(store_path=tmp_path)
    check(AQTPrimitiveJob.restore(other.job_id(), store_path=tmp_path).result())
    assert files_in(tmp_path) == []


def test_nothing_to_save(backend, tmp_path):
    """A job without circuits."""
    with pytest.raises(UnsavableJobError, match="no circuits"):
        AQTSampler(backend).run([]).persist(store_path=tmp_path)


@pytest.mark.usefixtures("environment")
def test_no_primitive(device, backend, tmp_path):
    """A job of the backend's ``run`` is none, and stays where it is."""
    for resource in (device, backend):
        job = resource.run(marker(1))
        job.result()
        job.persist(store_path=tmp_path)
        known = max(files_in(tmp_path), key=lambda path: path.stat().st_mtime_ns).name
        with pytest.raises(InvalidOptionError, match="sampler"):
            AQTPrimitiveJob.restore(known, store_path=tmp_path)
        assert AQTJob.restore(known, store_path=tmp_path).result().success


@pytest.mark.usefixtures("environment")
def test_unknown(tmp_path):
    """No job has this identifier."""
    with pytest.raises(JobNotFoundError):
        AQTPrimitiveJob.restore("0" * 32, store_path=tmp_path)


def documents(file: Path):
    """Yield contents that a damaged or foreign file may have."""
    good = file.read_bytes()
    yield good[:-1]
    yield b""
    yield zlib.compress(b"{}")
    plain = orjson.loads(unpacked(good, file.parent.name, file.name).content)
    for change in (
        {"sha256": "0"},
        {"format": 2},
        {"evaluation": []},
    ):
        yield compressed(file, {**plain, **change})
    from aqt_fast.store.checksummed_json import pack

    content = plain["evaluation"]
    for wrong in (
        [],
        {},
        {**content, "kind": "thermometer"},
        {**content, "kind": 3},
        {"kind": "sampler"},
        {**content, "pubs": content["pubs"][1:]},
        {**content, "pubs": [[9, *item[1:]] for item in content["pubs"]]},
        {**content, "pubs": [[item[0], [-1], *item[2:]] for item in content["pubs"]]},
        {**content, "pubs": [[*item[:2], 0, *item[3:]] for item in content["pubs"]]},
        {**content, "pubs": [[*item[:4], 1] for item in content["pubs"]]},
        {**content, "pubs": [item[:2] for item in content["pubs"]]},
        {**content, "layouts": [[["a", ["0"]]] for _ in content["layouts"]]},
        {**content, "layouts": [[[3, [0]]] for _ in content["layouts"]]},
    ):
        yield compressed(file, orjson.loads(pack("evaluation", wrong, 1)))


def compressed(file: Path, content) -> bytes:
    """Write a file."""
    return packed(orjson.dumps(content), file.parent.name, file.name)


@pytest.mark.usefixtures("environment")
def test_damage(device):
    """The file is named, and stays; the counts are there in any case."""
    job = AQTSampler(device).run(PUBS[:2])
    job.result()
    file = device.store_path / job.job_id() / "evaluation.zst"
    good = file.read_bytes()
    for content in documents(file):
        file.write_bytes(content)
        with pytest.raises(DamagedJobError, match=job.job_id()):
            AQTPrimitiveJob.restore(job.job_id())
        assert file.read_bytes() == content
        assert AQTJob.restore(job.job_id()).result().success
    file.write_bytes(good)
    assert len(AQTPrimitiveJob.restore(job.job_id()).result()) == 2


@pytest.mark.usefixtures("environment")
def test_journal_that_cannot_be_written(device, monkeypatch):
    """The result is there, with a warning; the job can be restored with counts only."""
    from aqt_fast.store.job_directory import JobDirectory
    from aqt_fast.store.journal import JournalWarning

    def full(*_args, **_kwargs) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(JobDirectory, "add_evaluation", full)
    job = AQTSampler(device).run([marker(1)])
    with pytest.warns(JournalWarning, match="the disk is full"):
        job.result()
    with pytest.raises(InvalidOptionError):
        AQTPrimitiveJob.restore(job.job_id())


SCRIPT = """
import sys
from qiskit import QuantumCircuit
from aqt_fast import AQTProvider
from aqt_fast.primitives import AQTSampler
circuit = QuantumCircuit(2)
circuit.x(1)
circuit.measure_all()
backend = AQTProvider().get_backend("simulator_noise")
job = AQTSampler(backend).run([(circuit, None, 7), (circuit, None, 2)] * 60)
print(job.job_id(), flush=True)
job.result()
print("unreached", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is missing")
@pytest.mark.usefixtures("environment")
def test_after_a_kill(server, device):
    """Whatever was sent has its result in another process."""
    server.hold()
    script = SCRIPT.replace("simulator_noise", device.name)
    program = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    try:
        job_id = program.stdout.readline().strip()
        wait_until(lambda: len(server.jobs) == 3)
        other = AQTPrimitiveJob.restore(job_id)
        wait_until(lambda: all(other.job.api_job_id(index) for index in range(3)))
    finally:
        program.send_signal(signal.SIGKILL)
        rest, _ = program.communicate()
    assert rest == ""
    server.release()
    again = AQTPrimitiveJob.restore(job_id)
    for job in (other, again):
        result = job.result()
        assert [item.metadata["shots"] for item in result] == [7, 2] * 60
        assert all(set(item.data.meas.get_counts()) == {"10"} for item in result)
    assert len(server.jobs) == 3
