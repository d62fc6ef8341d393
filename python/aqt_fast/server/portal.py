"""Accept, find, fetch and cancel jobs; drop expired results. Knows no HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from aqt_fast.server.clock import Clock
from aqt_fast.server.errors import PortalError, invalid
from aqt_fast.server.figures import Figures
from aqt_fast.server.jobs import Job
from aqt_fast.server.limits import DEFAULT_LIMITS, Limits
from aqt_fast.server.machines import Machines
from aqt_fast.server.overview import job_summary, overview
from aqt_fast.server.record import AcceptedJob, accepted_job
from aqt_fast.server.retention import Retention
from aqt_fast.server.sampler import Workload
from aqt_fast.server.workspaces import DIRECT_WORKSPACE, Resource, Workspace


class Portal:
    """The server's state; it lives on while no socket listens."""

    def __init__(
        self,
        workspaces: Sequence[Workspace],
        *,
        speed: float | None,
        seed: int,
        clock: Callable[[], float] = time.time,
        virtual_time: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Accept no job yet.

        Args:
            workspaces: with distinct identifiers.
            speed: divides the realistic device time; None means no device time.
            seed: of all outcomes.
            clock: returns seconds since the epoch.
            virtual_time: whether device time passes on the clock only, and nobody waits.
            limits: how many jobs and results are kept.
        """
        self.workspaces = {workspace.id: workspace for workspace in workspaces}
        self.clock = Clock(clock)
        self.created = self.clock.now()
        """Seconds since the epoch."""
        # One lock for all jobs and machines. It is reentrant: the machines take it again.
        self._changed = threading.Condition()
        self._kept = Retention(self.clock, limits)
        self.machines = Machines(
            [resource for workspace in workspaces for resource in workspace.resources],
            self.clock,
            self._changed,
            self._kept.ended,
            speed=speed,
            seed=seed,
            virtual_time=virtual_time,
        )
        for workspace in workspaces:
            self.machines.set_processing(workspace.id, processed=workspace.jobs_being_processed)
        self._seed = seed
        self.figures = self._first_figures()
        """What each device measures of itself."""
        self._first_flags = {
            workspace.id: (workspace.accepting_job_submissions, workspace.jobs_being_processed)
            for workspace in workspaces
        }

    def _first_figures(self) -> dict[str, Figures]:
        return {
            resource.id: Figures.of(resource, self._seed, self.created)
            for workspace in self.workspaces.values()
            for resource in workspace.resources
            if resource.type == "device"
        }

    def check_workspace(self, workspace_id: str) -> None:
        """Raise LookupError unless there is such a workspace."""
        if workspace_id not in self.workspaces:
            raise LookupError(f"there is no workspace '{workspace_id}'")

    def set_workspace(
        self, workspace_id: str, accepting: bool | None, processed: bool | None
    ) -> None:
        """Set what a workspace does with jobs; None leaves it as it is.

        Raises:
            LookupError: there is no such workspace.
        """
        self.check_workspace(workspace_id)
        workspace = self.workspaces[workspace_id]
        if accepting is not None:
            workspace.accepting_job_submissions = accepting
        if processed is not None:
            workspace.jobs_being_processed = processed
            self.machines.set_processing(workspace_id, processed=processed)

    def submit(
        self, workspace_id: str, resource: Resource, workload: Workload, sha256: str, body: bytes
    ) -> Job:
        """Accept a job.

        Args:
            workspace_id: where it came from.
            resource: where it runs.
            workload: its circuits.
            sha256: hexadecimal digest of the request body.
            body: the request body.

        Raises:
            PortalError: a circuit exceeds the resource's limits (422), or it came by direct access
                while another one is in flight (409).
        """
        direct = workspace_id == DIRECT_WORKSPACE
        _check_limits(resource, workload, direct=direct)
        with self._changed:
            job = Job(
                job_id=self._kept.next_id(),
                number=self._kept.num_accepted,
                workspace_id=workspace_id,
                resource=resource,
                sha256=sha256,
                label=workload.label,
                sizes=workload.sizes,
                digests=workload.digests,
                workload=workload,
                body=body,
                changes=[("queued", self.clock.now())],
                runs=[0] * len(workload.sizes),
            )
            # A request that ends while it waits would cancel a future that is not running.
            job.ended.set_running_or_notify_cancel()
            self.machines.add(job, alone=direct)
            self._kept.add(job)
        return job

    def job(self, job_id: str) -> Job:
        """Find a job.

        Raises:
            PortalError: the identifier is no UUID (422), unknown (404), or that of a job that was
                forgotten (410).
        """
        with self._changed:
            return self._kept.find(job_id)

    def fetch(self, job: Job) -> bytes | None:
        """Return the outcomes of a finished job, and count a fetch of its result.

        Returns:
            ``{"0":[[0,1],…],…}``; None if the job is not finished.

        Raises:
            PortalError: the result has expired (410).
        """
        with self._changed:
            self._kept.drop_expired()
            if job.expired:
                raise PortalError(410, "the result has expired")
            if job.result is not None:
                self._kept.fetched(job)
            return job.result

    def cancel(self, job: Job) -> bool:
        """Cancel a job: at once if it is queued, else after the current circuit.

        Returns:
            False if it was cancelled before.

        Raises:
            PortalError: the job has ended by itself (422).
        """
        with self._changed:
            if job.cancelling:
                return False
            if job.ended.done():
                raise invalid(("path", "job_id"), f"the job has ended: {job.status}")
            self.machines.cancel(job)
            return True

    def drift(self, resource_id: str | None, amount: float) -> None:
        """Have a device measure other figures of itself; None for all devices.

        Raises:
            LookupError: there is no such device.
        """
        if resource_id is not None and resource_id not in self.figures:
            raise LookupError(f"there is no device '{resource_id}'")
        with self._changed:
            for device in self.figures if resource_id is None else (resource_id,):
                before = self.figures[device]
                resource, now = self.machines.resource(device), self.clock.now()
                self.figures[device] = before.drifted(resource, self._seed, amount, now)

    def reset(self) -> None:
        """Forget all jobs, and set machines, workspaces and figures as they were at first."""
        with self._changed:
            for job in list(self._kept.jobs()):
                if not job.ended.done():
                    self.machines.cancel(job)
            self._kept.forget_all()
            self.machines.reset()
            for workspace_id, flags in self._first_flags.items():
                self.set_workspace(workspace_id, *flags)
            self.figures = self._first_figures()

    def job_page(
        self, offset: int, limit: int, chosen: Callable[[Job], bool]
    ) -> tuple[list[dict[str, Any]], int]:
        """Describe some of the remembered jobs, the newest first.

        Args:
            offset: how many of the chosen jobs to skip.
            limit: how many of them to describe.
            chosen: which jobs count.

        Returns:
            Their descriptions, and the number of all chosen jobs.
        """
        with self._changed:
            jobs = [job for job in self._kept.jobs() if chosen(job)]
            shown = jobs[::-1][offset : offset + limit]
            return [job_summary(job) for job in shown], len(jobs)

    def state(self) -> dict[str, Any]:
        """Describe machines, workspaces and numbers of jobs in JSON's types."""
        with self._changed:
            return {
                "now": self.clock.now(),
                "created": self.created,
                "permits": self.machines.permits,
                "failing": self.machines.num_failures,
                "accepted": self._kept.num_accepted,
                **overview(self.workspaces.values(), self._kept.jobs(), self.machines.running()),
            }

    def record(self) -> list[AcceptedJob]:
        """Describe every accepted job that is remembered, in order of acceptance."""
        with self._changed:
            return [accepted_job(job) for job in self._kept.jobs()]


def _check_limits(resource: Resource, workload: Workload, *, direct: bool) -> None:
    """Compare each circuit with what the resource takes.

    Raises:
        PortalError: a circuit has too many qubits or shots (422).
    """
    for index, (shots, qubits) in enumerate(workload.sizes):
        location = ("body",) if direct else ("body", "payload", "circuits", index)
        if qubits > resource.available_qubits:
            message = f"the resource has {resource.available_qubits} qubits"
            raise invalid((*location, "number_of_qubits"), message)
        if shots > resource.max_shots:
            message = f"the resource takes {resource.max_shots} repetitions"
            raise invalid((*location, "repetitions"), message)
