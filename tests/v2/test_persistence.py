"""Saved jobs of the 2.x face: its format, its store, and what is restored from them."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.exceptions import (
    AQTJobBackendMismatchError,
    AQTJobCorruptError,
    AQTJobIncompatibleError,
    AQTJobNotFoundError,
    AQTJobPersistenceError,
    AQTValueError,
)
from aqt_fast.v2.persistence import (
    FileJobStore,
    JobSnapshot,
    JobStore,
    decode_job,
    delete_job,
    encode_job,
    persist_job,
    restore_job,
)
from markers import marker, marker_counts, markers
from qiskit import AncillaRegister, ClassicalRegister, QuantumCircuit, qpy

GOLDEN = Path(__file__).parents[1] / "golden"
"""What ``qiskit-aqt-provider`` 2.0.1 has saved, with Qiskit 2.4.1."""
GOLDEN_ID = b"00000000-0000-4000-8000-000000000001"


def snapshot(**changes) -> JobSnapshot:
    """A job of one circuit."""
    facts = {
        "job_id": uuid4(),
        "backend_kind": "cloud",
        "backend_name": "ibex",
        "shots": 7,
        "memory": True,
        "circuits": [marker("10")],
        **changes,
    }
    return JobSnapshot(**facts)


@pytest.mark.parametrize("journal", [True, False])
@pytest.mark.parametrize("shots", [[3, 4], [3, 4001]])
def test_different_shots(resource, store, journal, shots):
    """Saved in a format that 2.0.1 refuses, under the identifier that the job has."""
    job = resource.run(markers([1, 2]), shots=shots, memory=True, journal=journal)
    expected = job.result()
    job.persist(store=store)
    line = json.loads(store.load(job.job_id()).partition(b"\n")[0])
    assert (line["format_version"], line["shots"]) == ("aqt-fast 2", shots)
    again = resource.restore_job(job.job_id(), store=store)
    assert again.result().to_dict() == expected.to_dict()
    assert [entry.shots for entry in again.result().results] == shots
    for wrong in ([], [3], [3, 0], 3, "34"):
        damaged = json.dumps({**line, "shots": wrong}).encode()
        payload = damaged + b"\n" + store.load(job.job_id()).partition(b"\n")[2]
        with pytest.raises(AQTJobCorruptError):
            decode_job(payload)


class MemoryStore:
    """A store of a user's own."""

    def __init__(self):
        self.jobs = {}

    def save(self, job_id, payload):
        """Keep it."""
        self.jobs[job_id] = payload

    def load(self, job_id):
        """Give it back."""
        return self.jobs[job_id]

    def delete(self, job_id):
        """Forget it."""
        self.jobs.pop(job_id, None)


class TestFormat:
    """Bytes that 2.0.1 writes and reads."""

    def test_round_trip(self):
        """Everything comes back."""
        saved = snapshot()
        assert decode_job(encode_job(saved)) == saved

    def test_as_the_peer_reads_it(self):
        """One line of JSON with its seven facts, then QPY."""
        saved = snapshot()
        line, archive = encode_job(saved).split(b"\n", maxsplit=1)
        assert json.loads(line) == {
            "format_version": 1,
            "job_id": str(saved.job_id),
            "backend_kind": "cloud",
            "backend_name": "ibex",
            "shots": 7,
            "memory": True,
            "circuit_count": 1,
        }
        assert qpy.load(io.BytesIO(archive)) == saved.circuits

    def test_for_older_qiskits(self):
        """The version of QPY that Qiskit 2.4 writes, whatever Qiskit is installed."""
        _, archive = encode_job(snapshot()).split(b"\n", maxsplit=1)
        assert archive[:7] == b"QISKIT\x11"

    def test_ancillas(self):
        """They come back as ancillas, where Qiskit can write that."""
        circuit = QuantumCircuit(AncillaRegister(1, "aside"), ClassicalRegister(1))
        circuit.measure(0, 0)
        (found,) = decode_job(encode_job(snapshot(circuits=[circuit]))).circuits
        assert len(found.ancillas) == (1 if qpy.QPY_VERSION > 17 else 0)
        assert found.qregs[0].name == "aside"

    def test_what_the_peer_wrote(self):
        """A file of 2.0.1."""
        found = decode_job((GOLDEN / "peer-2.0.1-cloud.aqt-job").read_bytes())
        assert found.job_id == UUID(GOLDEN_ID.decode())
        assert (found.backend_kind, found.backend_name) == ("cloud", "simulator_ideal")
        assert (found.shots, found.memory) == (7, True)
        assert [circuit.name for circuit in found.circuits] == ["first", "second"]
        assert found.circuits[0].metadata == {"of": "first"}

    def test_no_circuits(self):
        """A job without circuits is not written."""
        with pytest.raises(AQTValueError, match="at least one circuit"):
            encode_job(snapshot(circuits=[]))

    @pytest.mark.parametrize(
        "change",
        [
            {"job_id": "mine"},
            {"job_id": None},
            {"backend_kind": "elsewhere"},
            {"backend_name": 5},
            {"shots": 0},
            {"shots": True},
            {"shots": "7"},
            {"memory": 1},
            {"circuit_count": 2},
            {"circuit_count": None},
        ],
    )
    def test_damaged_facts(self, change):
        """A fact of another type or range."""
        line, archive = encode_job(snapshot()).split(b"\n", maxsplit=1)
        damaged = json.dumps(json.loads(line) | change).encode() + b"\n" + archive
        with pytest.raises(AQTJobCorruptError):
            decode_job(damaged)

    @pytest.mark.parametrize("size", [0, 5, 100, -1, -20])
    def test_cut_off(self, size):
        """Only a part of the file is there."""
        with pytest.raises(AQTJobCorruptError):
            decode_job(encode_job(snapshot())[:size])

    @pytest.mark.parametrize("text", [b"no JSON", b"[]\n", b"1\n", b"\xff\xfe\n"])
    def test_another_file(self, text):
        """It is no saved job."""
        with pytest.raises(AQTJobCorruptError):
            decode_job(text)

    @pytest.mark.parametrize("version", [2, 0, "1", None])
    def test_newer_version(self, version):
        """Another version's format is named."""
        with pytest.raises(AQTJobIncompatibleError, match=repr(version)):
            decode_job(json.dumps({"format_version": version}).encode() + b"\n")


class TestStore:
    """A directory with one file for each job."""

    def test_protocol(self, store):
        """Anything with the three methods is a store."""
        assert isinstance(store, JobStore)
        assert isinstance(MemoryStore(), JobStore)
        assert not isinstance({}, JobStore)

    def test_round_trip(self, store):
        """Saved, replaced, loaded and deleted, readable by the owner only."""
        store.save("one", b"first")
        store.save("one", b"second")
        assert store.load("one") == b"second"
        (file,) = store.root.iterdir()
        assert file.name == "one.aqt-job"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(store.root.stat().st_mode) == 0o700
        for _ in range(2):
            store.delete("one")
        with pytest.raises(AQTJobNotFoundError, match="'one'") as caught:
            store.load("one")
        assert isinstance(caught.value, LookupError)

    def test_default_directory(self, tmp_path, monkeypatch):
        """It is the one of 2.0.1: jobs that were saved with it are found."""
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert FileJobStore().root == tmp_path / "qiskit_aqt_provider" / "jobs"
        assert FileJobStore(str(tmp_path)) == FileJobStore(tmp_path)

    @pytest.mark.parametrize("job_id", ["", ".", "..", "a/b", "../a", "a\\b", "a\0b", None, 5])
    def test_no_file_name(self, store, job_id):
        """An identifier never leads out of the directory."""
        for call in (store.load, store.delete, lambda name: store.save(name, b"")):
            with pytest.raises(AQTJobPersistenceError, match="no job's identifier"):
                call(job_id)

    def test_unwritable(self, tmp_path):
        """A directory that cannot be made is named."""
        (tmp_path / "file").write_text("")
        store = FileJobStore(tmp_path / "file" / "jobs")
        with pytest.raises(AQTJobPersistenceError, match="file"):
            store.save("one", b"")

    def test_functions(self):
        """Save, load and delete through the functions of the module."""
        store, saved = MemoryStore(), snapshot()
        persist_job(saved, store)
        name = str(saved.job_id)
        assert restore_job(name, store=store, backend_kind="cloud", backend_name="ibex") == saved
        with pytest.raises(AQTJobBackendMismatchError, match=r"'ibex'.*'pine'"):
            restore_job(name, store=store, backend_kind="cloud", backend_name="pine")
        with pytest.raises(AQTJobBackendMismatchError):
            restore_job(name, store=store, backend_kind="direct", backend_name="ibex")
        delete_job(name, store)
        assert not store.jobs

    def test_another_job(self):
        """What is saved under an identifier must have it."""
        store, saved = MemoryStore(), snapshot()
        store.save(str(uuid4()), encode_job(saved))
        (name,) = store.jobs
        with pytest.raises(AQTJobCorruptError, match=str(saved.job_id)):
            restore_job(name, store=store, backend_kind="cloud", backend_name="ibex")
        store.save("mine", encode_job(saved))
        with pytest.raises(AQTJobPersistenceError, match="'mine'"):
            restore_job("mine", store=store, backend_kind="cloud", backend_name="ibex")


@pytest.fixture(params=["journal", "elsewhere"])
def place(request, monkeypatch, tmp_path):
    """Moves to another computer before restoring, or stays on this one with its journals."""

    def move() -> None:
        if request.param == "elsewhere":
            monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "other computer"))

    return move


class TestCloud:
    """Jobs in the cloud."""

    def test_restored(self, server, config, resource, store, place):
        """Another process gets the result, without sending anything again."""
        server.hold()
        job = resource.run(markers([1, 2]), shots=3, memory=True)
        assert job.persist(store=store) is None
        place()
        with AQTProvider() as provider:
            workspace = provider.cloud(config).fetch_workspaces()[0]
            again = workspace.get_backend("simulator_ideal")
            again.set_options(query_period_seconds=0.1)
            restored = again.restore_job(job.job_id(), store=store)
            assert restored.job_id() == job.job_id()
            server.release()
            result = restored.result(timeout=60)
        assert result.get_counts() == marker_counts([1, 2], 3)
        assert result.get_memory(1) == ["0000000010"] * 3
        assert result.job_id == job.job_id()
        assert len(server.jobs) == 1
        assert [path.stem for path in store.root.iterdir()] == [job.job_id()]

    def test_restored_with_another_label(self, resource, store, place):
        """The portal's answers have the label of the program that has sent the job."""
        job = resource.run(marker("1"), label="of mine")
        job.persist(store=store)
        place()
        assert resource.restore_job(job.job_id(), store=store).result().success

    def test_several_api_jobs(self, server, resource, store, place):
        """A larger job is restored as one, too, with another format."""
        server.hold()
        job = resource.run(markers(range(51)), shots=2001)
        job.persist(store=store)
        place()
        restored = resource.restore_job(job.job_id(), store=store)
        server.release()
        assert restored.job_id() == job.job_id()
        assert restored.result().get_counts() == marker_counts(range(51), 2001)
        assert len(server.jobs) == 4
        with pytest.raises(AQTJobIncompatibleError):
            self.read_as_the_peer(store.load(job.job_id()))

    @staticmethod
    def read_as_the_peer(payload):
        """Check the format version as 2.0.1 does."""
        if json.loads(payload.split(b"\n")[0])["format_version"] != 1:
            raise AQTJobIncompatibleError("unsupported format version")

    def test_what_the_peer_saved(self, resource, store):
        """A job that 2.0.1 has sent and saved."""
        sent = resource.run([marker("01"), marker("11")], shots=7, journal=False, label="qiskit")
        name = sent.job_id()
        saved = (GOLDEN / "peer-2.0.1-cloud.aqt-job").read_bytes()
        store.save(name, saved.replace(GOLDEN_ID, name.encode()))
        result = resource.restore_job(name, store=store).result(timeout=60)
        assert result.get_counts("first") == {"01": 7}
        assert result.get_memory("second") == ["11"] * 7
        assert result.results[0].header["metadata"] == {"of": "first"}

    def test_deleting(self, resource, store):
        """What was saved is deleted once the job is restored, and only then."""
        job = resource.run(marker("1"))
        job.persist(store=store)
        name = job.job_id()
        resource.restore_job(name, store=store)
        resource.restore_job(name, store=store, delete=True)
        with pytest.raises(AQTJobNotFoundError):
            resource.restore_job(name, store=store)

    def test_other_backend(self, cloud, resource, store):
        """A job belongs to one backend; it stays saved."""
        job = resource.run(marker("1"))
        job.persist(store=store)
        other = cloud.fetch_workspaces()[0].get_backend("simulator_noise")
        with pytest.raises(AQTJobBackendMismatchError, match="simulator_ideal"):
            other.restore_job(job.job_id(), store=store, delete=True)
        assert store.load(job.job_id())

    def test_unusable_circuit(self, resource, store):
        """A circuit that cannot have run here."""
        circuit = QuantumCircuit(1, 1)
        saved = snapshot(backend_name="simulator_ideal", circuits=[circuit])
        persist_job(saved, store)
        with pytest.raises(AQTJobPersistenceError, match="circuit 0"):
            resource.restore_job(str(saved.job_id), store=store, delete=True)
        assert store.load(str(saved.job_id))

    def test_changed_circuit(self, resource, store):
        """A circuit that was changed after ``run`` is not what has run."""
        circuit = marker("1")
        job = resource.run(circuit)
        circuit.name = "another"
        with pytest.raises(AQTJobPersistenceError, match="changed"):
            job.persist(store=store)


class TestDirect:
    """Jobs on a machine."""

    def test_one_circuit(self, server, direct, store, place):
        """A single circuit is restored by the machine's identifier."""
        server.hold()
        job = direct.run(marker("10"), shots=3)
        job.persist(store=store)
        name = job.job_id()
        place()
        with AQTProvider() as provider:
            again = provider.direct_access().get_resource(server.direct_url, server.token)
            restored = again.restore_job(name, store=store, delete=True)
            assert restored.job_id() == name
            server.release()
            assert restored.result(timeout=60).get_counts() == {"10": 3}
        assert len(server.jobs) == 1

    def test_what_the_peer_saved(self, direct, store):
        """A circuit that 2.0.1 has sent and saved."""
        name = direct.run(marker("01"), shots=7, journal=False).job_id()
        saved = (GOLDEN / "peer-2.0.1-direct.aqt-job").read_bytes()
        saved = saved.replace(GOLDEN_ID, name.encode()).replace(b'"ibex"', b'"IBEX"')
        store.save(name, saved)
        assert direct.restore_job(name, store=store).result().get_counts() == {"01": 7}

    def test_several_circuits(self, direct, store, place):
        """A job that has ended is restored anywhere."""
        job = direct.run(markers([1, 2]), shots=3)
        job.result()
        job.persist(store=store)
        place()
        restored = direct.restore_job(job.job_id(), store=store)
        assert restored.result().get_counts() == marker_counts([1, 2], 3)

    def test_several_circuits_in_one(self, direct, store):
        """Several circuits in the format for one are damage."""
        saved = snapshot(backend_kind="direct", backend_name="IBEX", circuits=markers([1, 2]))
        persist_job(saved, store)
        with pytest.raises(AQTJobCorruptError, match="one circuit, not 2"):
            direct.restore_job(str(saved.job_id), store=store)


class TestOffline:
    """Simulations."""

    def test_runs_again(self, store):
        """A simulation runs again with its options, under a new identifier."""
        resource = AQTProvider().offline.noisy()
        circuits = [marker("1111111111")]
        job = resource.run(circuits, shots=2001, seed_simulator=5, memory=True)
        job.persist(store=store)
        restored = AQTProvider().offline.noisy().restore_job(job.job_id(), store=store)
        assert restored.job_id() != job.job_id()
        assert restored.result().get_memory() == job.result().get_memory()
