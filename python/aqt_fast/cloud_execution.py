"""A batch on its way through AQT's cloud, in as many API jobs as it takes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx

from aqt_fast import wire
from aqt_fast.api_client import PortalClient, Resource
from aqt_fast.api_job import ApiJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.batch import Batch
from aqt_fast.batch_execution import BatchExecution
from aqt_fast.chunks import BatchPlan, Chunk
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTError,
    ChunkFailure,
    IncompleteBatchError,
)
from aqt_fast.job_record import Records
from aqt_fast.job_timing import JobTiming, job_timing
from aqt_fast.journal import Journal

if TYPE_CHECKING:
    from aqt_fast.cloud import CloudSession


class PortalResource:
    """A resource of the portal, as who takes API jobs."""

    name = "the portal"

    def __init__(self, portal: PortalClient, resource: Resource) -> None:
        """``portal`` is asked for ``resource``."""
        self._portal = portal
        self._resource = resource

    def encode(self, batch: Batch, chunk: Chunk, label: str) -> bytes:
        """The request body of an API job."""
        return batch.encode_job(chunk.start, chunk.stop, chunk.shots, label)

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool]) -> str:
        """Hand an API job over, once, and return the portal's identifier."""
        return self._portal.submit(
            self._resource.workspace_id,
            self._resource.resource_id,
            body,
            label=label,
            wanted=wanted,
        )

    def result(self, job_id: str, read: Callable[[bytes], wire.JobState]) -> wire.JobState:
        """Ask for the state of an API job."""
        return self._portal.result(job_id, read)

    def decode(self, body: bytes) -> wire.JobState:
        """Read an answer."""
        return wire.decode_response(body)

    def cancel(self, job_id: str) -> bool:
        """Cancel an API job; False if it was cancelled already."""
        return self._portal.cancel(job_id)

    def will_pass(self, error: APIError) -> bool:
        """Whether the portal cannot answer just now, and may do so later."""
        status = error.status_code or 0
        return (
            isinstance(error, APIConnectionError)
            or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
            or status >= httpx.codes.INTERNAL_SERVER_ERROR
        )


class CloudExecution(BatchExecution):
    """API jobs that are submitted in order and several at the same time.

    Args:
        session: the portal that takes them, and the threads that do the waiting.
        resource: what is to run them.
        batch: the circuits.
        options: of the job.
        plan: the API jobs.
        journal: where to note what happens to them, None for nowhere.
        records: what has happened to them in another process, None for a new batch.
    """

    def __init__(
        self,
        session: CloudSession,
        resource: Resource,
        batch: Batch,
        options: AQTOptions,
        plan: BatchPlan,
        *,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Sends nothing yet."""
        self._session: CloudSession
        super().__init__(
            session,
            PortalResource(session.portal, resource),
            batch,
            options,
            plan,
            [plan.chunk_label(index) for index in range(len(plan.chunks))],
            journal=journal,
            records=records,
        )
        self._resource = resource
        self._cancel_lock = threading.Lock()
        self._unsent: deque[ApiJob] = deque()

    @property
    def name(self) -> str:
        """The portal's identifier of a single API job if there is one, or the label."""
        if len(self._jobs) > 1:
            return self._plan.batch_id
        return self._jobs[0].job_id or self._plan.label

    @property
    def job_id(self) -> str:
        """The portal's identifier of a single API job, else the batch's own.

        Waits until the submission of a single API job was answered.

        Raises:
            AQTError: the submission has failed.
        """
        if len(self._jobs) > 1:
            return self._plan.batch_id
        self._require_process()
        (job,) = self._jobs
        with self._changed:
            self._changed.wait_for(lambda: job.job_id is not None or self.ended)
        if job.job_id is None:
            raise job.error or APIError(job.message or "the job was not submitted")
        return job.job_id

    @property
    def timing(self) -> JobTiming | None:
        """Where the time went, None before the portal has told."""
        changes = [change for job in self._jobs if job.state for change in job.state.timing or []]
        return job_timing(changes) if changes else None

    def cancel(self) -> bool:
        """Stop what has not run; False if there is nothing left to stop.

        Raises:
            APIError: the portal refuses, or cannot be asked.
        """
        self._require_process()
        with self._cancel_lock, ThreadPoolExecutor(self._session.max_parallel_requests) as threads:
            wishes = [threads.submit(job.cancel) for job in self._jobs]
        for job, wish in zip(self._jobs, wishes, strict=True):
            if wish.exception() is None and wish.result() and job.job_id is not None:
                self._session.poller.hurry(job)
        # Every error is told, even if others could be cancelled.
        cancelled = [wish.result() for wish in wishes]
        return any(cancelled)

    def settings(self) -> dict[str, Any]:
        """Where the job lives. Waits until all submissions were answered."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(job.job_id is not None or job.ended for job in self._jobs)
            )
        settings = batch_settings(self._session.portal.portal_url, self._resource, self._plan)
        return {**settings, "jobs": [job.saved() for job in self._jobs]}

    def _bring_forward(self, jobs: Sequence[ApiJob]) -> None:
        """Watch what was accepted, and submit the rest in order; answers make room for others."""
        unsent = []
        for job in jobs:
            if job.job_id is None:
                unsent.append(job)
            else:
                self._watch(job)
        self._unsent.extend(unsent)
        for _ in range(min(self._session.max_parallel_requests, len(unsent))):
            self._session.submissions.call(lambda: self._guarded(self._submit_next))

    def _submit_next(self) -> None:
        try:
            job = self._unsent.popleft()
        except IndexError:
            return
        try:
            job.submit()
            if job.job_id is not None:
                self._watch(job)
        finally:
            self._release_journal()
            self._session.submissions.call(lambda: self._guarded(self._submit_next))

    def _watch(self, job: ApiJob) -> None:
        self._session.poller.watch(self._resource.resource_id, job)

    def _reason(self, failures: Sequence[ChunkFailure]) -> tuple[str, AQTError | None]:
        """A single API job tells for itself; of several, those without a known result are named."""
        if len(self._jobs) == 1:
            return failures[0].message, failures[0].error
        serious = [failure for failure in failures if failure.error is not None]
        error = IncompleteBatchError(serious) if serious else None
        return "; ".join(str(failure) for failure in failures), error


def batch_settings(portal_url: str, resource: Resource, plan: BatchPlan) -> dict[str, Any]:
    """What it takes to find a batch at the portal again, in JSON's types."""
    return {
        "portal_url": portal_url,
        "workspace_id": resource.workspace_id,
        "resource_name": resource.resource_name,
        "resource_type": resource.resource_type,
        **plan.settings(),
    }
