"""The files of one job."""

from __future__ import annotations

import os
import re
import stat
import uuid
from hashlib import sha256

import numpy as np
import orjson
import pytest
import zstandard
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError
from aqt_fast.store.event_lines import file_of
from aqt_fast.store.job_directory import JobDirectory
from aqt_fast.store.location import SimulatorLocation
from aqt_fast.wire.plan import BatchPlan, Part
from store.samples import CIRCUITS, HEADERS, described, rewritten

SNAPSHOT = (b"snapshot" * 9, HEADERS)


@pytest.fixture
def description():
    """A job of two API jobs."""
    return described()


@pytest.fixture
def directory(tmp_path, description):
    """With everything that a job can have."""
    return JobDirectory.create(
        tmp_path / "jobs",
        description,
        snapshot=SNAPSHOT,
        circuits=CIRCUITS,
        events=file_of([], description.job_id),
    )


def reloaded(directory: JobDirectory) -> JobDirectory:
    """What somebody else reads."""
    return JobDirectory.load(directory.path.parent, directory.path.name)


class TestFiles:
    """What is where, and who can read it."""

    def test_private(self, directory, tmp_path, description):
        """Directories for their owner alone, and so are files."""
        directory.keep_result(0, b"{}")
        assert directory.path == tmp_path / "jobs" / description.job_id
        for path in (directory.path, directory.path.parent):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        files = sorted(path.name for path in directory.path.iterdir())
        assert files == [
            "circuits.qpy.zst", "events", "headers.zst", "job.json", "result-0.zst", "snapshot.bin",
        ]  # fmt: skip
        for name in files:
            assert stat.S_IMODE((directory.path / name).stat().st_mode) == 0o600

    def test_content(self, directory, description):
        """All that was given comes back, by any way of writing the identifier."""
        again = reloaded(directory)
        assert again.path == directory.path
        assert again.description == description
        assert again.snapshot() == directory.snapshot() == SNAPSHOT
        assert again.circuits() == directory.circuits() == CIRCUITS
        upper = JobDirectory.load(directory.path.parent, description.job_id.upper())
        assert upper.description == description

    def test_different_shots(self, tmp_path):
        """Of each circuit."""
        for shots, parts in (
            (10, [Part(0, 2, 10)]),
            ((10, 7), [Part(0, 2, ((10,), (4, 3)))]),
        ):
            job_id = str(uuid.uuid4())
            plan = BatchPlan(job_id, "two", parts)
            description = described(job_id=job_id, options={"shots": shots}, plan=plan)
            directory = JobDirectory.create(tmp_path, description, snapshot=SNAPSHOT)
            assert reloaded(directory).description == description

    def test_noise_twins(self, tmp_path):
        """Only they name the device."""
        for twin in (None, {"device": {}}):
            description = described(offline=True, location=SimulatorLocation(None, {}, twin))
            directory = JobDirectory.create(tmp_path, description, snapshot=SNAPSHOT)
            content = orjson.loads((directory.path / "job.json").read_bytes())
            assert ("twin" in content["job"]["location"]) == (twin is not None)
            assert reloaded(directory).description == description

    def test_shared_headers(self, tmp_path, description):
        """Neighbours may share one."""
        header = {"name": "same", "metadata": {}}
        for headers in ([dict(header), dict(header)], [header, header]):
            directory = JobDirectory.create(tmp_path, description, snapshot=(b"AQTB", headers))
            assert reloaded(directory).snapshot() == (b"AQTB", headers)

    @pytest.mark.parametrize("flushed", [True, False])
    def test_offline(self, tmp_path, flushed):
        """No snapshot, no events."""
        directory = JobDirectory.create(
            tmp_path, described(offline=True), circuits=CIRCUITS, flushed=flushed
        )
        assert sorted(path.name for path in directory.path.iterdir()) == [
            "circuits.qpy.zst", "job.json",
        ]  # fmt: skip
        assert reloaded(directory).circuits() == CIRCUITS
        with pytest.raises(DamagedJobError, match=r"snapshot.bin: .*No such file"):
            directory.snapshot()

    def test_metadata(self, tmp_path):
        """What JSON can express of it, and no more."""
        description = described(offline=True, num_circuits=1)
        metadata = {"x": np.arange(2), "y": object(), 3: "z"}
        headers = [{"name": "a", "metadata": metadata}]
        directory = JobDirectory.create(tmp_path, description, snapshot=(b"", headers))
        assert directory.snapshot()[1] == [{"name": "a", "metadata": {"x": [0, 1], "3": "z"}}]

    def test_circuits_come_and_go(self, directory):
        """As `persist()` adds them, and `restore()` removes them."""
        assert directory.has_circuits
        directory.remove_circuits()
        directory.remove_circuits()
        assert not directory.has_circuits
        with pytest.raises(DamagedJobError, match=r"circuits.qpy.zst: .*No such file"):
            directory.circuits()
        directory.add_circuits(b"others")
        assert directory.has_circuits
        assert reloaded(directory).circuits() == b"others"

    def test_read_only_disk(self, directory, monkeypatch):
        """What is not there need not be removed: Linux refuses even to look for it."""
        directory.remove_circuits()

        def refuse(*_: object, **__: object) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr("pathlib.Path.unlink", refuse)
        directory.remove_circuits()

    def test_results(self, directory):
        """Stored whole or not at all; damage is noticed."""
        body = b'{"samples": [' + b"[0,1]," * 1000 + b"[1,1]]}"
        assert directory.result(3) is None
        assert directory.stored_results() == set()
        directory.keep_result(3, body)
        directory.keep_result(12, b"{}")
        assert directory.result(3) == (body, True)
        assert directory.stored_results() == {3, 12}
        file = directory.path / "result-3.zst"
        whole = file.read_bytes()
        assert len(whole) < len(body) / 20
        for index in range(len(whole)):
            data = bytearray(whole)
            data[index] ^= 4
            file.write_bytes(data)
            assert directory.result(3) in (None, (body, True))
            file.write_bytes(whole[:index])
            assert directory.result(3) is None
        assert directory.stored_results() == {3, 12}

    def test_remove(self, directory, tmp_path):
        """Everything, also what nobody knows."""
        (directory.path / "sub").mkdir()
        (directory.path / ".abc.tmp").write_bytes(b"x")
        directory.remove()
        assert list((tmp_path / "jobs").iterdir()) == []
        directory.remove()


class TestCreation:
    """What is left if it fails, or is killed, on the way."""

    def test_order(self, tmp_path, description):
        """All is there before the job can be found."""
        seen = []

        def look() -> None:
            with pytest.raises(JobNotFoundError):
                JobDirectory.load(tmp_path, description.job_id)
            seen.extend(path.name for path in (tmp_path / description.job_id).iterdir())

        JobDirectory.create(
            tmp_path,
            description,
            snapshot=SNAPSHOT,
            circuits=CIRCUITS,
            events=b"",
            before_job=look,
        )
        assert set(seen) == {"snapshot.bin", "headers.zst", "circuits.qpy.zst", "events"}

    @pytest.mark.parametrize("number", range(5))
    def test_disk_becomes_full(self, tmp_path, description, monkeypatch, number):
        """Whichever file it is, nothing of a new job stays."""
        really, calls = os.fsync, []

        def full(descriptor: int) -> None:
            calls.append(descriptor)
            if len(calls) > number:
                raise OSError(28, "No space left on device")
            really(descriptor)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            JobDirectory.create(
                tmp_path, description, snapshot=SNAPSHOT, circuits=CIRCUITS, events=b""
            )
        assert list(tmp_path.iterdir()) == []

    def test_not_in_json(self, tmp_path):
        """Nothing is written of what JSON cannot express."""
        with pytest.raises(TypeError):
            JobDirectory.create(tmp_path, described(options={"shots": object()}))
        assert list(tmp_path.iterdir()) == []

    def test_no_uuid(self, tmp_path):
        """A name that is none never becomes a path."""
        with pytest.raises(ValueError, match="is no UUID"):
            JobDirectory.create(tmp_path, described(job_id="../x"))
        assert list(tmp_path.iterdir()) == []

    def test_half_made(self, directory):
        """Without its description there is no job; it can be written again."""
        (directory.path / "job.json").unlink()
        with pytest.raises(JobNotFoundError):
            reloaded(directory)
        JobDirectory.create(directory.path.parent, directory.description, circuits=b"again")
        assert reloaded(directory).circuits() == b"again"

    def test_replaced(self, directory):
        """A failure leaves what was there before."""
        with pytest.raises(TypeError):
            JobDirectory.create(
                directory.path.parent,
                described(job_id=directory.path.name, options={"shots": object()}),
                circuits=b"new",
            )
        assert reloaded(directory).description == directory.description
        assert reloaded(directory).circuits() == CIRCUITS


class TestDamage:
    """Named, and left alone."""

    @pytest.mark.parametrize(
        "job_id", ["", "x", "../../etc/passwd", "a" * 5000, None, 7, b"x", "\0"]
    )
    def test_an_id_is_no_path(self, tmp_path, job_id):
        """Only a UUID can name a directory."""
        with pytest.raises(JobNotFoundError) as caught:
            JobDirectory.load(tmp_path, job_id)
        assert caught.value.store_path == tmp_path

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda _: b"", "empty document"),
            (lambda data: data[: len(data) // 2], "byte|string|end"),
            (lambda _: b"[1, 2]", "no saved job"),
            (lambda data: data.replace(b'"format":5', b'"format":6'), "newer aqt-fast"),
            (lambda data: data.replace(b'"format":5', b'"format":4'), "before 0.2"),
            (lambda data: data.replace(b'"shots":10', b'"shots":11'), "checksum"),
            (lambda data: data.replace(b'"sha256"', b'"sha"'), "checksum"),
        ],
    )
    def test_description(self, directory, damage, reason):
        """The error says which file and why."""
        file = directory.path / "job.json"
        file.write_bytes(damage(file.read_bytes()))
        damaged = file.read_bytes()
        with pytest.raises(DamagedJobError) as caught:
            reloaded(directory)
        assert re.search(reason, caught.value.reason)
        assert caught.value.path == file
        assert file.read_bytes() == damaged

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("options", []),
            ("options", {}),
            ("label", 7),
            ("parts", 7),
            ("parts", [["a", "b", "c"]]),
            ("num_circuits", 3),
            ("available_qubits", "12"),
            ("location", {"kind": "moon"}),
            ("location", None),
            ("created", "long ago"),
            ("created", None),
            ("created", "0001-01-01T00:00:00+23:00"),
            ("digests", 7),
            ("digests", "ab"),
        ],
    )
    def test_readable_but_wrong(self, directory, name, value):
        """The checksum is right, the content cannot be used."""
        rewritten(directory.path / "job.json", **{name: value})
        with pytest.raises(DamagedJobError, match="its content cannot be used"):
            reloaded(directory)

    def test_of_another_job(self, directory):
        """A directory that was renamed."""
        other = directory.path.rename(directory.path.parent / str(uuid.uuid4()))
        with pytest.raises(DamagedJobError, match="it is of another job"):
            JobDirectory.load(other.parent, other.name)

    def test_no_file(self, directory):
        """What cannot be read at all."""
        (directory.path / "job.json").unlink()
        (directory.path / "job.json").mkdir()
        with pytest.raises(DamagedJobError, match=r"job.json: .*not a file"):
            reloaded(directory)

    @pytest.mark.parametrize("name", ["snapshot.bin", "headers.zst"])
    def test_snapshot(self, directory, name):
        """Of both files, whatever has changed."""
        file = directory.path / name
        whole = file.read_bytes()
        for data in (whole + b"x", whole[:-1], b"", whole[:3] + b"?" + whole[4:]):
            file.write_bytes(data)
            with pytest.raises(DamagedJobError, match=f"{name}: its content does not match"):
                directory.snapshot()
            assert file.read_bytes() == data
        file.unlink()
        with pytest.raises(DamagedJobError, match=f"{name}: .*No such file"):
            directory.snapshot()

    @pytest.mark.parametrize(
        "headers", [b"", b"no frame", zstandard.compress(b"{"), zstandard.compress(b"")]
    )
    def test_headers(self, directory, headers):
        """The digest is right, the content cannot be read."""
        file = directory.path / "headers.zst"
        file.write_bytes(headers)
        job = directory.path / "job.json"
        digests = orjson.loads(job.read_bytes())["job"]["digests"]
        rewritten(job, digests={**digests, "headers.zst": sha256(headers).hexdigest()})
        with pytest.raises(DamagedJobError, match=r"headers.zst"):
            reloaded(directory).snapshot()

    def test_circuits(self, directory):
        """At every place: cut off, or with any bit flipped."""
        file = directory.path / "circuits.qpy.zst"
        whole = file.read_bytes()
        for index in range(len(whole)):
            file.write_bytes(whole[:index])
            with pytest.raises(DamagedJobError, match=r"circuits.qpy.zst"):
                directory.circuits()
            for bit in range(8):
                data = bytearray(whole)
                data[index] ^= 1 << bit
                file.write_bytes(data)
                try:
                    assert directory.circuits() == CIRCUITS  # some bits of a frame mean nothing
                except DamagedJobError as error:
                    assert error.path == file  # noqa: PT017 - either is right


class TestOlder:
    """What versions before 0.2 wrote is refused, and left alone."""

    @pytest.fixture(params=["{}.json", "{}/batch.json"])
    def older(self, request, tmp_path):
        """A saved job, or a journal, of format 1."""
        job_id = str(uuid.uuid4())
        file = tmp_path / request.param.format(job_id)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b'{"format":1,"batch":{}}')
        return job_id, file

    def test_refused(self, older, tmp_path):
        """By name of the file."""
        job_id, file = older
        with pytest.raises(
            DamagedJobError, match=r"format 1 was written by an aqt-fast before 0.2"
        ) as caught:
            JobDirectory.load(tmp_path, job_id)
        assert caught.value.path == file
        assert file.exists()

    def test_new_one_counts(self, older, tmp_path):
        """Once the job was saved again."""
        JobDirectory.create(tmp_path, described(job_id=older[0]))
        assert JobDirectory.load(tmp_path, older[0]).description.job_id == older[0]

    def test_other_things(self, tmp_path):
        """A directory that is called like a file is none, and a file is no directory."""
        job_id = str(uuid.uuid4())
        (tmp_path / f"{job_id}.json").mkdir()
        with pytest.raises(JobNotFoundError):
            JobDirectory.load(tmp_path, job_id)
        (tmp_path / job_id).write_bytes(b"")
        with pytest.raises(DamagedJobError, match="Not a directory"):
            JobDirectory.load(tmp_path, job_id)
