"""The fault run of ``benches/faults.py``, shorter: nothing is lost, and no token gets out."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import faults
import jwt
import pytest

JOBS = 150
SEED = 4


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every token that the server's login has issued."""
    tokens: list[str] = []
    encode = jwt.encode

    def noting(*arguments, **options):
        tokens.append(encode(*arguments, **options))
        return tokens[-1]

    monkeypatch.setattr(jwt, "encode", noting)
    return tokens


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory."""
    monkeypatch.delenv("AQT_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leaks(secrets: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The texts that have a secret, or enough of one to be recognised by."""
    marks = [secret[-40:] for secret in secrets]
    return [text for text in texts if any(mark in text for mark in marks)]


def test_faults(home: Path, issued: list[str], caplog: pytest.LogCaptureFixture):
    """Every job has its result or an error that names it; the record agrees; tokens stay in."""
    caplog.set_level(logging.DEBUG)
    report = faults.run(JOBS, rate=0.2, seed=SEED, directory=home / "aqt")
    assert report.discrepancies == []
    kinds = {end.kind for end in report.ends}
    assert len(report.ends) == JOBS
    assert {"done", "uncertain"} <= kinds <= {"done", "uncertain", "refused"}
    assert report.faults.total() > JOBS / 5
    assert report.renewals > 0
    assert len(issued) == report.renewals + 1

    records = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert any("/api/v1/submit/" in record for record in records)
    assert any("SubmissionUncertainError" in text for text in report.said)
    secrets = [*issued, "local-secret"]
    assert leaks(secrets, [*report.said, repr(report), *records]) == []

    files = [path for path in home.rglob("*") if path.is_file()]
    holders = [path for path in files if leaks(secrets, [path.read_text(errors="replace")])]
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
    error = faults.SubmissionUncertainError(label, faults.payload_hash(end), "connection lost")
    return replace(end, kind="uncertain", result=None, job_id=None, errors=[error])
