"""Thousands of API jobs, whose portal answers at random: with others' answers and odd fields.

Two things cannot be told from outside, and do not happen here: an answer that bears the identifier
of one API job and the outcomes of another; and, without labels, an identifier that nobody knows,
of a job with as many circuits, qubits and shots.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from api_client.scripted import TOKEN, URL, FakeTime
from aqt_fast.api_client import PortalClient, Resource
from aqt_fast.api_client.payload import payload_hash
from aqt_fast.backends.cloud.endpoint import CloudEndpoint
from aqt_fast.exceptions import AQTError, SubmissionUncertainError
from aqt_fast.jobs.api_job import ApiJob
from aqt_fast.jobs.known_ids import ApiJobIds, KnownIds
from aqt_fast.jobs.repeating import is_uncertain, may_be_repeated
from aqt_fast.store.journal import ApiJobLog
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot
from markers import markers
from qiskit.providers import JobStatus

CASES = 1000
SHOTS = 3
NUMBER = 16
"""How many circuits there are: markers."""
WORKSPACE, RESOURCE = "default", "simulator"

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 1.5, "", "x", "\x1b[2J", "é" * 300, [], [1], {}, {"a": 1}, "queued",
)  # fmt: skip


def outcomes(number: int, shots: int = SHOTS) -> list[list[int]]:
    """The shots of a marker, as the portal writes them."""
    return [[number >> qubit & 1 for qubit in range(10)]] * shots


class World:
    """A portal with the jobs of many, which answers this process as chance will have it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secrets
        self.jobs: dict[str, dict[str, Any]] = {}
        """What is true of each identifier."""
        self.own: list[str] = []
        """Those of this process, which it knows."""
        self.accepted: Counter[str] = Counter()
        """How often each payload was accepted."""
        self.rate = 0.0
        """How many answers are wrong."""
        self.labels = True
        self.kinds: Counter[str] = Counter()

    def add(self, number: int, label: str | None, shots: int = SHOTS) -> str:
        """Accept a job, and return its identifier."""
        job_id = str(uuid.UUID(int=self.random.getrandbits(128)))
        self.jobs[job_id] = {"number": number, "label": label, "shots": shots, "polls": 0}
        return job_id

    def stranger(self) -> str:
        """Somebody else's job: known here, or of another label, or with other shots."""
        if self.own and self.random.random() < 0.5:
            return self.random.choice(self.own)
        return self.add(self.random.randrange(NUMBER), "theirs", SHOTS if self.labels else 9)

    def head(self, job_id: str) -> dict[str, Any]:
        """What answers tell of a job."""
        label = self.jobs[job_id]["label"] if self.labels else None
        return {
            "job_id": job_id,
            "job_type": "quantum_circuit",
            "label": label,
            "resource_id": RESOURCE,
            "workspace_id": WORKSPACE,
        }

    def submitted(self, job_id: str) -> dict[str, Any]:
        """The answer to a submission."""
        return {"job": self.head(job_id), "response": {"status": "queued"}}

    def state(self, job_id: str) -> dict[str, Any]:
        """The answer to a poll."""
        job = self.jobs[job_id]
        job["polls"] += 1
        response: dict[str, Any] = {"status": ("queued", "ongoing")[min(job["polls"], 2) - 1]}
        if response["status"] == "ongoing":
            response["finished_count"] = 0
        if job["polls"] > 2:
            response = {
                "status": "finished",
                "result": {"0": outcomes(job["number"], job["shots"])},
            }
        return {"job": self.head(job_id), "response": response}

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, rightly or not."""
        wrong = self.random.random() < self.rate
        if request.method == "POST":
            return self.submit(request.read(), wrong=wrong)
        job_id = request.url.path.rpartition("/")[2]
        if job_id not in self.jobs:
            return httpx.Response(404, json={"detail": "unknown job_id"})
        return (
            self.garbled(self.state(job_id), self.state) if wrong else self.ok(self.state(job_id))
        )

    def submit(self, body: bytes, *, wrong: bool) -> httpx.Response:
        """Accept a job, or not, and answer."""
        if wrong and self.random.random() < 0.2:
            status = self.random.choice((400, 401, 403, 404, 422, 429))
            self.kinds[str(status)] += 1
            return httpx.Response(status, json={"detail": "no"})
        sent = orjson.loads(body)
        (circuit,) = sent["payload"]["circuits"]
        turned = [gate for gate in circuit["quantum_circuit"] if gate["operation"] == "R"]
        job_id = self.add(sum(1 << gate["qubit"] for gate in turned), sent["label"])
        self.accepted[payload_hash(body)] += 1
        self.last = job_id
        answer = self.submitted(job_id)
        return self.garbled(answer, self.submitted) if wrong else self.ok(answer)

    def garbled(
        self, answer: dict[str, Any], other: Callable[[str], dict[str, Any]]
    ) -> httpx.Response:
        """Change an answer."""
        kinds = ("other", "field", "mixed", "type", "missing", "shape", "cut", "status")
        kind = self.random.choice(kinds)
        self.kinds[kind] += 1
        job, response = answer["job"], answer["response"]
        if kind == "other":
            return self.ok(other(self.stranger()))
        if kind == "mixed":  # fields of another's that do not say whose it is
            answer = {"job": {**job, **self.some(self.head(self.stranger()))}, "response": response}
        elif kind == "field":
            job[self.random.choice([*job])] = self.random.choice(ODD)
        elif kind == "type":
            response[self.random.choice([*response])] = self.random.choice(ODD)
        elif kind == "missing":
            part = self.random.choice((answer, job, response))
            del part[self.random.choice([*part])]
        elif kind == "shape":
            answer = self.random.choice((*ODD, [answer], {"job": answer}, job, response))
        elif kind == "cut":
            whole = orjson.dumps(answer)
            return httpx.Response(200, content=whole[: self.random.randrange(len(whole))])
        else:
            # To a submission, 404 would say that it was refused.
            statuses = (300, 302, 304, 408, 500, 502, 503, 599, *([404] * (other == self.state)))
            status = self.random.choice(statuses)
            return httpx.Response(status, json=answer)
        return self.ok(answer)

    def some(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Some of several fields."""
        return {name: fields[name] for name in fields if self.random.random() < 0.5}

    def ok(self, answer: Any) -> httpx.Response:
        """An answer of success."""
        return httpx.Response(200, content=orjson.dumps(answer))


def ended(job: ApiJob) -> bool:
    """Poll an API job to its end."""
    return any(job.poll() for _ in range(60))


@pytest.mark.parametrize("labels", [True, False])
def test_at_random(labels, tmp_path, figures):
    """Never a wrong count, never sent twice, always a typed end, and always a way out."""
    world = World(seed=labels)
    world.labels = labels
    time = FakeTime()
    portal = PortalClient(
        TOKEN, portal_url=URL, transport=httpx.MockTransport(world.handle), clock=time.clock
    )
    resource = Resource(WORKSPACE, RESOURCE, "Simulator", "simulator", 20)
    endpoint = CloudEndpoint(portal, resource)
    endpoint.settling_seconds = 0.0
    snapshot = Snapshot(markers(range(NUMBER)), API_LIMITS)
    known = KnownIds()
    ends: Counter[str] = Counter()
    for case in range(CASES):
        number = world.random.randrange(NUMBER)
        batch_id = str(uuid.UUID(int=case))
        job = ApiJob(
            endpoint,
            snapshot,
            Part(number, number + 1, SHOTS),
            f"job {case}",
            lambda: 1.0,
            threading.Condition(),
            lambda _: None,
            ApiJobLog(None, 0),
            ApiJobIds(known, Path(tmp_path), None, batch_id, 0),
        )
        world.rate, world.last = world.random.choice((0.1, 0.3, 0.7)), ""
        job.submit()
        is_over = ended(job)
        sent = world.accepted[job.submission.payload_hash or ""]
        assert sent <= 1
        if not is_over:
            ends["not ended yet"] += 1
            world.rate = 0.0
            assert ended(job)
        if job.status is not JobStatus.DONE:
            assert job.failure is not None
            assert isinstance(job.failure.error, AQTError | None)
        # Without the user's word, nothing is sent again that was accepted.
        if sent and job.status is JobStatus.ERROR:
            assert not may_be_repeated(job, uncertain=False, expired=False)
        world.rate = 0.0
        if is_uncertain(job):
            ends["uncertain"] += 1
            error = job.failure.error
            assert isinstance(error, SubmissionUncertainError)
            assert error.label == f"job {case}"
            if world.last:
                assert job.ids.holder(world.last, job.label) is None
                job.adopt(world.last)
                assert ended(job)
                assert job.status is JobStatus.DONE
        elif job.status is JobStatus.DONE:
            ends["done"] += 1
        elif job.job_id is None:
            ends["refused"] += 1
            assert not sent
        else:
            ends["asked again"] += 1
            job.reopen()
            assert ended(job)
        if job.status is JobStatus.DONE:
            (samples,) = job.state.samples
            assert bytes(samples.rows) == number.to_bytes(2, "little") * SHOTS
            world.own.append(job.job_id)
    portal.close()
    assert set(world.kinds) >= {"other", "field", "mixed", "type", "missing", "shape", "cut"}
    garbled = sum(world.kinds.values())
    figures(
        f"answers at random, {'with' if labels else 'without'} labels",
        **{"API jobs": CASES, "wrong answers": garbled, **ends},
        wrong_counts=0,
        sent_twice=0,
    )
