"""What the store knows about jobs, written by real jobs against the local server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import orjson
import pytest
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.exceptions import (
    InvalidOptionError,
    JobNotFoundError,
    JournalError,
    SubmissionUncertainError,
)
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.store import locks
from aqt_fast.store.events import ApiJobRecord
from aqt_fast.store.fate import api_job_fate
from aqt_fast.store.job_store import SavedJob
from aqt_fast.store.journal import Journal
from aqt_fast.store.loading import load_job
from aqt_fast.testing import ArnicaServer
from qiskit import QuantumCircuit
from store.samples import rewritten
from waiting import SECONDS, wait_until


@pytest.fixture(autouse=True)
def _environment(server, monkeypatch) -> None:
    """What a new process finds."""
    monkeypatch.setenv("AQT_PORTAL_URL", server.url)
    monkeypatch.setenv("AQT_TOKEN", server.token)


@pytest.fixture
def server():
    """A server of one's own."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture
def portal(server):
    """A provider of its portal."""
    with AQTProvider(
        server.token, portal_url=server.url, load_dotenv=False, read_timeout=10
    ) as provider:
        yield provider


@pytest.fixture
def cloud(portal):
    """Its ideal simulator."""
    backend = portal.get_backend("simulator_ideal")
    backend.set_options(query_period_seconds=0.1, with_progress_bar=False)
    return backend


@pytest.fixture
def circuit() -> QuantumCircuit:
    """One that is always 0."""
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    return circuit


def one(provider: AQTProvider, **wanted):
    """The only job of the store."""
    (job,) = provider.jobs(**wanted)
    return job


class TestStates:
    """From the submission to the end."""

    def test_done(self, portal, cloud, circuit):
        """Everything that is to be known of a job of several API jobs."""
        start = datetime.now(timezone.utc) - timedelta(seconds=1)
        job = cloud.run([circuit] * 60, shots=2500, label="sixty")
        job.result()
        wait_until(lambda: not one(portal).active)
        row = one(portal)
        assert row.job_id == row.batch_id == job.job_id()
        assert (row.kind, row.state, row.active, row.ended) == ("journal", "done", False, True)
        assert (row.backend, row.num_circuits, row.shots) == ("simulator_ideal", 60, 2500)
        assert (row.label, row.problem) == ("sixty", None)
        assert row.portal_url == os.environ["AQT_PORTAL_URL"]
        assert start < row.created < datetime.now(timezone.utc) + timedelta(seconds=1)
        assert row.counts == {"done": 4}
        assert [(part.circuits, part.shots) for part in row.api_jobs] == [
            (range(50), 2000), (range(50), 500), (range(50, 60), 2000), (range(50, 60), 500),
        ]  # fmt: skip
        assert row.api_jobs[3].label == "sixty [4/4]"
        assert len({part.job_id for part in row.api_jobs}) == 4

    def test_single_api_job(self, server, portal, cloud, circuit):
        """It is called what the portal calls it, also while this process works on it."""
        server.hold()
        job = cloud.run(circuit)
        assert job.job_id() == server.jobs[0].job_id
        row = one(portal)
        assert row.job_id == job.job_id() != row.batch_id
        assert (row.state, row.active, row.ended) == ("submitted", True, False)
        assert row.label == job.label
        server.release()
        job.result()
        wait_until(lambda: one(portal).ended)
        assert one(portal).state == "done"

    def test_before_the_answer(self, server, portal, cloud, circuit):
        """What is on its way is told from what is uncertain."""
        server.faults.slow_seconds = 0.4
        server.faults.next("slow", method="POST")
        job = cloud.run(circuit)
        assert one(portal).state == "submitting"
        assert one(portal).job_id == one(portal).batch_id
        job.result()
        server.faults.next("reset_after", method="POST")
        lost = cloud.run(circuit, label="lost")
        with pytest.raises(SubmissionUncertainError):
            lost.result()
        row = one(portal, label="lost")
        assert row.state == "uncertain"
        assert row.job_id == row.batch_id
        assert row.api_jobs[0].message

    def test_failed_and_cancelled(self, server, portal, cloud, circuit):
        """As the portal tells."""
        server.fail_jobs("the ions have left")
        cloud.run(circuit, label="bad").result()
        row = one(portal)
        assert (row.state, row.api_jobs[0].message) == ("failed", "the ions have left")
        server.hold()
        job = cloud.run(circuit, label="unwanted")
        job.job_id()
        job.cancel()
        job.wait_for_final_state(SECONDS)
        wait_until(lambda: one(portal, label="unwanted").ended)
        assert one(portal, label="unwanted").state == "cancelled"

    @pytest.mark.parametrize(
        ("record", "known", "state"),
        [
            (ApiJobRecord(), {}, "unsent"),
            (ApiJobRecord(), {"doubtful": True}, "uncertain"),
            (ApiJobRecord(refused=True, payload_hash="a"), {}, "failed"),
            (ApiJobRecord(refused=True, payload_hash="a"), {"doubtful": True}, "uncertain"),
            (ApiJobRecord(payload_hash="a"), {}, "uncertain"),
            (ApiJobRecord(payload_hash="a"), {"active": True}, "submitting"),
            (ApiJobRecord(payload_hash="a", message="reset"), {"active": True}, "uncertain"),
            (ApiJobRecord(job_id="j"), {"doubtful": True}, "submitted"),
            (ApiJobRecord(job_id="j"), {"stored": True}, "done"),
            (ApiJobRecord(job_id="j", status="DONE"), {}, "submitted"),
            (ApiJobRecord(job_id="j", status="ERROR"), {"stored": True}, "failed"),
            (ApiJobRecord(status="CANCELLED"), {}, "cancelled"),
        ],
    )
    def test_of_an_api_job(self, record, known, state):
        """Each that a journal can tell of."""
        facts = {"stored": False, "active": False, "doubtful": False, **known}
        assert api_job_fate(record, **facts) == state

    def test_states_of_a_batch(self, portal, cloud, circuit):
        """The one that needs the most attention counts."""
        cloud.run([circuit] * 150, label="x").result()
        wait_until(lambda: not one(portal).active)
        row = one(portal)
        path = get_store_path() / row.batch_id
        (path / "result-2.zst").unlink()
        assert one(portal).state == "submitted"
        assert one(portal).counts == {"done": 2, "submitted": 1}
        journal = Journal.load(get_store_path(), row.batch_id)
        assert journal.own()
        journal.note(1, "ended", status="ERROR", message="late")
        assert one(portal).state == "submitted"
        journal.note(2, "ended", status="CANCELLED", message="late")
        assert one(portal).state == "failed"
        journal.note(0, "intent", label="x (again 1)", payload_hash="00")
        (path / "result-0.zst").unlink()
        assert one(portal).state == "submitting"
        journal.close()
        assert one(portal).state == "uncertain"
        lines = (path / "events").read_bytes().splitlines(keepends=True)
        (path / "events").write_bytes(b"".join(lines[:1]))
        assert one(portal).state in ("incomplete", "uncertain")


class TestSaved:
    """What `persist()` has saved."""

    def test_offline(self, portal, backend, circuit):
        """There is no API job, and no journal."""
        job = backend.run([circuit] * 3, shots=7, label="mine")
        job.persist()
        row = one(portal)
        assert (row.kind, row.state, row.job_id) == ("saved", "saved", job.job_id())
        assert (row.num_circuits, row.shots, row.label) == (3, 7, "mine")
        assert (row.batch_id, row.portal_url, row.api_jobs) == (None, None, ())
        assert (row.backend, row.active) == ("offline_simulator_no_noise", False)
        again = row.restore()
        assert again.result().get_counts(2) == {"0": 7}
        assert len(portal.jobs()) == 0

    def test_saved_and_journalled(self, portal, cloud, circuit):
        """One row; also if it was saved under several names."""
        job = cloud.run(circuit)
        job.persist()
        job.result()
        row = one(portal)
        assert (row.kind, row.state, row.job_id) == ("both", "done", job.job_id())
        job.persist()
        assert one(portal) == row
        wait_until(lambda: not one(portal).active)
        row.remove()
        assert list(get_store_path().iterdir()) == []

    def test_saved_alone(self, server, portal, cloud, circuit):
        """Without a journal it is told what was known then."""
        server.hold()
        job = cloud.run([circuit] * 60, journal=False, label="no journal")
        job.persist()
        row = one(portal)
        assert (row.kind, row.state, row.job_id) == ("saved", "submitted", job.job_id())
        assert (row.num_circuits, row.label) == (60, "no journal")
        assert [part.circuits for part in row.api_jobs] == [range(50), range(50, 60)]
        server.release()
        assert row.restore().result().success

    def test_description(self, portal, backend, circuit, monkeypatch):
        """Circuits are not read, whatever is in the options."""
        backend.simulator.set_options(method="automatic")
        job = backend.run([circuit] * 10, label=',"circuits":"')
        path = job.persist()
        monkeypatch.setattr("qiskit.qpy.load", None)
        assert one(portal).label == ',"circuits":"'
        assert path.exists()


class TestRestore:
    """A row is as good as the identifier."""

    def test_through_the_provider(self, server, portal, cloud, circuit, monkeypatch):
        """With its token and its portal, whatever the environment says."""
        monkeypatch.setenv("AQT_PORTAL_URL", "http://127.0.0.1:9")
        monkeypatch.delenv("AQT_TOKEN")
        job = cloud.run([circuit] * 60, shots=5)
        result = job.result()
        restored = one(portal).restore()
        assert isinstance(restored, AQTJob)
        assert restored.result().get_counts() == result.get_counts()
        assert restored.job_id() == job.job_id()
        assert all(record.fetches == 1 for record in server.jobs)


class TestFilters:
    """Those of `backends`, and times."""

    @pytest.fixture(autouse=True)
    def jobs(self, cloud, backend, circuit):
        """Three of one backend, one of another."""
        for label in ("scan 1", "scan 2", "probe"):
            cloud.run(circuit, label=label).result()
        backend.run(circuit).persist()

    def test_number(self, portal):
        """So many fit."""
        cases = [
            ({}, 4),
            ({"backend": "simulator_ideal"}, 3),
            ({"backend": "simulator"}, 0),
            ({"backend": re.compile("simulator")}, 3),
            ({"backend": re.compile("offline")}, 1),
            ({"label": "scan 1"}, 1),
            ({"label": re.compile("scan")}, 2),
            ({"label": re.compile("")}, 3),
            ({"state": "done", "label": "probe"}, 1),
            ({"state": "saved"}, 1),
            ({"state": "cancelled"}, 0),
            ({"state": re.compile("done|saved")}, 4),
            ({"since": datetime.now() - timedelta(hours=1)}, 4),  # noqa: DTZ005 - local time
            ({"since": datetime.now(timezone.utc) + timedelta(hours=1)}, 0),
            ({"before": datetime.now(timezone(timedelta(hours=5))) + timedelta(hours=1)}, 4),
            ({"before": datetime.now(timezone.utc) - timedelta(hours=1)}, 0),
            ({"limit": 3}, 3),
        ]
        for wanted, number in cases:
            assert len(portal.jobs(**wanted)) == number, wanted

    def test_order(self, portal):
        """The newest first; limits take these, and times exclude the later end."""
        jobs = portal.jobs()
        assert [job.label for job in jobs] == [None, "probe", "scan 2", "scan 1"]
        assert [job.created for job in jobs] == sorted([j.created for j in jobs], reverse=True)
        assert [job.label for job in portal.jobs(limit=2)] == [None, "probe"]
        assert portal.jobs(since=jobs[1].created)[-1].label == "probe"
        assert portal.jobs(before=jobs[1].created)[0].label == "scan 2"

    def test_bad(self, portal):
        """The option is named."""
        for name, value in [
            ("state", "gone"), ("since", "2026"), ("before", 5), ("limit", 0), ("limit", "3"),
        ]:  # fmt: skip
            with pytest.raises(InvalidOptionError, match=f"{name} must be"):
                portal.jobs(**{name: value})

    def test_table(self, portal):
        """For reading, and for working with."""
        jobs = portal.jobs(label=re.compile("scan"))
        assert repr(jobs) == "<JobsTable of 2 jobs>"
        lines = str(jobs).splitlines()
        assert len(lines) == 6
        for text in (jobs[0].job_id, "simulator_ideal", "done", "1/1", "scan 2", "100"):
            assert text in lines[3]
        assert jobs._repr_html_().count("<tr>") == 3
        assert str(jobs[:0]).count("\n") == 3
        assert [job.label for job in jobs[1:]] == ["scan 1"]

    def test_find(self, portal):
        """By any identifier, or the beginning of the one that is shown."""
        jobs = portal.jobs()
        for job in jobs:
            names = [job.job_id, job.batch_id, *(part.job_id for part in job.api_jobs)]
            assert {jobs.find(name) for name in names if name} == {job}
            assert jobs.find(job.job_id[:35]) == job
        with pytest.raises(JobNotFoundError, match=str(get_store_path())):
            jobs.find("z")
        with pytest.raises(JobNotFoundError):
            jobs.find("")


def test_ambiguous(portal, backend, circuit):
    """All that are meant are named."""
    job = backend.run(circuit)
    job.persist()
    found = load_job(JobStore(), job.job_id())
    saved = SavedJob(found.description, found.directory.circuits())
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in (0x10, 0x1F)]
    for job_id in ids:
        description = replace(saved.description, job_id=job_id)
        JobStore().save(replace(saved, description=description))
    with pytest.raises(InvalidOptionError, match=f"{ids[0]}, {ids[1]}"):
        portal.jobs().find("0000001")
    assert portal.jobs().find("0000001f").job_id == ids[1]


def test_nothing(portal, tmp_path):
    """Stores that are not there, and things that are no jobs."""
    assert len(portal.jobs(store_path=tmp_path / "none")) == 0
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / str(uuid.uuid4())).mkdir()
    (tmp_path / "sub").mkdir()
    assert len(portal.jobs(store_path=tmp_path)) == 0


class TestDamage:
    """It is listed, and does not keep others from being listed."""

    @pytest.fixture
    def rows(self, portal, cloud, backend, circuit):
        """A journal and a saved job."""
        cloud.run(circuit, label="kept").result()
        cloud.run(circuit, label="hit").result()
        backend.run(circuit).persist()
        wait_until(lambda: not any(job.active for job in portal.jobs()))
        return portal.jobs()

    @staticmethod
    def repacked(path, **changes) -> bytes:
        """A journal's description with other content and the right checksum."""
        before = path.read_bytes()
        rewritten(path, **changes)
        data = path.read_bytes()
        path.write_bytes(before)
        return data

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda _: b"", "no content|empty|input"),
            (lambda path: path.read_bytes()[:-5], "unexpected|EOF"),
            (lambda path: path.read_bytes().replace(b"hit", b"hot"), "checksum"),
            (lambda _: b'{"format": 3, "news": 1}', "format 3 was written by a newer aqt-fast"),
            (lambda _: b'{"format": 1}', "format 1 was written by an aqt-fast before 0.2"),
            (lambda _: b"[]", "no saved job"),
            (lambda path: TestDamage.repacked(path, created="long ago"), "long ago"),
            (lambda path: TestDamage.repacked(path, created=None), "cannot be used"),
            (lambda path: TestDamage.repacked(path, options=[]), "cannot be used"),
            (lambda path: TestDamage.repacked(path, location={}), "KeyError"),
        ],
    )
    def test_journal(self, portal, rows, damage, reason):
        """As a whole."""
        hit = rows.find(next(row.job_id for row in rows if row.label == "hit"))
        file = get_store_path() / hit.batch_id / "job.json"
        file.write_bytes(damage(file))
        assert len(portal.jobs()) == 3
        row = one(portal, state="damaged")
        assert re.search(reason, row.problem)
        assert (row.job_id, row.kind, row.backend) == (hit.batch_id, "journal", None)
        assert not row.ended
        assert "damaged" in str(portal.jobs())
        row.remove()
        assert not file.parent.exists()
        assert len(portal.jobs()) == 2

    def test_without_lines(self, portal, rows):
        """The file that is locked is not there."""
        path = get_store_path() / rows.find(rows[1].job_id).batch_id
        (path / "events").unlink()
        row = one(portal, state="damaged")
        assert row.active is None
        assert "events" in row.problem
        row.remove()
        assert not path.exists()

    def test_damaged_line(self, portal, rows):
        """Only what it may have told is not known."""
        path = get_store_path() / rows[1].batch_id / "events"
        first, *others = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([b"0" * 8 + first[8:], *others]))
        row = portal.jobs().find(rows[1].job_id)
        assert (row.state, row.problem) == ("done", "damaged lines of its journal: 1")

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda _: b"", "no content|empty|input"),
            (lambda data: data[:-1], "unexpected|EOF"),
            (lambda data: data.replace(b'"format":2', b'"format":3'), "newer"),
            (lambda data: data.replace(b'"job":', b'"jub":'), "checksum"),
            (lambda _: b'{"a":1,"circuits":""}', "no saved job"),
        ],
    )
    def test_saved(self, portal, rows, damage, reason):
        """The same for saved jobs."""
        file = get_store_path() / rows[0].job_id / "job.json"
        file.write_bytes(damage(file.read_bytes()))
        row = one(portal, state="damaged")
        assert re.search(reason, row.problem)
        assert (row.job_id, row.kind) == (rows[0].job_id, "saved")
        row.remove()
        assert len(portal.jobs()) == 2

    def test_readable_but_wrong(self, portal, rows):
        """As of another version."""
        rewritten(get_store_path() / rows[0].job_id / "job.json", location={})
        assert "KeyError" in one(portal, state="damaged").problem

    def test_written_differently(self, portal, rows):
        """A document with other spaces and another order is read as well."""
        file = get_store_path() / rows[0].job_id / "job.json"
        content = orjson.loads(file.read_bytes())
        file.write_bytes(orjson.dumps(dict(reversed(content.items())), option=orjson.OPT_INDENT_2))
        assert portal.jobs()[0] == rows[0]

    def test_of_older_versions(self, portal, rows):
        """They are listed with the reason, and can be removed."""
        file = get_store_path() / f"{uuid.UUID(int=3)}.json"
        file.write_text('{"format":1}')
        row = one(portal, state="damaged")
        assert (row.job_id, row.kind) == (str(uuid.UUID(int=3)), "saved")
        assert "before 0.2" in row.problem
        row.remove()
        assert not file.exists()
        assert len(portal.jobs()) == len(rows)


class TestProcesses:
    """Who works on a job is seen, and not disturbed."""

    @pytest.fixture
    def child(self, portal, cloud, circuit):
        """A process that holds the lock of a job until it reads a line."""
        cloud.run([circuit] * 60).result()
        wait_until(lambda: not one(portal).active)
        script = (
            "import sys; from pathlib import Path; from aqt_fast.store.journal import Journal\n"
            "journal = Journal.load(Path(sys.argv[1]), sys.argv[2])\n"
            "print(journal.own(), flush=True); sys.stdin.readline()"
        )
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", script, str(get_store_path()), one(portal).batch_id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout.readline() == "True\n"
            yield process
            process.kill()

    def test_active(self, portal, child):
        """Until the process ends, however it does; nothing is removed under its hands."""
        row = one(portal)
        assert (row.state, row.active, row.ended) == ("done", True, False)
        assert "done (active)" in str(portal.jobs())
        with pytest.raises(JournalError, match="is being worked on"):
            row.remove()
        assert one(portal).active
        child.kill()
        child.wait(SECONDS)
        row = one(portal)
        assert (row.active, row.ended) == (False, True)
        row.remove()
        assert len(portal.jobs()) == 0

    def test_looking_on_takes_nothing(self, portal, cloud, circuit, monkeypatch):
        """While somebody looks, somebody else takes the lock, and gets it."""
        cloud.run(circuit).result()
        wait_until(lambda: not one(portal).active)
        journal = Journal.load(get_store_path(), one(portal).batch_id)
        close = os.close
        taken = []

        def taking(descriptor) -> None:
            monkeypatch.setattr(os, "close", close)
            taken.append(journal.own())
            close(descriptor)

        monkeypatch.setattr(os, "close", taking)
        assert locks.is_held(journal.path / "events") is False
        assert taken == [True]
        assert locks.is_held(journal.path / "events") is True
        assert not Journal.load(get_store_path(), journal.path.name).own()

    def test_read_only(self, portal, cloud, circuit):
        """Who can only read can hold the lock, and see it."""
        cloud.run(circuit).result()
        wait_until(lambda: not one(portal).active)
        path = get_store_path() / one(portal).batch_id / "events"
        descriptor = os.open(path, os.O_RDONLY)
        locks.acquire(descriptor)
        assert one(portal).active
        os.close(descriptor)
        assert not one(portal).active

    def test_system_without_the_lock(self, portal, cloud, circuit, monkeypatch):
        """The job is locked all the same; who holds it is not known."""

        def refuse(*_arguments) -> bytes:
            raise OSError(22, "Invalid argument")

        monkeypatch.setattr(locks.fcntl, "fcntl", refuse)
        cloud.run(circuit).result()
        row = one(portal)
        assert (row.active, row.state, row.ended) == (None, "done", True)
