"""The jobs that the server remembers: those under way, and the newest that have ended."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections import OrderedDict, deque
from collections.abc import Iterable

from aqt_fast.server.clock import Clock
from aqt_fast.server.errors import PortalError, invalid
from aqt_fast.server.jobs import Job
from aqt_fast.server.limits import Limits

RESULT_LIFETIME = 24 * 3600.0
"""Seconds from the first fetch of a result until it expires."""

_NUMBER_BYTES = 6


class Retention:
    """Keeps jobs and forgets them; use it under the portal's lock only.

    An identifier tells that it comes from here: its last bytes are the job's number, the others
    follow from that and a secret. So a forgotten job is known as such, without a list of them.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        """Remember no job yet."""
        self.num_accepted = 0
        self._clock = clock
        self._limits = limits
        self._secret = secrets.token_bytes(16)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._ended: deque[Job] = deque()
        """In order of their ends."""
        self._results: OrderedDict[str, Job] = OrderedDict()
        """Those of them whose results are kept."""
        self._result_bytes = 0
        self._label_length = 0
        self._bodies: OrderedDict[str, Job] = OrderedDict()
        """Those of the jobs whose request bodies are kept."""
        self._body_bytes = 0
        self._fetched: OrderedDict[str, float] = OrderedDict()
        """When a client first fetched a result, in order."""

    def jobs(self) -> Iterable[Job]:
        """Return the remembered jobs in order of acceptance."""
        return self._jobs.values()

    def next_id(self) -> str:
        """Return the identifier of the next job."""
        return self._id(self.num_accepted)

    def add(self, job: Job) -> None:
        """Remember a job that was accepted."""
        self._jobs[job.job_id] = job
        self.num_accepted += 1
        if job.body is not None:
            self._bodies[job.job_id] = job
            self._body_bytes += len(job.body)
        while self._body_bytes > self._limits.kept_body_bytes:
            self._forget_body(next(iter(self._bodies.values())))
        self.drop_expired()

    def find(self, job_id: str) -> Job:
        """Find a job.

        Raises:
            PortalError: the identifier is no UUID (422), unknown (404), or that of a job that was
                forgotten (410).
        """
        try:
            key = uuid.UUID(job_id)
        except ValueError:
            raise invalid(("path", "job_id"), "not a valid UUID") from None
        job = self._jobs.get(str(key))
        if job is not None:
            return job
        number = int.from_bytes(key.bytes[-_NUMBER_BYTES:], "big")
        if number < self.num_accepted and self._id(number) == str(key):
            raise PortalError(410, "the job was forgotten")
        raise PortalError(404, "unknown job_id")

    def ended(self, job: Job) -> None:
        """Note the end of a job; forget the oldest ones."""
        if job.job_id not in self._jobs:
            return
        self._ended.append(job)
        if job.result is not None:
            self._results[job.job_id] = job
            self._result_bytes += len(job.result)
        while self._result_bytes > self._limits.kept_result_bytes:
            self._expire(next(iter(self._results.values())))
        self._label_length += len(job.label or "")
        while self._ended and self._has_too_many():
            oldest = self._ended.popleft()
            self._label_length -= len(oldest.label or "")
            self._expire(oldest)
            self._forget_body(oldest)
            self._jobs.pop(oldest.job_id, None)

    def forget_all(self) -> None:
        """Forget all jobs; those under way are forgotten before their end."""
        for job in list(self._results.values()):
            self._expire(job)
        for job in list(self._bodies.values()):
            self._forget_body(job)
        self._jobs.clear()
        self._ended.clear()
        self._label_length = 0
        self._fetched.clear()

    def fetched(self, job: Job) -> None:
        """Note that a client has fetched a result."""
        self._fetched.setdefault(job.job_id, self._clock.now())
        job.fetches += 1

    def drop_expired(self) -> None:
        """Forget results a day after they were fetched first."""
        now = self._clock.now()
        while self._fetched:
            job_id, when = next(iter(self._fetched.items()))
            if when + RESULT_LIFETIME > now:
                return
            self._expire(self._jobs[job_id])

    def _has_too_many(self) -> bool:
        """Whether too many jobs have ended, or their labels are too long in all."""
        limits = self._limits
        too_many = len(self._ended) > limits.kept_jobs
        return too_many or self._label_length > limits.kept_label_characters

    def _expire(self, job: Job) -> None:
        """Forget the result of a job."""
        self._fetched.pop(job.job_id, None)
        if self._results.pop(job.job_id, None) is not None and job.result is not None:
            self._result_bytes -= len(job.result)
            job.result = None
            job.expired = True

    def _forget_body(self, job: Job) -> None:
        if self._bodies.pop(job.job_id, None) is not None and job.body is not None:
            self._body_bytes -= len(job.body)
            job.body = None

    def _id(self, number: int) -> str:
        tail = number.to_bytes(_NUMBER_BYTES, "big")
        head = hmac.digest(self._secret, tail, "sha256")[: 16 - _NUMBER_BYTES]
        return str(uuid.UUID(bytes=head + tail, version=4))
