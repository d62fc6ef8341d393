"""What the store knows about jobs, written by real jobs against the local server."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import (
    SubmissionUncertainError,
)
from aqt_fast.persistence import get_store_path
from aqt_fast.store.journal import Journal
from provider.jobs_table.only import one
from store.samples import files_in
from waiting import SECONDS, wait_until


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
        assert files_in(get_store_path()) == []

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
