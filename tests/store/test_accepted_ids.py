"""Whose identifiers are: between processes, after damage, and where nothing can be written."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
from aqt_fast.store.accepted_ids import FILE, AcceptedIds, Owner, batch_of
from aqt_fast.store.journal import ApiJobLog, journalled_ids
from store.samples import new_journal

FIRST, SECOND, THIRD = (Owner(str(uuid.UUID(int=9)), index, f"job {index}") for index in range(3))
JOB_ID = str(uuid.UUID(int=1))
OTHER_ID = str(uuid.UUID(int=2))


@pytest.fixture(params=["one process", "several", "no file"])
def processes(request, tmp_path) -> list[AcceptedIds]:
    """Three views of the same identifiers."""
    if request.param == "several":
        return [AcceptedIds(tmp_path) for _ in range(3)]
    return [AcceptedIds(tmp_path if request.param == "one process" else None)] * 3


class TestClaims:
    """Two submissions with one identifier."""

    def test_own(self, processes):
        """An identifier that nobody else has."""
        first, second, _ = processes
        since = first.position()
        assert first.claim(JOB_ID, FIRST, since) is None
        assert second.claim(OTHER_ID, SECOND, since) is None
        assert first.claim(JOB_ID, FIRST, since) is None
        assert second.rival(JOB_ID, FIRST) is None
        position = second.position()
        assert second.holder(JOB_ID, FIRST, position) is None
        assert second.holder(JOB_ID, SECOND, position) == f"API job 1 of job {FIRST.batch_id}"

    def test_one_after_the_other(self, processes):
        """It is the first one's."""
        first, second, third = processes
        first.claim(JOB_ID, FIRST, first.position())
        position = second.position()
        assert "API job 1" in second.claim(JOB_ID, SECOND, position)
        second.release(JOB_ID, SECOND)
        assert third.rival(JOB_ID, FIRST) is None
        assert "API job 1" in third.holder(JOB_ID, SECOND, position)
        assert third.holder(JOB_ID, SECOND, None) is None
        again = SECOND._replace(label="job 1 (again 1)")
        assert third.claim(JOB_ID, again, third.position()) is not None

    def test_at_once(self, processes):
        """It may be either's, and the user may say whose."""
        first, second, third = processes
        before, meanwhile = first.position(), second.position()
        assert first.claim(JOB_ID, FIRST, before) is None
        assert "API job 1" in second.claim(JOB_ID, SECOND, meanwhile)
        second.release(JOB_ID, SECOND)
        assert "API job 2" in first.rival(JOB_ID, FIRST)
        assert third.holder(JOB_ID, SECOND, meanwhile) is None
        first.release(JOB_ID, FIRST)
        for owner in (FIRST, SECOND, THIRD):
            assert third.holder(JOB_ID, owner, before) is None
        third.adopt(JOB_ID, SECOND)
        assert first.rival(JOB_ID, SECOND) is None

    def test_released(self, processes):
        """What has turned out to be wrong does not keep the right one from it."""
        first, second, _ = processes
        before, meanwhile = first.position(), second.position()
        first.claim(JOB_ID, FIRST, before)
        first.release(JOB_ID, FIRST)
        assert second.claim(JOB_ID, SECOND, meanwhile) is None

    def test_seen(self, processes):
        """Who asks for a result is in nobody's way, but an identifier that exists is not new."""
        first, second, _ = processes
        first.claim(JOB_ID, FIRST, first.position())
        second.note(JOB_ID, THIRD, seen=True)
        assert first.rival(JOB_ID, FIRST) is None
        second.note(OTHER_ID, THIRD, seen=True)
        assert first.holder(OTHER_ID, FIRST, first.position()) is None
        assert "found by this" in first.claim(OTHER_ID, SECOND, first.position())

    def test_proven(self, processes):
        """A label in an answer decides, unless others have the same."""
        first, second, third = processes
        before, meanwhile = first.position(), second.position()
        first.claim(JOB_ID, FIRST, before)
        first.prove(JOB_ID, FIRST)
        assert second.claim(JOB_ID, SECOND, meanwhile) is not None
        assert first.rival(JOB_ID, FIRST) is None
        assert "API job 1" in third.holder(JOB_ID, SECOND, None)
        namesake = SECOND._replace(label=FIRST.label)
        assert second.claim(JOB_ID, namesake, meanwhile) is not None
        assert first.rival(JOB_ID, FIRST) is not None

    def test_adopted_by_another(self, processes):
        """Who cannot prove it loses it, even to the answer of the other's submission."""
        first, second, third = processes
        second.position()
        first.claim(JOB_ID, FIRST, first.position())
        assert third.holder(JOB_ID, SECOND, None) is None
        second.adopt(JOB_ID, SECOND)
        assert "API job 2" in third.rival(JOB_ID, FIRST)
        assert third.rival(JOB_ID, SECOND) is None

    def test_read_only(self, processes):
        """A submission may leave no trace."""
        first, second, _ = processes
        first.claim(JOB_ID, FIRST, first.position())
        assert "API job 1" in second.claim(JOB_ID, SECOND, None)
        assert first.claim(OTHER_ID, SECOND, None) is None
        assert second.claim(OTHER_ID, THIRD, second.position()) is None


def damaged(path: Path, kind: str) -> None:
    """Damage a file, or put something else in its place."""
    data = path.read_bytes()
    if kind == "removed":
        path.unlink()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "zeros":
        path.write_bytes(bytes(len(data)))
    elif kind == "cut":
        path.write_bytes(data[:-9])
    elif kind == "text":
        path.write_bytes(b"\xff\n" + data[9:])
    else:
        path.unlink()
        if kind == "directory":
            path.mkdir()
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")


class TestDamage:
    """The journals have the same identifiers."""

    @pytest.mark.parametrize(
        "kind", ["removed", "empty", "zeros", "cut", "text", "directory", "fifo", "symlink"]
    )
    def test_made_anew(self, tmp_path, kind):
        """Whatever is in its place, what the journals have is known, and so are new ones."""
        asked = []

        def journalled() -> list[tuple[str, Owner]]:
            asked.append(kind)
            return [(JOB_ID, FIRST)]

        first = AcceptedIds(tmp_path, journalled)
        since = first.position()
        first.claim(OTHER_ID, FIRST, since)
        damaged(tmp_path / FILE, kind)
        for _ in range(2):
            again = AcceptedIds(tmp_path, journalled)
            assert again.claim(JOB_ID, SECOND, again.position()) is not None
            assert "API job 1" in again.holder(JOB_ID, SECOND, again.position())
        assert len(asked) == (3 if kind in ("directory", "fifo", "symlink") else 2)
        assert first.claim(JOB_ID, THIRD, first.position()) is not None
        assert batch_of(tmp_path, JOB_ID) in (FIRST.batch_id, None)

    def test_nothing_can_be_written(self, tmp_path):
        """It is known to this process."""
        ids = AcceptedIds(tmp_path / "missing", lambda: [(JOB_ID, FIRST)])
        assert ids.claim(JOB_ID, SECOND, ids.position()) is not None
        assert ids.claim(OTHER_ID, SECOND, ids.position()) is None
        assert ids.claim(OTHER_ID, THIRD, ids.position()) is not None
        assert not (tmp_path / "missing").exists()

    def test_private(self, tmp_path):
        """For its owner alone; no label is in it."""
        ids = AcceptedIds(tmp_path)
        ids.claim(JOB_ID, FIRST, ids.position())
        assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
        assert b"job 0" not in (tmp_path / FILE).read_bytes()


class TestFinding:
    """Which batch has an API job."""

    def test_batch(self, tmp_path):
        """The latest one that has it."""
        ids = AcceptedIds(tmp_path)
        assert batch_of(tmp_path, JOB_ID) is None
        ids.claim(JOB_ID, FIRST, 0)
        moved = SECOND._replace(batch_id=OTHER_ID)
        ids.note(JOB_ID, moved)
        assert batch_of(tmp_path, JOB_ID) == OTHER_ID
        assert batch_of(tmp_path, OTHER_ID) is None
        ids.release(JOB_ID, moved)
        assert batch_of(tmp_path, str(uuid.UUID(int=3))) is None


class TestJournals:
    """What journals know."""

    def test_identifiers(self, tmp_path):
        """Those of all submissions, but what was taken back; other files are no journals."""
        journal = new_journal(tmp_path)
        log, taken = ApiJobLog(journal, 1), str(uuid.UUID(int=3))
        for number, job_id in ((1, JOB_ID), (2, taken), (3, OTHER_ID)):
            log.intend(f"job ({number})", "00")
            log.accepted(job_id)
            if job_id == taken:
                log.uncertain("it was another's")
        journal.close()
        (tmp_path / str(uuid.UUID(int=4))).mkdir()
        (tmp_path / str(uuid.UUID(int=5))).write_bytes(b"x")
        assert sorted(journalled_ids(tmp_path)) == [
            (JOB_ID, Owner(journal.path.name, 1, "job (1)")),
            (OTHER_ID, Owner(journal.path.name, 1, "job (3)")),
        ]
