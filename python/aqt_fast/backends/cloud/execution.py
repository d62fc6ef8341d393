"""A batch in AQT's cloud, as one API job or several."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from aqt_fast._threads import in_parallel
from aqt_fast.api_client import Resource
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.backends.cloud.connection import CloudConnection
from aqt_fast.backends.cloud.endpoint import CloudEndpoint
from aqt_fast.exceptions import (
    APIConnectionError,
    AQTError,
    IncompleteBatchError,
    PartFailure,
)
from aqt_fast.jobs.api_job import ApiJob
from aqt_fast.jobs.execution import Checkpoint
from aqt_fast.jobs.remote import Admit, RemoteExecution
from aqt_fast.store.events import Records
from aqt_fast.store.journal import Journal
from aqt_fast.store.location import PortalLocation
from aqt_fast.wire.plan import BatchPlan
from aqt_fast.wire.snapshot import Snapshot


class CloudExecution(RemoteExecution):
    """API jobs that are submitted in order, several at a time.

    Args:
        connection: the connection to the portal, with the threads that submit and poll.
        resource: where the API jobs run.
        snapshot: the circuits.
        options: the job's options.
        plan: the API jobs.
        admit: called before API jobs are sent again.
        store_path: directory of all jobs.
        journal: where to record events, None for nowhere.
        records: events of another process, None for a new batch.
    """

    runs_alone = True

    def __init__(
        self,
        connection: CloudConnection,
        resource: Resource,
        snapshot: Snapshot,
        options: AQTOptions,
        plan: BatchPlan,
        *,
        admit: Admit,
        store_path: Path,
        journal: Journal | None = None,
        records: Records | None = None,
    ) -> None:
        """Send nothing yet."""
        self._connection: CloudConnection
        self._resource = resource
        self._cancel_lock = threading.Lock()
        self._unsent: deque[ApiJob] = deque()
        super().__init__(
            connection,
            CloudEndpoint(connection.portal, resource),
            portal_location(connection, resource),
            snapshot,
            options,
            plan,
            admit=admit,
            store_path=store_path,
            journal=journal,
            records=records,
        )

    @property
    def name(self) -> str:
        """The identifier of a single API job, or its label until it has one; else the batch's."""
        if len(self._jobs) > 1:
            return self._plan.batch_id
        return self._jobs[0].job_id or self._plan.label

    @property
    def job_id(self) -> str:
        """The portal's identifier of a single API job, else the batch's own.

        Wait until the submission of a single API job was answered.

        Raises:
            AQTError: the submission has failed.
        """
        if len(self._jobs) > 1:
            return self._plan.batch_id
        return self.accepted_id(0)

    def cancel(self) -> bool:
        """Cancel what has not run yet. Return False if there is nothing left to cancel.

        Raises:
            APIError: the portal refuses or cannot be reached.
        """
        self._require_process()
        most = self._connection.max_parallel_requests
        with self._cancel_lock:
            wishes = in_parallel(lambda job: job.cancel(), self._jobs, most)
        for job, wish in zip(self._jobs, wishes, strict=True):
            if wish.exception() is None and wish.result() and job.job_id is not None:
                self._connection.poller.poll_now(job)
        # Raise the first error, even if other API jobs were cancelled.
        cancelled = [wish.result() for wish in wishes]
        return any(cancelled)

    def checkpoint(self) -> Checkpoint:
        """Wait until all submissions were answered; return what another process needs."""
        self._require_process()
        self._wait_for(
            lambda: all(job.job_id is not None or job.ended for job in self._jobs), math.inf
        )
        return super().checkpoint()

    def _start(self, jobs: Sequence[ApiJob]) -> None:
        """Poll accepted API jobs; submit the others in order, the next after each answer."""
        unsent = []
        for job in jobs:
            if job.job_id is None:
                unsent.append(job)
            else:
                self._watch(job)
        self._unsent.extend(unsent)
        for _ in range(min(self._connection.max_parallel_requests, len(unsent))):
            self._connection.submissions.call(self._submit_next)

    def _submit_next(self) -> None:
        if self._connection.closed:
            return  # it ends what is left
        try:
            job = self._unsent.popleft()
        except IndexError:
            return
        try:
            job.submit()
            self._release_journal()
            if job.job_id is not None:
                self._watch(job)
        except BaseException as error:
            job.fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with suppress(APIConnectionError):  # closed
                self._connection.submissions.call(self._submit_next)

    def _watch(self, job: ApiJob) -> None:
        self._connection.poller.watch(self._resource.resource_id, job)

    def _reason(self, failures: Sequence[PartFailure]) -> tuple[str, AQTError | None]:
        """Report a single API job's failure as it is; of several, those without known result."""
        if len(self._jobs) == 1:
            return failures[0].message, failures[0].error
        serious = [failure for failure in failures if failure.error is not None]
        error = IncompleteBatchError(serious) if serious else None
        return "; ".join(str(failure) for failure in failures), error


def portal_location(connection: CloudConnection, resource: Resource) -> PortalLocation:
    """Return the location of a resource's jobs."""
    return PortalLocation(
        portal_url=connection.portal.portal_url,
        workspace_id=resource.workspace_id,
        resource_name=resource.resource_name,
        resource_type=resource.resource_type,
    )
