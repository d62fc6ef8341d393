"""The chaos run of ``benches``, shorter: what the network mistreats is neither lost nor doubled."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import chaos
import httpx
import pytest
from aqt_fast.testing import ArnicaServer
from chaos_faults import FAULTS
from chaos_proxy import ChaosProxy
from held import held, surplus
from waiting import SECONDS, wait_until

API_JOBS = 25
SEED = 4
TIMEOUT = 0.3
"""A read time-out in seconds, for answers that do not come."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory."""
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_chaos(home: Path, figures):
    """Every circuit has its counts, nothing is accepted twice, nothing stays open."""
    rate = 0.5
    report = chaos.run(API_JOBS, rate, SEED, home / "aqt")
    figures(
        f"chaos proxy, {rate:.0%} of exchanges",
        API_jobs=API_JOBS,
        exchanges=report.exchanges.total(),
        hit=len(report.log),
        discrepancies=len(report.discrepancies),
    )
    assert report.discrepancies == []
    assert len(report.log) > rate / 2 * report.exchanges.total()
    assert any("SubmissionUncertainError" in text for text in report.said)


def test_discrepancies_are_found(home: Path):
    """The comparison sees whatever may go wrong: a record or an end that is not as it was."""
    # On a busy machine an impatient user would send more than once what is looked at below.
    report = chaos.run(API_JOBS, 0.0, SEED, home / "aqt", read_timeout=SECONDS)
    assert report.discrepancies == []
    accepted = report.accepted
    label = f"chaos {SEED}, job 0"
    (number,) = (place for place, job in enumerate(accepted) if job.label == label)
    job = accepted[number]
    (task,) = (task for task in report.tasks if task.label == label)

    def found(*changed, tasks=report.tasks) -> str:
        record = [*accepted[:number], *changed, *accepted[number + 1 :]]
        return "\n".join(chaos.discrepancies(replace(report, accepted=record, tasks=tasks)))

    assert found(job) == ""
    assert "accepted 0 times" in found()
    assert "accepted 2 times" in found(job, replace(job, label=f"{job.label} (again 1)"))
    assert "nobody has submitted it" in found(job, replace(job, label="?"))
    assert "another payload" in found(replace(job, sha256="?"))
    assert "ran {2} times" in found(replace(job, runs=(2, 2, 2)))
    assert "circuits accepted" in found(job, replace(job, label=None))
    others = [other for other in report.tasks if other is not task]
    assert "no result" in found(job, tasks=[*others, replace(task, result=None)])
    other = next(other for other in others if other.num_api_jobs == 1 and not other.direct)
    assert "circuit 0 has" in found(job, tasks=[*others, replace(task, result=other.result)])


@pytest.fixture
def server() -> Iterator[ArnicaServer]:
    """A server that takes no time."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_fault_hits(server: ArnicaServer, kind: str):
    """Each fault is logged with its connection and request, and ends; the proxy closes all."""
    before = held(("aqt-fast", "asyncio"))
    with ChaosProxy(server.url, seed=1, read_timeout=TIMEOUT, kinds=[kind]) as proxy:
        with httpx.Client(base_url=proxy.url, timeout=TIMEOUT) as client:
            ask = "/api/v1/workspaces"
            headers = {"Authorization": f"Bearer {server.token}"}
            assert client.get(ask, headers=headers, timeout=SECONDS).is_success
            proxy.rate = 1.0
            for _ in range(2):
                with suppress(httpx.HTTPError):
                    client.get(ask, headers=headers)
            wait_until(lambda: kind in {hit.kind for hit in proxy.log})
            proxy.rate = 0.0
        assert {hit.path for hit in proxy.log} == {ask}
        assert {hit.method for hit in proxy.log} == {"GET"}
        assert all(hit.connection and hit.exchange > 1 for hit in proxy.log)
        assert server.token not in repr(proxy.log)
    assert surplus(lambda: held(("aqt-fast", "asyncio")), before) == {}


def test_the_same_seed_chooses_the_same_faults(server: ArnicaServer):
    """What an exchange suffers follows from the seed and the request."""

    def kinds(seed: int) -> list[str]:
        harmless = ["partial_writes", "request_in_drips"]
        with ChaosProxy(server.url, seed=seed, read_timeout=TIMEOUT, kinds=harmless) as proxy:
            proxy.rate = 0.5
            with httpx.Client(base_url=proxy.url, trust_env=False) as client:
                for number in range(20):
                    client.get(f"/{number}", timeout=SECONDS)
            return [f"{hit.path} {hit.kind}" for hit in proxy.log]

    assert kinds(1) == kinds(1) != kinds(2)


def test_what_is_held_is_found(tmp_path: Path):
    """A thread and an open file more than before, without their numbers."""
    before = held()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="worker 7")
    thread.start()
    with (tmp_path / "file").open("w"):
        more = held() - before
    end.set()
    thread.join()
    assert more["worker "] == 1
    assert not sys.platform.startswith("linux") or more.total() == 2
    assert surplus(held, before) == {}
