"""A client is killed at every step; another process ends what it has begun, and nothing else."""

from __future__ import annotations

import signal
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import (
    IncompleteBatchError,
    JobNotFoundError,
    SubmissionUncertainError,
)
from aqt_fast.persistence import JobStore
from aqt_fast.testing import ArnicaServer
from store.killed_client import BATCHES, Zygote


@pytest.fixture(params=["cloud", "shots"])
def batch(request):
    """What the clients run."""
    return BATCHES[request.param]


@pytest.fixture
def zygote(batch):
    """One for all clients."""
    (kind,) = (name for name, item in BATCHES.items() if item is batch)
    zygote = Zygote(kind)
    yield zygote
    zygote.close()


def finish(store: Path, server: ArnicaServer) -> tuple[AQTJob | None, str]:
    """Do what a user does who finds out that the client has died; tell what there was to do."""
    batches = list(JobStore(store).job_ids())
    try:
        job = AQTJob.restore(batches[0], access_token=server.token, store_path=store)
    except (IndexError, JobNotFoundError):
        return None, "nothing"
    try:
        job.result()
    except IncompleteBatchError as error:
        accepted = {record.label: record.job_id for record in server.jobs}
        uncertain = [
            failure.error
            for failure in error.failures
            if isinstance(failure.error, SubmissionUncertainError)
        ]
        found = [item for item in uncertain if item.label in accepted]
        for item in found:
            job.adopt(item.label, accepted[item.label])
        job.wait_for_final_state(timeout=30)
        again = job.resubmit_failed(uncertain=True)
        done = f"{len(found)} adopted, {len(uncertain) - len(found)} uncertain, {again} again"
    else:
        done = "polled"
    return job, done


def test_kills(zygote, batch, tmp_path, monkeypatch):
    """At every step that touches the disk or the network: nothing is lost, nothing runs twice.

    For a batch with different shots, at every third step.
    """
    stride = 1 if batch is BATCHES["cloud"] else 3
    done: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for step in count(1, stride):
        store = tmp_path / str(step)
        with ArnicaServer(simulate=False) as server:
            monkeypatch.setenv("AQT_PORTAL_URL", server.url)
            code, name = zygote.run(server.url, server.token, store, step)
            if code == 0:
                break
            assert code == -signal.SIGKILL
            steps[name] += 1
            job, what = finish(store, server)
            done[what] += 1
            if job is None:
                assert server.jobs == []
                continue
            result = job.result()
            assert result.success
            assert result.get_counts() == batch.counts()
            assert len(server.jobs) == batch.num_api_jobs, (name, what)
            assert all(set(record.runs) == {1} for record in server.jobs)
            assert len({record.label for record in server.jobs}) == batch.num_api_jobs
            # What is stored is enough to have the result again without the portal.
            server.stop()
            again = AQTJob.restore(job.job_id(), access_token=server.token, store_path=store)
            assert again.result().get_counts() == batch.counts()
            assert (
                AQTJob.restore(
                    server.jobs[-1].job_id, access_token=server.token, store_path=store
                ).job_id()
                == job.job_id()
            )
    print(sum(steps.values()), "kills:", dict(steps), "then:", dict(done))  # noqa: T201
    assert sum(steps.values()) >= 50 / stride
    assert steps["before handle_request"] + steps["after handle_request"] >= 6 / stride
    assert done["nothing"] < 20  # killed before the journal was there
    assert any("1 adopted" in what or "1 uncertain" in what for what in done)
    assert done["polled"] > 5
