"""Queues and threads that run the jobs."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable

from aqt_fast.server.clock import Clock
from aqt_fast.server.device_time import run_seconds
from aqt_fast.server.errors import PortalError
from aqt_fast.server.jobs import Job, Status
from aqt_fast.server.workspaces import Resource, ResourceStatus


class _Machine:
    """A resource and its queue."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.queue: deque[Job] = deque()
        self.busy = False
        self.running: Job | None = None
        """The job whose circuits run, also after the portal has forgotten it."""
        self.in_flight: Job | None = None
        """The last circuit that came by direct access."""
        self.first_status = resource.status, resource.status_updated_at


class Machines:
    """All machines of the server.

    A machine has a thread while it has work, and none otherwise.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        clock: Clock,
        changed: threading.Condition,
        ended: Callable[[Job], None],
        *,
        speed: float | None,
        seed: int,
        virtual_time: bool = False,
    ) -> None:
        """Start no thread yet.

        Args:
            resources: one machine each; repeated resources count once.
            clock: for the time stamps of status changes.
            changed: the portal's lock; notified when a job or a machine may go on.
            ended: takes each job that has ended, under that lock.
            speed: divides the realistic device time; None means no device time.
            seed: of all outcomes.
            virtual_time: whether device time passes on the clock only, and nobody waits.
        """
        self._machines = {resource.id: _Machine(resource) for resource in resources}
        self._clock = clock
        self._changed = changed
        self._ended = ended
        self._speed = speed
        self._virtual_time = virtual_time
        self._seed = seed
        self._failures: deque[str] = deque()
        self._permits: int | None = None
        """How many circuits may start; None means any number."""
        self._waiting: set[str] = set()
        """Workspaces whose queued jobs wait."""
        self._closed = False

    def resource(self, resource_id: str) -> Resource:
        """Find a resource in any workspace.

        Raises:
            PortalError: there is none (404).
        """
        machine = self._machines.get(resource_id)
        if machine is None:
            raise PortalError(404, "unknown resource")
        return machine.resource

    def set_status(self, resource_id: str, status: ResourceStatus) -> None:
        """Set a machine's status; queued jobs wait until it is online.

        Raises:
            LookupError: there is no such machine.
        """
        machine = self._machines.get(resource_id)
        if machine is None:
            raise LookupError(f"there is no resource '{resource_id}'")
        resource = machine.resource
        with self._changed:
            resource.status = status
            resource.status_updated_at = self._clock.now()
            self._start_thread(machine)

    def set_processing(self, workspace_id: str, *, processed: bool) -> None:
        """Start or stop the processing of a workspace's jobs; those that run go on."""
        with self._changed:
            if processed:
                self._waiting.discard(workspace_id)
            else:
                self._waiting.add(workspace_id)
            for machine in self._machines.values():
                self._start_thread(machine)

    def add(self, job: Job, *, alone: bool) -> None:
        """Put a job at the end of its machine's queue.

        Args:
            job: with the status ``queued``.
            alone: refuse the job while another one that came with ``alone`` has not ended.

        Raises:
            PortalError: such a job has not ended (409).
        """
        machine = self._machines[job.resource.id]
        with self._changed:
            if alone:
                if machine.in_flight is not None and not machine.in_flight.ended.done():
                    raise PortalError(409, "a circuit is in flight")
                machine.in_flight = job
            machine.queue.append(job)
            self._start_thread(machine)

    def cancel(self, job: Job) -> None:
        """Cancel a job that has not ended: at once if queued, else after the current circuit."""
        with self._changed:
            job.cancelling = True
            if job.status == "queued":
                self._machines[job.resource.id].queue.remove(job)
                self._end(job, "cancelled")
            self._changed.notify_all()

    def hold(self) -> None:
        """Make every machine wait before its next circuit."""
        with self._changed:
            self._permits = 0

    def release(self, circuits: int | None = None) -> None:
        """Let this many circuits run during a hold; None ends the hold."""
        with self._changed:
            if self._permits is not None:
                self._permits = None if circuits is None else self._permits + circuits
            self._changed.notify_all()

    def fail(self, message: str, count: int = 1) -> None:
        """Make the next ``count`` jobs that start end with an error."""
        with self._changed:
            self._failures.extend([message] * count)

    def reset(self) -> None:
        """End the hold, let no more jobs fail, and give each machine its first status."""
        with self._changed:
            self.release()
            self._failures.clear()
            for machine in self._machines.values():
                machine.resource.status, machine.resource.status_updated_at = machine.first_status

    def running(self) -> dict[str, Job]:
        """Return the job of each machine that runs one; call this under the portal's lock."""
        running = ((key, machine.running) for key, machine in self._machines.items())
        return {key: job for key, job in running if job is not None and not job.ended.done()}

    @property
    def permits(self) -> int | None:
        """How many circuits may start; None means any number."""
        return self._permits

    @property
    def num_failures(self) -> int:
        """How many of the next jobs fail."""
        return len(self._failures)

    def close(self) -> None:
        """End all threads; a job under way never ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _end(self, job: Job, status: Status) -> None:
        self._ended(job)
        job.end(status, self._clock.now())

    def _start_thread(self, machine: _Machine) -> None:
        if machine.busy or self._next(machine) is None:
            return
        machine.busy = True
        name = f"aqt-fast machine {machine.resource.id}"
        threading.Thread(target=self._work, args=(machine,), name=name, daemon=True).start()

    def _next(self, machine: _Machine) -> Job | None:
        """Return the job that may start; None if there is none."""
        if self._closed or machine.resource.status != "online":
            return None
        ready = (job for job in machine.queue if job.workspace_id not in self._waiting)
        return next(ready, None)

    def _work(self, machine: _Machine) -> None:
        while True:
            with self._changed:
                machine.running = job = self._next(machine)
                if job is None:
                    machine.busy = False
                    return
                machine.queue.remove(job)
                job.changes.append(("ongoing", self._clock.now()))
                failure = self._failures.popleft() if self._failures else None
            try:
                if failure is not None:
                    raise RuntimeError(failure)
                self._run(job)
            except Exception as error:  # noqa: BLE001 - every failure becomes the job's message
                with self._changed:
                    job.message = str(error) or repr(error)
                    self._end(job, "error")

    def _run(self, job: Job) -> None:
        assert job.workload is not None  # noqa: S101 - a job that has not ended has one
        seed = _derive(self._seed, job.number)
        for index, (shots, _) in enumerate(job.sizes):
            seconds = run_seconds(job.resource, shots, job.workload.gates[index])
            if not self._wait_turn(job, seconds):
                return
            job.workload.measure(index, noisy=job.resource.noisy, seed=_derive(seed, index))
            with self._changed:
                job.finished_count += 1
                job.runs[index] += 1
                if job.cancelling:
                    self._end(job, "cancelled")
                    return
        result = job.workload.result(seed=seed)
        with self._changed:
            if job.cancelling:
                self._end(job, "cancelled")
            else:
                job.result = result
                self._end(job, "finished")

    def _wait_turn(self, job: Job, seconds: float) -> bool:
        """Wait during a hold, then for the device time; return False if it must not run."""
        with self._changed:
            self._changed.wait_for(lambda: self._permits != 0 or job.cancelling or self._closed)
            if job.cancelling:
                self._end(job, "cancelled")
            elif self._permits:
                self._permits -= 1
            if job.cancelling or self._closed:
                return False
            if self._speed is not None and self._virtual_time:
                self._clock.advance(seconds / self._speed)
            elif self._speed is not None:
                self._changed.wait_for(lambda: self._closed, seconds / self._speed)
            return not self._closed


def _derive(seed: int, number: int) -> int:
    """Derive a seed of 64 bits for one of several things of a kind."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{number}".encode()).digest()[:8], "big")
