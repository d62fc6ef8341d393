"""Stored jobs with hostile labels, tags, messages and places, as people and programs see them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from aqt_fast import AQTProvider
from aqt_fast.cli.main import main
from aqt_fast.exceptions import AQTError, DamagedJobError
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.store.journal import ApiJobLog
from aqt_fast.store.location import PortalLocation
from click.testing import CliRunner
from hostile import ESCAPES, HOSTILE, assert_shown, elements
from store.samples import described, new_journal, rewritten, saved_job

TEXT = HOSTILE[:900]
NUM_JOBS = 4
UNDECODABLE = "\udcff"
"""A byte of a file name that is no text."""


def run(*arguments: str, keys: str | None = None):
    """Run a command in this process."""
    return CliRunner().invoke(main, ["jobs", *arguments], input=keys)


@pytest.fixture
def stored(monkeypatch) -> list[str]:
    """Jobs of all kinds, all of whose texts are hostile: identifiers of their batches."""
    monkeypatch.setenv("COLUMNS", "4000")
    root = get_store_path()
    place = PortalLocation("https://portal.example", TEXT, TEXT, "device")
    changes = {
        "backend_name": TEXT,
        "location": place,
        "options": {"shots": 10, "label": TEXT, "tags": [TEXT, TEXT]},
    }
    found = []
    for fate in ("refused", "uncertain"):
        plan = replace(described().plan, label=TEXT)
        journal = new_journal(root, plan=plan, job_id=plan.batch_id, **changes)
        for index in range(2):
            log = ApiJobLog(journal, index)
            log.intend(TEXT, "ab12")
            getattr(log, fate)(TEXT)
        journal.close()
        found.append(plan.batch_id)
    plan = replace(described().plan, label=TEXT)
    saved = saved_job(plan=plan, job_id=plan.batch_id, **changes)
    JobStore(root).save(saved)
    found.append(saved.description.job_id)
    damaged = described()
    new_journal(root, job_id=damaged.job_id, plan=damaged.plan).close()
    rewritten(root / damaged.job_id / "job.json", location={TEXT: TEXT}, created=TEXT)
    found.append(damaged.job_id)
    assert len(found) == NUM_JOBS
    return found


def test_table(stored):
    """One line a job: as a table, as a page, and the jobs themselves."""
    with AQTProvider("", load_dotenv=False) as provider:
        table = provider.jobs()
        assert len(table) == NUM_JOBS
        assert_shown(table.fitted(), NUM_JOBS + 2)
        assert_shown(str(table), NUM_JOBS + 4)
        kinds = {tag for tag, *_ in elements(table._repr_html_())}
        assert kinds == {"div", "style", "span", "table", "thead", "tbody", "tr", "th", "td"}
        for job in table:
            for each in (table, job, *job.api_jobs):
                assert repr(each).isprintable()
        labels = {job.label for job in table if job.state != "damaged"}
        assert labels == {TEXT}, "the label is there to be found"
        assert table.find(stored[0]).tags == (TEXT, TEXT)
        with pytest.raises(AQTError) as several:
            table.find(TEXT)
        assert_shown(str(several.value), 1)


def test_commands(stored, figures):
    """Tables, one job, removing and pruning: nothing but what can be shown."""
    shown = 0
    for arguments, lines in [
        ([], NUM_JOBS + 2),
        (["show", TEXT], 1),
        *((["show", job_id], None) for job_id in stored),
        *((["result", job_id], None) for job_id in stored),
        (["remove", stored[1]], 2),
        (["prune", "--older-than", "0s", "--all", "--dry-run"], NUM_JOBS),
        (["prune", "--older-than", "0s", "--all"], NUM_JOBS),
    ]:
        found = run(*arguments, keys="n\n")
        assert_shown(found.output, lines)
        assert not isinstance(found.exception, UnicodeError)
        shown += 1
    figures("commands on hostile stores", shown=shown)


def test_json(stored):
    """Valid JSON with what is stored, and with escapes for what cannot be shown."""
    for arguments in ([], *(["show", job_id] for job_id in stored)):
        text = run(*arguments, "--json").stdout
        assert all(line.isprintable() for line in text.split("\n"))
        content = json.loads(text)
        jobs = content if isinstance(content, list) else [content]
        assert {job["label"] for job in jobs} <= {TEXT, None}


def test_places(tmp_path):
    """A store whose path is hostile, with bytes that are no text."""
    path = tmp_path / f"{ESCAPES}\u202e\u2028{UNDECODABLE}"
    try:
        path.mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 only")
    made = described()
    new_journal(path, job_id=made.job_id, plan=made.plan).close()
    (path / made.job_id / "job.json").write_bytes(b"{")
    assert_shown(run("--store", str(path)).output)
    assert_shown(run("--store", str(path), "show", "nothing").output, 1)
    with AQTProvider("", load_dotenv=False) as provider:
        for job_id in (made.job_id, "nothing"):
            with pytest.raises(AQTError) as refused:
                provider.restore(job_id, store_path=path)
            assert_shown(str(refused.value), 1)
    assert_shown(str(DamagedJobError(Path(path), TEXT)), 1)
