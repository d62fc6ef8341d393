"""The store: private, atomic, strict about what it reads."""

import os
import stat
import uuid

import orjson
import pytest
from aqt_fast.exceptions import AQTError, DamagedJobError
from aqt_fast.persistence import JobNotFoundError, JobStore, SavedJob, get_store_path
from qiskit import QuantumCircuit


@pytest.fixture
def job() -> SavedJob:
    """A job with two circuits."""
    circuit = QuantumCircuit(2, 2, metadata={"angle": 0.5}, name="mine")
    circuit.rxx(0.5, 0, 1)
    circuit.measure([0, 1], [1, 0])
    return SavedJob(
        job_id=str(uuid.uuid4()),
        backend_name="offline_simulator_noise",
        available_qubits=7,
        backend_settings={"noise_model": "standard", "options": {}},
        options={"shots": 10, "query_timeout_seconds": None},
        circuits=[circuit, circuit],
    )


def test_round_trip(job, tmp_path):
    """Everything comes back."""
    store = JobStore(tmp_path / "a" / "b")
    path = store.save(job)
    assert path == tmp_path / "a" / "b" / f"{job.job_id}.json"
    assert store.load(job.job_id) == job
    assert store.load(job.job_id).circuits[0].metadata == {"angle": 0.5}
    assert store.load(job.job_id.upper()) == job
    store.remove(job.job_id)
    store.remove(job.job_id)
    with pytest.raises(JobNotFoundError):
        store.load(job.job_id)


def test_private(job, tmp_path):
    """Nobody else can read what is saved."""
    path = JobStore(tmp_path / "jobs").save(job)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_default_place(monkeypatch, tmp_path):
    """A directory of the platform, whatever the version."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert get_store_path() == JobStore().path
    assert get_store_path("x").name == "x"
    if os.name == "posix" and not str(get_store_path()).startswith("/Users"):
        assert get_store_path() == tmp_path / "aqt-fast" / "jobs"


@pytest.mark.parametrize("job_id", ["", "x", "../../etc/passwd", "a" * 5000, None, 7, b"x", "\0"])
def test_an_id_is_no_path(job_id, tmp_path):
    """Only a UUID can name a file."""
    with pytest.raises(JobNotFoundError) as caught:
        JobStore(tmp_path).load(job_id)
    assert isinstance(caught.value, AQTError)
    assert caught.value.store_path == tmp_path


def test_a_failed_save_leaves_the_older_one(job, tmp_path, monkeypatch):
    """And no temporary file."""
    store = JobStore(tmp_path)
    store.save(job)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(job)
    assert store.load(job.job_id) == job
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"", "empty document"),
        (lambda text: text[: len(text) // 2], "byte|string|end"),
        (lambda _: b"[1, 2]", "no saved job"),
        (lambda _: b'{"format": "1"}', "no saved job"),
        (lambda text: text.replace(b'"format":1', b'"format":2'), "newer aqt-fast"),
        (lambda text: text.replace(b'"format":1', b'"format":true'), "no saved job"),
        (lambda text: text.replace(b'"shots":10', b'"shots":11'), "checksum"),
        (lambda text: text.replace(b'"circuits":"e', b'"circuits":"f'), "checksum"),
        (lambda text: text.replace(b'"sha256"', b'"sha"'), "checksum"),
    ],
)
def test_damage(job, tmp_path, damage, reason):
    """The error says which file and why, and the file is left alone."""
    store = JobStore(tmp_path)
    path = store.save(job)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(DamagedJobError, match=reason) as caught:
        store.load(job.job_id)
    assert caught.value.path == path
    assert path.read_bytes() == damaged


def test_unknown_keys_are_ignored(job, tmp_path):
    """A later version may add some outside of what the checksum covers."""
    store = JobStore(tmp_path)
    path = store.save(job)
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "note": "later"}))
    assert store.load(job.job_id) == job


def test_unreadable_circuits(job, tmp_path, monkeypatch):
    """A store that holds circuits of a newer Qiskit says so."""
    from aqt_fast import persistence
    from qiskit.qpy import QpyError

    path = JobStore(tmp_path).save(job)

    def too_new(_file: object) -> None:
        raise QpyError("QPY version 99")

    monkeypatch.setattr(persistence.qpy, "load", too_new)
    with pytest.raises(DamagedJobError, match="QPY version 99"):
        JobStore(tmp_path).load(job.job_id)
    assert path.exists()
