"""The fault runs of ``benches``, shorter: nothing is lost, and no token gets out."""

from __future__ import annotations

import logging
import stat
from dataclasses import replace
from pathlib import Path

import faults
import faults_one_job
import pytest
from aqt_fast.exceptions import PartFailure, SubmissionUncertainError

JOBS = 150
SEED = 4

CIRCUITS = 1000
"""Of the one job: 40 API jobs."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory."""
    monkeypatch.delenv("AQT_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_faults(home: Path, caplog: pytest.LogCaptureFixture):
    """Every job has its result or an error that names it; the record agrees; tokens stay in."""
    caplog.set_level(logging.DEBUG)
    report = faults.run(JOBS, rate=0.2, seed=SEED, directory=home / "aqt")
    assert report.discrepancies == []
    kinds = {end.kind for end in report.ends}
    assert len(report.ends) == JOBS
    assert {"done", "uncertain"} <= kinds <= {"done", "uncertain", "refused"}
    assert report.faults.total() > JOBS / 5
    assert report.renewals > 0
    assert len(report.tokens) == report.renewals + 1

    records = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert any("/api/v1/submit/" in record for record in records)
    assert any("SubmissionUncertainError" in text for text in report.said)
    secrets = [*report.tokens, "local-secret"]
    assert faults.leaks(secrets, [*report.said, repr(report), *records]) == []

    files = [path for path in home.rglob("*") if path.is_file()]
    holders = [path for path in files if faults.leaks(secrets, [path.read_text(errors="replace")])]
    assert holders == [home / "aqt" / "access_token"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(holders[0].parent.stat().st_mode) == 0o700


def test_discrepancies_are_found(home: Path):
    """The comparison sees whatever may go wrong: a record or an end that is not as it was."""
    report = faults.run(6, rate=0, seed=SEED, directory=home / "aqt")
    assert report.discrepancies == []
    ends, accepted = report.ends, report.accepted

    def found(ends=ends, accepted=accepted) -> str:
        return "\n".join(faults.discrepancies(ends, accepted, []))

    first, second, *others = accepted
    assert "ran (1, 2, 1) times" in found(
        accepted=[replace(first, runs=(1, 2, 1)), second, *others]
    )
    assert "accepted 2 times" in found(accepted=[first, *accepted])
    assert "in 2 jobs" in found(accepted=[replace(first, digests=second.digests), second, *others])
    assert "nobody has submitted it" in found(accepted=[replace(first, label="?"), second, *others])
    assert "not the job of the record" in found(accepted=[second, *others])
    assert "wrong result" in found([replace(ends[0], result=ends[1].result), *ends[1:]])
    assert "refused, yet accepted" in found([replace(ends[0], kind="refused"), *ends[1:]])
    assert "names another job" in found([_uncertain(ends[0], "other label"), *ends[1:]])
    assert (
        found([_uncertain(ends[0], ends[0].label), *ends[1:]]) == "1 uncertain after 0 such faults"
    )
    assert "1 refused after 0 such faults" in found([replace(ends[0], kind="refused"), *ends[1:]])
    expired = replace(ends[0], errors=[faults.ResultExpiredError(str(ends[0].job_id))])
    assert "expired 1 times, 0 of them on request" in found([expired, *ends[1:]])
    stuck = replace(ends[0], kind="stuck", errors=[faults.APIError("why")])
    assert "no result: why" in found([stuck, *ends[1:]])


def _uncertain(end: faults.End, label: str) -> faults.End:
    error = SubmissionUncertainError(label, faults.payload_hash(end), "connection lost")
    return replace(end, kind="uncertain", result=None, job_id=None, errors=[error])


def test_one_job(home: Path):
    """A user gets every circuit of one job of many API jobs, and none of them runs twice."""
    report = faults_one_job.run(
        CIRCUITS, rate=0.2, seed=SEED, directory=home / "aqt", first=("500", "500_after")
    )
    assert report.discrepancies == []
    assert len(report.parts) == 40
    assert len(report.log) > 10
    assert report.diary.adopted
    assert report.diary.sent_again
    assert report.tokens
    assert any("SubmissionUncertainError" in text for text in report.said)


def test_discrepancies_of_one_job_are_found(home: Path):
    """The comparison sees what may go wrong, part by part and circuit by circuit."""
    report = faults_one_job.run(100, rate=0, seed=SEED, directory=home / "aqt")
    assert report.discrepancies == []
    assert report.result is not None
    circuits = [
        faults_one_job.workloads.marker(faults_one_job.pattern(number)) for number in range(100)
    ]
    first, second, third, fourth = report.accepted

    def found(**changes) -> str:
        changed = replace(report, **changes)
        return "\n".join(faults_one_job.discrepancies(changed, circuits))

    assert "accepted 0 times" in found(accepted=[first, second, third])
    assert "accepted 2 times" in found(accepted=[first, *report.accepted])
    again = replace(first, label=f"{first.label} (again 1)")
    assert "accepted 2 times" in found(accepted=[again, *report.accepted])
    word = replace(report.diary, sent_again=[str(first.label)])
    assert "accepted" not in found(accepted=[first, *report.accepted], diary=word)
    assert "another payload" in found(accepted=[replace(first, sha256="?"), second, third, fourth])
    assert "nobody has submitted it" in found(
        accepted=[*report.accepted, replace(first, label="?")]
    )
    twice = replace(first, runs=(1, 2, *first.runs[2:]))
    assert "ran [1, 2] times" in found(accepted=[twice, second, third, fourth])
    mixed = replace(third, digests=first.digests, repetitions=first.repetitions)
    assert "150 of 200 circuits ran, 50 of them again" in found(
        accepted=[first, second, mixed, fourth]
    )
    adopted = replace(report.diary, adopted={str(first.label): second.job_id})
    assert f"adopted {second.job_id} of {second.label}" in found(diary=adopted)
    assert "there is no whole result" in found(result=None)
    entries = report.result.results
    swapped = [entries[1], entries[0], *entries[2:]]
    report.result.results = swapped
    assert found().startswith("circuit 0 has")
    report.result.results = entries
    fetched = replace(first, fetches=2)
    assert "5 results fetched" in found(accepted=[fetched, second, third, fourth])
    uncertain = SubmissionUncertainError("x", "y", "z")
    failure = PartFailure(0, range(50), str(first.label), "?", uncertain)
    assert "1 uncertain after 0" in found(diary=replace(report.diary, failures=[failure]))
    expired = replace(failure, error=faults.ResultExpiredError(first.job_id))
    assert "1 expired after 0" in found(diary=replace(report.diary, failures=[expired]))


def test_leaks_are_found(home: Path):
    """Secrets show in what is told, in the log, and in files that are not the token's own."""
    with faults.watched(0, SEED, home, speed=faults.SPEED, read_timeout=5) as watch:
        assert watch.leaks(["all is well"]) == []
        token = watch.tokens[0]
        assert (home / "access_token").read_text().count(token) == 1
        assert watch.leaks([f"Bearer {token}"]) == [f"a secret in: Bearer {token}"[:113]]
        (home / "journal").write_text(f"token={token}")
        assert watch.leaks([]) == [f"a secret in {home / 'journal'}"]
        (home / "journal").unlink()
        logging.getLogger("x").debug("the secret is %s", "local-secret")
        assert len(watch.leaks([])) == 1
