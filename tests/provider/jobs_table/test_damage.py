"""Damaged data is listed with its reason."""

from __future__ import annotations

import re
import uuid

import orjson
import pytest
from aqt_fast.persistence import get_store_path
from provider.jobs_table.only import one
from store.samples import rewritten
from waiting import wait_until


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
            (lambda _: b'{"format": 6, "news": 1}', "format 6 was written by a newer aqt-fast"),
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
        """Nobody knows what was sent."""
        path = get_store_path() / rows.find(rows[1].job_id).batch_id
        (path / "events").unlink()
        row = one(portal, state="damaged")
        assert row.active is False
        assert "events" in row.problem
        row.remove()
        assert not path.exists()

    def test_damaged_line(self, portal, rows):
        """Only what it may have told is not known."""
        path = get_store_path() / rows[1].batch_id / "events"
        first, *others = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([b"0" * 8 + first[8:], *others]))
        row = portal.jobs().find(rows[1].job_id)
        assert row.state == "done"
        assert row.problem == "line 1 of its journal is missing or damaged"

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda _: b"", "no content|empty|input"),
            (lambda data: data[:-1], "unexpected|EOF"),
            (lambda data: data.replace(b'"format":5', b'"format":6'), "newer"),
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
