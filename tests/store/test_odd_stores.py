"""Stores in which something else stands where a job or a file of a job should be."""

from __future__ import annotations

import os
import shutil
import socket
import uuid
import warnings
from pathlib import Path

import pytest
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.cli.main import main
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError
from aqt_fast.primitives import AQTPrimitiveJob, AQTSampler
from aqt_fast.store.journal import JournalWarning
from aqt_fast.store.named_files import compress, unpacked
from click.testing import CliRunner
from markers import marker
from store.samples import rewritten

pytestmark = pytest.mark.usefixtures("environment")


def directory_there(path: Path) -> None:
    """A directory with something in it."""
    path.mkdir()
    (path / "x").write_bytes(b"")


def socket_there(path: Path) -> None:
    """A socket, whose name must be short."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


THINGS = {
    "directory": directory_there,
    "file": lambda path: path.write_bytes(b"?"),
    "empty file": lambda path: path.write_bytes(b""),
    "pipe": os.mkfifo,
    "socket": socket_there,
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"),
}
"""What may stand in place of a file or a directory."""


@pytest.fixture
def kept(device):
    """A job with its result, and another one."""
    device.run(marker("1"), label="kept").result()
    job = device.run([marker("01"), marker("10")], shots=2001, label="hit")
    job.result()
    return device.store_path / job.batch_id


@pytest.mark.parametrize("thing", THINGS)
def test_in_place_of_a_job(portal, kept, thing):
    """It is listed as damaged, can be removed, and hides no other job."""
    shutil.rmtree(kept)
    THINGS[thing](kept)
    rows = portal.jobs()
    assert {row.label for row in rows} >= {"kept"}
    if thing == "directory":  # as of a job that was never written to its end
        assert len(rows) == 1
        with pytest.raises(JobNotFoundError):
            AQTJob.restore(kept.name)
        return
    (row,) = portal.jobs(state="damaged")
    assert row.job_id == kept.name
    assert row.problem
    with pytest.raises(DamagedJobError, match=kept.name):
        AQTJob.restore(kept.name)
    row.remove()
    assert not os.path.lexists(kept)
    assert len(portal.jobs()) == 1


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize(
    "name",
    [
        "job.json", "events", "snapshot.bin", "headers.zst", "result-0.zst", "evaluation.zst",
        "continued-by", "circuits.qpy.zst",
    ],
)  # fmt: skip
def test_in_place_of_a_file(server, portal, kept, name, thing):
    """It is named, or done without; nothing waits for whoever writes to a pipe."""
    file = kept / name
    file.unlink(missing_ok=True)
    THINGS[thing](file)
    (row,) = [row for row in portal.jobs() if row.label != "kept"]
    state = "damaged" if name in ("job.json", "events") else "done"
    if name == "events" and thing in ("file", "empty file"):  # the results are there
        assert row.state == "done"
        return
    assert row.state == state
    if name in ("job.json", "events", "snapshot.bin", "headers.zst", "circuits.qpy.zst"):
        with pytest.raises(DamagedJobError, match=kept.name):
            AQTJob.restore(kept.name, provider=portal)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", JournalWarning)  # no file can replace a directory
            assert AQTJob.restore(kept.name, provider=portal).result().success
    if name in ("evaluation.zst", "continued-by"):
        with pytest.raises(DamagedJobError, match=kept.name):
            AQTPrimitiveJob.restore(kept.name, provider=portal)
    assert set(server.jobs[-1].runs) == {1}
    row.remove()
    assert not kept.exists()
    assert Path("/dev/zero").exists()


def test_no_entry(portal, kept, monkeypatch):
    """A directory of somebody else hides no other job."""

    def refused(function):
        def wrapped(path, *args, **options):
            if isinstance(path, str | os.PathLike) and Path(path).parent == kept:
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *args, **options)

        return wrapped

    for name in ("open", "stat", "lstat"):
        monkeypatch.setattr(os, name, refused(getattr(os, name)))
    (row,) = portal.jobs(state="damaged")
    assert "Permission denied" in row.problem
    assert len(portal.jobs()) == 2
    with pytest.raises(DamagedJobError, match="Permission denied"):
        AQTJob.restore(kept.name, provider=portal)
    kept_id = next(row.job_id for row in portal.jobs() if row.label == "kept")
    assert AQTJob.restore(kept_id, provider=portal).result().success
    with pytest.raises(JobNotFoundError):
        AQTJob.restore(str(uuid.uuid4()), provider=portal)


@pytest.mark.parametrize(
    "created",
    [
        "0001-01-01T00:00:00", "0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59", "9999-12-31T23:59:59.999+00:00",
        "9999-12-31T23:59:59-23:59", "1970-01-01T00:00:00Z", "2026-11-22T10:30:00+05:30:17",
        "2300-02-29T00:00:00Z", "2026-W48-5",
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Honolulu"])
def test_dates(portal, kept, monkeypatch, created, zone):
    """Whenever a job was made, the list is sorted and shown, and jobs are pruned."""
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        rewritten(kept / "job.json", created=created)
        rows = portal.jobs()
        assert len(rows) == 2
        moments = [row.created for row in rows]
        assert moments == sorted(moments, reverse=True)
        assert str(rows)
        runner = CliRunner()
        for arguments in (["jobs"], ["jobs", "--json"], ["jobs", "show", rows[0].job_id]):
            assert runner.invoke(main, arguments).exit_code == 0
        pruned = runner.invoke(main, ["jobs", "prune", "--older-than", "30d", "--all"])
        assert pruned.exit_code == 0
        (row,) = [row for row in rows if row.label != "kept"]
        old = row.created.year < 2026
        assert kept.exists() is not old
        assert len(pruned.output.splitlines()) == old
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("seconds", [-(2**40), 0, 2**34 - 1, 2**62])
def test_dates_of_files(portal, kept, monkeypatch, seconds):
    """Of damaged data that is when it was last changed; of results, when they were stored."""
    real = os.stat

    def stat(path, *args, **options):
        found = real(path, *args, **options)
        if isinstance(path, str | os.PathLike) and kept.name in str(path):
            return os.stat_result(found[:7] + (seconds,) * 3 + found[10:])
        return found

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "lstat", lambda path, **_: stat(path, follow_symlinks=False))
    assert AQTJob.restore(kept.name, provider=portal).result().success
    (kept / "job.json").write_bytes(b"")
    rows = portal.jobs()
    assert len(rows) == 2
    assert str(rows)


class TestNames:
    """A file of another job, or another file of the job, is not taken for one of the job."""

    @pytest.fixture(params=["cloud", "direct"])
    def pair(self, request, device, machine):
        """Two jobs with circuits of the same shape and other outcomes."""
        backend = device if request.param == "cloud" else machine
        options = {"label": "same", "shots": 5}
        jobs = [
            backend.run([marker(a), marker(b)], **options) for a, b in (("01", "10"), ("11", "00"))
        ]
        for job in jobs:
            job.result()
        return jobs

    @staticmethod
    def path_of(job) -> Path:
        """Its directory."""
        return job.backend().store_path / job.batch_id

    @staticmethod
    def stripped(file: Path) -> None:
        """Write a file as earlier versions have: it does not say which one it is."""
        content = unpacked(file.read_bytes(), file.parent.name, file.name).content
        file.write_bytes(compress(content))

    @pytest.mark.parametrize("named", [True, False])
    def test_results(self, server, portal, monkeypatch, pair, named):
        """They are asked for again, although the answers tell no label."""
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        first, second = map(self.path_of, pair)
        for path in (first, second):
            for file in path.glob("result-*.zst"):
                if not named:
                    self.stripped(file)
        for file in list(first.glob("result-*.zst")):
            other = second / file.name
            data = file.read_bytes()
            file.write_bytes(other.read_bytes())
            other.write_bytes(data)
        for job in pair:
            again = AQTJob.restore(job.batch_id, provider=portal).result()
            assert again.get_counts() == job.result().get_counts()
        assert len(server.jobs) in (2, 4)
        assert all(set(record.runs) == {1} for record in server.jobs)

    def test_other_index(self, server, portal, monkeypatch, machine):
        """Of the same job."""
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        job = machine.run([marker("01"), marker("10")], shots=5)
        counts = job.result().get_counts()
        path = self.path_of(job)
        (path / "result-0.zst").write_bytes((path / "result-1.zst").read_bytes())
        assert AQTJob.restore(job.batch_id, provider=portal).result().get_counts() == counts
        assert [record.fetches for record in server.jobs] == [2, 1]

    def test_older_results(self, server, portal, device):
        """What does not say which file it is serves if the portal's identifier is in it."""
        job = device.run(marker("01"), shots=5)
        counts = job.result().get_counts()
        file = self.path_of(job) / "result-0.zst"
        self.stripped(file)
        assert AQTJob.restore(job.batch_id, provider=portal).result().get_counts() == counts
        assert server.jobs[0].fetches == 1
        other = device.run(marker("10"), shots=5)
        other.result()
        self.stripped(self.path_of(other) / "result-0.zst")
        (self.path_of(other) / "result-0.zst").replace(file)
        assert AQTJob.restore(job.batch_id, provider=portal).result().get_counts() == counts
        assert server.jobs[0].fetches == 2

    def test_circuits(self, portal, pair):
        """Those that ``persist()`` has saved."""
        first, second = map(self.path_of, pair)
        for job in pair:
            job.persist()
        shutil.copy(first / "circuits.qpy.zst", second / "circuits.qpy.zst")
        with pytest.raises(DamagedJobError, match="another job"):
            AQTJob.restore(second.name, provider=portal)
        self.stripped(first / "circuits.qpy.zst")
        with pytest.raises(DamagedJobError, match="of which job"):
            AQTJob.restore(first.name, provider=portal)

    def test_evaluations(self, portal, device):
        """And the notes of what follows on a pilot."""
        sampler = AQTSampler(device)
        jobs = [sampler.run([marker(bits)], shots=5) for bits in ("01", "10")]
        for job in jobs:
            job.result()
        first, second = (device.store_path / job.job_id() for job in jobs)
        shutil.copy(first / "evaluation.zst", second / "evaluation.zst")
        with pytest.raises(DamagedJobError, match="another job"):
            AQTPrimitiveJob.restore(second.name, provider=portal)
        (first / "continued-by").write_text(f"{second.name} {first.name}")
        with pytest.raises(DamagedJobError, match="another job"):
            AQTPrimitiveJob.restore(first.name, provider=portal)

    @pytest.mark.parametrize("name", ["snapshot.bin", "headers.zst"])
    def test_snapshots(self, portal, pair, name):
        """Their digests are in ``job.json``."""
        first, second = map(self.path_of, pair)
        other = (first / name).read_bytes()
        if other == (second / name).read_bytes():
            pytest.skip("both jobs have the same")
        (second / name).write_bytes(other)
        with pytest.raises(DamagedJobError, match="checksum"):
            AQTJob.restore(second.name, provider=portal)


def test_zstd_reads_results(kept):
    """The name in front is skipped by every program that reads Zstandard."""
    import zstandard

    data = (kept / "result-0.zst").read_bytes()
    with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
        assert reader.read().startswith(b"{")


def test_provider_with_an_odd_store(tmp_path):
    """A store that is no directory, or that is not there."""
    (tmp_path / "file").write_bytes(b"")
    provider = AQTProvider("", load_dotenv=False)
    assert len(provider.jobs(store_path=tmp_path / "none")) == 0
    with pytest.raises(OSError, match="file"):
        provider.jobs(store_path=tmp_path / "file")
    with pytest.raises((JobNotFoundError, DamagedJobError)):
        provider.restore(str(uuid.uuid4()), store_path=tmp_path / "file")


def test_nobody_waits_for_what_was_not_restored(portal, kept, capsys):
    """Closing the connections loses nothing of a job that nobody has got."""
    (kept / "events").unlink()
    with pytest.raises(DamagedJobError, match="events"):
        AQTJob.restore(kept.name, provider=portal)
    portal.close()
    assert capsys.readouterr().err == ""
